"""Is a file that lies in the project one that was restored from the archive? Then it is no export that waits.

A restored file has the bytes *and* the modification time of an archived one, and came after it. The same conversation exported
again has a time of its own, and what a run that was killed left behind was there before its copy in the archive.
"""

from __future__ import annotations

import contextlib
import hashlib
import os
from typing import TYPE_CHECKING

from ..errors import DedupError
from ..files.safe_read import CHUNK
from . import places

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from ..files.safe_read import Identity
    from ..packs.file_records import FileRecord
    from ..project.paths import Project


def restored_from(project: Project, path: Path) -> str:
    """The archived file of which ``path`` is a restored copy, by its name; empty where it is none.

    Only looks: nothing is locked or created, and an archive that cannot be read tells nothing.
    """
    with contextlib.suppress(OSError, DedupError):
        found = os.lstat(path)
        state = (found.st_size, found.st_mtime_ns)
        for plain, status in places.plain_files(project):
            same = (status.st_size, status.st_mtime_ns) == state and status.st_ctime_ns < found.st_ctime_ns
            if same and _digest(plain) == _digest(path):
                return plain.name
        for record in _packed(project):
            if (record.size, record.mtime_ns) == state and record.sha256 == _digest(path):
                return record.name
    return ""


def is_archived(project: Project, identity: Identity, sha256: str = "") -> bool:
    """Whether the archive has a file of this size and time, to the nanosecond, and with this digest where it is known.

    So a file that was there a moment ago, in the state ``identity``, was archived by another run. Only looks, as above.
    """
    state = (identity.size, identity.mtime_ns)
    with contextlib.suppress(OSError, DedupError):
        for plain, status in places.plain_files(project):
            if (status.st_size, status.st_mtime_ns) == state and sha256 in ("", _digest(plain).hex()):
                return True
        for record in _packed(project):
            if (record.size, record.mtime_ns) == state and sha256 in ("", record.sha256.hex()):
                return True
    return False


def _packed(project: Project) -> Iterator[FileRecord]:
    """The records of the archived files that are in packs."""
    folder = places.packs_folder(project)
    if not os.path.isdir(folder):
        return
    from ..packs.pack_set import opened_packs

    with opened_packs(folder) as packs:
        for number in packs.numbers():
            yield packs.record(number)


def _digest(path: Path) -> bytes:
    digest = hashlib.sha256()
    with open(path, "rb") as file:
        while part := file.read(CHUNK):
            digest.update(part)
    return digest.digest()
