"""The log and the index beside it, each brought up to the other: what an index lacks is replayed, a missing one is made again.

The log is written first and is durable before anything else happens; the index follows.
"""

from __future__ import annotations

import os
import time
from functools import partial
from typing import Final

from ..errors import StoreDamaged, StoreNotWritable
from ..files import atomic
from ..project.paths import AUDIT, HASHES, INDEX_NAMES, QUARANTINE
from . import seed_files
from .index.audit_mark import AuditMark
from .index.index import Index
from .log.append_log import Log
from .state.blobs import Blobs
from .state.log_state import State

OPEN: Final = 4 * 1024 * 1024
"""Bytes from which on the open part of the log is sealed by whoever stores something; what is about to be archived, later."""
_COPY: Final = "Put back a copy of the file, or run 'deduplicate_export.py rebuild' to go on with what is there."
_LATE: Final = (
    "Where something synchronises the folder, wait for the rest of it; else run 'deduplicate_export.py repair'."
)
_AUDIT_TAIL: Final = 64 * 1024
"""Bytes at the end of the audit file that are looked at: far more than what a system keeps back for half a minute."""


class IndexedLog:
    """Log, blobs and index in ``folder``, and the state that they come to. Whoever calls it holds the store's lock.

    ``plain``: one of plain files, of which nothing is sealed, and which has the content hashes as JSON; without it the store is
    what it was. ``log``: its log, where somebody reads that in a way of his own.
    """

    def __init__(self, folder: str, *, plain: bool = False, log: Log | None = None) -> None:
        self.folder = folder
        self.log = log or Log.of(folder)
        self.blobs = Blobs.beside(self.log)
        self.index = self.empty_index()
        self.state = State()
        self.warnings: list[str] = []
        self.is_plain = plain or seed_files.is_plain(folder)
        self._loaded: tuple[object, ...] = ()
        """Which index and log the state was loaded from or written to; empty where it must be loaded."""
        self._audit = AuditMark()
        self.unsaved: list[bytes] = []
        """Lines for the audit file of runs that the index does not have yet."""

    def empty_index(self) -> Index:
        """An index of this log, in memory until it is kept."""
        return Index(self.folder, self.log, self.blobs, partial(_fill, self.log))

    def files(self) -> list[str]:
        """The indexes that lie in the folder, by name, those of version 0.1 included."""
        return [name for name in INDEX_NAMES if os.path.lexists(self._path(name))]

    def _path(self, name: str) -> str:
        return os.path.join(self.folder, name)

    def forget(self) -> None:
        """Nothing is known of index and audit file any more: what is there is to be loaded, or made again."""
        self.unsaved.clear()
        self._loaded, self._audit = (), AuditMark()

    def reopen(self) -> None:
        """Take notice of a log that was put in the place of the old one."""
        self._loaded = ()
        self.recover(write=True)

    def written(self) -> None:
        """The log was changed without a change of what it says."""
        self._loaded = self.identity()

    def leave_plain(self) -> None:
        """A store of plain files is one like any other from now on. Inside a transaction for writing."""
        if self.is_plain:
            self.is_plain = False
            self.save(b"")

    def identity(self) -> tuple[object, ...]:
        """Which index and how much of the log there is; empty where there is no index."""
        identity = self.index.identity()
        return (*identity, self.log.size()) if identity else ()

    def recover(self, *, write: bool) -> None:
        """Bring the state in memory up to the log: reuse, load, replay the tail, or make all anew."""
        self.log.recover(write=write)
        missing = self.log.missing()
        if missing:  # what follows would be taken for what stands there
            raise StoreDamaged(f"{missing:,} bytes of sealed lines before {self.log.path} are missing", hint=_LATE)
        self.index.writable = write
        self.is_plain = self.is_plain or seed_files.is_plain(self.folder)
        identity = self.identity()
        if identity and identity == self._loaded:
            return
        self._loaded = ()
        loaded = self.index.load()
        if loaded is not None and not self._audit_agrees(loaded[1], write=write):
            loaded = None
        self.is_plain = self.is_plain or HASHES in self.index.noted
        self.state, self._audit = loaded or (self.index.begin(), AuditMark())
        size = self.log.size()
        if self.index.accounted > size and self._is_of_a_copy():
            loaded = None
        if size < self.state.size:
            raise StoreDamaged(
                f"{self.log.path} is {self.state.size - size:,} bytes shorter than it was when it was last written",
                hint=_COPY,
            )
        if size > self.state.size or loaded is None:
            self._catch_up(write=write)
        elif write and size and not seed_files.are(self.folder, self.index.noted, plain=self.is_plain):
            self.save(b"")
        else:
            self._loaded = identity

    def _is_of_a_copy(self) -> bool:
        """Whether the index belongs to another machine's log, which something brought here: then this log needs one of its own."""
        from .log import log_copies

        if not log_copies.have(self.log, self.index.accounted, self.index.proof):
            return False
        self.index.accounted = 0
        self.state, self._audit = self.index.begin(), AuditMark()
        return True

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
        from .recount import replay, spill

        audit: list[bytes] = []
        mark = self._audit
        may_spill = write or not self._audit.size
        for said in replay(self.log, self.state):
            audit.append(said)
            mark = mark.plus(said)
            if may_spill:
                spill(self.index, self.state, mark)
        committed = self.state.size
        if committed < self.index.accounted:
            raise StoreDamaged(
                f"{self.log.path} does not say any more what it said when it was last written: "
                f"{self.index.accounted - committed:,} bytes of it cannot be read",
                hint=_COPY,
            )
        if write:
            atomic.remove_temporaries(self.folder)
            if self.log.size() > committed:
                self.warnings.append(self.put_aside(committed))
            self.save(b"".join(audit))

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

    def flush(self) -> None:
        """Bring the index up to the runs that were written since."""
        if self.unsaved:
            audit = b"".join(self.unsaved)
            self.unsaved.clear()
            self.save(audit)

    def keep_up(self) -> None:
        """Between two of many runs: have in memory, and in the open part of the log, no more than when each comes by itself.

        Of a store of plain files each index that is written has all hashes in it: that waits until the last run is there.
        """
        from .recount import spill

        if not self.is_plain and self.log.open_size() > OPEN:
            self.flush()
            self.state.let_go()
        else:
            spill(self.index, self.state, self._audit)

    def save(self, audit: bytes) -> None:
        """Bring the index up to the state. A failure is a warning: the log has everything, the next run makes it again."""
        try:
            if self._audit.size:
                atomic.append(self._path(AUDIT), audit, durable=False)
            else:
                atomic.replace(self._path(AUDIT), audit)
            self._audit = self._audit.plus(audit)
            noted = seed_files.write(self.folder, self.state, self.index.noted, plain=self.is_plain)
            self.index.save(self.state, self._audit, noted)
            seed_files.remove_former(self.folder, plain=self.is_plain)
            if self.log.open_size() > OPEN and not self.state.unreadable and not self.is_plain:
                self._seal()
            self._loaded = self.identity()
        except StoreNotWritable as error:
            self._loaded = ()
            self.warnings.append(f"{error}. The messages are stored; the indexes will be made again by the next run")

    def _seal(self) -> None:
        """Seal what is open. What is archived in a moment waits for that, up to four times as much: it would be sealed twice."""
        from .settle import settled

        end = self.state.size if self.log.open_size() > 4 * OPEN else settled(self.log, self.state.size)
        if end - self.log.sealed.end > OPEN // 2:
            self.log.seal(end)


def _fill(log: Log, index: Index, size: int) -> AuditMark:
    """:func:`.recount.fill`; most runs find the index where the one before left it."""
    from .recount import fill

    return fill(log, index, size)
