"""The bytes of a store's folder on the disk, by what they are for: counted with ``stat``, file by file, nothing left out."""

from __future__ import annotations

import os
from typing import Final

from ..errors import StoreNotWritable
from ..files.listing import entries_of, size_of
from ..project.paths import (
    ALERTS,
    AUDIT,
    HOOKS_CALLED,
    HOOKS_LOG,
    INDEX_NAMES,
    LISTED,
    LOG_NAME,
    OPERATIONS,
    QUARANTINE,
    REPORTS,
)
from ..start.late_dataclass import dataclass, field_names
from .log.sealed_files import FOLDER as SEALED
from .state import blobs

_TRANSIENT: Final = ("-shm", ".tmp", ".lock")
_NOTES: Final = frozenset(
    (".gitignore", "last_run.json", HOOKS_CALLED, HOOKS_LOG, ALERTS, "live", "waiting", OPERATIONS, QUARANTINE, REPORTS)
)
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
    sums = dict.fromkeys(field_names(Footprint), 0)
    for entry in entries_of(folder):
        sums[_kind(entry.name)] += size_of(entry)
    return Footprint(**sums)


_KINDS: Final = {
    LOG_NAME: "log",
    SEALED: "sealed",
    blobs.NAME: "blobs",
    **dict.fromkeys((*INDEX_NAMES, LISTED), "indexes"),
    AUDIT: "audit",
    **dict.fromkeys(_NOTES, "notes"),
}


def _kind(name: str) -> str:
    return "notes" if name.endswith(_TRANSIENT) else _KINDS.get(name, "other")
