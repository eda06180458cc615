"""A log that is looked through while others go on with it: the lines of one moment without the lock, what came since under it.

Up to a commit record the bytes of a log stay what they are, whichever file has them: open lines are sealed, sealed files are
written smaller, and further ones come. Whoever replaces lines (a purge, a repair) changes the head that every later run names.
"""

from __future__ import annotations

import contextlib
from typing import TYPE_CHECKING, Final

from ...errors import StoreDamaged, StoreError
from ...files import atomic
from .append_log import Log
from .lines import Damaged, Line, decode_line
from .sealed import BlockDamaged

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator
    from typing import BinaryIO, Optional

    from .column_format import Archived
    from .lines import Record

_PROOF: Final = 64
"""Bytes before where the log ended: the checksum of its last commit record, which names the head before it."""


class LogReplaced(StoreError):
    """The log was written anew while it was looked through"""


class FollowedLog(Log):
    """The log at ``path`` as it was at one moment, and then as it is."""

    def __init__(self, path: str, archive: Archived | None = None) -> None:
        super().__init__(path, archive)
        self._file: Optional[BinaryIO] = None
        """The open part of that moment, whatever lies under its name by now."""
        self._sealed_end = self._end = 0
        self._began = 0
        self._proof = b""

    def take(self, end: int | None = None) -> None:
        """This is the moment; ``end``: where the last complete run ends. Whoever calls it holds the store's lock."""
        self.let_go()
        self.recover(write=False)
        self._end = super().size() if end is None else end
        self._sealed_end, self._began = self.sealed.end, self._skip
        self._proof = self._told_at_the_end()
        with contextlib.suppress(
            OSError
        ):  # a log of sealed lines alone, or what is no file: that is found out by reading it
            self._file = atomic.open_regular(self.path)

    def let_go(self) -> None:
        """From now on the log is what lies there. Whoever reads it holds the store's lock."""
        if self._file is not None:
            self._file.close()
            self._file = None

    def followed(self, hold: Callable[[], object]) -> Iterator[Line]:
        """Every line; ``hold`` takes the store's lock, and is called once, before what came since that moment.

        Raises :class:`LogReplaced` where the log does not go on from what was read.
        """
        number = 0
        for line in self.lines(0, self._end):
            number = line.number
            yield line
        hold()
        self.go_on()
        for line in super().lines(self._end):
            yield line._replace(number=number + line.number)

    def go_on(self) -> None:
        """From now on it is what lies there; whoever calls this holds the store's lock.

        Raises :class:`LogReplaced` where that does not go on from what was read.
        """
        self.let_go()
        self.close()
        self.recover(write=False)
        if super().size() < self._end or self._told_at_the_end() != self._proof:
            raise LogReplaced(self.path)

    def _told_at_the_end(self) -> bytes:
        try:
            return self.span(max(self._end - _PROOF, 0), self._end)
        except StoreDamaged as error:
            return str(error).encode()

    def size(self) -> int:
        """Bytes in the log, of that moment until it is let go of."""
        return super().size() if self._file is None else self._end

    def lines(self, start: int = 0, end: int | None = None) -> Iterator[Line]:
        """The lines from byte ``start`` on; sealed ones from whichever file has them by now."""
        if self._file is None:
            yield from super().lines(start, end)
            return
        end = self._end if end is None else min(end, self._end)
        number, at = 0, start
        while at < min(end, self._sealed_end):
            for line in super().lines(at, min(end, self._sealed_end)):
                if line.lost > 1 and self._is_elsewhere():
                    break
                number, at = number + 1, line.end
                yield line._replace(number=number)
            else:
                at = self._sealed_end
        yield from self._open_lines(max(start, self._sealed_end), end, number)

    def records(self, offsets: Iterable[int]) -> Iterator[Record]:
        """The records at these offsets, in this order. Raises ``StoreDamaged``."""
        if self._file is None:
            yield from super().records(offsets)
            return
        for offset in offsets:
            try:
                yield decode_line(self._line(offset, self._file))
            except (Damaged, BlockDamaged) as error:
                raise StoreDamaged(f"{self.path}, byte {offset}: {error}") from error

    def _line(self, offset: int, file: BinaryIO | None) -> bytes:
        if self._file is None:
            return super()._line(offset, file)
        if offset >= self._sealed_end:
            self._file.seek(offset - self._sealed_end + self._began)
            return self._file.readline()
        while True:
            try:
                return self.sealed.line(offset)
            except BlockDamaged:
                if not self._is_elsewhere():
                    raise

    def _is_elsewhere(self) -> bool:
        """Whether other files have sealed lines than a moment ago."""
        before = self.sealed.segments
        self.close()  # what lies in the archive, too
        self.look()
        return self.sealed.segments != before

    def _open_lines(self, start: int, end: int | None, before: int) -> Iterator[Line]:
        if self._file is None:
            yield from super()._open_lines(start, end, before)
            return
        if start < self._sealed_end:
            raise LogReplaced(self.path)  # fewer lines are sealed than were
        offset, number = start, before
        while offset < (self._end if end is None else end):
            self._file.seek(offset - self._sealed_end + self._began)  # others read other lines in between
            data = self._file.readline()
            if not data:
                return
            number += 1
            yield Line(offset, number, data)
            offset += len(data)
