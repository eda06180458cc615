"""Every byte of a backup hashed again: what is damaged, and which snapshots and files that costs."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from ..errors import BackupDamaged
from ..files import atomic
from ..project.paths import BACKUP_MARKER
from ..start.late_dataclass import dataclass, field
from . import folder as folders
from .objects import Objects

if TYPE_CHECKING:
    from collections.abc import Callable

    from .folder import Folder
    from .manifest import Snapshot


@dataclass
class Checked:
    """What was found. ``damaged``: one line for each thing; ``costs``: a snapshot's name to the files that it lost."""

    objects: int = 0
    bytes: int = 0
    damaged: list[str] = field(default_factory=list)
    costs: dict[str, list[str]] = field(default_factory=dict)

    @property
    def whole(self) -> list[str]:
        """The snapshots that can be restored as they were, the oldest first."""
        return [name for name, lost in self.costs.items() if not lost]


ALL = "everything"
"""What is lost of a snapshot whose own file is damaged."""


def check(folder: Folder, advance: Callable[[int], None] = lambda _bytes: None) -> Checked:
    """Read everything in the backup. Nothing is changed. ``advance`` is told the bytes read."""
    found = Checked()
    snapshots: list[Snapshot] = []
    if not folders.marked(folder):
        found.damaged.append(f"{BACKUP_MARKER}: damaged or missing; the next backup writes it anew")
    if not folders.ignored(folder):
        found.damaged.append(f"{folders.IGNORE}: damaged or missing; the next backup writes it anew")
    for name in folder.names():
        try:
            snapshots.append(folder.load(name))
            found.costs[name.shown] = []
        except BackupDamaged as error:
            found.damaged.append(error.detail)
            found.costs[name.shown] = [ALL]
    lost = _parts(folder, {part for snapshot in snapshots for part in snapshot.objects()}, found, advance)
    for name in folder.names():
        snapshot = next((each for each in snapshots if each.number == name.number), None)
        if snapshot is not None:
            found.costs[name.shown] = [path for path, file in snapshot.files.items() if not lost.isdisjoint(file.parts)]
    return found


def _parts(folder: Folder, needed: set[str], found: Checked, advance: Callable[[int], None]) -> set[str]:
    """Read every part that a snapshot needs, and whatever else lies among them; those that are lost."""
    objects = Objects(folder.path)
    lost = set()
    for digest in sorted(needed):
        try:
            size = len(objects.read(digest))
        except BackupDamaged as error:
            found.damaged.append(error.detail)
            lost.add(digest)
            continue
        found.objects += 1
        found.bytes += size
        advance(size)
    for name, place in objects.listed():
        if name not in needed and os.path.isfile(place) and not atomic.is_temporary(name):
            try:
                objects.read(name)
            except BackupDamaged:
                found.damaged.append(f"{os.path.relpath(place, folder.path)}: no part of a snapshot, and damaged")
    return lost
