"""The questions of a store with a log that a state and that log answer, wherever the log lies; nothing is changed."""

from __future__ import annotations

from typing import TYPE_CHECKING

from .answers import Answers

if TYPE_CHECKING:
    from collections.abc import Iterator

    from .log.lines import Line, Record


class LogAnswers(Answers):
    """What a store over ``known`` answers of its log (see :class:`~.log_backed.LogBackedStore` for what each method promises)."""

    @property
    def head(self) -> str:
        """The head of the log."""
        return self._known.state.head

    def log_size(self) -> int:
        """Bytes of the log."""
        return self._known.log.size()

    def lines(self, start: int = 0, end: int | None = None) -> Iterator[Line]:
        """The lines of the log."""
        return self._known.log.lines(start, end)

    def log_span(self, start: int, end: int) -> bytes:
        """Bytes of the log."""
        return self._known.log.span(start, end)

    def records(self, start: int = 0) -> Iterator[tuple[Line, Record]]:
        """Every line with its record."""
        from .log_rewrite import records

        return records(self._known.log, start)

    def commits(self, start: int = 0) -> Iterator[Record]:
        """All commit records."""
        from .run_records import commits_in

        return commits_in(line.data for line in self._known.log.runs(start))

    def lost_blob_bytes(self) -> int:
        """Bytes of images and documents that are nowhere; none of them is read."""
        sizes = dict(self._known.state.blobs.items())
        return sum(map(sizes.__getitem__, self._known.blobs.missing(sizes)))
