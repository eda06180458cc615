"""A folder in which several machines stored something, synchronised file by file: archive first, then log, then the copies go.

The archive first, because sealed lines of the log, and those of a copy of it, are read with the words that archived files have.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from ..exchange import into_folder
from ..start.late_tuple import NamedTuple
from . import archives
from .gained import TakenIn

if TYPE_CHECKING:
    from ..project.paths import Project
    from ..storage.log_backed import FolderStore


class United(NamedTuple):
    """Runs and archived files that are new here, messages that were purged elsewhere and are purged here now, copies that went."""

    runs: int = 0
    purged: int = 0
    copies: int = 0
    files: int = 0


def unite_copies(store: FolderStore, project: Project | None) -> United:
    """Take in all copies that lie in the folders of a store and its archive; ``project`` None: there is no archive.

    Each goes once nothing of it is missing. Raises ``CopyNotWhole`` where something of one has not come yet, once all others were
    taken in: it stays; and the ``StoreError`` family.
    """
    archived = archives.take_in(store, project) if project is not None else TakenIn()
    taken = into_folder.unite_copies(store)
    if project is not None:
        archives.put_aside(project, archived)
    return United(taken.runs, taken.purged, taken.copies + len(archived.done), archived.files)
