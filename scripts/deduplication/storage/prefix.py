"""How an export begins, as its run's commit record tells it: with that a later one that begins so needs not be read again."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final, Protocol, Union

from ..start.late_tuple import NamedTuple

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from ..alignment.fingerprint import Fingerprint

HEAD: Final = 512
"""Bytes by which the prefixes of an export are looked for; one with fewer has none."""
_HEAD_BYTES: Final = 8


class Prefix(NamedTuple):
    """The beginning of an export, of which every message is stored with the very content hash that it has there.

    ``head`` are the first 16 digits of the SHA-256 of the first :data:`HEAD` bytes, ``sha256`` is that of all ``size`` of them:
    of the bytes that are left where the volatile ones are taken out (``formats.base.Cumulative.volatile``). It holds the first
    ``messages`` messages that the export shows, ``counted`` of them are counted and stand on ``shown`` bytes. ``state`` is what
    the format must know of it (``model.SafePlace``). ``keyed``: the rows of all messages that the export shows have the alignment
    keys and ids that they have there, too. ``witness``: the positions of three turns in a row, which show another export with the
    same prefix to be of this conversation, where no other one shared anything with it; none where that is not known.
    """

    head: str
    size: int
    sha256: str
    messages: int
    counted: int
    shown: int
    state: tuple[Union[int, str], ...]
    witness: tuple[int, ...] = ()
    keyed: bool = False


class SeenPrefix(NamedTuple):
    """A prefix that an export had which was processed: into which conversation, by which parser, and what it showed.

    ``window`` and ``marks`` are those of its commit record. ``alone``: nothing was told of any other conversation since, and it has
    a witness.
    """

    conversation_id: str
    parser: int
    format: str
    window: Sequence[Sequence[int]]
    marks: Sequence[tuple[str, int]]
    prefix: Prefix
    alone: bool


class Prefixes(Protocol):
    """What a store is asked for an export that begins as an earlier one did, whose rows are not to be read."""

    def prefixes(self, head: str) -> Sequence[SeenPrefix]:
        """Which prefixes with this head did exports have that were processed, the last ones of them? None is always an answer."""

    def expect_bodies(self, content_hashes: Iterable[str]) -> None:
        """Which bodies are asked for next? A store may look for them together; what it answers is the same."""

    def print_of(self, content_hash: str) -> Fingerprint | None:
        """What is known of a body, as it was drawn first? Its role and ids are not."""

    def row(self, conversation_id: str, number: int) -> Fingerprint:
        """What is known of the message with this sequence number? Its role is not."""

    def holds(self, conversation_id: str, content_hash: str) -> bool:
        """Has this conversation a message with this body, one that was not purged?"""

    def turns_with(self, conversation_id: str, key: str) -> int:
        """How many prompts and answers of this conversation have this alignment key?"""


def of_prefix(prefix: Prefix) -> dict[str, Any]:
    """A prefix as JSON: its members by name, the witness as two lists where there is one."""
    found = {**prefix._asdict(), "state": list(prefix.state)}
    rare: dict[str, Any] = {}
    if prefix.witness:
        rare["witness"] = list(prefix.witness)
    if prefix.keyed:
        rare["keyed"] = True
    return {**{name: value for name, value in found.items() if name not in ("witness", "keyed")}, **rare}


def to_prefix(found: Any) -> Prefix:
    """What :func:`of_prefix` gave. Raises TypeError, ValueError, KeyError, AttributeError."""
    prefix = Prefix(**{**found, "state": tuple(found["state"]), "witness": tuple(found.get("witness", ()))})
    whole = (prefix.size, prefix.messages, prefix.counted, prefix.shown, *prefix.witness)
    texts = (prefix.head, prefix.sha256)
    sound = all(type(each) is int and each >= 0 for each in whole) and all(isinstance(each, str) for each in texts)
    if not sound or len(bytes.fromhex(prefix.head)) != _HEAD_BYTES:
        raise ValueError("a prefix of another form")
    return prefix
