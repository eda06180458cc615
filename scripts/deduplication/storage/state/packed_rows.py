"""Rows of a whole store in few bytes: what is counted once, compared and let go, as verify does.

Each different fingerprint is kept once, in columns of bytes (57 each, and 8 to 16 of a table of hashes); a row is its number, its
kind and, where it has one, its id in 16 bytes. What does not have the form of the product's own fingerprints is kept as it is.
"""

from __future__ import annotations

import hashlib
import re
from array import array
from functools import partial
from typing import TYPE_CHECKING, Any, Final, cast

from ...alignment.fingerprint import Fingerprint, encoded
from .conversation import ConversationState
from .log_state import State
from .table import Table

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from ...alignment.columns import Columns

_HASH: Final = 32
_KEY: Final = 8
_UUID: Final = 16
_HEX_HASH: Final = re.compile(r"[0-9a-f]{64}\Z")
_HEX_KEY: Final = re.compile(r"[0-9a-f]{16}\Z")
_HEX_UUID: Final = re.compile(r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}\Z")
_NO_UUID: Final = bytes(_UUID)
_HEAVIEST: Final = 1 << 62
_KINDS: Final = 250


class Forms:
    """Each different fingerprint, ids and roles aside, under a number; found by its content hash."""

    def __init__(self) -> None:
        self._hashes, self._keys = bytearray(), bytearray()
        self._weights = array("q")
        self.codes = bytearray()
        """The kind of each, as its position in :attr:`kinds`."""
        self.kinds: list[str] = []
        self.lines = array("q")
        """At which byte of the log the line begins that carries the body; -1 where this one does not."""
        self._odd: dict[int, Fingerprint] = {}
        self._slots = array("I", bytes(4 * 1024))
        """A number and one more, or 0 where the slot is free: open addressing, at most half of them taken."""
        self._last: tuple[Fingerprint | None, int] = (None, -1)
        """Who asked last, mostly for a body, asks for the row of the same next."""

    def number(self, item: Fingerprint) -> int:
        """The number of a fingerprint; a new one gets the next."""
        if item.uuid or item.role:
            item = Fingerprint(item.content_hash, item.key, item.kind, "", item.weight)
        if item == self._last[0]:
            return self._last[1]
        digest = _digest(item.content_hash)
        for number in self._with(digest):
            if self.item(number) == item:
                break
        else:
            number = self._add(digest, item)
        self._last = item, number
        return number

    def item(self, number: int, uuid: str = "") -> Fingerprint:
        """The fingerprint with this number."""
        odd = self._odd.get(number)
        if odd is not None:
            return odd._replace(uuid=uuid) if uuid else odd
        return Fingerprint(
            self._hashes[number * _HASH : (number + 1) * _HASH].hex(),
            self._keys[number * _KEY : (number + 1) * _KEY].hex(),
            self.kinds[self.codes[number]],
            "",
            self._weights[number],
            uuid,
        )

    def carrier(self, identity: str) -> int:
        """The number of the body with this content hash that a line carries; -1 where none does."""
        for number in self._with(_digest(identity)):
            if self.lines[number] >= 0 and (number not in self._odd or self._odd[number].content_hash == identity):
                return number
        return -1

    def _with(self, digest: bytes) -> Iterator[int]:
        slots, mask = self._slots, len(self._slots) - 1
        at = int.from_bytes(digest[:_KEY], "big") & mask
        while slots[at]:
            number = slots[at] - 1
            if self._hashes[number * _HASH : (number + 1) * _HASH] == digest:
                yield number
            at = at + 1 & mask

    def _add(self, digest: bytes, item: Fingerprint) -> int:
        number = len(self.codes)
        if item.kind not in self.kinds and len(self.kinds) < _KINDS:
            self.kinds.append(item.kind)
        is_ours = _HEX_HASH.match(item.content_hash) and _HEX_KEY.match(item.key) and item.kind in self.kinds
        if not is_ours or not (type(item.weight) is int and abs(item.weight) < _HEAVIEST):
            self._odd[number] = item
        self._hashes += digest
        self._keys += bytes.fromhex(item.key) if number not in self._odd else bytes(_KEY)
        self._weights.append(item.weight if number not in self._odd else 0)
        self.codes.append(self.kinds.index(item.kind) if item.kind in self.kinds else 0)
        self.lines.append(-1)
        if 2 * len(self.codes) > len(self._slots):
            self._slots = array("I", bytes(8 * len(self._slots)))
            for each in range(number):
                self._take_slot(each)
        self._take_slot(number)
        return number

    def _take_slot(self, number: int) -> None:
        slots, mask = self._slots, len(self._slots) - 1
        at = int.from_bytes(self._hashes[number * _HASH : number * _HASH + _KEY], "big") & mask
        while slots[at]:
            at = at + 1 & mask
        slots[at] = number + 1


class PackedBodies:
    """The bodies among the forms (see :class:`~.bodies.Bodies` for what each method promises)."""

    def __init__(self, forms: Forms) -> None:
        self._forms = forms

    def offset(self, identity: str) -> int | None:
        """The byte offset of the line that carries the body."""
        number = self._forms.carrier(identity)
        return self._forms.lines[number] if number >= 0 else None

    def fingerprint(self, identity: str) -> Fingerprint | None:
        """What is known of the body."""
        number = self._forms.carrier(identity)
        return self._forms.item(number) if number >= 0 else None

    def add(self, identity: str, offset: int, item: Fingerprint) -> None:
        """Another body."""
        self._forms.lines[self._forms.number(item._replace(content_hash=identity))] = offset


class PackedColumns:
    """A sequence of messages as :class:`~...alignment.columns.Columns` has it, to be added to and read row by row."""

    def __init__(self, forms: Forms) -> None:
        self._forms = forms
        self._numbers = array("I")
        self._uuids = bytearray()
        """16 bytes a row, zeros where it has none; shorter where the last rows have none."""
        self._odd: dict[int, str] = {}

    def append(self, item: Fingerprint) -> None:
        """Add one message at the end."""
        uuid, at = item.uuid, len(self._numbers)
        self._numbers.append(self._forms.number(item))
        if not uuid:
            return
        data = bytes.fromhex(uuid.replace("-", "")) if _HEX_UUID.match(uuid) else _NO_UUID
        if data == _NO_UUID:
            self._odd[at] = uuid
            return
        self._uuids += bytes(_UUID * at - len(self._uuids))
        self._uuids += data

    def item(self, number: int) -> Fingerprint:
        """One row; the role is not kept."""
        uuid = self._uuid(number) if self._uuids or self._odd else ""
        return self._forms.item(self._numbers[number], uuid)

    def items(self, start: int = 0) -> Iterator[Fingerprint]:
        """Every row from ``start`` on."""
        return map(self.item, range(start, len(self)))

    @property
    def kinds(self) -> _Kinds:
        """The kind of each, to be asked for by number or by range."""
        return _Kinds(self._forms, self._numbers)

    def __len__(self) -> int:
        return len(self._numbers)

    def _uuid(self, number: int) -> str:
        number = range(len(self))[number]
        data = self._uuids[_UUID * number : _UUID * (number + 1)]
        if not data or data == _NO_UUID:
            return self._odd.get(number, "")
        text = data.hex()
        return "-".join((text[:8], text[8:12], text[12:16], text[16:20], text[20:]))


class _Kinds:
    """The kinds of rows."""

    def __init__(self, forms: Forms, numbers: array[int]) -> None:
        self._forms, self._numbers = forms, numbers

    def __getitem__(self, at: Any) -> Any:
        forms = self._forms
        if isinstance(at, slice):
            return [forms.kinds[forms.codes[number]] for number in self._numbers[at]]
        return forms.kinds[forms.codes[self._numbers[at]]]


def packed_state() -> State:
    """An empty state whose rows take few bytes. It can be told a log, and asked row by row; nothing more."""
    forms = Forms()
    found: Callable[[], ConversationState] = partial(_conversation, forms)
    return State(Table(), bodies=PackedBodies(forms), empty=found)


def _conversation(forms: Forms) -> ConversationState:
    return ConversationState(columns=cast("Columns", PackedColumns(forms)))


def _digest(content_hash: str) -> bytes:
    """32 bytes to find a content hash by: those that it says, or of what is none its own hash."""
    if _HEX_HASH.match(content_hash):
        return bytes.fromhex(content_hash)
    return hashlib.sha256(encoded(content_hash)).digest()
