"""One conversation as an index knows it: its rows, which may still lie on the disk, and its windows."""

from __future__ import annotations

import copy
from array import array
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from ...alignment.columns import Columns
from ...alignment.fingerprint import Fingerprint
from ...alignment.reading_order import BREAK, ReadingOrder, reading_order, root_of
from ...model import LOST, counts
from ..conversation import Adopted

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

Row = tuple[Fingerprint, int]
"""What is kept of an occurrence, and the byte offset of its line in the log (-1 where it was lost)."""
Rows = tuple[Columns, "array[int]"]
"""The same of many, a column a property: eight bytes an occurrence for each of them, where texts are shared."""

_BESIDES_ROWS: Final = (
    "windows",
    "growing",
    "extends",
    "passed",
    "adopted",
    "adopted_by",
    "redrawn",
    "purged",
    "unannounced",
    "continuations",
    "figures",
    "has_session",
    "runs",
)
"""What a conversation has besides its rows."""


class AdoptedBy(NamedTuple):
    """The conversation that another one turned out to be, and the number that its number 0 has there."""

    conversation_id: str
    at: int


class ConversationState:
    """One conversation: a row a sequence number, and its windows.

    Of a conversation that an index has already, ``rows`` reads the first so many rows when they are needed, ``row`` one of them.
    ``stored`` is how many it has; the rows that came since are fresh.
    """

    def __init__(
        self,
        stored: int = 0,
        rows: Callable[[int], Rows] | None = None,
        row: Callable[[int], Row] | None = None,
        columns: Columns | None = None,
    ) -> None:
        self.stored = stored
        self.windows: list[list[list[int]]] = []
        self.growing: list[int] = []
        """Positions of the windows that belong to growing files: no export shares them."""
        self.extends: dict[int, int] = {}
        self.passed: set[int] = set()
        """Numbers in ``extends`` that do not take the place: an earlier one says it better."""
        self.adopted: list[Adopted] = []
        """What came from other conversations that turned out to be this one."""
        self.adopted_by: AdoptedBy | None = None
        """The conversation that this one turned out to be."""
        self.redrawn: dict[int, int] = {}
        """For each number whose place another drawing of the same message took, or what was written of it: that one."""
        self.purged: set[int] = set()
        """Numbers of which only a tombstone is left."""
        self.unannounced: list[list[int]] = []
        """Numbers that captures brought and no export showed since: only their bodies can wait to be announced."""
        self.continuations: list[int] = []
        """Numbers that an export began with right after a compaction."""
        self.figures: dict[str, Any] = {}
        self.has_session = False
        """A session belongs to it."""
        self.runs: list[list[int]] = []
        """Where in the log its commit records stand (see ``run_places``)."""
        self._rows, self._row = rows, row
        self._columns = columns if columns is not None else Columns()
        """All rows; the fresh ones alone while the others still lie on the disk."""
        self._lines = array("q")
        self._reading: ReadingOrder | None = None

    def __len__(self) -> int:
        return len(self._lines) + (self.stored if self._rows is not None else 0)

    @property
    def columns(self) -> Columns:
        """The messages by their fingerprints, by sequence number."""
        self._load()
        return self._columns

    @property
    def lines(self) -> array[int]:
        """Byte offset of each occurrence's line in the log, -1 where it was lost."""
        self._load()
        return self._lines

    def _load(self) -> None:
        if self._rows is not None:
            rows, self._rows = self._rows, None
            fresh, lines = self._columns, self._lines
            self._columns, self._lines = rows(self.stored)
            self._columns.extend(fresh)
            self._lines.extend(lines)

    def row(self, number: int) -> Row:
        """The fingerprint and the line of one occurrence; its role is not kept."""
        if self._rows is not None:
            if self._row is not None and number < self.stored:
                return self._row(number)
            if number >= self.stored:
                number -= self.stored
            else:
                self._load()
        return self._columns.item(number), self._lines[number]

    def line(self, number: int) -> int:
        """Byte offset of the line of one occurrence."""
        return self.row(number)[1] if self._rows is not None else self._lines[number]

    def rows_from(self, start: int) -> Iterator[Row]:
        """The rows from this number on; of those that an index has it is asked once."""
        if self._rows is not None and start >= self.stored:
            start -= self.stored
        else:
            self._load()
        return zip(self._columns.items(start), self._lines[start:] if start else self._lines)

    def fresh(self) -> Iterator[Row]:
        """The rows that the index does not have yet."""
        return self.rows_from(self.stored)

    def saved(self) -> None:
        """The index has all rows now."""
        self.stored = len(self)
        if self._rows is not None:
            self._columns, self._lines = Columns(), array("q")

    def fill(self, columns: Columns, lines: array[int]) -> None:
        """Take over the rows that an index has, all at once."""
        self._columns, self._lines, self.stored = columns, lines, len(lines)

    def reading(self) -> ReadingOrder:
        """The order in which the occurrences are read, computed when first asked for."""
        if self._reading is None:
            self._reading = reading_order(len(self), self.windows, self.extends, self.continuations, self.passed)
        return self._reading

    def add(self, item: Fingerprint, line: int = -1) -> None:
        """Append one occurrence, with the byte offset of its line in the log, where it has one."""
        self._columns.append(item)
        self._lines.append(line)
        self._reading = None

    def standing(self, number: int) -> int:
        """The number that stands in the place of this one: itself, or the last drawing that took it."""
        while number in self.redrawn:
            number = self.redrawn[number]
        return number

    def stands_for(self, number: int) -> str:
        """The body that counts for an occurrence: its own, or that of the drawing that took its place; empty where none does."""
        number = self.standing(number)
        item = self.row(number)[0] if 0 <= number < len(self) and number not in self.purged else None
        return item.content_hash if item is not None and counts(item.kind) else ""

    def take_place(self, taken: int, number: int) -> str:
        """Another drawing of ``taken`` comes under ``number``; returns the body that counted for it until now."""
        taken = self.standing(taken)
        body = self.stands_for(taken)
        if 0 <= taken < number:
            self.redrawn[taken] = number
        return body

    def keep_lost(self, number: int) -> None:
        """Lines that were lost keep their sequence numbers, up to ``number``."""
        for _ in range(len(self), number):
            self.figures["lost"] = self.figures.get("lost", 0) + 1
            self.add(Fingerprint("", "", LOST, "", 0), -1)

    def add_window(self, window: list[list[int]]) -> int:
        """Append the window of one export unless it is there already; returns its position."""
        for position, known in enumerate(self.windows):
            if known == window and position not in self.growing:
                return position
        self.windows.append(window)
        self._reading = None
        return len(self.windows) - 1

    def go_on(self, position: int, follows: int, window: list[list[int]]) -> int:
        """Add what a further part of a file shows, after ``follows``; ``position`` is that of its window so far, or -1.

        A file that is captured turn by turn has one window, not one a turn.
        """
        self._reading = None
        own = self.windows[position] if position >= 0 else []
        if follows < 0 or not own or own[-1][1] != follows:
            self.windows.append([*([[follows, follows]] if follows >= 0 else []), *(list(each) for each in window)])
            self.growing.append(len(self.windows) - 1)
            return len(self.windows) - 1
        for first, last in window:
            if own[-1][1] == first - 1:
                own[-1][1] = last
            else:
                own.append([first, last])
        return position

    def origin(self, number: int) -> tuple[str, int] | None:
        """Under which id and number the log has an occurrence that came from another conversation; None for one of its own."""
        for at, count, name, first in self.adopted:
            if at <= number < at + count:
                return name, first + number - at
        return None

    def copy(self) -> ConversationState:
        """The same, to be changed without changing this one."""
        other = ConversationState()
        other.fill(self.columns.take(range(len(self))), self.lines[:])
        for name in _BESIDES_ROWS:
            setattr(other, name, copy.deepcopy(getattr(self, name)))
        return other

    def adopt(self, name: str, other: ConversationState, same: Sequence[tuple[int, int, bool]]) -> None:
        """Take over everything of ``other``, whose id is ``name``, behind what is here.

        ``same`` are pairs of a number here and one there that turned out to be one message; True says that what is there takes
        the place of what is here.
        """
        at = len(self)
        for item, line in list(other.rows_from(0)):
            self.add(item, line)
        own = self._own_ranges(name, other)
        self.adopted += sorted(each._replace(at=at + each.at) for each in own)
        self.growing += [len(self.windows) + position for position in other.growing]
        self.windows += [
            [[first + at, last + at] if first >= 0 else BREAK for first, last in window] for window in other.windows
        ]
        self.extends.update({number + at: earlier + at for number, earlier in other.extends.items()})
        self.purged.update(number + at for number in other.purged)
        self.unannounced += [[first + at, last + at] for first, last in other.unannounced]
        self.redrawn.update({number + at: taking + at for number, taking in other.redrawn.items()})
        self.passed.update(number + at for number in other.passed)
        self.continuations += [number + at for number in other.continuations]
        groups: dict[int, set[int]] = {}
        for each in other.extends:
            groups.setdefault(root_of(each, other.extends) + at, set()).add(each + at)
        for here, there, better in same:
            first, second = root_of(here, self.extends), root_of(there + at, self.extends)
            if second < at:
                continue  # it is one of ours already
            self.extends[second] = first
            self._stand(*((there + at, here) if better else (here, there + at)))
            if not better:
                self.passed.update(groups.get(second, ()), (second,))
        self.has_session = self.has_session or other.has_session
        self._reading = None

    @staticmethod
    def _own_ranges(name: str, other: ConversationState) -> list[Adopted]:
        """All of ``other`` as ranges of numbers of the log: what it adopted itself, and what lies between."""
        found, at = [], 0
        for each in (*other.adopted, Adopted(len(other), 0, "", 0)):
            if each.at > at:
                found.append(Adopted(at, each.at - at, name, at))
            if each.length:
                found.append(each)
            at = each.at + each.length
        return found

    def unite(self, one: int, other: int) -> bool:
        """Two occurrences turned out to be one message; what is read of the older one stays. False where they were one."""
        first, second = sorted((root_of(one, self.extends), root_of(other, self.extends)))
        if first == second:
            return False
        self.passed.update((second, *(number for number in self.extends if root_of(number, self.extends) == second)))
        self.extends[second] = first
        self._stand(one, other)
        self._reading = None
        return True

    def _stand(self, one: int, other: int) -> None:
        """``one`` stands for both from now on."""
        taken, stays = self.standing(other), self.standing(one)
        if taken != stays:
            self.redrawn[taken] = stays

    def add_continuation(self, number: int) -> None:
        """Note that an export began with this occurrence, after a compaction."""
        if number not in self.continuations:
            self.continuations.append(number)
            self._reading = None
