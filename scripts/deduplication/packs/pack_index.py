"""What a pack holds, so that it is found without unpacking anything: ``pack-NNNN.idx``, a function of ``pack-NNNN.pack``.

It can be deleted at any time and is made again with the same bytes. It lies in memory only as far as it is looked at.
"""

from __future__ import annotations

import bisect
import mmap
import struct
import zlib
from typing import TYPE_CHECKING, Final

from ..files import atomic
from ..start.late_dataclass import dataclass
from ..start.late_tuple import NamedTuple

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from .pack_file import Pack

_MAGIC: Final = b"\x89EDINDX\n"
_HEADER: Final = struct.Struct("<8sIIQQQQ32sI")
"""Magic, version, frames, first segment, segments, first file, files, the pack's SHA-256, CRC-32 of all behind the frames."""
_VERSION: Final = 2
_SEGMENT_HASH: Final = {1: 32, 2: 16}
"""Bytes of a segment's SHA-256, by version. Half of them find a segment; that a file comes back is told by all of its own."""
_FRAME: Final = struct.Struct("<IIQQ")
_HASH: Final = 32


@dataclass(frozen=True)
class Place:
    """A frame: what it holds (``count`` of ``kind`` from ``first`` on) and where its head begins in the pack."""

    kind: int
    count: int
    first: int
    at: int

    def encode(self) -> bytes:
        """As it stands in the index."""
        return _FRAME.pack(self.kind, self.count, self.first, self.at)


class Known(NamedTuple):
    """What the index says of a file."""

    sha256: bytes
    size: int
    head: int
    depth: int


class _Hashes:
    """The sorted hashes as a sequence, for :mod:`bisect`."""

    def __init__(self, data: mmap.mmap | bytes, at: int, count: int, width: int) -> None:
        self._data, self._at, self._count, self.width = data, at, count, width

    def __len__(self) -> int:
        return self._count

    def __getitem__(self, number: int) -> bytes:
        at = self._at + number * self.width
        return self._data[at : at + self.width]


class Index:
    """The index of one pack. Raises :class:`ValueError` where ``data`` is not the index of the pack ``sha256``."""

    def __init__(self, data: mmap.mmap | bytes, sha256: bytes) -> None:
        self._data = data
        version, frames, *numbers, self._crc = _header(data, sha256)
        self.first_segment, self.segments, self.first_file, self.files = numbers
        self._hashes = _HEADER.size + frames * _FRAME.size + 4
        self._sorted = _Hashes(data, self._hashes, self.segments, _SEGMENT_HASH[version])
        self._numbers = self._hashes + self.segments * self._sorted.width
        self._shas = self._numbers + self.segments * 4
        self._sizes = self._shas + self.files * _HASH
        self._heads = self._sizes + self.files * 8
        self._depths = self._heads + self.files * 4
        if self._depths + self.files * 4 != len(data):
            raise ValueError("it has another length")
        at = _HEADER.size
        self.places = [Place(*_FRAME.unpack_from(data, at + n * _FRAME.size)) for n in range(frames)]
        self._trusted = False
        self._by_kind: dict[int, tuple[list[int], list[Place]]] = {}

    @classmethod
    def load(cls, path: str, sha256: bytes) -> Index:
        """The index in the file at ``path``. Raises :class:`OSError` and :class:`ValueError`."""
        with atomic.open_regular(path) as file:
            data = mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ)
        try:
            return cls(data, sha256)
        except BaseException:
            data.close()
            raise

    @classmethod
    def of_any(cls, path: str) -> Index | None:
        """The index in the file at ``path``, whatever has become of its pack; None where it is not sound itself."""
        try:
            with atomic.open_regular(path) as file:
                data = file.read()
        except OSError:
            return None
        return cls.of_bytes(data)

    @classmethod
    def of_bytes(cls, data: bytes) -> Index | None:
        """The same of the bytes of such a file."""
        try:
            found = cls(data, _HEADER.unpack_from(data)[7])
        except (ValueError, struct.error):
            return None
        return found if found.sound() else None

    def close(self) -> None:
        """Let go of the file."""
        if isinstance(self._data, mmap.mmap):
            self._data.close()

    def sound(self) -> bool:
        """Whether what lies behind the frames is what was written; read once, when the first answer is about to be used."""
        if not self._trusted:
            self._trusted = zlib.crc32(memoryview(self._data)[self._hashes :]) == self._crc
        return self._trusted

    def place(self, kind: int, number: int) -> Place | None:
        """The frame that holds the segment or the file with this number."""
        if kind not in self._by_kind:
            found = sorted((place for place in self.places if place.kind == kind), key=lambda place: place.first)
            self._by_kind[kind] = [place.first for place in found], found
        firsts, places = self._by_kind[kind]
        at = bisect.bisect_right(firsts, number) - 1
        return places[at] if at >= 0 and number < places[at].first + places[at].count else None

    def segment(self, sha256: bytes) -> int:
        """The number of the segment with this hash, -1 where the pack has none."""
        wanted = sha256[: self._sorted.width]
        at = bisect.bisect_left(self._sorted, wanted)
        if at == self.segments or self._sorted[at] != wanted:
            return -1
        number: int = struct.unpack_from("<I", self._data, self._numbers + 4 * at)[0]
        return self.first_segment + number

    def hashes(self) -> list[bytes]:
        """What is kept of the hash of each segment, in the order of their numbers."""
        numbers = struct.unpack_from(f"<{self.segments}I", self._data, self._numbers)
        found = [b""] * self.segments
        for at, number in enumerate(numbers):
            found[number] = self._sorted[at]
        return found

    def lacks(self) -> bool:
        """Whether it leaves something out: a segment or a file that could not be read in the pack has a hash of zeros."""
        return (self.segments > 0 and not any(self._sorted[0])) or any(
            not any(known.sha256) for known in self.all_known()
        )

    def file(self, sha256: bytes) -> int:
        """The number of the last file with this hash, -1 where the pack has none."""
        return self._last(sha256, self._shas, self._sizes, _HASH)

    def beginning(self, head: int, before: int) -> int:
        """The last file before number ``before`` whose head has this checksum, -1 where there is none."""
        end = self._heads + 4 * max(0, min(before - self.first_file, self.files))
        return self._last(struct.pack("<I", head), self._heads, end, 4)

    def _last(self, wanted: bytes, start: int, end: int, width: int) -> int:
        at = self._data.rfind(wanted, start, end)
        while at >= 0 and (at - start) % width:
            at = self._data.rfind(wanted, start, at + len(wanted) - 1)
        return self.first_file + (at - start) // width if at >= 0 else -1

    def known(self, file: int) -> Known:
        """What is known of the file with this number."""
        n, data = file - self.first_file, self._data
        return Known(
            data[self._shas + n * _HASH : self._shas + (n + 1) * _HASH],
            struct.unpack_from("<Q", data, self._sizes + 8 * n)[0],
            struct.unpack_from("<I", data, self._heads + 4 * n)[0],
            struct.unpack_from("<I", data, self._depths + 4 * n)[0],
        )

    def all_known(self) -> Iterator[Known]:
        """What is known of each file."""
        return (self.known(self.first_file + n) for n in range(self.files))


def _header(data: mmap.mmap | bytes, sha256: bytes) -> tuple[int, ...]:
    """The numbers of the header. Raises :class:`ValueError` where it is not that of an index of the pack ``sha256``."""
    if len(data) < _HEADER.size:
        raise ValueError("it ends too early")
    magic, version, *numbers, pack, crc = _HEADER.unpack_from(data)
    if (magic, pack) != (_MAGIC, sha256) or version not in _SEGMENT_HASH:
        raise ValueError("it is not the index of this pack")
    end = _HEADER.size + numbers[0] * _FRAME.size
    if data[end : end + 4] != struct.pack("<I", zlib.crc32(data[:end])):
        raise ValueError("its checksum does not match")
    return (version, *numbers, crc)


def range_in(path: str) -> tuple[int, int]:
    """The files that the pack of the index at ``path`` holds, half open. Raises :class:`OSError` and :class:`ValueError`."""
    with atomic.open_regular(path) as file:
        data = file.read()
    if len(data) < _HEADER.size:
        raise ValueError("it ends too early")
    *_, first_file, files, _ = _header(data, _HEADER.unpack_from(data)[-2])
    return first_file, first_file + files


def encode(
    sha256: bytes,
    first_segment: int,
    first_file: int,
    places: Sequence[Place],
    hashes: Sequence[bytes],
    files: Sequence[Known],
) -> bytes:
    """The index of the pack with the identity ``sha256``; ``hashes`` and ``files`` in the order of their numbers."""
    hashes = [each[: _SEGMENT_HASH[_VERSION]] for each in hashes]
    order = sorted(range(len(hashes)), key=hashes.__getitem__)
    body = b"".join(
        [
            *(hashes[n] for n in order),
            struct.pack(f"<{len(order)}I", *order),
            *(known.sha256 for known in files),
            struct.pack(f"<{len(files)}Q", *(known.size for known in files)),
            struct.pack(f"<{len(files)}I", *(known.head for known in files)),
            struct.pack(f"<{len(files)}I", *(known.depth for known in files)),
        ]
    )
    counts = (len(places), first_segment, len(hashes), first_file, len(files))
    head = b"".join(
        [_HEADER.pack(_MAGIC, _VERSION, *counts, sha256, zlib.crc32(body)), *(place.encode() for place in places)]
    )
    return head + struct.pack("<I", zlib.crc32(head)) + body


def made_from(pack: Pack) -> bytes:
    """The index of a pack, from its bytes alone. What is damaged is left out: its segments have a hash of zeros.

    Raises nothing: an index of what is whole is better than none.
    """
    from hashlib import sha256

    from ..errors import ArchiveDamaged
    from .frames import SEGMENTS

    header = pack.header
    places: list[Place] = []
    hashes = [bytes(_HASH)] * header.segments
    files = [Known(bytes(_HASH), 0, 0, 0)] * header.files
    for frame in pack.all_frames():
        at = frame.first - (header.first_segment if frame.kind == SEGMENTS else header.first_file)
        if at < 0 or at + frame.count > (header.segments if frame.kind == SEGMENTS else header.files):
            continue
        places.append(Place(frame.kind, frame.count, frame.first, frame.at))
        try:
            if frame.kind == SEGMENTS:
                _, data, starts = pack.block(frame)
                hashes[at : at + frame.count] = [
                    sha256(data[start:end]).digest() for start, end in zip(starts, starts[1:])
                ]
            else:
                found = pack.records(frame)
                files[at : at + frame.count] = [Known(r.sha256, r.size, r.head, r.depth) for r in found]
        except ArchiveDamaged:
            continue
    return encode(pack.sha256, header.first_segment, header.first_file, places, hashes, files)
