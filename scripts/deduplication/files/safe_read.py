"""Regular files, read without being led astray: no link followed, no pipe or device opened, no change unnoticed."""

from __future__ import annotations

import contextlib
import os
import stat
from typing import TYPE_CHECKING, BinaryIO, Final

from ..errors import ExportChanged, ExportGone, ExportTooLarge, ExportUnreadable, UnsafePath
from ..start.late_tuple import NamedTuple
from . import beneath

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

CHUNK: Final = 1024 * 1024
"""Bytes that are read at a time of what is read bit by bit."""
LARGEST: Final = 1024 * 1024 * 1024
"""Bytes of a file that is read whole. A data export of claude.ai and the transcripts of the client are read in parts."""
LARGEST_BY: Final = "EXPORT_DEDUP_LARGEST_EXPORT"
"""The variable of the environment that says another number of bytes."""
_DIGITS: Final = 19
_PART: Final = 256 * 1024
_OPEN: Final[int] = (
    os.O_RDONLY
    | getattr(os, "O_NOFOLLOW", 0)
    | getattr(os, "O_NONBLOCK", 0)
    | getattr(os, "O_CLOEXEC", 0)
    | getattr(os, "O_BINARY", 0)
)


class Identity(NamedTuple):
    """Which file, in which state: as long as these are equal, nobody replaced it or wrote to it."""

    device: int
    inode: int
    size: int
    mtime_ns: int

    @classmethod
    def of(cls, status: os.stat_result) -> Identity:
        """The identity that ``status`` tells of."""
        return cls(status.st_dev, status.st_ino, status.st_size, status.st_mtime_ns)


def read(path: Path) -> tuple[bytes, Identity]:
    """Every byte of the regular file at ``path`` and its state, which did not change meanwhile.

    Raises :class:`ExportChanged`, :class:`ExportTooLarge`, :class:`ExportUnreadable`, :class:`UnsafePath`.
    """
    descriptor, identity = open_regular(path)
    try:
        check_size(path.name, identity.size)
        data = take(descriptor, identity.size + 1)
        if Identity.of(os.fstat(descriptor)) != identity or len(data) != identity.size:
            raise ExportChanged(path.name)
        return data, identity
    finally:
        os.close(descriptor)


def read_growing(path: Path) -> tuple[bytes, Identity]:
    """What stood in the regular file at ``path`` when it was opened, and its state then; it may grow on meanwhile.

    Raises :class:`ExportChanged` where it was cut shorter, :class:`ExportTooLarge`, :class:`ExportUnreadable`, :class:`UnsafePath`.
    """
    descriptor, identity = open_regular(path)
    try:
        check_size(path.name, identity.size)
        data = take(descriptor, identity.size)
        if len(data) != identity.size:
            raise ExportChanged(path.name)
        return data, identity
    finally:
        os.close(descriptor)


def largest() -> int:
    """Bytes of a file, or of a line of a transcript, that are held in memory at once."""
    said = os.environ.get(LARGEST_BY, "")
    return int(said) if said.isdecimal() and len(said) < _DIGITS else LARGEST


def check_size(name: str, size: int) -> None:
    """Raises :class:`ExportTooLarge` before anything is read. A sparse file takes no room on the disk, but all of it in memory."""
    if size > largest():
        raise ExportTooLarge(f"{name} has {size:,} bytes, and {largest():,} is the most")


@contextlib.contextmanager
def opened(path: Path) -> Iterator[tuple[BinaryIO, Identity]]:
    """The regular file at ``path`` for reading it bit by bit, and its state. Raises as :func:`read`, at the end as well."""
    descriptor, identity = open_regular(path)
    with os.fdopen(descriptor, "rb") as file:
        yield file, identity
        if Identity.of(os.fstat(descriptor)) != identity:
            raise ExportChanged(path.name)


def digest_of(file: BinaryIO) -> str:
    """SHA-256 of a file from its beginning, where it stands again afterwards."""
    import hashlib

    digest = hashlib.sha256()
    file.seek(0)
    for part in parts_of(file):
        digest.update(part)
    file.seek(0)
    return digest.hexdigest()


def parts_of(file: BinaryIO) -> Iterator[bytes]:
    """What is left of ``file``, bit by bit. Raises :class:`ExportUnreadable`."""
    try:
        while part := file.read(_PART):
            yield part
    except OSError as error:
        raise ExportUnreadable(str(error.strerror or error)) from error


def open_regular(path: Path) -> tuple[int, Identity]:
    """A descriptor of the regular file at ``path`` and its state; whatever is no regular file is never opened."""
    try:
        before = os.lstat(path)
        if not stat.S_ISREG(before.st_mode):
            raise UnsafePath(_kind(before.st_mode))
        descriptor = beneath.open_file(path, _OPEN)
    except FileNotFoundError as error:
        raise ExportGone(path.name) from error
    except OSError as error:
        raise ExportUnreadable(str(error.strerror)) from error
    status = os.fstat(descriptor)
    # Between the look and the opening somebody may have put a pipe or another file in its place.
    if not stat.S_ISREG(status.st_mode) or not os.path.samestat(before, status):
        os.close(descriptor)
        raise ExportChanged(path.name)
    return descriptor, Identity.of(status)


def take(descriptor: int, size: int) -> bytes:
    """At most ``size`` bytes from where ``descriptor`` stands; fewer only at the end of the file."""
    parts = []  # joining many of them would copy every byte
    try:
        while size > 0 and (part := os.read(descriptor, min(size, LARGEST))):
            parts.append(part)
            size -= len(part)
    except OSError as error:
        raise ExportUnreadable(str(error.strerror)) from error
    return b"".join(parts)


def _kind(mode: int) -> str:
    kinds = {
        stat.S_IFLNK: "a symbolic link",
        stat.S_IFIFO: "a pipe",
        stat.S_IFSOCK: "a socket",
        stat.S_IFDIR: "a folder",
    }
    return kinds.get(stat.S_IFMT(mode), "a device")
