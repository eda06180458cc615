"""The bytes of an archive's folder on the disk, by what they are for, and whether a pack is missing among them.

Nothing is unpacked and no index is read: of each pack its header alone, so that every run can say it at its end.
"""

from __future__ import annotations

import contextlib
import os
from typing import TYPE_CHECKING, Final

from ..errors import ArchiveDamaged, DedupError
from ..figures.counted import counted
from ..files import locking
from ..files.listing import entries_of, size_of
from ..packs.pack_names import FOLDER, listed
from ..project.paths import LISTED_COPY, LOCK
from ..start.late_dataclass import dataclass, field_names
from .own_files import is_ours

if TYPE_CHECKING:
    from ..packs.frames import Header

_PATIENCE: Final = 2.0
"""Seconds to wait for whoever is packing, before what looks like damage is looked at once more."""


@dataclass(frozen=True)
class Footprint:
    """Bytes of files: ``plain`` exports, ``packs``, their ``indexes`` with the list of what was archived, what this version
    does not know (``other``), and what can be deleted without anybody noticing (``notes``); and how many plain files and packs
    there are.
    """

    plain: int = 0
    packs: int = 0
    indexes: int = 0
    other: int = 0
    notes: int = 0
    plain_files: int = 0
    pack_files: int = 0

    @property
    def stored(self) -> int:
        """All of it but the notes."""
        return self.plain + self.packs + self.indexes + self.other


def footprint(folder: str) -> Footprint:
    """The bytes of an archive's folder; none where it is missing. What vanishes meanwhile is not counted."""
    sums = dict.fromkeys(field_names(Footprint), 0)
    for entry in entries_of(folder):
        if entry.name == FOLDER and entry.is_dir(follow_symlinks=False):
            for inner in entries_of(entry.path):
                sums[_kind(inner.name)] += size_of(inner)
                sums["pack_files"] += inner.name.endswith(".pack")
        elif entry.name == LISTED_COPY:
            sums["indexes"] += size_of(entry)
        elif is_ours(entry.name):
            sums["notes"] += size_of(entry)
        elif entry.is_file(follow_symlinks=False):
            sums["plain"] += size_of(entry)
            sums["plain_files"] += 1
        else:
            sums["other"] += size_of(entry)
    return Footprint(**sums)


def _kind(name: str) -> str:
    if name.endswith(".tmp"):
        return "notes"
    return "packs" if name.endswith(".pack") else "indexes" if name.endswith(".idx") else "other"


def damage(folder: str) -> tuple[str, ...]:
    """Why the packs of an archive are not all of them, or not whole in their lengths: a line each, none where all is well.

    A pack may be taken in by another one while this looks: what seems to be damage is looked at again under the lock.
    """
    found = _damage(os.path.join(folder, FOLDER))
    if found:
        with contextlib.suppress(DedupError), locking.exclusive(os.path.join(folder, LOCK), _PATIENCE):
            found = _damage(os.path.join(folder, FOLDER))
    return tuple(found)


def _damage(folder: str) -> list[str]:
    problems: list[str] = []
    headers: list[Header] = []
    try:
        names = [name for _, name in listed(folder)]
    except ArchiveDamaged as error:
        return [error.detail]
    if not names:
        return []
    from ..packs.pack_file import Pack
    from ..packs.ranges import gaps_between

    end = 0
    for name in names:
        try:
            with contextlib.closing(Pack(os.path.join(folder, name))) as pack:
                header = pack.header
                problems += [f"{name}, {problem}" for problem in pack.problems]
        except ArchiveDamaged as error:
            problems.append(error.detail)
            continue
        if header.first_file >= end:  # else taken in by an earlier pack
            headers.append(header)
            end = header.first_file + header.files
    for gap in gaps_between(headers):
        files = gap.end_file - gap.first_file
        problems.append(f"a pack is missing or cannot be read: it had {counted(files, 'file')}")
    return problems
