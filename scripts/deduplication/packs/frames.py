"""The bytes of a pack: header, frames, parity, trailer. docs/archive.md describes them for whoever writes a reader.

Raw files lie in packs, and so do the log's older lines (``storage/log/log_pack.py``): one kind of file.

Everything is there twice or says itself where it belongs: the header's numbers are repeated in the trailer, and each
frame names its first segment or file, so that damage which is more than parity can make good costs what lies in its place and
nothing behind it.
"""

from __future__ import annotations

import hashlib
import struct
import zlib
from typing import Final

from ..errors import StoreOfNewerVersion
from ..start.late_dataclass import dataclass
from . import codec

MAGIC: Final = b"\x89EDPACK\n"
VERSION: Final = 3
"""With segments that a recipe shows as Base64. Version 2 has none and is the same otherwise; version 1 has no parity either."""
SEGMENTS: Final = 0x53
"""A frame of segments ("S")."""
FILES: Final = 0x46
"""A frame of file records ("F")."""
LINES: Final = 0x4C
"""A frame of the log's lines ("L"): of a pack that has the log's lines and no files. Its numbers are bytes of the log."""
KEPT: Final = 0x4B
"""What the lines of such a pack keep of files that the archive did not have ("K")."""
PARITY: Final = 0x45
"""The frame behind all others, of what makes damage to them good ("E", for error correction)."""
MARK: Final = b"\xed\xf7"
"""In every frame's head: where to look for the next frame behind a damaged one."""
_HEADER: Final = struct.Struct("<8sIIQQQQQI")
HEADER_SIZE: Final = _HEADER.size + 4
TRAILER_SIZE: Final = HEADER_SIZE + 32
_FRAME: Final = struct.Struct("<BB2sIIIQ")
FRAME_HEAD: Final = _FRAME.size + 4 + 32


@dataclass(frozen=True)
class Header:
    """What a pack holds: ``segments`` segments from number ``first_segment`` on, and the same for files; ``size`` in bytes.

    In a pack of the log's lines ``segments`` are their bytes, counted from its own beginning.

    ``frames`` are those before the frame of parity, which takes ``parity`` bytes; 0 where there is none.
    """

    first_segment: int
    segments: int
    first_file: int
    files: int
    frames: int
    size: int
    parity: int = 0

    @property
    def end(self) -> int:
        """Where the frames end: as many bytes does parity cover."""
        return self.size - TRAILER_SIZE - self.parity

    def encode(self) -> bytes:
        """The header's bytes."""
        body = _HEADER.pack(
            MAGIC,
            VERSION if self.parity else 1,
            self.frames,
            self.first_segment,
            self.segments,
            self.first_file,
            self.files,
            self.size,
            self.parity,
        )
        return body + struct.pack("<I", zlib.crc32(body))

    @classmethod
    def decode(cls, data: bytes) -> Header:
        """Raises :class:`ValueError` where ``data`` is none, :class:`StoreOfNewerVersion`."""
        if len(data) != HEADER_SIZE or struct.unpack_from("<I", data, _HEADER.size)[0] != zlib.crc32(data[:-4]):
            raise ValueError("its checksum does not match")
        magic, version, frames, first_segment, segments, first_file, files, size, parity = _HEADER.unpack_from(data)
        if magic != MAGIC:
            raise ValueError("it is no pack")
        if version < 1:
            raise ValueError(f"it has version {version}")
        if version > VERSION:
            raise StoreOfNewerVersion(f"a pack of version {version}, and this one knows versions 1 to {VERSION}")
        return cls(first_segment, segments, first_file, files, frames, size, parity)


@dataclass(frozen=True)
class Frame:
    """One frame: ``count`` segments or file records from number ``first`` on; ``at`` is where its head begins in the pack.

    The frame of parity has ``count`` 0, and ``first`` is how many bytes it covers.
    """

    kind: int
    codec: int
    count: int
    raw: int
    stored: int
    first: int
    sha256: bytes
    at: int = 0

    @property
    def end(self) -> int:
        """Where the next frame begins."""
        return self.at + FRAME_HEAD + self.stored

    def check(self, body: bytes) -> None:
        """Raises :class:`ValueError` where ``body`` is not what was written."""
        if _digest(self._head(), body) != self.sha256:
            raise ValueError("its SHA-256 does not match")

    def unpack(self, body: bytes) -> bytes:
        """What the body says. Raises :class:`ValueError` where it is not what was written."""
        self.check(body)
        return codec.decompress(self.codec, body, self.raw)

    def _head(self) -> bytes:
        return _FRAME.pack(self.kind, self.codec, MARK, self.count, self.raw, self.stored, self.first)


def make(kind: int, first: int, count: int, raw: bytes, *, thorough: bool = False) -> tuple[Frame, bytes]:
    """A frame of ``raw`` and all of its bytes. Raises :class:`ValueError` where it does not give ``raw`` back."""
    how, body = codec.compress(raw, thorough=thorough)
    if codec.decompress(how, body, len(raw)) != raw:
        raise ValueError("what was compressed does not unpack to what it was")
    return _made(kind, how, count, len(raw), first, body)


def of_parity(covered: int, parity: bytes) -> bytes:
    """The frame of parity of the ``covered`` bytes before it."""
    return _made(PARITY, codec.STORED, 0, len(parity), covered, parity)[1]


def _made(kind: int, how: int, count: int, raw: int, first: int, body: bytes) -> tuple[Frame, bytes]:
    head = _FRAME.pack(kind, how, MARK, count, raw, len(body), first)
    sha256 = _digest(head, body)
    frame = Frame(kind, how, count, raw, len(body), first, sha256)
    return frame, head + struct.pack("<I", zlib.crc32(head)) + sha256 + body


def head(data: bytes, at: int, limit: int) -> Frame:
    """The frame at ``at`` whose head is ``data``. Raises :class:`ValueError` where it is none, or goes on beyond ``limit``."""
    if len(data) != FRAME_HEAD:
        raise ValueError("it ends too early")
    kind, how, mark, count, raw, stored, first = _FRAME.unpack_from(data)
    if zlib.crc32(data[: _FRAME.size]) != struct.unpack_from("<I", data, _FRAME.size)[0]:
        raise ValueError("its checksum does not match")
    if mark != MARK or not (kind in (PARITY, LINES) or (kind in (SEGMENTS, FILES, KEPT) and raw <= codec.MAX_RAW)):
        raise ValueError("it is no frame that this version knows")
    frame = Frame(kind, how, count, raw, stored, first, data[_FRAME.size + 4 :], at)
    if frame.end > limit:
        raise ValueError("it is longer than the pack")
    return frame


def _digest(head: bytes, body: bytes) -> bytes:
    digest = hashlib.sha256(head)
    digest.update(body)
    return digest.digest()
