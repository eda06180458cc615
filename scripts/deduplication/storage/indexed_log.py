"""The log and the index beside it, each brought up to the other: what an index lacks is replayed, a missing one is made again.

The log is written first and is durable before anything else happens; the index follows.
"""

from __future__ import annotations

import os
import time
import zlib
from functools import partial
from typing import TYPE_CHECKING, Final

from ..errors import StoreDamaged, StoreNotWritable
from ..files import atomic
from ..project.paths import AUDIT, QUARANTINE, SQLITE_INDEX
from .index.contract import AuditMark
from .index.json_index import JsonIndex
from .log.append_log import Log
from .recount import recount_to, replay
from .state.blobs import Blobs
from .state.log_state import State

if TYPE_CHECKING:
    from .index.contract import Index

LARGE: Final = 5_000
"""Messages from which on an SQLite index takes the place of the JSON files: those are read and written whole."""
OPEN: Final = 4 * 1024 * 1024
"""Bytes from which on the open part of the log is sealed by whoever stores something, archived or not."""
_AUDIT_TAIL: Final = 64 * 1024
"""Bytes at the end of the audit file that are looked at: far more than what a system keeps back for half a minute."""


class IndexedLog:
    """Log, blobs and index in ``folder``, and the state that they come to. Whoever calls it holds the store's lock.

    ``sqlite``: an SQLite index from the first message on, not only for a large store.
    """

    def __init__(self, folder: str, *, sqlite: bool) -> None:
        self.folder = folder
        self.log = Log.of(folder)
        self.blobs = Blobs.beside(self.log.path)
        self.index: Index = JsonIndex(folder)
        self.is_sqlite = False
        """Whether that is a database."""
        self.state = State()
        self.warnings: list[str] = []
        self.sqlite = sqlite
        self._loaded: tuple[object, ...] = ()
        """Which index and log the state was loaded from or written to; empty where it must be loaded."""
        self._audit = AuditMark()

    def _path(self, name: str) -> str:
        return os.path.join(self.folder, name)

    @property
    def wants_sqlite(self) -> bool:
        """Whether the index is to be an SQLite database: it was asked for, or there is one."""
        return self.sqlite or os.path.lexists(self._path(SQLITE_INDEX[0]))

    @property
    def has_sqlite(self) -> bool:
        """Whether the index is one."""
        return self.sqlite or self.is_sqlite

    @property
    def is_large(self) -> bool:
        """Whether the state is too large for an index that is read and written whole."""
        return self.state.occurrences >= LARGE

    def forget(self) -> None:
        """Nothing is known of index and audit file any more: what is there is to be loaded, or made again."""
        self._loaded, self._audit = (), AuditMark()

    def reopen(self) -> None:
        """Take notice of a log that was put in the place of the old one; the kind of index stays what it was."""
        self._loaded = ()
        asked = self.sqlite
        self.sqlite = self.has_sqlite
        try:
            self.recover(write=True)
        finally:
            self.sqlite = asked

    def written(self) -> None:
        """The log was changed without a change of what it says."""
        self._loaded = self.identity()

    def identity(self) -> tuple[object, ...]:
        """Which index and how much of the log there is; empty where there is no index."""
        identity = self.index.identity()
        return (*identity, self.log.size()) if identity else ()

    def recover(self, *, write: bool) -> None:
        """Bring the state in memory up to the log: reuse, load, replay the tail, or make all anew."""
        self.log.recover(write=write)
        self.choose_index(sqlite=self.wants_sqlite)
        self.index.writable = write
        identity = self.identity()
        if identity and identity == self._loaded:
            return
        self._loaded = ()
        loaded = self.index.load() if identity else None
        if loaded is not None and not self._audit_agrees(loaded[1], write=write):
            loaded = None
        self.state, self._audit = loaded or (State(), AuditMark())
        size = self.log.size()
        if size < self.state.size:
            raise StoreDamaged(
                f"{self.log.path} is {self.state.size - size:,} bytes shorter than it was when it was last written",
                hint="Put back a copy of the file, or run 'deduplicate_export.py rebuild' to go on with what is there.",
            )
        if size > self.state.size or loaded is None:
            self._catch_up(write=write)
        else:
            self._loaded = identity

    def choose_index(self, *, sqlite: bool) -> None:
        """Choose the kind of index."""
        if sqlite and not self.is_sqlite:
            from .index import sqlite_file  # a small store does without

            sqlite = sqlite_file.available()
        if sqlite == self.is_sqlite:
            return
        self.is_sqlite, self._loaded = sqlite, ()
        if not sqlite:
            self.index = JsonIndex(self.folder)
            return
        from .index.sqlite_index import SqliteIndex

        self.index = SqliteIndex(self.folder, partial(recount_to, self.log))

    def _audit_agrees(self, mark: AuditMark, *, write: bool) -> bool:
        """Does the audit file hold what the index accounts for? What a killed run appended beyond that is cut off.

        It is not synced: a power cut may leave it as long as it was, with zeros in the place of the last lines.
        """
        try:
            with atomic.open_regular(self._path(AUDIT)) as file:
                status = os.fstat(file.fileno())
                file.seek(max(mark.size - _AUDIT_TAIL, 0))
                tail = file.read(_AUDIT_TAIL)
        except FileNotFoundError:
            return mark.size == 0
        except OSError:
            return False
        if status.st_size < mark.size or b"\0" in tail:
            return False
        if write and status.st_size > mark.size:
            atomic.truncate(self._path(AUDIT), mark.size)
        return True

    def _catch_up(self, *, write: bool) -> None:
        """Replay what the index lacks; put aside what a run that did not finish left behind."""
        audit = b"".join(replay(self.log, self.state))
        committed = self.state.size
        if write:
            atomic.remove_temporaries(self.folder)
            if self.log.size() > committed:
                self.warnings.append(self.put_aside(committed))
            self.save(audit)

    def put_aside(self, committed: int) -> str:
        """Move what stands behind the last complete run into the quarantine folder; says so in a line."""
        folder = self._path(QUARANTINE)
        name = f"unfinished-{time.strftime('%Y%m%dT%H%M%SZ', time.gmtime())}-{committed}.jsonl"
        if os.path.islink(folder):
            raise StoreNotWritable(f"{folder} is a link", hint="Remove the link, then run the command again.")
        with atomic.write_errors(folder):
            atomic.make_private_directory(folder)
        self.log.cut(committed, os.path.join(folder, name))
        return f"an earlier run did not finish; its part was moved to {QUARANTINE}/{name}, run its export again"

    def save(self, audit: bytes) -> None:
        """Bring the index up to the state. A failure is a warning: the log has everything, the next run makes it again."""
        try:
            if self._audit.size:
                atomic.append(self._path(AUDIT), audit, durable=False)
            else:
                atomic.replace(self._path(AUDIT), audit)
            self._audit = AuditMark(self._audit.size + len(audit), zlib.crc32(audit, self._audit.crc32))
            if self.is_large:
                self.choose_index(sqlite=True)
            self.index.save(self.state, self._audit)
            if self.is_sqlite:
                JsonIndex(self.folder).remove()  # of the time when the store was small
            if self.log.open_size() > OPEN and not self.state.unreadable:
                self.log.seal(self.state.size)
            self._loaded = self.identity()
        except StoreNotWritable as error:
            self._loaded = ()
            self.warnings.append(f"{error}. The messages are stored; the indexes will be made again by the next run")
