"""What stays known of a message that was purged: hashes by which it is told when it is shown again, and nothing that it said.

A tombstone keeps the place of its message. Another rendering of the message, a longer one that goes on from it and a shorter one
that is its beginning are told by hashes of letters and digits, as in ``fingerprint``; what is not told here is a new message.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from .fingerprint import DISTINCTIVE, content_hash, plain_text, skeleton
from .model import (
    BOOKKEEPING,
    COMMAND_OUTPUT,
    EXACT,
    LAYOUT,
    LOCAL_COMMAND,
    NOTICE,
    TEXT,
    THINKING,
    TOOL_CALL,
    TOOL_RESULT,
    Message,
)
from .rendering import DIFFERENT, GROWN, PART, REDRAWN, call_name

if TYPE_CHECKING:
    from collections.abc import Iterable

    from .fingerprint import Fingerprint
    from .model import Content

MARKER: Final = "[purged by export-dedup]"
"""What an archived file says in the place of a message; a message that says nothing else is none."""
MARKERS: Final = {
    TOOL_CALL: f"Purged({MARKER})",
    LOCAL_COMMAND: f"/purged {MARKER}",
    BOOKKEEPING: f"/export {MARKER}",
}
"""What it says in a text export in the place of these: what stands below a call or a command stays a result or an output."""
HEADS: Final = (64, 256, 1024, 4096)
"""Letters and digits of a beginning that is kept as a hash: so much of a message, shown alone, is known to be a part of it."""
_GROWING: Final = frozenset({TEXT, THINKING, TOOL_RESULT, COMMAND_OUTPUT})
_RENDERED: Final = frozenset({TOOL_RESULT, COMMAND_OUTPUT, NOTICE})
_A_FEW_WORDS: Final = 12
"""Letters and digits from which a purged message is told as the beginning of a longer one."""
_SHORT: Final = 16
"""Hexadecimal digits of a key, and of the hash of a beginning."""


@dataclass(frozen=True)
class Tombstone:
    """``identity``, ``key``, ``weight``, ``kind`` and ``uuid`` are those of the message's fingerprint.

    ``layout`` is the content hash that the message has where it is laid out for a screen, empty where it was. ``heads`` are hashes
    of its beginnings, one for each of :data:`HEADS` that is shorter, ``call`` one of a tool's name. ``everywhere``: purged
    wherever it is shown, not only in this place.
    """

    identity: str
    kind: str
    key: str
    weight: int
    uuid: str = ""
    layout: str = ""
    heads: tuple[str, ...] = ()
    call: str = ""
    everywhere: bool = False

    @property
    def fidelity(self) -> str:
        """Whether it was written exactly or laid out for a screen."""
        return EXACT if self.layout else LAYOUT


def tombstone_of(message: Message, item: Fingerprint, *, everywhere: bool = False) -> Tombstone:
    """The tombstone of a message with its fingerprint."""
    bones = skeleton(message.content) if item.weight else b""
    name = call_name(plain_text(message.content)) if message.kind == TOOL_CALL else ""
    return Tombstone(
        identity=item.content_hash,
        kind=item.kind,
        key=item.key,
        weight=item.weight,
        uuid=item.uuid,
        layout=layout_hash(message) if message.fidelity == EXACT else "",
        heads=tuple(_hash(bones[:size]) for size in HEADS if size < len(bones)),
        call=_hash(name.encode("utf-8", "surrogatepass"))[: _SHORT // 2] if name else "",
        everywhere=everywhere,
    )


def layout_hash(message: Message) -> str:
    """The content hash of what the message says, whatever its source did to white space."""
    return content_hash(message.role, message.kind, message.content, LAYOUT)


def same(tombstone: Tombstone, message: Message, item: Fingerprint) -> str:
    """What a message is to a purged one, by what it says alone: REDRAWN, GROWN or PART, else DIFFERENT.

    Letters and digits say "the same" only where there are enough of them: ``a+b`` is not ``a-b``.
    """
    if item.content_hash == tombstone.identity or layout_hash(message) == (tombstone.layout or tombstone.identity):
        return REDRAWN
    if not tombstone.weight or not item.weight or item.kind == BOOKKEEPING:
        return DIFFERENT
    if item.key == tombstone.key:
        enough = tombstone.weight >= DISTINCTIVE or message.fidelity != tombstone.fidelity
        return REDRAWN if enough and item.kind == tombstone.kind else DIFFERENT
    if item.kind != tombstone.kind or item.kind not in _GROWING:
        return DIFFERENT
    return _grown_or_part(tombstone, message)


def _grown_or_part(tombstone: Tombstone, message: Message) -> str:
    bones = skeleton(message.content)
    if _A_FEW_WORDS <= tombstone.weight < len(bones):
        head = message.role.encode() + b"\0" + bones[: tombstone.weight]
        return GROWN if hashlib.sha256(head).hexdigest()[:_SHORT] == tombstone.key else DIFFERENT
    known = [(size, head) for size, head in zip(HEADS, tombstone.heads) if size <= len(bones)]
    if known and len(bones) < tombstone.weight and _hash(bones[: known[-1][0]]) == known[-1][1]:
        return PART
    return DIFFERENT


def relation(tombstone: Tombstone, message: Message, item: Fingerprint) -> str:
    """The same for a message in the purged one's place: its neighbours are known to agree."""
    found = same(tombstone, message, item)
    if found != DIFFERENT or item.kind != tombstone.kind:
        return found
    if item.kind in _RENDERED:
        return REDRAWN
    if item.kind == TOOL_CALL:
        name = call_name(plain_text(message.content))
        digest = _hash(name.encode("utf-8", "surrogatepass"))[: _SHORT // 2] if name else ""
        return REDRAWN if message.fidelity != tombstone.fidelity or digest == tombstone.call != "" else DIFFERENT
    return DIFFERENT


class Bans:
    """What was purged wherever it is shown."""

    def __init__(self, tombstones: Iterable[Tombstone] = ()) -> None:
        self._all = tuple(tombstones)
        self._identities: dict[str, Tombstone] = {}
        for each in self._all:
            self._identities.setdefault(each.identity, each)
            self._identities.setdefault(each.layout or each.identity, each)
        self._long = [each for each in self._all if each.weight >= DISTINCTIVE]

    def __bool__(self) -> bool:
        return bool(self._all)

    def has(self, message: Message, item: Fingerprint) -> bool:
        """True for a message that was purged everywhere, in whatever rendering."""
        if not self._all:
            return False
        if item.content_hash in self._identities or layout_hash(message) in self._identities:
            return True
        return item.weight >= DISTINCTIVE and any(same(each, message, item) != DIFFERENT for each in self._long)


def is_marker(content: Content) -> bool:
    """True for what an archived file says in the place of a purged message, whatever stands around it."""
    if isinstance(content, str):
        return "".join(content.split()) in _BARE_MARKERS
    said = ["".join(text.split()) for text in _texts(content)]
    return bool(said) and _BARE_MARKERS.issuperset(said)


_BARE_MARKERS: Final = frozenset("".join(each.split()) for each in (MARKER, f"!{MARKER}", *MARKERS.values()))
_STRUCTURE: Final = frozenset(("type", "id", "tool_use_id", "name", "is_error", "signature"))


def _texts(value: Any) -> Iterable[str]:
    """What blocks say: every text in them but their names and ids."""
    if isinstance(value, str):
        yield value
    elif isinstance(value, list):
        for inner in value:
            yield from _texts(inner)
    elif isinstance(value, dict):
        for key, inner in value.items():
            if key not in _STRUCTURE:
                yield from _texts(inner)


def _hash(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()[:_SHORT]
