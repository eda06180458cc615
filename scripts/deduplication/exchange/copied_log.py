"""A copy of a log that something left beside it which synchronises folders, read as the log of a store of its own.

Another machine's open part is in it; what that machine sealed before lies among the sealed files of the folder, or comes later.
Words that it did not seal, since its archive has them, are read from copies of packs that came the same way, or from packs here.
"""

from __future__ import annotations

import contextlib
import os
import re
import tempfile
from typing import TYPE_CHECKING, Final

from ..errors import CopyNotWhole, StoreDamaged
from ..files import atomic, folder_swap
from ..packs.pack_names import FOLDER as PACKS
from ..project.paths import ARCHIVE, LOG_NAME
from ..start.late_pattern import late_pattern
from ..storage import open_in_folder
from ..storage.log.append_log import Log
from ..storage.log.archived_files import ArchivedFiles
from ..storage.log.sealed_files import FOLDER as SEALED

if TYPE_CHECKING:
    from collections.abc import Iterator

    from ..storage.log_backed import FolderStore, LogBackedStore

_PACK: Final = late_pattern(r"(pack-\d{4,})(?!\d).*\.pack\Z", re.ASCII | re.DOTALL)
"""A pack, or a copy of one."""


@contextlib.contextmanager
def opened(store: FolderStore, name: str) -> Iterator[LogBackedStore]:
    """The store whose log the copy ``name`` in the folder of ``store`` is the end of. What is made of it goes with the block.

    Raises :class:`CopyNotWhole` where lines before it have not come yet, or some of it cannot be read.
    """
    with tempfile.TemporaryDirectory(prefix="export-dedup-") as place:
        folder = os.path.join(place, "state")
        packs = os.path.join(os.path.dirname(os.path.abspath(store.folder)), ARCHIVE, PACKS)
        archived = ArchivedFiles(folder if _keep_packs(packs, os.path.join(place, ARCHIVE, PACKS)) else store.folder)
        log = Log(os.path.join(folder, LOG_NAME), archived, store.folder)
        atomic.make_private_directory(log.sealed.folder)
        with store.unrecovered_log() as own:  # so that nobody seals anything meanwhile
            for segment in own.sealed.files():
                folder_swap.keep_copy(segment.path, os.path.join(folder, SEALED, os.path.basename(segment.path)))
            with atomic.open_regular(os.path.join(store.folder, name)) as file:
                atomic.replace(log.path, file.read(), durable=False)
        found = open_in_folder(folder, log=log)
        try:
            with found.transaction():
                pass
        except StoreDamaged as error:
            raise CopyNotWhole(f"{name}: {error.detail}") from error
        yield found


def _keep_packs(packs: str, folder: str) -> bool:
    """The packs as the other machine has them: copies of some in the place of those here; False where there are none."""
    found: dict[str, str] = {}
    for name in sorted(os.listdir(packs) if os.path.isdir(packs) else (), key=len):  # that of a copy is the longer one
        if match := _PACK.match(name):
            found[f"{match[1]}.pack"] = name
    if all(pack == name for pack, name in found.items()):
        return False
    atomic.make_private_directory(folder)
    for pack, name in found.items():  # indexes are made again
        folder_swap.keep_copy(os.path.join(packs, name), os.path.join(folder, pack))
    return True
