"""The archives of several machines in one folder: every raw export that a pack of any of them has is in the archive, once.

What the copies have besides is packed behind all that is there: numbers stay what they are, another machine may go on from them.
The copies stay until all else that needs them is done. What was purged here is archived without it.
"""

from __future__ import annotations

import os
from functools import partial
from typing import TYPE_CHECKING, Final

from ..archive import drop_folder, inventory, packed_anew
from ..archive.listed import Listed
from ..archive.packed_anew import Anew
from ..archive.places import packs_folder, quarantine_of
from ..errors import ArchiveDamaged, CopyNotWhole
from ..files import atomic, beneath
from ..files.quarantine import TAKEN_IN, quarantined, remove_old
from ..packs.pack_set import opened_packs
from . import lists
from .gained import TakenIn, comes_back, gained

if TYPE_CHECKING:
    from ..packs.file_records import FileRecord
    from ..project.paths import Project
    from ..storage.log_backed import LogBackedStore

_DAYS: Final = 30
"""So long what was taken in is kept: a machine that has not seen that yet may write a pack that refers to it."""


def take_in(store: LogBackedStore, project: Project) -> TakenIn:
    """Have in the archive what the copies beside its packs have. Done again it changes nothing.

    Raises :class:`ArchiveDamaged` where a pack of the archive itself cannot be read, and the ``StoreError`` family; then some of
    the files may be there.
    """
    done = TakenIn()
    if not os.path.isdir(project.archive):
        return done
    with drop_folder.opened(project):
        folder = packs_folder(project)
        while found := gained(store, project, done):
            # Thorough would write packs anew that another machine has, too, and goes on from. A file of its own rests on no other:
            # what is there may be a pack of that machine in the row of this one.
            files = [Anew(record, partial(bytes, data)) for record, data in found]
            packed_anew.pack(folder, files, thorough=False, again=True)
            _prove(folder, [record for record, _ in found])
            inventory.add(project, [Listed.of(record) for record, _ in found])
            done.files += len(found)
        done.done = [path for path in done.done if os.path.lexists(path)]
        done.done += lists.take_in(store, project)
    return done


def put_aside(project: Project, done: TakenIn) -> None:
    """Have the copies of which the archive has all out of the way: lists go, packs go into quarantine for some days.

    Raises ``StoreNotWritable``; :class:`CopyNotWhole` for a copy that waits.
    """
    folder = quarantine_of(project)
    if done.done:
        with drop_folder.opened(project):
            for path in filter(os.path.lexists, done.done):
                if path.endswith(".pack"):
                    quarantined(folder, path, os.path.basename(path), kind=TAKEN_IN)
                with atomic.write_errors(path):
                    beneath.unlink(path)
            remove_old(folder, TAKEN_IN, days=_DAYS)
    if done.waiting:
        raise CopyNotWhole(f"{done.waiting[0]}: not every file of it comes back")


def _prove(folder: str, records: list[FileRecord]) -> None:
    with opened_packs(folder) as packs:
        for record in records:
            if not comes_back(packs, packs.file(record.sha256)):
                raise ArchiveDamaged(f"{record.name} did not come back from what was packed")
