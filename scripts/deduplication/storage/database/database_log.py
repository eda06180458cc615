"""The log in the database: the same bytes as in files, of which each line is a row."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from ...errors import StoreDamaged
from ..log.append_log import Log
from ..log.lines import Damaged, Line, decode_line
from .message_rows import whole
from .read_ahead import NearLines

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from ..log.lines import Record
    from .session import Session

_LINES: Final = """
SELECT log_start, entry, body_at, CASE WHEN body_at IS NOT NULL THEN body END FROM messages
WHERE owner = %(owner)s AND log_start >= %(start)s AND log_start < %(end)s
UNION ALL
SELECT log_start, entry, NULL, NULL FROM runs
WHERE owner = %(owner)s AND log_start >= %(start)s AND log_start < %(end)s
ORDER BY log_start
"""
_AT: Final = """
SELECT log_start, entry, body_at, CASE WHEN body_at IS NOT NULL THEN body END FROM messages
WHERE owner = %(owner)s AND log_start = ANY(%(starts)s)
UNION ALL
SELECT log_start, entry, NULL, NULL FROM runs WHERE owner = %(owner)s AND log_start = ANY(%(starts)s)
"""
_BEGINS: Final = """
SELECT coalesce(max(log_start), %(start)s) FROM (
    (SELECT log_start FROM messages WHERE owner = %(owner)s AND log_start <= %(start)s ORDER BY log_start DESC LIMIT 1)
    UNION ALL
    (SELECT log_start FROM runs WHERE owner = %(owner)s AND log_start <= %(start)s ORDER BY log_start DESC LIMIT 1)
) AS before
"""
"""Where the line begins in which a byte stands."""
_RUNS: Final = (
    "SELECT log_start, entry FROM runs WHERE owner = %s AND log_start >= %s AND kind <> 'same' ORDER BY log_start"
)
_AT_ONCE: Final = 500
"""Lines that are asked for together."""
_END: Final = 1 << 62


class DatabaseLog(Log):
    """The log of the owner of a session. A line that is written lies in :attr:`unsent` until it is in the database."""

    def __init__(self, session: Session) -> None:
        super().__init__("")
        self._session = session
        self.path = str(session)
        self.stored = 0
        """Bytes of it that the database has."""
        self.unsent: list[bytes] = []
        self._size = 0
        self._near = NearLines(self._between)

    def size(self) -> int:
        """Bytes of it, with what was not sent yet."""
        return self.stored + self._size

    open_size = size

    def append_run(self, occurrences: Iterable[bytes], commit: bytes) -> None:
        """Take the lines of one run; whoever calls it sends them."""
        lines = [*occurrences, commit]
        self.unsent += lines
        self._size += sum(map(len, lines))

    def sent(self, size: int) -> None:
        """The database has so many bytes now, and nothing is left to be sent."""
        self.unsent, self._size, self.stored = [], 0, size
        self._near.clear()

    def lines(self, start: int = 0, end: int | None = None) -> Iterator[Line]:
        """The lines from byte ``start`` on; what is missing between two of them is a line that is lost."""
        asked = {"owner": self._session.owner, "start": start, "end": _END if end is None else end}
        at, number = start, 0
        for offset, *parts in self._session.stream(_LINES, asked):
            if offset > at:
                number += 1
                yield Line(at, number, bytes(offset - at), lost=offset - at)
            number += 1
            line = whole(*parts)
            yield Line(offset, number, line)
            at = offset + len(line)
        last = self.stored if end is None else min(end, self.stored)
        if at < last:
            yield Line(at, number + 1, bytes(last - at), lost=last - at)

    def runs(self, start: int) -> Iterator[Line]:
        """The commit records from byte ``start`` on, without the lines between them."""
        for number, (offset, entry) in enumerate(self._session.stream(_RUNS, [self._session.owner, start]), 1):
            yield Line(offset, number, bytes(entry))

    def span(self, start: int, end: int) -> bytes:
        """The bytes from ``start`` to ``end`` (half open), wherever lines begin."""
        ((first,),) = self._session.rows(_BEGINS, {"owner": self._session.owner, "start": start})
        found = b"".join(line.data for line in self.lines(first, end))
        return found[start - first : end - first]

    def records(self, offsets: Iterable[int]) -> Iterator[Record]:
        """The records at these offsets, in this order; of one alone those near it are read, too. Raises ``StoreDamaged``."""
        waiting: list[int] = []
        for offset in offsets:
            waiting.append(offset)
            if len(waiting) == _AT_ONCE:
                yield from self._records(waiting)
                waiting = []
        yield from self._records(waiting)

    def _records(self, offsets: list[int]) -> Iterator[Record]:
        found = {offsets[0]: self._near.line(offsets[0])} if len(offsets) == 1 else self._at(offsets)
        for offset in offsets:
            line = found.get(offset)
            if line is None:
                raise StoreDamaged(f"{self.path}, byte {offset} of the log: no line begins there")
            try:
                yield decode_line(line)
            except Damaged as error:
                raise StoreDamaged(f"{self.path}, byte {offset} of the log: {error}") from error

    def _at(self, offsets: list[int]) -> dict[int, bytes | None]:
        asked = {"owner": self._session.owner, "starts": offsets}
        return {start: whole(*parts) for start, *parts in self._session.rows(_AT, asked)} if offsets else {}

    def _between(self, start: int, end: int) -> Iterator[tuple[int, bytes]]:
        asked = {"owner": self._session.owner, "start": start, "end": end}
        return ((at, whole(*parts)) for at, *parts in self._session.rows(_LINES, asked))

    def recover(self, *, write: bool) -> None:
        """A transaction that did not end has left nothing."""

    def tail(self, start: int = 0) -> bytes:
        """Every byte from ``start`` on."""
        return self.span(start, self.stored)
