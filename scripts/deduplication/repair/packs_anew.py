"""The packs written as a plan says: what is damaged goes into quarantine, every file that can be had is in the new packs.

A pack whose parity makes good what is damaged in it is written as it was. The packs before the first one of which that is not
true stay as they are; the files of the others are packed anew. All of it goes into a folder beside them that takes their place
in one step. What cannot be restored is in the archive no longer.
"""

from __future__ import annotations

import contextlib
import os
from functools import partial
from typing import TYPE_CHECKING, Optional

from ..archive import packed_anew
from ..archive.packed_anew import Anew
from ..errors import ArchiveDamaged
from ..figures.counted import counted
from ..files import atomic, folder_swap
from ..files.quarantine import TAKEN_IN, quarantined
from ..packs.pack_copies import copies_in
from ..packs.pack_file import Pack
from ..packs.pack_index import Index
from ..packs.pack_names import index_path
from ..project.paths import QUARANTINE
from .pack_repair import examined

if TYPE_CHECKING:
    from ..packs.salvage import SalvagedPacks
    from ..project.paths import Project
    from .pack_repair import Plan, SalvagedFile
    from .shared_copies import SharedCopies


def write(
    project: Project, plan: Plan, packs: SalvagedPacks, kept: list[SalvagedFile], shared: Optional[SharedCopies] = None
) -> list[str]:
    """Have the packs be what was found; the names in quarantine. Under the archive's lock.

    ``shared``: what the plan was made with. Raises ``StoreNotWritable`` and :class:`ArchiveDamaged`; then the packs are what they
    were.
    """
    if not plan.findings and not plan.damaged:
        return []
    with examined(project, shared) as (again, _, _):
        if again.findings != plan.findings:
            raise ArchiveDamaged(
                "the disk gives other bytes at each reading", hint="Copy the archive to another disk first."
            )
    folder = os.path.join(project.archive, QUARANTINE)
    paths = [each for path in plan.damaged for each in (path, index_path(path))[: 1 + path.endswith(".pack")]]
    paths += packs.mended
    present = [path for path in paths if os.path.isfile(path) and not os.path.islink(path)]
    moved = [f"{QUARANTINE}/{quarantined(folder, path, os.path.basename(path))}" for path in present]
    if copies_in(plan.folder):  # what of them is not taken in yet may rest on any pack: all may become part of others
        for path in sorted({each.pack.path for each in packs.members}.difference(present)):
            quarantined(folder, path, os.path.basename(path), kind=TAKEN_IN)

    def fill(new: str) -> None:
        for path in plan.whole:
            _keep(packs, path, new)
        anew = [each for each in kept if each.record.number >= plan.first]
        packed_anew.pack(new, [Anew(each.record, partial(_bytes, packs, each)) for each in anew])
        wanted = {(each.record.name, each.record.mtime_ns, each.record.sha256) for each in kept}
        if gone := wanted - packed_anew.restored(new):
            raise ArchiveDamaged(f"{counted(len(gone), 'file')} did not come back from what was packed")
        packs.close()  # a folder with open files in it cannot be renamed on Windows

    packed_anew.replace(plan.folder, fill)
    return moved


def _keep(packs: SalvagedPacks, path: str, folder: str) -> None:
    """A pack, as it was written, in a new folder, with its index where that is sound: another is made when it is asked for."""
    target = os.path.join(folder, os.path.basename(path))
    if path in packs.mended:
        with atomic.replacing(target) as descriptor:
            for part in packs.mended[path][0].parts():
                atomic.write_all(descriptor, part)
        with contextlib.closing(Pack(target)) as written:
            if not written.is_intact():
                raise ArchiveDamaged(f"{written.name} did not come back from its parity")
    else:
        folder_swap.keep_copy(path, target)
    if Index.of_any(index_path(path)) is not None:
        folder_swap.keep_copy(index_path(path), index_path(target))


def _bytes(packs: SalvagedPacks, file: SalvagedFile) -> bytes:
    return file.data if file.data is not None else b"".join(packs.restore(file.number))
