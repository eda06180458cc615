"""A store in memory that is told a log line by line: what the real one knew at any point of its log.

An export that is processed against it gives the run that was stored then. Nothing of it is written.
"""

from __future__ import annotations

import contextlib
from typing import TYPE_CHECKING

from ..start.late_tuple import NamedTuple
from .answers import Answers
from .log.append_log import Log
from .log.lines import Damaged, Line, decode_line, is_commit
from .recount import most_lines
from .state.apply import apply
from .state.log_state import State
from .state.run_counts import count_at_hand

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from .contract import Counts, ExportRecord, NewOccurrence, Same
    from .log.lines import Record
    from .log_backed import LogBackedStore
    from .state.blobs import Blobs


class Run(NamedTuple):
    """What a store was asked to commit."""

    conversation_id: str
    occurrences: list[tuple[int, NewOccurrence]]
    record: ExportRecord
    same: tuple[Same, ...] = ()


class _Memory(Log):
    """A log of which nothing is on the disk."""

    def __init__(self) -> None:
        super().__init__("")
        self.data = bytearray()

    def size(self) -> int:
        return len(self.data)

    def records(self, offsets: Iterable[int]) -> Iterator[Record]:
        for offset in offsets:
            yield decode_line(bytes(self.data[offset : self.data.index(b"\n", offset) + 1]))


class _Told:
    """What was told so far."""

    def __init__(self, log: _Memory, blobs: Blobs) -> None:
        self.log, self.blobs = log, blobs
        self.state = State()


class Replay(Answers):
    """The store of a log of which the lines are told by :meth:`take`, with the blobs of the real store."""

    def __init__(self, blobs: Blobs) -> None:
        self._told = _Told(_Memory(), blobs)
        super().__init__(self._told)
        self.blobs = blobs
        self.warnings: list[str] = []
        self.runs: list[Run] = []
        """What was asked to be committed, and was not."""
        self._lines = 0

    def where(self) -> str:
        """Nowhere."""
        return ""

    def log_backed(self) -> None:
        """Nothing of it lies in a folder."""

    @contextlib.contextmanager
    def transaction(self, *, write: bool = True) -> Iterator[None]:  # noqa: ARG002 - the contract's
        """There is nobody else."""
        yield

    def commit(
        self,
        conversation_id: str,
        occurrences: Sequence[tuple[int, NewOccurrence]],
        record: ExportRecord,
        started: float,  # noqa: ARG002 - the contract's
        same: Sequence[Same] = (),
    ) -> None:
        """Take note of it."""
        self.runs.append(Run(conversation_id, list(occurrences), record, tuple(same)))

    def take(self, data: bytes) -> bool:
        """The next line of the log; False where it is passed over, as every reader does with a line that is damaged."""
        self._lines += 1
        line = Line(len(self._told.log.data), self._lines, data)
        self._told.log.data += data
        try:
            record = decode_line(data)
            apply(self._told.state, record, line, self.blobs.fingerprint(record))
        except Damaged:
            self._told.state.unreadable += most_lines(line)
            return False
        return True

    def byte_counts(self) -> tuple[int, int]:
        """Nothing of it lies on the disk."""
        return self.seen_bytes().distinct, 0

    def settle(self) -> None:
        """Nothing of it lies on the disk."""

    def condense(self) -> None:
        """Nothing of it lies on the disk."""

    def verify(self) -> list[str]:
        """Nothing of it lies on the disk."""
        return []

    def rebuild(self) -> list[str]:
        """Nothing of it lies on the disk."""
        return []

    def run_at_hand(self, conversation_id: str, window: Iterable[Sequence[int]], *, captures: bool) -> Counts:
        """What the run comes to of which the lines were told, and the commit record was not."""
        return count_at_hand(self._told.state, conversation_id, window, captures=captures)

    def lose(self, conversation_id: str, number: int) -> None:
        """This sequence number is taken by a message that is lost."""
        self._told.state.lose(conversation_id, number)


def before(store: LogBackedStore, sha256: str) -> Replay | None:
    """``store`` as it was before it first saw the file with this SHA-256; None where its log does not tell of it.

    Inside a transaction.
    """
    replay = Replay(store.blobs)
    pending: list[Line] = []
    for line in store.lines():
        pending.append(line)
        try:
            record = decode_line(line.data)
        except Damaged:
            continue
        if not is_commit(record):
            continue
        if record["export"].get("sha256") == sha256:
            return replay
        for each in pending:
            replay.take(each.data)
        pending.clear()
    return None
