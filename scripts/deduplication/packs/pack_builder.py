"""What goes into a new pack: segments and file records, old ones taken in from the packs before it and new ones, as frames."""

from __future__ import annotations

import hashlib
import os
from typing import TYPE_CHECKING, Final

from ..errors import ArchiveDamaged
from ..files import atomic, varint
from . import file_records, frames, pack_index
from .pack_end import enclosed
from .pack_index import Known, Place

if TYPE_CHECKING:
    from .file_records import FileRecord
    from .frames import Frame
    from .pack_set import Member

QUICK_FRAME: Final = 2 * 1024 * 1024
"""Bytes of segments that are compressed together in a run that somebody waits for."""
THOROUGH_FRAME: Final = 8 * 1024 * 1024
"""The same where nobody does. A frame of more than half of it is left as it is when its pack is taken in."""
_TOGETHER: Final = 128 * 1024
"""Bytes of segments in a frame that is left as it is in such a run; smaller ones are compressed once more, together with what
follows: they compress badly (real exports take 8 % less, for 16 ms a run at most)."""
_RECORDS: Final = 10_000
"""File records in one frame, at most."""
_CHUNK: Final = 1024 * 1024


class PackBuilder:
    """The frames of a pack in the making, numbered from ``first_segment`` and ``first_file`` on; ``thorough``: small."""

    def __init__(self, first_segment: int, first_file: int, *, thorough: bool = False) -> None:
        self.first_segment, self.first_file = first_segment, first_file
        self._thorough = thorough
        self._frames: list[tuple[Frame, bytes]] = []
        self._hashes: list[bytes] = []
        self._known: list[Known] = []
        self._old: list[FileRecord] = []
        self._taken: list[tuple[Frame, bytes]] = []
        """Frames of file records, which come behind all segments: whoever reads a pack in its order has what they refer to."""
        self._waiting: list[bytes] = []
        self._waiting_bytes = 0

    @property
    def next_segment(self) -> int:
        """The number of the next segment."""
        return self.first_segment + len(self._hashes)

    def segment(self, data: bytes, sha256: bytes) -> int:
        """Take a segment in; its number."""
        limit = THOROUGH_FRAME if self._thorough else QUICK_FRAME
        if self._waiting and self._waiting_bytes + len(data) > limit:
            self._pack_segments()
        self._waiting.append(data)
        self._waiting_bytes += len(data)
        self._hashes.append(sha256)
        return self.next_segment - 1

    def take_in(self, member: Member) -> None:
        """Take in all that an earlier pack holds, which goes on where this one stands.

        Raises :class:`ArchiveDamaged` where it is not what was written.
        """
        here = (self.next_segment, self.first_file + len(self._known))
        if not member.pack.is_intact() or here != (member.index.first_segment, member.index.first_file):
            raise ArchiveDamaged(member.pack.name)
        known = member.index.hashes() if member.index.sound() else None
        for frame, _ in member.pack.scan():
            if frame is None:
                raise ArchiveDamaged(member.pack.name)
            if frame.kind == frames.FILES:
                self._take_records(member, frame)
            elif known is not None and frame.raw > (THOROUGH_FRAME // 2 if self._thorough else _TOGETHER):
                self._pack_segments()
                self._frames.append((frame, member.pack.bytes_of(frame)))
                at = frame.first - member.index.first_segment
                self._hashes += known[at : at + frame.count]
            else:
                _, data, starts = member.pack.block(frame)
                for start, end in zip(starts, starts[1:]):
                    part = data[start:end]
                    self.segment(part, hashlib.sha256(part).digest())

    def _take_records(self, member: Member, frame: Frame) -> None:
        found = member.pack.records(frame)
        self._known += [Known(r.sha256, r.size, r.head, r.depth) for r in found]
        if self._thorough:
            self._old += found
        else:
            self._taken.append((frame, member.pack.bytes_of(frame)))

    def _pack_segments(self) -> None:
        if not self._waiting:
            return
        count = len(self._waiting)
        raw = b"".join([varint.encode(map(len, self._waiting)), *self._waiting])
        self._waiting, self._waiting_bytes = [], 0
        first = self.first_segment + self._packed()
        self._add(frames.SEGMENTS, first, count, raw)

    def _packed(self) -> int:
        return sum(frame.count for frame, _ in self._frames if frame.kind == frames.SEGMENTS)

    def _add(self, kind: int, first: int, count: int, raw: bytes) -> None:
        try:
            self._frames.append(frames.make(kind, first, count, raw, thorough=self._thorough))
        except ValueError as error:
            raise ArchiveDamaged(str(error), hint="Check this machine's memory.") from error

    def write(self, path: str, new: list[FileRecord]) -> bytes:
        """Write the pack to ``path``, in one step, with the records of ``new`` files; returns the bytes of its index.

        Raises :class:`StoreNotWritable`; then nothing has changed.
        """
        self._pack_segments()
        self._frames += self._taken
        self._known += [Known(r.sha256, r.size, r.head, r.depth) for r in new]
        waiting = [*self._old, *new]
        for at in range(0, len(waiting), _RECORDS):
            part = waiting[at : at + _RECORDS]
            expected = self.next_segment if not self._thorough else self.first_segment
            self._add(frames.FILES, part[0].number, len(part), file_records.encode(part, expected))
        places: list[Place] = []
        at = frames.HEADER_SIZE
        for frame, data in self._frames:
            places.append(Place(frame.kind, frame.count, frame.first, at))
            at += len(data)
        with atomic.replacing(path) as descriptor:
            sha256 = b""
            for data in enclosed(self._frames, self.first_segment, self.first_file):
                atomic.write_all(descriptor, data)
                sha256 = data[-32:]
            _check(descriptor, sha256)
        return pack_index.encode(sha256, self.first_segment, self.first_file, places, self._hashes, self._known)


def _check(descriptor: int, expected: bytes) -> None:
    """Read back what was written: packs that are taken in are gone afterwards."""
    digest = hashlib.sha256()
    end = os.lseek(descriptor, 0, os.SEEK_END) - 32
    at = os.lseek(descriptor, frames.HEADER_SIZE, os.SEEK_SET)
    while at < end:
        part = os.read(descriptor, min(_CHUNK, end - at))
        if not part:
            break
        digest.update(part)
        at += len(part)
    if digest.digest() != expected:
        raise OSError(5, "what was written cannot be read back")
