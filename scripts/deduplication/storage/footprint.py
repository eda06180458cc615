"""The bytes of a store's folder on the disk, by what they are for: counted with ``stat``, file by file, nothing left out."""

from __future__ import annotations

import contextlib
import os
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from ..errors import StoreNotWritable
from ..project.paths import AUDIT, JSON_INDEX, LISTED, LOG_NAME, QUARANTINE, SQLITE_INDEX
from .log.sealed_files import FOLDER as SEALED
from .state import blobs

if TYPE_CHECKING:
    from collections.abc import Iterator

_TRANSIENT: Final = ("-shm", ".tmp", ".lock")
_NOTES: Final = frozenset((".gitignore", "last_run.json", "hooks.json", "hooks.log", "live", QUARANTINE))
"""What no message and no export is read from: notes on runs and hooks, and what was put aside."""


@dataclass(frozen=True)
class Footprint:
    """Bytes of files. ``notes`` is what can be deleted without anybody noticing; all the rest is the store.

    ``other`` are files that this version does not know: they count as stored, so that nothing is ever left out.
    """

    log: int = 0
    sealed: int = 0
    indexes: int = 0
    audit: int = 0
    blobs: int = 0
    other: int = 0
    notes: int = 0

    @property
    def stored(self) -> int:
        """All of it but the notes."""
        return self.log + self.sealed + self.indexes + self.audit + self.blobs + self.other


def footprint(folder: str) -> Footprint:
    """The bytes of a store's folder; none where it is missing. What vanishes meanwhile is not counted.

    Raises :class:`StoreNotWritable` where something else has its name.
    """
    if os.path.lexists(folder) and not os.path.isdir(folder):
        raise StoreNotWritable(f"{folder} is no folder")
    sums = dict.fromkeys(Footprint.__dataclass_fields__, 0)
    for entry in entries_of(folder):
        sums[_kind(entry.name)] += size_of(entry)
    return Footprint(**sums)


def size_of(entry: os.DirEntry[str]) -> int:
    """The bytes of a file, or of all files below a folder. A link counts as itself."""
    try:
        if not entry.is_dir(follow_symlinks=False):
            return os.lstat(entry.path).st_size  # what Windows says of an entry may be older than the file
    except FileNotFoundError:
        return 0
    return sum(size_of(inner) for inner in entries_of(entry.path))


def entries_of(folder: str) -> Iterator[os.DirEntry[str]]:
    """What lies in a folder; nothing where there is none."""
    with contextlib.suppress(FileNotFoundError, NotADirectoryError), os.scandir(folder) as found:
        yield from found


_KINDS: Final = {
    LOG_NAME: "log",
    SEALED: "sealed",
    blobs.NAME: "blobs",
    AUDIT: "audit",
    **dict.fromkeys((*JSON_INDEX, *SQLITE_INDEX, LISTED), "indexes"),
    **dict.fromkeys(_NOTES, "notes"),
}


def _kind(name: str) -> str:
    return "notes" if name.endswith(_TRANSIENT) else _KINDS.get(name, "other")
