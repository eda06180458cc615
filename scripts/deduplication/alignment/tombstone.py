"""What stays known of a message that was purged: hashes by which it is told when it is shown again, and nothing that it said.

A tombstone keeps the place of its message. Anywhere else only the same content is a purged message: its content hash, or all of
it as the other kind of source has it. In its place another rendering is told as well, and a part of it where the client's own
mark or the end of an export says why there is no more. A common beginning by itself says nothing: what is taken for a purged
message is lost, and there is nothing but hashes to compare it with.
"""

from __future__ import annotations

import hashlib
from itertools import accumulate, repeat
from typing import TYPE_CHECKING, Any, Final

from ..model import (
    BOOKKEEPING,
    EXACT,
    LAYOUT,
    LOCAL_COMMAND,
    TOOL_CALL,
    Message,
)
from ..start.late_dataclass import dataclass
from ..start.late_tuple import NamedTuple
from .fingerprint import (
    A_FEW_WORDS,
    DISTINCTIVE,
    GROWING_KINDS,
    REDRAWN_KINDS,
    content_hash,
    encoded,
    plain_text,
    skeleton,
)
from .same_source import DIFFERENT, GROWN, PART, REDRAWN, call_name, without_mark

if TYPE_CHECKING:
    from collections.abc import Iterable

    from ..model import Content
    from .fingerprint import Fingerprint

MARKER: Final = "[purged by export-dedup]"
"""What an archived file says in the place of a message; a message that says nothing else is none."""
MARKERS: Final = {
    TOOL_CALL: f"Purged({MARKER})",
    LOCAL_COMMAND: f"/purged {MARKER}",
    BOOKKEEPING: f"/export {MARKER}",
}
"""What it says in a text export in the place of these: what stands below a call or a command stays a result or an output."""
STEP: Final = 64
"""Letters and digits from one beginning that is kept as a hash to the next: too many to be guessed one step at a time."""
LENGTHS: Final = tuple(
    accumulate(repeat(None, 60), lambda size, _: size + max(STEP, size // 4 // STEP * STEP), initial=STEP)
)
"""Letters and digits of the beginnings that are kept as hashes: so much of a message, shown alone, can be told to be a part of it.

From 1 KiB on they grow by a quarter: the last one reaches beyond what any message has.
"""
_SHORT: Final = 16
"""Hexadecimal digits of a key, and of every hash but the content hashes."""


class Head(NamedTuple):
    """A beginning of a message: so many letters and digits, and a hash of them."""

    weight: int
    key: str


@dataclass(frozen=True)
class Tombstone:
    """``identity``, ``key``, ``weight``, ``kind`` and ``uuid`` are those of the message's fingerprint.

    ``layout`` is the content hash that the message has where it is laid out for a screen, empty where it was. ``drawn`` are hashes
    of what a screen shows of it, links in each of the ways in which they are shown. ``heads`` are its beginnings with the lengths
    of :data:`LENGTHS`, ``cut`` is what stood before the client's mark, ``call`` a hash of a tool's name. ``everywhere``:
    purged wherever it is shown, not only in this place.
    """

    identity: str
    kind: str
    key: str
    weight: int
    uuid: str = ""
    layout: str = ""
    drawn: tuple[str, ...] = ()
    heads: tuple[Head, ...] = ()
    cut: Head | None = None
    call: str = ""
    everywhere: bool = False

    @property
    def fidelity(self) -> str:
        """Whether it was written exactly or laid out for a screen."""
        return EXACT if self.layout else LAYOUT


class Ends(NamedTuple):
    """What may explain that one of two messages has only the beginning of the other.

    ``purged``: an export ended with the purged message; ``shown``: the export at hand ends with the one that it shows.
    """

    purged: bool = False
    shown: bool = False


def tombstone_of(message: Message, item: Fingerprint, *, everywhere: bool = False) -> Tombstone:
    """The tombstone of a message with its fingerprint."""
    bones, was_cut = _before_mark(message) if item.weight else (b"", False)
    return Tombstone(
        identity=item.content_hash,
        kind=item.kind,
        key=item.key,
        weight=item.weight,
        uuid=item.uuid,
        layout=layout_hash(message) if message.fidelity == EXACT else "",
        drawn=_drawn(message) if item.weight else (),
        heads=tuple(Head(size, _hash(bones[:size])) for size in LENGTHS if size < len(bones)),
        cut=Head(len(bones), _hash(bones)) if was_cut else None,
        call=_call(message),
        everywhere=everywhere,
    )


def layout_hash(message: Message) -> str:
    """The content hash of what the message says, whatever its source did to white space."""
    return content_hash(message.role, message.kind, message.content, LAYOUT)


def same(tombstone: Tombstone, message: Message, item: Fingerprint) -> bool:
    """True where a message says what the purged one said, all of it and nothing else. This holds wherever it is shown.

    Between two sources of one kind the content hash decides. What was written and what a screen showed of it agree but for white
    space, or, where there are letters enough, but for the marks that a screen leaves out.
    """
    return Bans((tombstone,)).has(message, item)


def relation(tombstone: Tombstone, message: Message, item: Fingerprint, ends: Ends | None = None) -> str:
    """What a message is to the purged one in whose place it stands: REDRAWN, GROWN or PART, else DIFFERENT."""
    found = proven(tombstone, message, item, ends)
    return REDRAWN if found == DIFFERENT and _fits(tombstone, message, item) else found


def proven(tombstone: Tombstone, message: Message, item: Fingerprint, ends: Ends | None = None) -> str:
    """The same by what both say: no other message that could stand in this place says it."""
    if same(tombstone, message, item) or layout_hash(message) == (tombstone.layout or tombstone.identity):
        return REDRAWN
    another = tombstone.uuid and item.uuid and tombstone.uuid != item.uuid
    if another or item.kind != tombstone.kind or item.kind == BOOKKEEPING or not item.weight or not tombstone.weight:
        return DIFFERENT
    if message.fidelity != tombstone.fidelity:
        if not set(_drawn(message)).isdisjoint(tombstone.drawn):
            return REDRAWN
        if item.key == tombstone.key and item.weight >= DISTINCTIVE:
            return REDRAWN  # tables and links are drawn anew
    if item.kind not in GROWING_KINDS or item.key == tombstone.key:
        return DIFFERENT
    return _grown_or_part(tombstone, message, ends or Ends())


def _grown_or_part(tombstone: Tombstone, message: Message, ends: Ends) -> str:
    """One of them is the beginning of the other, and something says why it has no more than that."""
    bones, cut = _before_mark(message)
    said = tombstone.cut.weight if tombstone.cut is not None else tombstone.weight
    if A_FEW_WORDS <= said <= len(bones):
        if tombstone.cut is not None:
            agree = _hash(bones[:said]) == tombstone.cut.key
            return (GROWN if said < len(bones) else REDRAWN) if agree else DIFFERENT
        head = message.role.encode() + b"\0" + bones[:said]
        agree = hashlib.sha256(head).hexdigest()[:_SHORT] == tombstone.key
        if said < len(bones):
            return GROWN if agree and ends.purged else DIFFERENT
        return REDRAWN if agree and cut else DIFFERENT
    known = [head for head in tombstone.heads if head.weight <= len(bones)]
    if known and len(bones) < said and (cut or ends.shown) and _hash(bones[: known[-1].weight]) == known[-1].key:
        return PART
    return DIFFERENT


def _fits(tombstone: Tombstone, message: Message, item: Fingerprint) -> bool:
    """True where nothing but the place says that a message is the purged one, and nothing speaks against it."""
    another = tombstone.uuid and item.uuid and tombstone.uuid != item.uuid
    if another or item.kind != tombstone.kind:
        return False
    if item.kind in REDRAWN_KINDS:
        return True
    if item.kind == TOOL_CALL:
        return message.fidelity != tombstone.fidelity or _call(message) == tombstone.call != ""
    enough = item.weight >= DISTINCTIVE or message.fidelity != tombstone.fidelity
    return item.kind != BOOKKEEPING and item.weight > 0 and item.key == tombstone.key and enough


class Bans:
    """What was purged wherever it is shown."""

    def __init__(self, tombstones: Iterable[Tombstone] = ()) -> None:
        self._identities: set[str] = set()
        self._layouts: set[str] = set()
        self._drawn: dict[tuple[str, str], set[str]] = {}
        """By kind and fidelity of the message that was purged."""
        for each in tombstones:
            self._identities.add(each.identity)
            if each.layout:
                self._layouts.add(each.layout)
            if each.drawn and each.weight >= DISTINCTIVE:
                self._drawn.setdefault((each.kind, each.fidelity), set()).update(each.drawn)

    def __bool__(self) -> bool:
        return bool(self._identities)

    def has(self, message: Message, item: Fingerprint) -> bool:
        """True for a message that says what one of them said, all of it and nothing else."""
        if not self._identities:
            return False
        if item.content_hash in self._identities:
            return True
        exact = message.fidelity == EXACT
        if exact and layout_hash(message) in self._identities:
            return True
        if not exact and item.content_hash in self._layouts:
            return True
        known = self._drawn.get((item.kind, LAYOUT if exact else EXACT))
        # The first way of showing it shows all of it: what would be lost with it must all have been purged.
        return known is not None and item.weight >= DISTINCTIVE and not known.isdisjoint(_drawn(message)[:1])


def is_marker(content: Content) -> bool:
    """True for what an archived file says in the place of a purged message, whatever stands around it."""
    if isinstance(content, str):
        return "".join(content.split()) in _BARE_MARKERS
    said = ["".join(text.split()) for text in _texts(content)]
    return bool(said) and _BARE_MARKERS.issuperset(said)


_BARE_MARKERS: Final = frozenset("".join(each.split()) for each in (MARKER, f"!{MARKER}", *MARKERS.values()))
_STRUCTURE: Final = frozenset(("type", "id", "tool_use_id", "name", "is_error", "signature"))
"""Members of a block that say nothing."""


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


def _before_mark(message: Message) -> tuple[bytes, bool]:
    """Letters and digits of what a message says before the client's mark, and whether it was cut there."""
    if message.kind not in REDRAWN_KINDS or message.fidelity == EXACT:
        return skeleton(message.content), False
    text, was_cut = without_mark(plain_text(message.content))
    return skeleton(text), was_cut


def _drawn(message: Message) -> tuple[str, ...]:
    from .drawn_text import (
        drawings,  # its patterns cost a start of a hook more than all else here, and are seldom needed
    )

    of = f"{message.role}\0{message.kind}\0"
    return tuple(_hash(encoded(of + each)) for each in drawings(message))


def _call(message: Message) -> str:
    name = call_name(plain_text(message.content)) if message.kind == TOOL_CALL else ""
    return _hash(encoded(name))[: _SHORT // 2] if name else ""


def _hash(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()[:_SHORT]
