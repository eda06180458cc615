"""One conversation as an index knows it: its rows, which may still lie on the disk, and its windows."""

from __future__ import annotations

import itertools
from bisect import bisect_right
from typing import TYPE_CHECKING, Any, Final

from ..columns import Columns
from ..fingerprint import Fingerprint
from ..model import (
    BOOKKEEPING,
    COMMAND_OUTPUT,
    CONTEXT,
    LOCAL_COMMAND,
    LOST,
    NOTICE,
    PROMPT,
    SUMMARY,
    TEXT,
    THINKING,
    TOOL_CALL,
    TOOL_RESULT,
    UNKNOWN,
    counts,
)
from ..ordering import ReadingOrder, ranges, reading_order

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Sequence

Row = tuple[Fingerprint, int]
"""What is kept of an occurrence, and the byte offset of its line in the log (-1 where it was lost)."""

CODES: Final = {
    PROMPT: "p",
    TEXT: "t",
    THINKING: "h",
    TOOL_CALL: "c",
    TOOL_RESULT: "r",
    LOCAL_COMMAND: "l",
    COMMAND_OUTPUT: "o",
    NOTICE: "n",
    CONTEXT: "e",
    UNKNOWN: "u",
    SUMMARY: "s",
    BOOKKEEPING: "b",
    LOST: "x",
}
KINDS_BY_CODE: Final = {code: kind for kind, code in CODES.items()}


class ConversationState:
    """One conversation: a row a sequence number, and its windows.

    Of a conversation that an index has already, ``rows`` reads the first so many rows when they are needed, ``row`` one of them.
    ``stored`` is how many it has, ``fresh`` are the rows that came since.
    """

    def __init__(
        self,
        stored: int = 0,
        rows: Callable[[int], Iterable[Row]] | None = None,
        row: Callable[[int], Row] | None = None,
    ) -> None:
        self.stored = stored
        self.fresh: list[Row] = []
        self.windows: list[list[list[int]]] = []
        self.growing: list[int] = []
        """Positions of the windows that belong to growing files: no export shares them."""
        self.extends: dict[int, int] = {}
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
        self._rows, self._row = rows, row
        self._columns = Columns()
        self._lines: list[int] = []
        self._reading: ReadingOrder | None = None

    def __len__(self) -> int:
        return self.stored + len(self.fresh)

    @property
    def columns(self) -> Columns:
        """The messages by their fingerprints, by sequence number."""
        self._load()
        return self._columns

    @property
    def lines(self) -> list[int]:
        """Byte offset of each occurrence's line in the log, -1 where it was lost."""
        self._load()
        return self._lines

    def _load(self) -> None:
        if self._rows is not None:
            rows, self._rows = self._rows, None
            for item, line in itertools.chain(rows(self.stored), self.fresh):
                self._columns.append(item)
                self._lines.append(line)

    def row(self, number: int) -> Row:
        """The fingerprint and the line of one occurrence; its role is not kept."""
        if self._rows is not None and self._row is not None and number < self.stored:
            return self._row(number)
        if number >= self.stored:
            return self.fresh[number - self.stored]
        c = self.columns
        return Fingerprint(
            c.hashes[number], c.keys[number], c.kinds[number], "", c.weights[number], c.uuids[number]
        ), self._lines[number]

    def rows_from(self, start: int) -> Iterator[Row]:
        """The rows from this number on; of those that an index has it is asked once."""
        if start >= self.stored:
            return iter(self.fresh[start - self.stored :])
        c = self.columns
        items = map(Fingerprint, c.hashes, c.keys, c.kinds, itertools.repeat(""), c.weights, c.uuids)
        return itertools.islice(zip(items, self._lines), start, None)

    def saved(self) -> None:
        """The index has all rows now."""
        self.stored += len(self.fresh)
        self.fresh = []

    def fill(self, columns: Columns, lines: list[int]) -> None:
        """Take over the rows that an index has, all at once."""
        self._columns, self._lines, self.stored = columns, lines, len(lines)

    def reading(self) -> ReadingOrder:
        """The order in which the occurrences are read, computed when first asked for."""
        if self._reading is None:
            self._reading = reading_order(len(self), self.windows, self.extends, self.continuations)
        return self._reading

    def add(self, item: Fingerprint, line: int) -> None:
        """Append one occurrence."""
        self.fresh.append((item, line))
        if self._rows is None:
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

    def captured(self, numbers: list[int]) -> None:
        """These numbers, higher than all before, were captured."""
        self.unannounced += ranges(numbers)

    def may_wait(self, window: Iterable[Sequence[int]]) -> list[int]:
        """The numbers that a window shows of which the bodies may wait to be announced."""
        begins = [first for first, _ in self.unannounced]
        found: dict[int, None] = {}
        for first, last in window if begins else ():
            for number in map(self.standing, range(first, last + 1)):
                at = bisect_right(begins, number) - 1
                if at >= 0 and number <= self.unannounced[at][1]:
                    found[number] = None
        return [*found]

    def announced(self, numbers: list[int]) -> None:
        """These do not wait any more."""
        if numbers:
            gone = set(numbers)
            left = (number for first, last in self.unannounced for number in range(first, last + 1))
            self.unannounced = ranges([number for number in left if number not in gone])

    def take_place(self, taken: int, number: int) -> str:
        """Another drawing of ``taken`` comes under ``number``; returns the body that counted for it until now."""
        taken = self.standing(taken)
        body = self.stands_for(taken)
        if 0 <= taken < number:
            self.redrawn[taken] = number
        return body

    def keep_lost(self, number: int) -> None:
        """Lines that were lost keep their sequence numbers, up to ``number``."""
        while len(self) < number:
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

    def add_continuation(self, number: int) -> None:
        """Note that an export began with this occurrence, after a compaction."""
        if number not in self.continuations:
            self.continuations.append(number)
            self._reading = None

    def head(self) -> dict[str, Any]:
        """Everything but the rows, for an index."""
        more: dict[str, Any] = {"purged": ranges(sorted(self.purged))} if self.purged else {}
        if self.unannounced:
            more["unannounced"] = self.unannounced
        if self.redrawn:
            more["redrawn"] = {str(number): taking for number, taking in self.redrawn.items()}
        return {
            "windows": self.windows,
            "growing": self.growing,
            "extends": {str(number): root for number, root in self.extends.items()},
            "continuations": self.continuations,
            "figures": self.figures,
            "has_session": self.has_session,
            **more,
        }

    def take_head(self, head: dict[str, Any]) -> None:
        """Take over what :meth:`head` gave. Raises KeyError, TypeError, ValueError, AttributeError."""
        self.windows, self.growing = head["windows"], head["growing"]
        self.extends = {int(number): root for number, root in head["extends"].items()}
        self.continuations, self.figures = head["continuations"], head["figures"]
        self.has_session = head["has_session"]
        self.unannounced = head.get("unannounced", [])
        self.redrawn = {int(number): taking for number, taking in head.get("redrawn", {}).items()}
        self.purged = {number for first, last in head.get("purged", ()) for number in range(first, last + 1)}
