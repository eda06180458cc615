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
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

from ..errors import BackupFailed, BackupRefused, StoreMissing, StoreNotWritable
from ..files import atomic, beneath, clock, journal
from ..project.paths import BACKUP_MARKER, LOG_NAME, SQLITE_INDEX
from . import folder as folders
from . import known, log_part, manifest, retention
from .copying import Copying
from .manifest import Snapshot
from .objects import Objects
from .selection import select
from .soundness import SEALED
from .source import STATE

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from .folder import Folder
    from .manifest import File
    from .retention import Removed
    from .selection import Found, Selection
    from .source import Source

LOG: Final = f"{STATE}/{LOG_NAME}"
_ROUNDS: Final = 5
_ENOUGH: Final = 4_000_000
"""Bytes that may be left for the time under the locks; after so many rounds, whatever is left."""
_IN_MEMORY: Final = 32_000_000


@dataclass
class Taken:
    """What a run came to. ``notes``: for the user to know, no failure.

    ``purged`` are the snapshots that went because they were taken before a purge; ``kept``: why such ones are still there.
    """

    snapshot: Snapshot
    written: int = 0
    written_bytes: int = 0
    read_bytes: int = 0
    notes: list[str] = field(default_factory=list)
    removed: Removed = field(default_factory=lambda: retention.NOTHING)
    purged: int = 0
    kept: str = ""


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
) -> Taken:
    """A new snapshot of the store in the folder ``path``; older ones go after so many days (below 0: never).

    ``full``: read and hash everything again, here and there, instead of believing sizes and times; what is damaged in the
    backup is written anew. ``begin=False``: only where there is a backup already; ``only``: and only the one with this id.
    Raises :class:`BackupRefused`, :class:`BackupFailed`, ``StoreMissing``, ``StoreLocked``, ``StoreError`` where the log cannot be
    read.
    """
    path = os.path.realpath(path)
    if not os.path.lexists(os.path.join(source.state, LOG_NAME)) and not os.path.isdir(
        os.path.join(source.state, "sealed")
    ):
        raise StoreMissing(source.state)
    folders.refuse(source, path)
    if not begin and not folders.is_backup(path):
        raise BackupRefused(f"{path} has no backup", hint="The folder is gone, or what it lies on is not there.")
    if only and folders.Folder(path).id() != only:
        raise BackupRefused(f"{path} has another backup by now", hint="The disk with this one is not there.")
    journal.finish_all(source.state)
    with _named(path):
        store = known.store_id(source.state)
        with folders.claimed(path, store) as folder:
            moment = now()
            notes = _remembered(source, folder, store, clock.spelt(moment))
            taken = _taken(source, folder, store, moment, full=full, advance=advance)
            taken.notes += notes
            _purge_earlier(source, folder, taken)
            taken.removed = retention.expire(folder, retention_days, moment)
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
            f"the store was restored as it was before {len(restored):,} purge(s), and may have what was purged: purge it again"
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


def _purge_earlier(source: Source, folder: Folder, taken: Taken) -> None:
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
        known.settle(source.state, taken.snapshot.backup, purges)


def _taken(
    source: Source, folder: Folder, store: str, moment: float, *, full: bool, advance: Callable[[int], None]
) -> Taken:
    names = folder.names()
    previous = folder.newest()
    trusted = frozenset() if full or previous is None else frozenset(previous.objects())
    objects = Objects(folder.path, trusted)
    copying = Copying(objects, None if full else previous)
    left_over = os.path.lexists(folder.at(folders.RUNNING))
    atomic.replace(folder.at(folders.RUNNING), b"")
    _ahead(source, copying, advance)
    with source.at_rest():
        if journal.places(source.state):
            raise BackupFailed("a purge was stopped half way and is not finished", hint="Run the same command again.")
        found = select(source)
        cut = log_part.cut(source.state)
        sqlite = os.path.lexists(os.path.join(source.state, SQLITE_INDEX[0]))
        noted = known.noted(source.state)
        in_memory, problems = _rest(found, cut, copying, advance)
    files = _files(found, cut, copying, in_memory, {path for path, _ in problems})
    problems += [(LOG, fault) for fault in cut.faults]
    problems += [(path, held.fault) for path, held in copying.held.items() if held.fault and path in files]
    objects.settle()
    snapshot = Snapshot(
        number=names[-1].number + 1 if names else 1,
        time=clock.spelt(moment),
        store=store,
        index="sqlite" if sqlite else "json",
        files=files,
        folders=found.folders,
        problems=tuple(sorted(found.problems + problems)),
        backup=folder.id(),
        purges=noted.without({file.sha256 for file in files.values()}),
    )
    name = folders.Name(snapshot.number, clock.compact(moment))
    atomic.replace(folder.at(folders.SNAPSHOTS, name.file), manifest.encode(snapshot))
    if left_over:
        retention.collect(folder)
    with atomic.write_errors(folder.path):
        beneath.unlink(folder.at(folders.RUNNING))
    return Taken(snapshot, objects.written, objects.written_bytes, copying.read_bytes, list(found.notes))


def _ahead(source: Source, copying: Copying, advance: Callable[[int], None]) -> None:
    """Copy without a lock, again and again, until little is left."""
    for _ in range(_ROUNDS):
        missing = [each for each in copying.missing(select(source).files) if each.path != LOG]
        for each in missing:
            copying.copy(each, advance)  # gone or changed: the next round sees it
        if sum(each.identity.size for each in missing) <= _ENOUGH:
            return


def _rest(
    found: Selection, cut: log_part.Cut, copying: Copying, advance: Callable[[int], None]
) -> tuple[dict[str, bytes], list[tuple[str, str]]]:
    """What is left, read under the locks: small files into memory, the others into the backup. And what cannot be read."""
    in_memory: dict[str, bytes] = {}
    problems: list[tuple[str, str]] = []
    room = _IN_MEMORY
    for each in copying.missing(_counting(found, cut)):
        if each.identity.size > room:
            fault = copying.copy(each, advance)
        else:
            fault = ""
            try:
                with atomic.open_regular(each.place) as file:
                    in_memory[each.path] = file.read(each.identity.size)
                room -= each.identity.size
            except OSError as error:
                fault = str(error.strerror or error)
        if fault:
            problems.append((each.path, fault))
    return in_memory, problems


def _counting(found: Selection, cut: log_part.Cut) -> list[Found]:
    """The files without the log, which is cut, and without sealed files that another one has taken the place of."""
    return [
        each
        for each in found.files
        if each.path != LOG and not (SEALED.fullmatch(each.path) and os.path.basename(each.path) not in cut.sealed)
    ]


def _files(
    found: Selection, cut: log_part.Cut, copying: Copying, in_memory: dict[str, bytes], lost: set[str]
) -> dict[str, File]:
    files = {}
    for each in _counting(found, cut):
        if each.path in in_memory:
            files[each.path] = copying.put(each, in_memory[each.path])
        elif each.path not in lost:
            files[each.path] = copying.file(each)
    log = next((each for each in found.files if each.path == LOG), None)
    if log is not None:
        files[LOG] = copying.put(log, cut.data)
    return files
