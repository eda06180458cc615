"""A copy of a log that something left beside it which synchronises folders, read as the log of a store of its own.

Another machine's open part is in it; what that machine sealed before lies among the sealed files of the folder, or comes later.
Words that it did not seal, since its archive has them, are read from packs here, or from copies of packs that came the same way.
"""

from __future__ import annotations

import contextlib
import os
import tempfile
from typing import TYPE_CHECKING

from ..errors import CopyNotWhole, StoreDamaged
from ..files import atomic, folder_swap
from ..project.paths import LOG_NAME
from ..storage import open_in_folder
from ..storage.log.append_log import Log
from ..storage.log.archived_files import ArchivedFiles
from ..storage.log.sealed_files import FOLDER as SEALED

if TYPE_CHECKING:
    from collections.abc import Iterator

    from ..storage.log_backed import FolderStore, LogBackedStore


@contextlib.contextmanager
def opened(store: FolderStore, name: str) -> Iterator[LogBackedStore]:
    """The store whose log the copy ``name`` in the folder of ``store`` is the end of. What is made of it goes with the block.

    Raises :class:`CopyNotWhole` where lines before it have not come yet, or some of it cannot be read.
    """
    with contextlib.ExitStack() as stack:
        place = stack.enter_context(tempfile.TemporaryDirectory(prefix="export-dedup-"))
        folder = os.path.join(place, "state")
        archived = stack.enter_context(contextlib.closing(ArchivedFiles(store.folder)))
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
