"""The store in a folder: opened under its lock, recovered, and committed to; the log is the truth, every index follows from it."""

from __future__ import annotations

import contextlib
from typing import TYPE_CHECKING, Final

from .indexed_log import IndexedLog
from .log_answers import LogAnswers
from .run_writer import write_run
from .store_folder import TIMEOUT, StoreFolder

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Sequence
    from contextlib import AbstractContextManager

    from .audit_entries import AuditEntry
    from .contract import ExportRecord, NewOccurrence, Same
    from .database.place import Place
    from .log.append_log import Log
    from .log_backed import FolderStore, LogBackedStore, LogMoment, Remembered
    from .log_rewrite import Instead, Rewritten
    from .verification import Verified

FILTERS_IN_A_RUN: Final = 0.05
"""Seconds of processor time after which a run makes no further filter for searching: one block at least."""
FILTERS_HELD: Final = 1.0
"""The same where nobody waits, as long as the store is held at a time."""


class LogStore(LogAnswers):
    """A store in one folder (see ``contract.Store`` and ``log_backed.LogBackedStore`` for what each method promises).

    ``plain``: one of plain files (see ``seed_files``); without it the store is what it was. ``log``: its log, where somebody reads
    that in a way of his own.
    """

    def __init__(self, folder: str, *, plain: bool = False, timeout: float = TIMEOUT, log: Log | None = None) -> None:
        self._place = StoreFolder(folder, timeout)
        self._indexed = IndexedLog(folder, plain=plain, log=log)
        super().__init__(self._indexed)
        self.folder = folder
        self.place: Place | None = None
        self.log, self.blobs, self.warnings = self._indexed.log, self._indexed.blobs, self._indexed.warnings
        self._depth = 0

    # -- opening and recovery ----------------------------------------------------------------------------------

    @contextlib.contextmanager
    def transaction(self, *, write: bool = True) -> Iterator[None]:
        """Hold the lock; at both ends the index agrees with the log. With ``write=False`` nothing is created."""
        if self._depth:
            self._depth += 1
            try:
                yield
            finally:
                self._depth -= 1
            return
        self._place.require_inside()
        if not write and not self._place.exists():
            yield
            return
        self._place.finish_purge()
        if write:
            self._place.make()
        with self._locked(write=write):
            self._indexed.recover(write=write)
            self._depth = 1
            try:
                yield
            finally:
                self._depth = 0
                self._indexed.flush()

    @contextlib.contextmanager
    def _locked(self, *, write: bool) -> Iterator[None]:
        """The store's lock, and of the archive what was opened meanwhile."""
        with self._place.locked(write=write), contextlib.closing(self.log):
            yield

    def reopen(self) -> None:
        """Inside a transaction for writing: take notice of a log that was put in the place of the old one."""
        self._indexed.reopen()
        self.log.close()  # the packs may be replaced next

    @contextlib.contextmanager
    def unrecovered_log(self) -> Iterator[Log]:
        """The log under the store's lock, whatever state it and its index are in; nothing is recovered or created.

        But a purge that was stopped is finished: of half of one nothing can be told.
        """
        self._place.finish_purge()
        with self._locked(write=False) if self._place.exists() else contextlib.nullcontext():
            yield self.log

    @contextlib.contextmanager
    def locked_log(self) -> Iterator[Log]:
        """The log under the store's lock, as a reader finds it, whatever its index is like."""
        with self.unrecovered_log() as log:
            log.recover(write=False)
            yield log

    # -- storing -----------------------------------------------------------------------------------------------

    def commit(
        self,
        conversation_id: str,
        occurrences: Sequence[tuple[int, NewOccurrence]],
        record: ExportRecord,
        started: float,
        same: Sequence[Same] = (),
    ) -> None:
        """Append the run to the log, durably, then bring the index up to it: of several in one transaction, when that ends."""
        write_run(self._indexed, conversation_id, occurrences, record, started, same)
        if self._depth < 2:
            self._indexed.flush()

    def load(self, lines: Iterable[bytes], blob: Callable[[str], bytes] | None = None) -> Iterator[int]:
        """Take lines of another log as they are."""
        from .loading import load

        yield from load(self._indexed, lines, blob)

    # -- the log, for who asks for one (see log_backed) ---------------------------------------------------------

    def hybrid(self) -> None:
        """No database has it."""

    def where(self) -> str:
        """The folder."""
        return self.folder

    def log_backed(self) -> LogBackedStore | None:
        """Itself."""
        return self

    def in_folder(self) -> FolderStore | None:
        """Itself."""
        return self

    def has_blob(self, digest: str) -> bool:
        """True where there is such an image or document."""
        return self.blobs.has(digest)

    def rewrite_log(self, folder: str, instead: Instead) -> Rewritten:
        """The log with other lines in it, beside the old one."""
        from . import upkeep

        return upkeep.rewrite_log(self._indexed, folder, instead)

    @property
    def is_plain(self) -> bool:
        """Whether all files are plain, with the content hashes as JSON and nothing sealed."""
        return self._indexed.is_plain

    def byte_counts(self) -> tuple[int, int]:
        """Bytes of all distinct exports processed, and those that the folder takes on the disk."""
        return self.seen_bytes().distinct, self._place.stored_bytes()

    def audit(self) -> Iterator[AuditEntry]:
        """The lines of the audit file."""
        from .audit_entries import read

        return read(self.folder)

    def operations(self) -> Iterator[AuditEntry]:
        """The lines of the file of operations."""
        from .audit_entries import operations

        return operations(self.folder)

    def note(self, entry: AuditEntry) -> None:
        """Append to that file."""
        from .audit_entries import note

        if self._place.exists():
            note(self.folder, entry)

    def at_one_moment(self) -> AbstractContextManager[LogMoment]:
        """The log as it is at one moment."""
        from .log_moment import at_one_moment

        return at_one_moment(self.folder, lambda: self.transaction(write=False), self._indexed)

    # -- upkeep ------------------------------------------------------------------------------------------------

    def condense(self) -> None:
        """Seal what is open, compress slowly what was compressed quickly, take the holes out of the index, let go of images."""
        if not self._place.exists():
            return
        from . import upkeep

        with self.transaction():
            todo = upkeep.seal(self._indexed)
        for segment in todo:
            better = upkeep.better(self._indexed, segment)  # which takes long, and needs no lock
            self.log.close()
            if better is not None:
                with self.transaction():
                    self.log.sealed.exchange(segment, *better)
        with self.transaction():
            self._indexed.index.condense()
            self.blobs.let_go()
        self.make_filters()

    def make_filters(self, *, anew: bool = False) -> None:
        """Filters for the whole log; others have their turn in between."""
        from .settle import make_filters

        left = self._place.exists()
        while left:
            with self.transaction():
                left = make_filters(self._indexed, FILTERS_HELD, anew=anew)
            anew = False

    def former_files(self) -> list[str]:
        """The sealed files and the indexes of earlier versions."""
        from . import upkeep

        with self.locked_log():
            return upkeep.former_files(self._indexed)

    def leave_plain(self) -> None:
        """No plain files any more: the hashes go, and what is sealed from now on is compressed."""
        with self.transaction():
            self._indexed.leave_plain()

    def settle(self) -> None:
        """Seal what is open where that pays, and let go of images: what is archived by now is left out."""
        if self._place.exists():
            from .settle import make_filters, settle

            with self.transaction():
                settle(self._indexed)
                make_filters(self._indexed, FILTERS_IN_A_RUN)

    def verify(self) -> list[str]:
        """Recount everything from the log; call it outside a transaction."""
        return self.verified().problems

    def verified(self, since: str = "") -> Verified:
        """The same, and the log as a chain. Others wait for it only where something is damaged, or while it is replaced."""
        from . import verification

        if not self._place.exists():
            return verification.nothing(since)
        found = verification.follow(self.folder, since, lambda: self._locked(write=False), plain=self.is_plain)
        if found is not None:
            return found
        with self._locked(write=False):
            return verification.verify(self._indexed, since)

    def remembered(self) -> Remembered:
        """What the index has of the log, where it can be read and is sound. Whoever calls this holds the lock."""
        from . import upkeep

        return upkeep.remembered(self._indexed)

    def rebuild(self, mend: Callable[[Log], list[str]] | None = None) -> list[str]:
        """Make the index anew. Damaged lines are healed where one bit was flipped, else passed over and named.

        What stands behind the last complete run is put aside, as the next run would do. ``mend`` is called in the place of
        healing, under the lock; it may rewrite the log.
        """
        from . import upkeep

        self._place.finish_purge()
        self._place.make()
        with self._locked(write=True):
            found = upkeep.rebuild(self._indexed, mend)
        self.make_filters(anew=True)
        return found
