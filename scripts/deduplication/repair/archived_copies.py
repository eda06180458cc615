"""Archived bytes for a log that refers to them, wherever they are: in the archive, or where repair would take the file from."""

from __future__ import annotations

import contextlib
from typing import TYPE_CHECKING, Final, Optional

from ..storage.log.column_format import SpanLost
from .other_copies import OtherCopies

if TYPE_CHECKING:
    from collections.abc import Iterator

    from ..archive.listed import Inventory
    from ..project.paths import Project
    from ..storage.log.append_log import Log
    from ..storage.log.column_format import Archived, File, Wanted
    from .shared_copies import SharedCopies

_HELD: Final = 4
"""Files that are held at once."""


class ArchivedCopies:
    """What ``column_format.Archived`` promises; what ``archive`` cannot read is looked for by the names of the list."""

    def __init__(self, archive: Archived, have: Inventory, elsewhere: OtherCopies) -> None:
        self._archive, self._have, self._elsewhere = archive, have, elsewhere
        self._held: dict[bytes, Optional[bytes]] = {}

    def find(self, wanted: Wanted) -> Optional[File]:
        """As the archive has it."""
        return self._archive.find(wanted)

    def read(self, sha256: bytes, start: int, end: int) -> bytes:
        """Bytes of a file. Raises :class:`SpanLost` where nobody has them."""
        try:
            return self._archive.read(sha256, start, end)
        except SpanLost:
            data = self._copy(sha256)
            if data is None:
                raise
            return data[start:end]

    def has_segment(self, sha256: bytes) -> bool:
        """As the archive has it."""
        return self._archive.has_segment(sha256)

    def segment(self, sha256: bytes) -> bytes:
        """As the archive has it."""
        return self._archive.segment(sha256)

    def sync(self) -> None:
        """Have on the disk what was added to the archive."""
        self._archive.sync()

    def close(self) -> None:
        """Let go of the archive."""
        self._archive.close()
        self._held = {}

    def _copy(self, sha256: bytes) -> Optional[bytes]:
        if sha256 not in self._held:
            listed = self._have.called(sha256.hex())
            copy = self._elsewhere.find(listed.name, listed.size, sha256) if listed is not None else None
            if copy is None and listed is not None:
                copy = self._elsewhere.transcript(listed.size, sha256)
            while len(self._held) >= _HELD:
                del self._held[next(iter(self._held))]
            self._held[sha256] = copy.data if copy is not None else None
        return self._held[sha256]


def copies_of(project: Optional[Project], shared: Optional[SharedCopies] = None) -> Optional[OtherCopies]:
    """Where else the archived files of a project may be; None where there is no project."""
    return OtherCopies(project, shared) if project is not None else None


@contextlib.contextmanager
def looked_for(log: Log, have: Inventory, elsewhere: Optional[OtherCopies]) -> Iterator[None]:
    """While the block runs, ``log`` reads what its archive lost from other copies. None: there is no archive."""
    archive = log.sealed.archive
    if elsewhere is not None:
        log.sealed.archive = ArchivedCopies(archive, have, elsewhere)
    try:
        yield
    finally:
        log.sealed.archive = archive
        archive.close()
