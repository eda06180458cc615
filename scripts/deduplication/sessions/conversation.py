"""One stored conversation as it is read: its order, what stands between its messages, and its bodies where they are asked for.

Everything but the bodies is known at once and costs little even for a long conversation; bodies come from the store only for
the positions that somebody wants to show.
"""

from __future__ import annotations

from collections import Counter
from hashlib import sha256
from typing import TYPE_CHECKING, Any, Final

from ..model import BANNER, COMPACTION, PURGED, REWIND, TRUNCATION, counts
from ..start.late_dataclass import dataclass, field, replace
from .evidence import Evidence, gather

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator, Sequence

    from ..storage.contract import Store

GAP: Final = "gap"
"""Between two messages that no source shows in one piece."""
_PURGED: Final = f"{PURGED}:"
"""How the mark begins that says how many messages were purged in its place."""
_SHOWN: Final = (COMPACTION, REWIND, TRUNCATION, BANNER)


@dataclass(frozen=True)
class Entry:
    """One message in its place. ``before`` are the marks that stand before it."""

    position: int
    message: dict[str, Any]
    before: tuple[str, ...] = ()


@dataclass
class Reading:
    """A conversation in reading order. Valid while the transaction is open in which it was opened."""

    store: Store
    session: str
    order: Sequence[int]
    kinds: list[str]
    """By sequence number."""
    evidence: Evidence
    marks: dict[int, tuple[str, ...]] = field(default_factory=dict)
    """By position: what stands before that message; one past the last for what stands at the end."""

    def __len__(self) -> int:
        return len(self.order)

    def entries(self, first: int = 0, end: int | None = None) -> Iterator[Entry]:
        """The messages at the positions ``first`` up to ``end`` (half open)."""
        numbers = self.order[first:end]
        for position, message in enumerate(self.store.bodies(self.session, numbers), first):
            yield Entry(position, message, self.marks.get(position, ()))

    def counts(self, first: int = 0, end: int | None = None) -> Counter[str]:
        """How many messages of each kind these positions have."""
        return Counter(map(self.kinds.__getitem__, self.order[first:end]))

    def part(self, chosen: Collection[int]) -> Reading:
        """Only the messages with these sequence numbers; the marks before one that is left out stand before the next one."""
        order: list[int] = []
        marks: dict[int, tuple[str, ...]] = {}
        waiting: tuple[str, ...] = ()
        for position, number in enumerate(self.order):
            waiting = (waiting if order else ()) + self.marks.get(position, ())
            if number in chosen:
                if waiting:
                    marks[len(order)] = tuple(dict.fromkeys(waiting))
                order.append(number)
                waiting = ()
        last = len(self.order)
        if order and self.order[-1] == order[-1] and last in self.marks:
            marks[len(order)] = self.marks[last]
        return replace(self, order=order, marks=marks)

    def digest(self, first: int, end: int) -> str:
        """What the reading of these positions depends on besides bodies, which never change: numbers and marks."""
        from array import array

        marks = [[place - first, *self.marks[place]] for place in sorted(self.marks) if first <= place < end]
        proof = sha256(array("q", self.order[first:end]).tobytes())
        proof.update(repr(marks).encode())
        return proof.hexdigest()[:32]


def open_reading(store: Store, session: str, known: Evidence | None = None) -> Reading:
    """The conversation ``session``; empty where there is none. Call it inside a transaction of the store.

    ``known`` is what a former reading knew of its runs.
    """
    conversation = store.conversation(session)
    reading = conversation.reading()
    evidence = gather(store, session, known or Evidence())
    places: dict[int, list[str]] = {}
    for position in _breaks(reading.order, reading.component):
        places.setdefault(position, []).append(GAP)
    if evidence.marks:
        where = _Places(reading.order, conversation.extends)
        for kind, number, side in evidence.marks:
            place = where.of(number)
            if place is not None and kind in _SHOWN and not (kind == BANNER and place + side == 0):
                places.setdefault(place + side, []).append(kind)
    marks = {position: tuple(dict.fromkeys(kinds)) for position, kinds in places.items()}
    found = Reading(store, session, reading.order, conversation.columns.kinds, evidence, marks)
    return _without(found, conversation.purged) if conversation.purged else found


def purged_in(mark: str) -> int:
    """How many messages a mark says to be purged in its place; 0 for every other mark."""
    return int(mark[len(_PURGED) :]) if mark.startswith(_PURGED) else 0


def _without(reading: Reading, purged: set[int]) -> Reading:
    """The reading without what was purged: in its place stands a mark, and what stood around it stands there, too."""
    order: list[int] = []
    marks: dict[int, tuple[str, ...]] = {}
    before: list[str] = []
    gone = 0
    for position, number in enumerate([*reading.order, -1]):
        before += [mark for mark in reading.marks.get(position, ()) if mark not in before]
        if number in purged:
            gone += counts(reading.kinds[number])
            continue
        if gone:
            before.append(f"{_PURGED}{gone}")
        if before:
            marks[len(order)] = tuple(before)
        before, gone = [], 0
        if number >= 0:
            order.append(number)
    return replace(reading, order=order, marks=marks)


def _breaks(order: Sequence[int], component: Sequence[int]) -> Iterator[int]:
    """Positions whose message no evidence ties to the one before."""
    if len(set(component)) < 2:
        return
    for position in range(1, len(order)):
        if component[order[position]] != component[order[position - 1]]:
            yield position


class _Places:
    """Where in the order a sequence number is read; a version that was replaced is where the last one is."""

    def __init__(self, order: Sequence[int], extends: dict[int, int]) -> None:
        self._order, self._extends = order, extends
        self._places: dict[int, int] | None = None

    def of(self, number: int) -> int | None:
        if 0 <= number < len(self._order) and self._order[number] == number:
            return number
        if self._places is None:
            self._places = {each: position for position, each in enumerate(self._order)}
            for version, earlier in sorted(self._extends.items(), reverse=True):
                place = self._places.get(version)
                if place is not None:
                    self._places.setdefault(earlier, place)
        return self._places.get(number)
