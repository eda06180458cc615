"""A store copied into a backup as it was at one moment: most of it without a lock, the rest under the locks."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ..errors import BackupFailed
from ..files import atomic, clock, journal
from ..start.late_dataclass import dataclass, field
from ..storage import seed_files
from . import folder as folders
from . import known, log_part, manifest, retention
from .copy_rounds import LOG, copy_ahead, copy_rest, files_of
from .copying import Copying
from .manifest import Snapshot
from .objects import Objects
from .selection import select

if TYPE_CHECKING:
    from collections.abc import Callable

    from .folder import Folder
    from .retention import Removed
    from .source import Source


@dataclass
class SnapshotResult:
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


def copy_as_of(
    source: Source, folder: Folder, store: str, moment: float, *, full: bool, advance: Callable[[int], None]
) -> SnapshotResult:
    """Write the snapshot of ``moment`` into ``folder``. Raises as :func:`.taking.take`."""
    names = folder.names()
    previous = folder.newest()
    trusted = frozenset() if full or previous is None else frozenset(previous.objects())
    objects = Objects(folder.path, trusted)
    copying = Copying(objects, None if full else previous)
    left_over = folder.begin()
    copy_ahead(source, copying, advance)
    with source.at_rest():
        if journal.places(source.state):
            raise BackupFailed("a purge was stopped half way and is not finished", hint="Run the same command again.")
        found = select(source)
        cut = log_part.cut(source.state)
        plain = seed_files.is_plain(source.state)
        noted = known.noted(source.state)
        in_memory, problems = copy_rest(found, cut, copying, advance)
    files = files_of(found, cut, copying, in_memory, {path for path, _ in problems})
    problems += [(LOG, fault) for fault in cut.faults]
    problems += [(path, held.fault) for path, held in copying.held.items() if held.fault and path in files]
    objects.sync_and_verify()
    snapshot = Snapshot(
        number=names[-1].number + 1 if names else 1,
        time=clock.spelt(moment),
        store=store,
        index=manifest.PLAIN if plain else manifest.DEFAULT,
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
    folder.end()
    return SnapshotResult(snapshot, objects.written, objects.written_bytes, copying.read_bytes, list(found.notes))
