"""A store with its archive: bytes seen against bytes on the disk, counted from the files that are really there."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING, Final, Protocol

from ..archive import footprint as archived
from ..figures.savings import Savings
from ..files.listing import entries_of, size_of
from ..project import config
from ..project.paths import Project
from ..start.late_dataclass import dataclass
from ..storage.footprint import Footprint, footprint

if TYPE_CHECKING:
    from typing import Optional

    from ..figures.savings import Seen


@dataclass(frozen=True)
class OnDisk:
    """Every file of a store and of the archive beside it; ``damage``: why these are not all that were written."""

    store: Footprint
    archive: archived.Footprint
    damage: tuple[str, ...] = ()

    @property
    def stored(self) -> int:
        """Bytes needed to read every message and to restore every archived file."""
        return self.store.stored + self.archive.stored


@dataclass(frozen=True)
class Besides:
    """Bytes of what a store's folder has besides, all of it made for people or made again: no export is restored from it."""

    sessions: int = 0
    checkpoints: int = 0
    status_log: int = 0
    notes: int = 0
    """Notes on runs and hooks, locks, what was put aside."""

    @property
    def total(self) -> int:
        """All of it."""
        return self.sessions + self.checkpoints + self.status_log + self.notes


def project_of(folder: str) -> Optional[Project]:
    """The project (or the place in the user's own store) that the store in ``folder`` belongs to; None for a folder of its own."""
    state = Path(os.path.realpath(os.path.dirname(os.path.abspath(folder))), os.path.basename(os.path.abspath(folder)))
    project = Project(state.parent.parent)
    return project if project.state == state else None


def on_disk(folder: str) -> OnDisk:
    """What the store in ``folder``, and the archive that belongs to it, take on the disk now: a few ``stat`` calls a file."""
    project = project_of(folder)
    if project is None:
        return OnDisk(footprint(folder), archived.Footprint())
    archive = os.fspath(project.archive)
    return OnDisk(footprint(folder), archived.footprint(archive), archived.damage(archive))


class Counted(Protocol):
    """A store, or who has one."""

    def seen_bytes(self) -> Seen:
        """How many bytes were processed?"""

    def lost_blob_bytes(self) -> int:
        """How many bytes of images and documents are nowhere?"""


def savings(store: Counted, folder: str, found: Optional[OnDisk] = None) -> Savings:
    """What was saved in the ``store`` in ``folder``; ``found``: what was counted already."""
    found, seen = found or on_disk(folder), store.seen_bytes()
    project = project_of(folder)
    days = config.load(os.fspath(project.root))["pack_older_than_days"] if project is not None else -1
    damage = list(found.damage)
    lost = store.lost_blob_bytes() if found.store.blobs < seen.blobs else 0
    if lost:
        damage.append(f"blobs: {lost:,} bytes of images and documents are missing")
    return Savings(seen, found.stored, found.archive.plain, float(days), tuple(damage))


def besides(folder: str, found: OnDisk) -> Besides:
    """What lies beside the store in ``folder``; what is neither there nor in the store or the archive is not ours."""
    notes = found.store.notes + found.archive.notes
    project = project_of(folder)
    if project is None:
        return Besides(notes=notes)
    sizes = {entry.name: size_of(entry) for entry in entries_of(os.fspath(project.memory)) if entry.name in _BESIDES}
    sessions, checkpoints, status_log = (sizes.get(name, 0) for name in _BESIDES)
    return Besides(sessions, checkpoints, status_log, notes)


_NOWHERE: Final = Project(Path())
_BESIDES: Final = (_NOWHERE.sessions.name, _NOWHERE.checkpoints.name, _NOWHERE.status_log.name)
