"""After a purge: each known backup gets a fresh snapshot and loses all earlier ones, and so what was purged."""

from __future__ import annotations

import os
import time
from typing import TYPE_CHECKING, NamedTuple

from ..errors import DedupError, StoreNotWritable
from . import folder as folders
from . import known, retention, taking

if TYPE_CHECKING:
    from collections.abc import Callable

    from .source import Source


class Unreached(NamedTuple):
    """A backup that may still have what was purged, and why."""

    folder: str
    why: str


def renew(source: Source, *, now: Callable[[], float] = time.time) -> list[Unreached]:
    """Make a fresh snapshot in every folder that has backups of the store, and remove all earlier ones with their parts.

    Call it without holding a lock of the store or the archive. Returns those that could not be reached or renewed; where a
    file of the store is damaged the earlier snapshots stay, since they may have it whole.
    """
    return [Unreached(path, why) for path in known.known(source.state) if (why := _renewed(source, path, now))]


def _renewed(source: Source, path: str, now: Callable[[], float]) -> str:
    """Why a backup could not be renewed; empty where it was."""
    try:
        taken = taking.take(source, path, retention_days=-1, begin=False, now=now)
        if taken.snapshot.problems:
            return "the store is damaged: earlier snapshots were kept"
        with folders.claimed(os.path.realpath(path), taken.snapshot.store) as folder:
            earlier = [name for name in folder.names() if name.number < taken.snapshot.number]
            removed = retention.remove(folder, earlier)
            if not removed.snapshots:
                retention.collect(folder)
            return "a snapshot cannot be read" if removed.kept else ""
    except StoreNotWritable as error:
        return error.detail
    except DedupError as error:
        return str(error)
