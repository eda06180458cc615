"""The files of the archive beside a store, for the blocks of its log that refer to them.

The packs are opened when the first span is asked for, and closed by whoever holds the store. Another process may put packs
together meanwhile: what is open stays what it was, and where a pack went between being listed and being opened the folder is
looked at again.
"""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from ...errors import ArchiveDamaged
from ...files import folder_swap
from ...project.paths import ARCHIVE
from .column_format import File, SpanLost

if TYPE_CHECKING:
    from ...packs.file_spans import FileSpans
    from ...packs.pack_set import Packs


class ArchivedFiles:
    """What ``column_format.Archived`` promises, for the archive beside the store in ``folder``."""

    def __init__(self, folder: str) -> None:
        self._folder = os.path.join(os.path.dirname(os.path.abspath(folder)), ARCHIVE)
        self._packs: Packs | None = None
        self._spans: FileSpans | None = None
        self._again = False
        """Whether they were opened because something could not be read: then it cannot be."""

    def find(self, prefix: bytes) -> File | None:
        """The file with the SHA-256 that begins with these 8 bytes; None where there is none, or it cannot be told."""
        try:
            found = self._opened().named(prefix)
        except (ArchiveDamaged, OSError):
            return None
        return File(found) if found else None

    def read(self, sha256: bytes, start: int, end: int) -> bytes:
        """Bytes of a file. Raises :class:`SpanLost`."""
        try:
            return self._opened().read(sha256, start, end)
        except (ArchiveDamaged, OSError, ValueError) as error:
            if self._again:
                raise SpanLost(f"{ARCHIVE}: {error}") from error
        self.close()
        self._again = True
        return self.read(sha256, start, end)

    def close(self) -> None:
        """Let go of the packs."""
        if self._packs is not None:
            self._packs.close()
        self._packs = self._spans = None
        self._again = False

    def _opened(self) -> FileSpans:
        if self._spans is None:
            from ...packs.file_spans import FileSpans
            from ...packs.pack_names import FOLDER
            from ...packs.pack_set import Packs

            self._packs = Packs(folder_swap.current(os.path.join(self._folder, FOLDER)))
            self._spans = FileSpans(self._packs)
        return self._spans
