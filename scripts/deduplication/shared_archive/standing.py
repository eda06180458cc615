"""What of an archive a database does not have, as this machine knows it: nobody is asked."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from ..archive.places import packs_in, plain_in
from ..files.listing import entries_of
from ..packs.pack_names import FOLDER
from ..start.late_tuple import NamedTuple
from . import sent_note
from .local_files import key_of

if TYPE_CHECKING:
    from ..project.paths import Project


class Standing(NamedTuple):
    """Packs and plain files that wait, and their bytes; those that stay here, since nothing takes such large ones; and how it went.

    ``failure``: why the last attempt came to nothing, at ``failed_at``.
    """

    waiting: int = 0
    size: int = 0
    stays: int = 0
    stays_size: int = 0
    at: str = ""
    failure: str = ""
    failed_at: str = ""


def standing(project: Project) -> Standing:
    """Cheap: names, sizes and times are looked at."""
    folder = os.fspath(project.archive)
    note = sent_note.read(folder)
    have, stay = set(note.have), set(note.stays)
    waiting = size = stays = stays_size = 0
    files = [(path.name, status) for path, status in plain_in(folder)]
    packs = [entry for entry in entries_of(packs_in(folder)) if entry.name.endswith(".pack")]
    files += [(f"{FOLDER}/{entry.name}", entry.stat(follow_symlinks=False)) for entry in packs]
    for name, status in files:
        sha256 = str(note.hashes.get(key_of(name, status), [""])[0])
        if sha256 in stay:
            stays, stays_size = stays + 1, stays_size + status.st_size
        elif sha256 not in have:
            waiting, size = waiting + 1, size + status.st_size
    return Standing(waiting, size, stays, stays_size, note.at, note.failure, note.failed_at)
