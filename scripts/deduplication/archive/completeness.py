"""Is all there that the archive took in? Answered without changing anything, and without unpacking what is whole."""

from __future__ import annotations

import contextlib
import os
from typing import TYPE_CHECKING

from ..errors import ArchiveDamaged, StoreNotWritable
from ..files.locking import exclusive
from ..packs import pack_index
from ..packs.pack_names import index_path
from ..packs.pack_set import Packs
from . import drop_folder
from .places import packs_folder
from .verify import Checked, compare

if TYPE_CHECKING:
    from ..packs.pack_file import Pack
    from ..packs.pack_index import Index
    from ..project.paths import Project


class ReadOnlyPacks(Packs):
    """The packs in a folder, to be looked at: no index is written or removed."""

    def _index(self, pack: Pack) -> Index:
        with contextlib.suppress(OSError, ValueError):
            found = pack_index.Index.load(index_path(pack.path), pack.sha256)
            if found.sound():
                return found
            found.close()
        return pack_index.Index(pack_index.made_from(pack), pack.sha256)


def compare_with_inventory(project: Project) -> Checked:
    """The archive against the list of what it took in. Raises the ``StoreError`` family where it cannot be looked at.

    Where every pack has the SHA-256 that it says, every file in it is there; else each is restored once to know it.
    """
    found = Checked()
    lock = drop_folder.lock_path(os.fspath(project.archive))
    with contextlib.ExitStack() as stack:
        if os.path.lexists(lock):
            with contextlib.suppress(StoreNotWritable):  # nobody writes to what cannot be written
                stack.enter_context(exclusive(lock))
        packs = stack.enter_context(contextlib.closing(ReadOnlyPacks(packs_folder(project))))
        found.packs, found.problems = len(packs.members) + len(packs.unreadable), list(packs.problems)
        whole = not (packs.problems or packs.missing()) and all(member.pack.is_intact() for member in packs.members)
        for number in packs.numbers():
            found.files += 1
            with contextlib.suppress(ArchiveDamaged):
                if not whole:
                    for _ in packs.restore(number):
                        pass
                found.there.add(packs.record(number).sha256.hex())
        compare(os.fspath(project.state), os.fspath(project.archive), found)
    return found
