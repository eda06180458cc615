"""Reading one pack: its header, its frames, each checked before it is believed; what is damaged, from its parity."""

from __future__ import annotations

import hashlib
import os
from itertools import accumulate
from typing import TYPE_CHECKING, NamedTuple

from ..errors import ArchiveDamaged
from ..files import atomic, varint
from . import file_records as records
from . import frames, mending

if TYPE_CHECKING:
    from collections.abc import Iterator
    from typing import BinaryIO, Optional

    from .file_records import FileRecord
    from .frames import Frame, Header
    from .mending import Mended

_CHUNK = 1024 * 1024


class Block(NamedTuple):
    """The segments of one frame: segment ``first + n`` is ``data[starts[n]:starts[n + 1]]``."""

    first: int
    data: bytes
    starts: list[int]


class Pack:
    """One pack file. A link in its place is not followed, and nothing of it is believed unchecked.

    What it holds (``head``, ``block``, ``records``, ``all_frames``) comes from parity where the file is damaged; how the file
    itself is (``scan``, ``body``, ``is_intact``, ``faults``) does not. Raises :class:`ArchiveDamaged`, with the pack's name,
    wherever what is read is not what was written, and :class:`StoreOfNewerVersion`.
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
        self._end = self.size
        """Where the frames end, as far as header or trailer say it."""
        self.guessed = False
        """Whether the header was made up from the frames that are whole: a kind of which none is left counts from 0."""
        self._made: Optional[Mended] = None
        self._asked = False
        try:
            self.header: Header = self._header(salvage=salvage)
        except BaseException:
            self.close()
            raise

    def close(self) -> None:
        """Let go of the file."""
        self._file.close()

    def _header(self, *, salvage: bool) -> Header:
        told: dict[str, Header] = {}
        for what, at in (("header", 0), ("trailer", max(self.size - frames.TRAILER_SIZE, 0))):
            try:
                told[what] = frames.Header.decode(self._take(at, frames.HEADER_SIZE))
            except ValueError as error:
                self.problems.append(f"{what}: {error}")
        found = list(told.values())
        if not found and (made := self._made_good()) is not None and made.header is not None:
            found = [made.header]
        if not found and salvage and (header := self._told_by_frames()) is not None:
            self.guessed = True
            return header
        if not found:
            raise ArchiveDamaged(f"{self.name}: {'; '.join(self.problems)}")
        if found[0] != found[-1]:
            self.problems.append("header and trailer differ")
        if found[0].size != self.size:
            self.problems.append(f"it has {self.size:,} bytes instead of {found[0].size:,}")
        there = "trailer" in told
        self._end = self.size - frames.TRAILER_SIZE - found[-1].parity if there else min(found[0].end, self.size)
        return found[0]

    def _made_good(self) -> Optional[Mended]:
        if not self._asked:
            self._asked = True
            made = mending.mended(self._take, self.size)
            self._made = made if made is not None and made.gained else None
        return self._made

    def mended(self) -> Optional[MendedPack]:
        """The pack with what its parity makes good, asked for when something is damaged; None where that is nothing."""
        made = self._made_good()
        return MendedPack(self, made) if made is not None else None

    def _told_by_frames(self) -> Optional[Header]:
        ranges: dict[int, list[int]] = {}
        count = 0
        for frame, _ in self.scan():
            if frame is not None and self._is_whole(frame):
                ranges.setdefault(frame.kind, []).extend((frame.first, frame.first + frame.count))
                count += 1
        segments, files = ranges.get(frames.SEGMENTS, ranges.get(frames.LINES, [])), ranges.get(frames.FILES, [])
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
                frame = self._head(at)
            except ArchiveDamaged as error:
                yield None, error.detail
                at = self._next(at + 1, end)
            else:
                if frame.kind == frames.PARITY:
                    return
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
                self._head(at)
            except ArchiveDamaged:
                at += 1
            else:
                return at
        return end

    def fault(self) -> str:
        """The first thing that is wrong with a pack that is not intact, without the pack's name."""
        return (*self.problems, *(each[len(self.name) :].lstrip(":, ") for each in self._wrong()))[0]

    def faults(self) -> list[str]:
        """What is wrong with the bytes of the file, in a line each, and whether parity makes it good; none where nothing is."""
        found = self._wrong()
        mended = self.mended() if found or self.problems else None
        if mended is not None and mended.is_intact():
            what = f"{found.pop()}; " if found else f"{self.name}: "
            found.append(f"{what}nothing of the pack is lost: 'repair' makes it again from its parity")
        return found

    def _wrong(self) -> list[str]:
        found = []
        for frame, fault in self.scan():
            if frame is None:
                found.append(f"{self.name}, {fault}")
                continue
            try:
                self.body(frame)
            except ArchiveDamaged as error:
                found.append(error.detail)
        if not (found or self.problems or self.is_intact()):
            what = "its SHA-256 does not match, but every frame's does: its parity or trailer is damaged"
            found.append(f"{self.name}: {what}")
        return found

    def all_frames(self) -> list[Frame]:
        """Every frame whose head the file or its parity has."""
        found = list(self.scan())
        if any(frame is None for frame, _ in found) and (mended := self.mended()) is not None:
            found = list(mended.scan())
        return [frame for frame, _ in found if frame is not None]

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
            return self._head(at)
        except ArchiveDamaged:
            if (mended := self.mended()) is None:
                raise
            return mended.head(at)

    def _head(self, at: int) -> Frame:
        try:
            return frames.head(self._take(at, frames.FRAME_HEAD), at, self._end)
        except ValueError as error:
            raise ArchiveDamaged(f"{self.name}, byte {at}: the head of a frame is damaged: {error}") from error

    def block(self, frame: Frame) -> Block:
        """The segments of a frame."""
        raw = self.unpacked(frame)
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
            return records.decode(self.unpacked(frame), frame.first, frame.count)
        except ValueError as error:
            raise ArchiveDamaged(f"{self.name}, byte {frame.at}: {error}") from error

    def unpacked(self, frame: Frame) -> bytes:
        """What the body of a frame says."""
        try:
            return frame.unpack(self._take(frame.at + frames.FRAME_HEAD, frame.stored))
        except ValueError as error:
            if (mended := self.mended()) is not None:
                return mended.unpacked(mended.head(frame.at))
            raise ArchiveDamaged(f"{self.name}, byte {frame.at}: {error}") from error

    def _take(self, at: int, size: int) -> bytes:
        try:
            self._file.seek(at)
            return self._file.read(size)
        except OSError as error:
            raise ArchiveDamaged(f"{self.name}: {error.strerror or error}") from error


class MendedPack(Pack):
    """A pack with what its parity makes good. It reads from the file of the damaged one, and ends with it."""

    def __init__(self, damaged: Pack, made: Mended) -> None:
        self.path, self.name = damaged.path, damaged.name
        self._damaged, self._bytes = damaged, made
        self.problems = [] if made.header is not None else damaged.problems
        self.guessed = made.header is None and damaged.guessed
        self.header = made.header or damaged.header
        self.size, self._end = self.header.size, made.covered

    def close(self) -> None:
        """Let go of the file."""
        self._damaged.close()

    def is_intact(self) -> bool:
        """Whether every byte is what was written: proven when it was made."""
        return self._bytes.header is not None

    def mended(self) -> Optional[MendedPack]:
        """There is nothing more to be made good."""
        return None

    def parts(self) -> Iterator[bytes]:
        """Its bytes, in parts, where it is intact."""
        return self._bytes.parts()

    def _take(self, at: int, size: int) -> bytes:
        return self._bytes.read(at, size)
