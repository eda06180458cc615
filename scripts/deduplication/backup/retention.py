"""Which snapshots go, and then the parts that none needs any more: first the snapshots, so that none is ever without a part."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Final

from ..errors import BackupDamaged
from ..files import atomic, beneath, clock
from ..project.config import DEFAULTS
from ..start.late_tuple import NamedTuple
from . import folder as folders
from .objects import Objects

if TYPE_CHECKING:
    from collections.abc import Sequence

    from .folder import Folder, Name

DEFAULT_DAYS: Final[float] = DEFAULTS["backup_retention_days"]
_DAY: Final = 86_400


class Removed(NamedTuple):
    """How many snapshots and parts were removed. ``kept``: parts could not be told apart, and all were left."""

    snapshots: int
    objects: int
    kept: bool = False


NOTHING: Final = Removed(0, 0)


def expire(folder: Folder, days: float, now: float) -> Removed:
    """Remove the snapshots that are older than ``days`` (below 0: none), but never the newest, and never the last good one.

    Good is one that can be read and was taken of a store with nothing wrong in it. Raises ``StoreNotWritable``.
    """
    names = folder.names()
    old = [name for name in names[:-1] if days >= 0 and now - clock.seconds(name.time) > days * _DAY]
    if not old:
        return NOTHING
    good = next((name for name in reversed(names) if _good(folder, name)), None)
    return remove(folder, [name for name in old if name != good])


def remove(folder: Folder, names: Sequence[Name]) -> Removed:
    """Remove these snapshots, and every part that no other one needs. Raises ``StoreNotWritable``."""
    if not names:
        return NOTHING
    folder.begin()
    place = folder.at(folders.SNAPSHOTS)
    with atomic.write_errors(place):
        for name in names:
            beneath.unlink(os.path.join(place, name.file))
        atomic.sync_directory(place)
    objects = collect(folder)
    with atomic.write_errors(place):
        beneath.unlink(folder.at(folders.RUNNING))
    return Removed(len(names), max(objects, 0), kept=objects < 0)


def collect(folder: Folder) -> int:
    """Remove every part that no snapshot needs; how many. -1, and nothing removed, where a snapshot cannot be read.

    Raises ``StoreNotWritable``.
    """
    needed: set[str] = set()
    try:
        for name in folder.names():
            needed |= folder.load(name).objects()
    except BackupDamaged:
        return -1
    return Objects(folder.path).keep_only(needed)


def _good(folder: Folder, name: Name) -> bool:
    try:
        return not folder.load(name).problems
    except BackupDamaged:
        return False
