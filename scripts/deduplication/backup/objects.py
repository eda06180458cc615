"""Parts of files in a backup, each once, under the SHA-256 of its bytes; what is there is never changed, only removed."""

from __future__ import annotations

import contextlib
import hashlib
import os
from typing import TYPE_CHECKING, Final

from ..errors import BackupDamaged, BackupFailed
from ..files import atomic, beneath
from ..start.late_pattern import late_pattern

if TYPE_CHECKING:
    from collections.abc import Iterator

FOLDER: Final = "objects"
PART: Final = 1024 * 1024
"""Bytes of a part, the last one of a file aside: of a file that grows at its end only the last part is new."""
_DIGEST: Final = late_pattern(r"[0-9a-f]{64}\Z")


class Objects:
    """The parts in the backup ``folder``. ``trusted``: those that a snapshot has already; their size alone is looked at."""

    def __init__(self, folder: str, trusted: frozenset[str] = frozenset()) -> None:
        self.folder = os.path.join(folder, FOLDER)
        self.written = 0
        self.written_bytes = 0
        self._trusted = trusted
        self._there: set[str] = set()
        self._unverified: dict[str, bool] = {}

    def place(self, digest: str) -> str:
        """Where a part lies."""
        return os.path.join(self.folder, digest[:2], digest)

    def has(self, digest: str, size: int) -> bool:
        """Whether a trusted part is there, by its size."""
        if digest not in self._trusted:
            return False
        if digest not in self._there:
            try:
                if os.lstat(self.place(digest)).st_size != size:
                    return False
            except OSError:
                return False
            self._there.add(digest)
        return True

    def put(self, data: bytes) -> str:
        """Keep a part; its SHA-256. It is durable after :meth:`settle`. Raises ``StoreNotWritable``."""
        digest = hashlib.sha256(data).hexdigest()
        if digest in self._unverified or self.has(digest, len(data)):
            return digest
        try:
            self.read(digest)
        except BackupDamaged:  # there is none, or not this one
            path = self.place(digest)
            with atomic.write_errors(path):
                atomic.make_private_directory(os.path.dirname(path))
            atomic.replace(path, data, durable=False)
            self.written += 1
            self.written_bytes += len(data)
        self._unverified[digest] = True
        return digest

    def sync_and_verify(self) -> None:
        """Have every part on the disk that was put, and read it again. Raises :class:`BackupFailed`, ``StoreNotWritable``."""
        for digest in self._unverified:
            path = self.place(digest)
            atomic.sync_file(path)
            try:
                self.read(digest, from_disk=True)
            except BackupDamaged as error:
                with contextlib.suppress(OSError):
                    beneath.unlink(path)
                raise BackupFailed(f"{path}: what was written cannot be read again") from error
        with atomic.write_errors(self.folder):
            if self._unverified:
                for folder in sorted({os.path.dirname(self.place(digest)) for digest in self._unverified}):
                    atomic.sync_directory(folder)
                atomic.sync_directory(self.folder)
                atomic.sync_directory(os.path.dirname(self.folder))
        self._unverified = {}

    def read(self, digest: str, *, from_disk: bool = False) -> bytes:
        """A part, proven by its name. Raises :class:`BackupDamaged`. ``from_disk``: not what the system still has of it."""
        try:
            if not _DIGEST.match(digest):
                raise OSError("no name of a part")  # noqa: TRY301 - one place says what is lost
            with atomic.open_regular(self.place(digest)) as file:
                if from_disk and hasattr(os, "posix_fadvise"):
                    os.posix_fadvise(file.fileno(), 0, 0, os.POSIX_FADV_DONTNEED)
                data = file.read(PART + 1)
        except OSError as error:
            raise BackupDamaged(f"{FOLDER}/{digest[:2]}/{digest}: {error.strerror or error}") from error
        if hashlib.sha256(data).hexdigest() != digest:
            raise BackupDamaged(f"{FOLDER}/{digest[:2]}/{digest}: not the bytes that its name says")
        return data

    def listed(self) -> Iterator[tuple[str, str]]:
        """Name and place of everything that lies among the parts, whatever it is."""
        with contextlib.suppress(FileNotFoundError):
            for folder in sorted(os.listdir(self.folder)):
                place = os.path.join(self.folder, folder)
                if not os.path.isdir(place) or os.path.islink(place):
                    yield folder, place
                    continue
                for name in sorted(os.listdir(place)):
                    yield name, os.path.join(place, name)

    def keep_only(self, needed: set[str]) -> int:
        """Remove what is no part of ``needed``, leftovers of killed runs included; how many. Raises ``StoreNotWritable``."""
        removed = 0
        for name, place in self.listed():
            if place != self.place(name) or name not in needed:
                with atomic.write_errors(place):
                    beneath.unlink(place)
                removed += 1
        return removed
