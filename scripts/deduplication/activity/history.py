"""The runs of a store, read on from where they were read last: a store of a hundred thousand runs is not counted anew for each."""

from __future__ import annotations

import contextlib
import os
from collections import deque
from itertools import islice
from typing import TYPE_CHECKING, Final, Optional

from ..files import atomic
from ..metrics.audited_runs import audited_runs
from ..project.paths import AUDIT
from ..start.late_tuple import NamedTuple
from ..storage.audit_entries import entry_of
from ..storage.log.lines import Damaged, decode_line
from ..storage.log.records import PURGE

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from typing import BinaryIO

    from ..metrics.audited_runs import AuditedRun
    from ..storage.audit_entries import AuditEntry
    from ..storage.contract import Store

RECENT: Final = 30
"""Runs of which the file's name is remembered."""


class NamedRun(NamedTuple):
    """A run, and the name of the file that it was over."""

    run: AuditedRun
    name: str


class History:
    """The audit of the store in ``folder`` (empty: it lies in none) as runs. One thread at a time."""

    def __init__(self, folder: str = "") -> None:
        self._path = os.path.join(folder, AUDIT) if folder else ""
        self._begin()

    def _begin(self) -> None:
        self.runs: list[AuditedRun] = []
        self.recent: deque[NamedRun] = deque(maxlen=RECENT)
        self.removals: list[AuditEntry] = []
        """What the audit says of purges."""
        self.changed: set[str] = set()
        """Conversations of which something came since somebody emptied this."""
        self._last: Optional[AuditEntry] = None
        self._file = (0, 0)
        self._read = 0

    def read_on(self, store: Store) -> None:
        """Take in what came. Inside a transaction of ``store``. Raises ``StoreError``.

        What is not behind what was read, because a purge or a repair wrote all of it anew, is read from the beginning.
        """
        if self._path:
            with contextlib.suppress(FileNotFoundError), atomic.open_regular(self._path) as file:
                self._read_file(file)
            return
        logged = store.log_backed()
        if logged is None:
            return
        before, entries = len(self.removals), islice(logged.audit(), max(0, self._read - 1), None)
        goes_on = self._read > 0 and next(entries, None) == self._last
        if goes_on:
            self._read += self._take(entries)
        if not goes_on or len(self.removals) > before:
            self._begin()
            self._read = self._take(logged.audit())

    def _read_file(self, file: BinaryIO) -> None:
        status = os.fstat(file.fileno())
        if self._file != (status.st_dev, status.st_ino) or status.st_size < self._read:
            self._begin()
            self._file = (status.st_dev, status.st_ino)
        file.seek(self._read)
        self._take(self._lines(file))

    def _lines(self, file: BinaryIO) -> Iterator[AuditEntry]:
        for line in file:
            if not line.endswith(b"\n"):
                return
            self._read += len(line)
            with contextlib.suppress(Damaged, KeyError, TypeError, ValueError):
                yield entry_of(decode_line(line))

    def _take(self, entries: Iterable[AuditEntry]) -> int:
        count = 0
        for entry in entries:
            count += 1
            self._last = entry
            if entry.operation == PURGE:
                self.removals.append(entry)
            for run in audited_runs((entry,)):
                self.runs.append(run)
                self.recent.append(NamedRun(run, str(entry.metadata.get("name", ""))))
            self.changed.add(entry.conversation_id)
        return count
