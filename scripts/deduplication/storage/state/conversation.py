"""One conversation as an index knows it: its rows, which may still lie on the disk, and its windows."""

from __future__ import annotations

import copy
from array import array
from typing import TYPE_CHECKING, Any, Final, cast

from ...alignment.columns import Columns
from ...alignment.fingerprint import Fingerprint
from ...alignment.reading_order import ReadingOrder, reading_order, root_of
from ...model import LOST, counts
from ...start.late_tuple import NamedTuple

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from ..conversation import Adopted
    from .stored_rows import Row, StoredRows

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
    "number",
)
"""What a conversation has besides its rows."""


class AdoptedBy(NamedTuple):
    """The conversation that another one turned out to be, and the number that its number 0 has there."""

    conversation_id: str
    at: int


class ConversationState:
    """One conversation: a row a sequence number, and its windows.

    Of a conversation that an index has already, ``rows`` reads the first ``stored`` rows when they are needed; those that came
    since are fresh.
    """

    def __init__(self, stored: int = 0, rows: StoredRows | None = None) -> None:
        self.stored = stored
        self.number = -1
        """Which one of the conversations of its log it is, in the order in which they were begun."""
        self.chunks: list[list[int]] = []
        """Which stretches of the log are its own, as ranges (see ``chunks``)."""
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
        self._rows = rows
        """Who reads the stored rows; None once they are in memory."""
        self._columns = Columns()
        """All rows; the fresh ones alone while the others still lie on the disk."""
        self._lines = array("q")
        self._kinds: list[str] | None = None
        """The kinds of the stored rows, where they were asked for."""
        self._taken: list[str] = []
        self._reading: ReadingOrder | None = None

    def __len__(self) -> int:
        return len(self._lines) + (self.stored if self._rows is not None else 0)

    @property
    def columns(self) -> Columns:
        """The messages by their fingerprints, by sequence number; of those that still lie on the disk the kinds are at hand."""
        if self._rows is None:
            return self._columns
        from .stored_rows import UnreadColumns  # a turn that is captured asks for none

        return cast("Columns", UnreadColumns(self))

    @property
    def kinds(self) -> list[str]:
        """The kind of each message."""
        if self._rows is None:
            return self._columns.kinds
        if self._kinds is None:
            self._kinds = self._rows.kinds()
        return self._kinds + self._columns.kinds

    @property
    def lines(self) -> array[int]:
        """Byte offset of each occurrence's line in the log, -1 where it was lost."""
        self.load()
        return self._lines

    def load(self) -> Columns:
        """Have all rows in memory."""
        if self._rows is not None:
            columns, lines = self._rows.all()
            columns.extend(self._columns)
            lines.extend(self._lines)
            self._rows, self._columns, self._lines = None, columns, lines
        return self._columns

    def row(self, number: int) -> Row:
        """The fingerprint and the line of one occurrence; its role is not kept."""
        if self._rows is not None:
            number = range(len(self))[number]
            if number < self.stored:
                return self._rows.one(number)
            number -= self.stored
        return self._columns.item(number), self._lines[number]

    def items(self, first: int, end: int) -> Iterator[tuple[int, Fingerprint]]:
        """Number and fingerprint of each own occurrence from one number up to another; of those on the disk no others are read."""
        stored = self.stored if self._rows is not None else 0
        if self._rows is not None and first < stored:
            yield from self._rows.some(first, min(end, stored))
        for number in range(max(first, stored), end):
            yield number, self._columns.item(number - stored)

    def places(self, numbers: Sequence[int]) -> array[int]:
        """Byte offset of the line of each of these occurrences, -1 where it was lost; nothing that is read for it is kept."""
        from .stored_rows import offsets_of

        return offsets_of(numbers, self.stored, self._rows, self._lines)

    def rows_from(self, start: int) -> Iterator[Row]:
        """The rows from this number on; of those that an index has it is asked once."""
        if self._rows is not None and start >= self.stored:
            start -= self.stored
        else:
            self.load()
        return zip(self._columns.items(start), self._lines[start:] if start else self._lines)

    def fresh(self) -> Iterator[Row]:
        """The rows that the index does not have yet."""
        return self.rows_from(self.stored)

    def saved(self) -> None:
        """The index has all rows now."""
        stored = len(self)
        if self._rows is not None:
            if self._kinds is not None:
                self._kinds += self._columns.kinds
            self._columns, self._lines = Columns(), array("q")
        self.stored = stored

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
            self._set_aside(taken, number)
        return body

    def _set_aside(self, taken: int, number: int) -> None:
        """``number`` stands in the place of ``taken``."""
        body = self.stands_for(taken)
        if body:
            self._taken.append(body)
        self.redrawn[taken] = number

    def taken(self) -> list[str]:
        """The bodies of occurrences whose place was taken since this was asked last."""
        found, self._taken = self._taken, []
        return found

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
        other._columns, other._lines = self.load().take(range(len(self))), self._lines[:]
        for name in _BESIDES_ROWS:
            setattr(other, name, copy.deepcopy(getattr(self, name)))
        return other

    def adopt(self, name: str, other: ConversationState, same: Sequence[tuple[int, int, bool]]) -> None:
        """Take over everything of ``other``, whose id is ``name``, behind what is here.

        ``same`` are pairs of a number here and one there that turned out to be one message; True says that what is there takes
        the place of what is here.
        """
        from .adopting import adopt  # it is rare

        adopt(self, name, other, same)

    def unite(self, one: int, other: int) -> bool:
        """Two occurrences turned out to be one message; what is read of the older one stays. False where they were one."""
        first, second = sorted((root_of(one, self.extends), root_of(other, self.extends)))
        if first == second:
            return False
        self.passed.update((second, *(number for number in self.extends if root_of(number, self.extends) == second)))
        self.extends[second] = first
        self.stand(one, other)
        self._reading = None
        return True

    def stand(self, one: int, other: int) -> None:
        """``one`` stands for both from now on."""
        taken, stays = self.standing(other), self.standing(one)
        if taken != stays:
            self._set_aside(taken, stays)

    def changed(self) -> None:
        """What it is read by changed."""
        self._reading = None

    def add_continuation(self, number: int) -> None:
        """Note that an export began with this occurrence, after a compaction."""
        if number not in self.continuations:
            self.continuations.append(number)
            self._reading = None
