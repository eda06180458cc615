"""Reading one pack: its header, its frames, each checked before it is believed."""

from __future__ import annotations

import hashlib
import os
from itertools import accumulate
from typing import TYPE_CHECKING, NamedTuple

from ..errors import ArchiveDamaged
from ..files import atomic, varint
from . import file_records as records
from . import frames

if TYPE_CHECKING:
    from collections.abc import Iterator
    from typing import BinaryIO, Optional

    from .file_records import FileRecord
    from .frames import Frame, Header

_CHUNK = 1024 * 1024


class Block(NamedTuple):
    """The segments of one frame: segment ``first + n`` is ``data[starts[n]:starts[n + 1]]``."""

    first: int
    data: bytes
    starts: list[int]


class Pack:
    """One pack file. A link in its place is not followed, and nothing of it is believed unchecked.

    Raises :class:`ArchiveDamaged`, with the pack's name, wherever what is read is not what was written.
    """

    def __init__(self, path: str, *, salvage: bool = False) -> None:
        """``salvage``: where neither header nor trailer says what the pack holds, take it from the frames that are whole."""
        self.path = path
        self.name = os.path.basename(path)
        try:
            self._file: BinaryIO = atomic.open_regular(path)
        except OSError as error:
            raise ArchiveDamaged(f"{self.name}: {error.strerror or error}") from error
        self.size = os.fstat(self._file.fileno()).st_size
        self.problems: list[str] = []
        """What is wrong with header and trailer, where one of them still says what the pack holds."""
        self._end = self.size - frames.TRAILER_SIZE
        """Where the frames end; a trailer that is gone has left its place to them."""
        self.guessed = False
        """Whether the header was made up from the frames that are whole: a kind of which none is left counts from 0."""
        try:
            self.header: Header = self._header(salvage=salvage)
        except ArchiveDamaged:
            self.close()
            raise

    def close(self) -> None:
        """Let go of the file."""
        self._file.close()

    def _header(self, *, salvage: bool) -> Header:
        found: list[Header] = []
        for what, at in (("header", 0), ("trailer", self.size - frames.TRAILER_SIZE)):
            try:
                found.append(frames.Header.decode(self._take(max(at, 0), frames.HEADER_SIZE)))
            except ValueError as error:
                self.problems.append(f"{what}: {error}")
                if what == "trailer":
                    self._end = self.size
        if not found and salvage and (header := self._told_by_frames()) is not None:
            self.guessed = True
            return header
        if not found:
            raise ArchiveDamaged(f"{self.name}: {'; '.join(self.problems)}")
        if found[0] != found[-1]:
            self.problems.append("header and trailer differ")
        if found[0].size != self.size:
            self.problems.append(f"it has {self.size:,} bytes instead of {found[0].size:,}")
        return found[0]

    def _told_by_frames(self) -> Optional[Header]:
        ranges: dict[int, list[int]] = {frames.SEGMENTS: [], frames.FILES: []}
        count = 0
        for frame, _ in self.scan():
            if frame is not None and self._is_whole(frame):
                ranges[frame.kind] += (frame.first, frame.first + frame.count)
                count += 1
        segments, files = ranges[frames.SEGMENTS], ranges[frames.FILES]
        if not count:
            return None
        first, first_file = min(segments, default=0), min(files, default=0)
        return frames.Header(
            first, max(segments, default=0) - first, first_file, max(files, default=0) - first_file, count, self.size
        )

    def _is_whole(self, frame: Frame) -> bool:
        try:
            self.body(frame)
        except ArchiveDamaged:
            return False
        return True

    @property
    def sha256(self) -> bytes:
        """What the trailer says of all bytes before: the identity of the pack."""
        return self._take(max(self.size - 32, 0), 32)

    def is_intact(self) -> bool:
        """Whether every byte is what was written."""
        digest = hashlib.sha256()
        at, end = frames.HEADER_SIZE, self.size - 32
        while at < end and (part := self._take(at, min(_CHUNK, end - at))):
            digest.update(part)
            at += len(part)
        return not self.problems and digest.digest() == self.sha256

    def scan(self) -> Iterator[tuple[Optional[Frame], str]]:
        """Every frame in order; where there is none as it should be: None and what is wrong, then what comes behind it."""
        at, end = frames.HEADER_SIZE, self._end
        while at < end:
            try:
                frame = self.head(at)
            except ArchiveDamaged as error:
                yield None, error.detail
                at = self._next(at + 1, end)
            else:
                yield frame, ""
                at = frame.end

    def _next(self, at: int, end: int) -> int:
        """Where the next frame begins that has a right head; ``end`` where there is none."""
        while at < end:
            part = self._take(at, min(_CHUNK, end - at + 4))
            found = part.find(frames.MARK, 2)
            if found < 0:
                at += max(len(part) - 3, 1)
                continue
            at += found - 2
            try:
                self.head(at)
            except ArchiveDamaged:
                at += 1
            else:
                return at
        return end

    def body(self, frame: Frame) -> bytes:
        """A frame's body, checked but not unpacked."""
        data = self._take(frame.at + frames.FRAME_HEAD, frame.stored)
        try:
            frame.check(data)
        except ValueError as error:
            raise ArchiveDamaged(f"{self.name}, byte {frame.at}: {error}") from error
        return data

    def bytes_of(self, frame: Frame) -> bytes:
        """A frame with its head, as it is copied into another pack."""
        self.body(frame)
        return self._take(frame.at, frame.end - frame.at)

    def head(self, at: int) -> Frame:
        """The frame that begins at ``at``."""
        try:
            return frames.head(self._take(at, frames.FRAME_HEAD), at, self._end)
        except ValueError as error:
            raise ArchiveDamaged(f"{self.name}, byte {at}: the head of a frame is damaged: {error}") from error

    def block(self, frame: Frame) -> Block:
        """The segments of a frame."""
        raw = self._raw(frame)
        try:
            reader = varint.Reader(raw)
            starts = [0, *accumulate(reader.numbers(frame.count))]
            data = reader.take(starts[-1])
            reader.end()
        except ValueError as error:
            raise ArchiveDamaged(f"{self.name}, byte {frame.at}: {error}") from error
        return Block(frame.first, data, starts)

    def records(self, frame: Frame) -> list[FileRecord]:
        """The file records of a frame."""
        try:
            return records.decode(self._raw(frame), frame.first, frame.count)
        except ValueError as error:
            raise ArchiveDamaged(f"{self.name}, byte {frame.at}: {error}") from error

    def _raw(self, frame: Frame) -> bytes:
        try:
            return frame.unpack(self._take(frame.at + frames.FRAME_HEAD, frame.stored))
        except ValueError as error:
            raise ArchiveDamaged(f"{self.name}, byte {frame.at}: {error}") from error

    def _take(self, at: int, size: int) -> bytes:
        try:
            self._file.seek(at)
            return self._file.read(size)
        except OSError as error:
            raise ArchiveDamaged(f"{self.name}: {error.strerror or error}") from error
