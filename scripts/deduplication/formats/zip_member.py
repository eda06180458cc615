"""The conversations inside a ZIP archive, read as a stream: nothing of the archive is ever written to a path.

What an archive says of itself is not believed: names that lead out of it, encrypted entries, a directory or an entry that
unpacks to more than any export has, are refused before a byte is unpacked; and never more is unpacked than was announced.
"""

from __future__ import annotations

import os
import stat
import struct
import zipfile
import zlib
from typing import TYPE_CHECKING, Final

from ..errors import ExportUnreadable, NotAnExport
from ..files.safe_read import parts_of

if TYPE_CHECKING:
    from collections.abc import Iterator
    from typing import BinaryIO

MAGIC: Final = b"PK"
NAMES: Final = ("conversations.json", "conversations.jsonl")
LARGEST: Final = 8 * 1024**3
"""Bytes that the conversations of one archive may unpack to."""
HIGHEST_RATIO: Final = 200
"""Text packs to a tenth; what packs to less than this part of its size, and is not small, was made to fill a disk."""
_SMALL: Final = 32 * 1024 * 1024
_LARGEST_DIRECTORY: Final = 32 * 1024 * 1024
_END: Final = b"PK\x05\x06"
_END_BYTES: Final = 22
_LONGEST_COMMENT: Final = 65535
_WHOLE: Final = 0xFFFFFFFF
_METHODS: Final = (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED)
_DAMAGE: Final = (
    zipfile.BadZipFile,
    zlib.error,
    EOFError,
    struct.error,
    NotImplementedError,
    RuntimeError,
    ValueError,
    OSError,
)


def is_zip(head: bytes) -> bool:
    """True for the beginning of a ZIP archive."""
    return head[:4] in (b"PK\x03\x04", b"PK\x05\x06")


def conversations_in(file: BinaryIO) -> list[tuple[str, Iterator[bytes]]]:
    """Name and content, in chunks, of each file of conversations; the content can be read once and while ``file`` is open.

    Raises :class:`NotAnExport` where there is none, and :class:`ExportUnreadable` for an archive that is damaged, encrypted or
    unpacks to too much; a damaged entry is found when it is read to its end.
    """
    try:
        _check_directory(file)
        archive = zipfile.ZipFile(file)
        entries = [entry for entry in archive.infolist() if _is_wanted(entry)]
    except _DAMAGE as error:
        raise ExportUnreadable(f"the ZIP archive is damaged: {error}") from error
    if not entries:
        raise NotAnExport("a ZIP archive without a conversations.json")
    if len({entry.filename for entry in entries}) < len(entries):
        raise ExportUnreadable("the ZIP archive holds two files of one name")
    for entry in entries:
        _check(entry)
    if sum(entry.file_size for entry in entries) > LARGEST:
        raise ExportUnreadable(f"the ZIP archive unpacks to more than {LARGEST:,} bytes")
    return [(entry.filename, _chunks(archive, entry)) for entry in entries]


def _check_directory(file: BinaryIO) -> None:
    """The list of entries is read into memory whole, so its size is looked at first."""
    size = file.seek(0, os.SEEK_END)
    file.seek(max(0, size - _END_BYTES - _LONGEST_COMMENT))
    tail = file.read(_END_BYTES + _LONGEST_COMMENT)
    at = tail.rfind(_END)
    if at < 0 or len(tail) < at + _END_BYTES:
        raise zipfile.BadZipFile("it has no list of entries (cut short?)")
    (length,) = struct.unpack_from("<L", tail, at + 12)
    if tail[max(0, at - 20) : at].startswith(b"PK\x06\x07"):  # the size stands in a record of its own
        at = tail.rfind(b"PK\x06\x06", 0, at)
        length = struct.unpack_from("<Q", tail, at + 40)[0] if at >= 0 else _WHOLE
    if length > _LARGEST_DIRECTORY:
        raise zipfile.BadZipFile(f"its list of entries takes {length:,} bytes")


def _is_wanted(entry: zipfile.ZipInfo) -> bool:
    """A regular file of that name, in the archive's root or in one folder. Its name is compared, never used as a path."""
    *folders, name = entry.filename.split("/")
    if (
        name not in NAMES
        or len(folders) > 1
        or any(part in ("", ".", "..") or "\\" in part or ":" in part for part in folders)
    ):
        return False
    mode = entry.external_attr >> 16
    return not mode or stat.S_IFMT(mode) in (0, stat.S_IFREG)


def _check(entry: zipfile.ZipInfo) -> None:
    name = entry.filename
    if entry.flag_bits & 0x1:
        raise ExportUnreadable(
            f"{name} in the ZIP archive is encrypted", hint="Unpack it with its password and pass the file."
        )
    if entry.compress_type not in _METHODS:
        raise ExportUnreadable(
            f"{name} in the ZIP archive is packed by method {entry.compress_type}", hint="Unpack it and pass the file."
        )
    if entry.file_size > _SMALL and entry.file_size > HIGHEST_RATIO * entry.compress_size:
        raise ExportUnreadable(
            f"{name} in the ZIP archive claims to unpack to {entry.file_size:,} bytes, from {entry.compress_size:,}"
        )


def _chunks(archive: zipfile.ZipFile, entry: zipfile.ZipInfo) -> Iterator[bytes]:
    try:
        with archive.open(entry) as content:
            yield from parts_of(content)  # type: ignore[arg-type]
    except _DAMAGE as error:
        raise ExportUnreadable(f"{entry.filename} in the ZIP archive is damaged: {error}") from error
