"""A store in a folder whose log a database has, too: all that is asked is answered here, and what is new is sent there later.

So a server that cannot be reached costs nothing. Sending and receiving is somebody else's (see the room ``exchange``).
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from ..start.late_tuple import NamedTuple
from . import log_replacing, sent_mark
from .log.lines import COMMIT, Damaged, decode_line, is_commit
from .log_store import LogStore

if TYPE_CHECKING:
    from collections.abc import Iterable

    from .database.place import Place


class Waiting(NamedTuple):
    """Runs and bytes of the log that the database does not have, and what is known of it."""

    runs: int
    size: int
    mark: sent_mark.SentMark


class HybridStore(LogStore):
    """See ``log_store.LogStore``; ``place`` is where the database has it."""

    def __init__(self, folder: str, place: Place) -> None:
        super().__init__(folder)
        self.database = place
        self.place = place

    def waiting(self) -> Waiting:
        """What the database does not have. Inside a transaction."""
        mark = sent_mark.read(self.folder)
        start = mark.size if mark.size <= self.log.size() else 0
        runs = sum(COMMIT in line.data and _ends_run(line.data) for line in self.log.lines(start))
        return Waiting(runs, self.log.size() - start, mark)

    def receive(self, start: int, lines: Iterable[bytes]) -> None:
        """Inside a transaction for writing: have these lines, of whole runs, from byte ``start`` of the log on.

        Raises ``StoreNotWritable``.
        """
        if start == self.log.size():
            run: list[bytes] = []
            for line in lines:
                run.append(line)
                if COMMIT in line and _ends_run(line):
                    self.log.append_run(run[:-1], run[-1])
                    run = []
        else:
            log_replacing.replace_from(self.log, self.folder, start, lines, self._indexed.files())
        self.reopen()

    @property
    def head(self) -> str:
        """The head of its log. Inside a transaction."""
        return self._indexed.state.head


def _ends_run(line: bytes) -> bool:
    try:
        return is_commit(decode_line(line))
    except Damaged:
        return False
