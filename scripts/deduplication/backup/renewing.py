"""After a purge: each known backup gets a fresh snapshot and loses all earlier ones, and so what was purged."""

from __future__ import annotations

import os
import time
from typing import TYPE_CHECKING

from ..errors import BackupFailed, BackupRefused, DedupError, StoreNotWritable
from ..start.late_tuple import NamedTuple
from . import folder as folders
from . import known, retention, taking

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from .known import Known
    from .source import Source


class Unreached(NamedTuple):
    """A backup that may still have what was purged, and why."""

    folder: str
    why: str


class Renewed(NamedTuple):
    """The folders of the backups that have nothing more of what was purged, and those that may have."""

    reached: tuple[str, ...] = ()
    unreached: tuple[Unreached, ...] = ()


def renew(
    source: Source, backups: Sequence[Known] | None = None, *, now: Callable[[], float] = time.time
) -> list[Unreached]:
    """Make a fresh snapshot in these backups of the store (None: in all), and remove all earlier ones with their parts.

    Call it without holding a lock of the store or the archive. Returns those that could not be reached or renewed; where a
    file of the store is damaged the earlier snapshots stay, since they may have it whole.
    """
    wanted = known.backups(source.state) if backups is None else backups
    return [Unreached(each.path, why) for each in wanted if (why := _renewed(source, each, now))]


def catch_up(source: Source) -> Renewed:
    """Make the purges that did not reach a backup there, where it can be reached now. As :func:`renew`."""
    lacking = known.owed(source.state)
    unreached = renew(source, lacking)
    left = {each.folder for each in unreached}
    return Renewed(tuple(each.path for each in lacking if each.path not in left), tuple(unreached))


def _renewed(source: Source, backup: Known, now: Callable[[], float]) -> str:
    """Why a backup could not be renewed; empty where it was."""
    path = backup.path
    others = {each.id for each in known.backups(source.state)} - {backup.id}
    if not backup.id and folders.Folder(path).id() in others:
        return f"{path} has another backup by now"
    try:
        taken = taking.take(source, path, retention_days=-1, begin=False, only=backup.id, now=now)
        if taken.snapshot.problems:
            return "the store is damaged: earlier snapshots were kept"
        with folders.claimed(os.path.realpath(path), taken.snapshot.store) as folder:
            earlier = [name for name in folder.names() if name.number < taken.snapshot.number]
            removed = retention.remove(folder, earlier)
            if not removed.snapshots:
                retention.collect(folder)
            return "a snapshot cannot be read" if removed.kept else taken.kept
    except (BackupFailed, BackupRefused, StoreNotWritable) as error:
        return error.detail
    except DedupError as error:
        return str(error)
