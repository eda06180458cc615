"""The files of the archive beside a store, for the blocks of its log that refer to them.

The packs are opened when the first span is asked for, and closed by whoever holds the store. Another process may put packs
together meanwhile: what is open stays what it was, and where a pack went between being listed and being opened, or is damaged, the
folder is looked at once more, then without believing an index. What is not there may be in a copy of a pack, where something
synchronises the folder and another machine's pack took its name.
"""

from __future__ import annotations

import contextlib
import hashlib
import os
from typing import TYPE_CHECKING, Final

from ...errors import ArchiveDamaged
from ...files import atomic, folder_swap
from ...project.paths import ARCHIVE, QUARANTINE
from .column_format import File, SpanLost

if TYPE_CHECKING:
    from collections.abc import Callable

    from ...packs.file_spans import FileSpans
    from ...packs.pack_copies import CopiedPacks
    from ...packs.pack_set import Packs
    from .column_format import Wanted

_STATES: Final = 3
"""States of one growing file that are looked at for a part of it, the last ones first: each has what the ones before it had."""


class ArchivedFiles:
    """What ``column_format.Archived`` promises, for the archive beside the store in ``folder``."""

    def __init__(self, folder: str) -> None:
        self._folder = os.path.join(os.path.dirname(os.path.abspath(folder)), ARCHIVE)
        self._packs: Packs | None = None
        self._spans: FileSpans | None = None
        self._again = False
        """Whether they were opened once more, because something could not be read: then it cannot be."""
        self._copied: CopiedPacks | None = None
        self._last = b"", b""
        """SHA-256 and bytes of the file that was last taken from a copy."""

    def find(self, wanted: Wanted) -> File | None:
        """The file that has these bytes, proven by their hash; None where there is none, or it cannot be told."""
        try:
            found = self._opened().named(bytes.fromhex(wanted.sha256))
            if found or not wanted.name:
                return File(found) if found else None
            return self._part(wanted)
        except (ArchiveDamaged, OSError, ValueError):
            return None

    def _part(self, wanted: Wanted) -> File | None:
        """The last state of a growing file that has a part of it."""
        spans = self._opened()
        for sha256 in spans.states(wanted.name)[:_STATES]:
            with contextlib.suppress(ArchiveDamaged):
                part = spans.read(sha256, wanted.start, wanted.start + wanted.size)
                if hashlib.sha256(part).hexdigest() == wanted.sha256:
                    return File(sha256, wanted.start)
        return None

    def read(self, sha256: bytes, start: int, end: int) -> bytes:
        """Bytes of a file. Raises :class:`SpanLost`."""
        try:
            return self._asked(lambda spans: spans.read(sha256, start, end))
        except SpanLost:
            if self._last[0] != sha256:
                held = self._copies().find(sha256)
                if held is None:
                    raise
                self._last = sha256, held.data()
            return self._last[1][start:end]

    def has_segment(self, sha256: bytes) -> bool:
        """Whether the index of a pack says that it has bytes with this SHA-256 as a segment."""
        try:
            return self._opened().has_segment(sha256)
        except (ArchiveDamaged, OSError, ValueError):
            return False

    def segment(self, sha256: bytes) -> bytes:
        """These bytes, proven. Raises :class:`SpanLost`."""
        try:
            data = self._asked(lambda spans: spans.segment(sha256))
        except SpanLost:
            data = self._copies().segment(sha256)
            if not data:
                raise
        data = data or self._copies().segment(sha256)
        if not data:
            raise SpanLost(f"{ARCHIVE}: no pack has it")
        return data

    def sync(self) -> None:
        """Have the names of the packs on the disk: another process may have written one a moment ago."""
        folder = self._packs_folder()
        with atomic.write_errors(folder):
            atomic.sync_directory(folder)

    def _asked(self, ask: Callable[[FileSpans], bytes]) -> bytes:
        """What the packs answer. Raises :class:`SpanLost`."""
        try:
            return ask(self._opened())
        except (ArchiveDamaged, OSError, ValueError) as error:
            if self._again:
                raise SpanLost(f"{ARCHIVE}: {error}") from error
        self.close()
        self._again = True
        return self._asked(ask)

    def close(self) -> None:
        """Let go of the packs."""
        if self._packs is not None:
            self._packs.close()
        if self._copied is not None:
            self._copied.close()
        self._packs = self._spans = self._copied = None
        self._last = b"", b""
        self._again = False

    def _packs_folder(self) -> str:
        from ...packs.pack_names import FOLDER

        return folder_swap.current(os.path.join(self._folder, FOLDER))

    def _copies(self) -> CopiedPacks:
        if self._copied is None:
            from ...packs.pack_copies import CopiedPacks

            self._copied = CopiedPacks(self._packs_folder(), os.path.join(self._folder, QUARANTINE))
        return self._copied

    def _opened(self) -> FileSpans:
        if self._spans is None:
            from ...packs.file_spans import FileSpans, UnlockedPacks

            kind: type[Packs] = UnlockedPacks
            if self._again:
                from ...packs.salvage import SalvagedPacks

                kind = SalvagedPacks
            self._packs = kind(self._packs_folder())
            self._spans = FileSpans(self._packs)
        return self._spans
