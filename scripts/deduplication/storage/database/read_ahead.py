"""What is asked for next is read along with what is asked for: one message after another would be a question each."""

from __future__ import annotations

from bisect import bisect_right
from typing import TYPE_CHECKING, Final

from ..state.announcements import KEY

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

    from ..state.stored_rows import Row

_BEFORE: Final = 64
"""So many before the one that is asked for, and four times as many behind it."""
_BEHIND: Final = 4 * _BEFORE
_MANY: Final = 100_000
_WINDOW: Final = 64 * 1024
"""Bytes of the log that are read at once: an eighth before the line that is asked for, and then lines that begin there."""
_KEPT: Final = 16 * _WINDOW


class NearBodies:
    """Content hashes in the order in which rows were read: who asks for one asks for those next to it soon."""

    def __init__(self) -> None:
        self._read: list[str] = []
        self._places: dict[str, int] = {}

    def note(self, identity: str) -> None:
        """A row with this body was read."""
        if len(self._read) > _MANY:
            self.clear()
        self._places[identity[:KEY]] = len(self._read)
        self._read.append(identity)

    def of(self, beginning: str) -> Sequence[str]:
        """Those near the one that begins so."""
        at = self._places.get(beginning[:KEY])
        return () if at is None else self._read[max(0, at - _BEFORE) : at + _BEHIND]

    def clear(self) -> None:
        """Forget them."""
        self._read.clear()
        self._places.clear()


class NearRows:
    """Rows of a conversation by their numbers; ``read`` gives those from one number up to another."""

    def __init__(self, read: Callable[[int, int], Iterable[tuple[int, Row]]]) -> None:
        self._read = read
        self._rows: dict[int, Row] = {}

    def row(self, number: int) -> Row | None:
        """The row of a number; None where there is none."""
        if number not in self._rows:
            self._rows = dict(self._read(max(0, number - _BEFORE), number + _BEHIND))
        return self._rows.get(number)


class NearLines:
    """Lines of a log by the bytes at which they begin; ``read`` gives those from one byte up to another."""

    def __init__(self, read: Callable[[int, int], Iterable[tuple[int, bytes]]]) -> None:
        self._read = read
        self._lines: dict[int, bytes] = {}
        self._windows: list[tuple[int, int]] = []
        self._size = 0

    def line(self, start: int) -> bytes | None:
        """The line that begins there; None where none does."""
        at = bisect_right(self._windows, (start, 1 << 62)) - 1
        if at < 0 or start >= self._windows[at][1]:
            self._take(start)
        return self._lines.get(start)

    def _take(self, start: int) -> None:
        if self._size > _KEPT:
            self.clear()
        first, end = max(0, start - _WINDOW // 8), start + _WINDOW - _WINDOW // 8
        at = bisect_right(self._windows, (start, 1 << 62))
        if at:
            first = max(first, self._windows[at - 1][1])
        if at < len(self._windows):
            end = min(end, self._windows[at][0])
        self._windows.insert(at, (first, end))
        for where, line in self._read(first, end):
            self._lines[where] = line
            self._size += len(line)

    def clear(self) -> None:
        """Forget them."""
        self._lines.clear()
        self._windows.clear()
        self._size = 0
