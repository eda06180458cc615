"""A snapshot, taken while runs go on.

First everything is copied without any lock. Then, under the locks, one look tells what changed meanwhile; of that the small
files are read, the open part of the log among them, and nothing more is done before the locks are given back. So runs wait
for some milliseconds, and what the snapshot says is one moment. It is written last: until then there is no snapshot. What earlier
snapshots have of something that was purged since goes after that.
"""

from __future__ import annotations

import contextlib
import os
import time
from typing import TYPE_CHECKING

from ..errors import BackupFailed, BackupRefused, StoreMissing, StoreNotWritable
from ..figures.counted import counted
from ..files import clock, journal
from ..project.paths import BACKUP_MARKER, LOG_NAME, is_store
from ..storage import audit_entries
from . import folder as folders
from . import known, retention
from .snapshot_copy import SnapshotResult, copy_as_of

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from .folder import Folder
    from .source import Source


def take(
    source: Source,
    path: str,
    *,
    retention_days: float = retention.DEFAULT_DAYS,
    full: bool = False,
    begin: bool = True,
    only: str = "",
    now: Callable[[], float] = time.time,
    advance: Callable[[int], None] = lambda _bytes: None,
) -> SnapshotResult:
    """A new snapshot of the store in the folder ``path``; older ones go after so many days (below 0: never).

    ``full``: read and hash everything again, here and there, instead of believing sizes and times; what is damaged in the
    backup is written anew. ``begin=False``: only where there is a backup already; ``only``: and only the one with this id.
    Raises :class:`BackupRefused`, :class:`BackupFailed`, ``StoreMissing``, ``StoreLocked``, ``StoreError`` where the log cannot be
    read.
    """
    path, began = os.path.realpath(path), time.monotonic()
    has_log = is_store(source.state) and os.path.lexists(os.path.join(source.state, LOG_NAME))
    if not has_log and not os.path.isdir(os.path.join(source.state, "sealed")):
        raise StoreMissing(source.state)
    folders.refuse(source, path)
    if not begin and not folders.is_backup(path):
        raise BackupRefused(f"{path} has no backup", hint="The folder is gone, or what it lies on is not there.")
    if only and folders.Folder(path).id() != only:
        raise BackupRefused(f"{path} has another backup by now", hint="The disk with this one is not there.")
    journal.recover(source.state)
    with _named(path):
        store = known.store_id(source.state)
        with folders.claimed(path, store) as folder:
            moment = now()
            notes = _remembered(source, folder, store, clock.spelt(moment))
            taken = copy_as_of(source, folder, store, moment, full=full, advance=advance)
            taken.notes += notes
            _purge_earlier(source, folder, taken)
            taken.removed = retention.expire(folder, retention_days, moment)
        figures = {"snapshot": taken.snapshot.number, "files": len(taken.snapshot.files), "bytes": taken.snapshot.size}
        more = {"written_bytes": taken.written_bytes, "problems": len(taken.snapshot.problems)}
        audit_entries.note_in_folder(source.state, audit_entries.BACKUP, began, **figures, **more)
        return taken


@contextlib.contextmanager
def _named(path: str) -> Iterator[None]:
    """A backup that cannot be written is no damage to the store."""
    try:
        yield
    except StoreNotWritable as error:
        raise BackupFailed(error.detail) from error
    except OSError as error:
        raise BackupFailed(f"{error.filename or path}: {error.strerror or error}") from error


def _remembered(source: Source, folder: Folder, store: str, moment: str) -> list[str]:
    """Before anything is written there: what is purged later has to be found in it, and so what was purged while it was away."""
    purges = known.purges(source.state)
    if _is_copy(known.backups(source.state), folder):
        folder.mark(store, folders.new_id())
    notes = []
    if restored := folder.all_purges().difference(purges):
        notes.append(
            f"the store was restored as it was before {counted(len(restored), 'purge')}, and may have what was purged: "
            "purge it again"
        )
    try:
        seen = known.Known(folder.path, moment, folder.id(), tuple(folder.lacking(purges)))
        known.remember(source.state, seen, store)
    except StoreNotWritable as error:
        notes.append(f"the store cannot note where this backup is ({error.detail}): purge will not reach it")
    return notes


def _is_copy(backups: list[known.Known], folder: Folder) -> bool:
    """Whether the backup with this id lies elsewhere as well, so that this folder is a copy of it."""
    own = folder.id()
    elsewhere = [each.path for each in backups if each.id == own and each.path != folder.path]
    for path in elsewhere:
        with contextlib.suppress(OSError):
            same = os.path.samefile(os.path.join(path, BACKUP_MARKER), folder.at(BACKUP_MARKER))
            if not same and folders.Folder(path).id() == own:
                return True
    return False


def _purge_earlier(source: Source, folder: Folder, taken: SnapshotResult) -> None:
    """Remove the snapshots that were taken before a purge, now that there is one from after it. Raises ``StoreNotWritable``.

    It tells by the snapshots and not by what the store has noted, so that it goes on where it was stopped, in a copy as well.
    """
    purges = taken.snapshot.purges
    waiting = [each for each in known.purges(source.state) if each not in purges]
    if waiting:
        taken.kept = "an export that waits to be processed shows it, and was kept as it is"
    lacked = next((each.owed for each in known.backups(source.state) if each.id == taken.snapshot.backup), ())
    earlier = folder.before(purges)
    if not earlier and not lacked:
        return
    if taken.snapshot.problems:
        taken.kept = "the store is damaged: earlier snapshots were kept"
        return
    done = retention.remove(folder, earlier)
    taken.purged = done.snapshots
    if done.kept or (not earlier and retention.collect(folder) < 0):
        taken.kept = "a snapshot cannot be read"
        return
    with contextlib.suppress(StoreNotWritable):  # it is looked at once more next time
        known.note_purged(source.state, taken.snapshot.backup, purges)
