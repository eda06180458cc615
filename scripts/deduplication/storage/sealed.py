"""The sealed part of the log: whole lines, compressed, each file replaced only by a longer one.

``sealed/START-END-CRC.jsonl.xz`` holds the log's bytes from START to END (twelve digits each) as ``xz`` streams one after
another, so that ``xz -dc`` prints them; CRC is the CRC-32 of the file, which tells a flipped bit. A stream is a block: what is
decompressed to read one line of it. Offsets are those of the whole log, as if nothing had been compressed.
"""

from __future__ import annotations

import contextlib
import os
import re
import zlib
from bisect import bisect_right
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from .. import atomic
from . import healing, rewriting

if TYPE_CHECKING:
    from collections.abc import Iterator

FOLDER: Final = "sealed"
BLOCK: Final = 1024 * 1024
"""Bytes of lines in a block, or one line where it is longer."""
MOST: Final = 16 * 1024 * 1024
"""Bytes of the log in one file; more where one block is longer."""
_NAME: Final = re.compile(r"(\d{12})-(\d{12,})-([0-9a-f]{8})\.jsonl\.xz\Z")
_PENDING: Final = ".pending"
_PRESET: Final = 1
_FOOTER: Final = 12
_CACHED: Final = 4


class BlockDamaged(ValueError):
    """A block that cannot be decompressed; the message says where."""


@dataclass(frozen=True)
class Segment:
    """One file: the bytes of the log from ``start`` to ``end`` (half open)."""

    start: int
    end: int
    crc32: int
    path: str


@dataclass(frozen=True)
class Block:
    """One stream of a file: bytes of the log from ``start`` to ``end``, ``size`` bytes at ``offset`` in the file."""

    segment: Segment
    start: int
    end: int
    offset: int
    size: int


class Sealed:
    """The folder of sealed files beside the log. Whoever adds to it holds the store's lock."""

    def __init__(self, folder: str) -> None:
        self._named = self.folder = os.path.join(folder, FOLDER)
        self.segments: list[Segment] = []
        self._blocks: dict[str, list[Block]] = {}
        self._cache: dict[Block, bytes] = {}

    @property
    def end(self) -> int:
        """How many bytes of the log are sealed."""
        return self.segments[-1].end if self.segments else 0

    def look(self) -> None:
        """Take notice of what others have sealed. Of two files with one beginning the longer one counts."""
        found: dict[int, Segment] = {}
        self.folder = rewriting.current(self._named)
        try:
            names = os.listdir(self.folder)
        except (FileNotFoundError, NotADirectoryError):
            names = []
        for name in names:
            segment = named(self.folder, name)
            if segment and (segment.start not in found or found[segment.start].end < segment.end):
                found[segment.start] = segment
        chain: list[Segment] = []
        at = 0
        while at in found and found[at].end > at:
            chain.append(found[at])
            at = found[at].end
        if chain != self.segments:
            self.segments, self._blocks, self._cache = chain, {}, {}

    # -- reading -----------------------------------------------------------------------------------------------

    def blocks(self, start: int = 0) -> Iterator[Block]:
        """The blocks from the one with the byte ``start`` on."""
        first = bisect_right([segment.start for segment in self.segments], start) - 1
        for segment in self.segments[max(first, 0) :]:
            yield from (block for block in self._of(segment) if block.end > start)

    def read(self, block: Block) -> bytes:
        """The lines of a block. Raises :class:`BlockDamaged`."""
        if block not in self._cache:
            import lzma

            try:
                with atomic.open_regular(block.segment.path) as file:
                    file.seek(block.offset)
                    data = lzma.decompress(file.read(block.size), lzma.FORMAT_XZ)
            except (OSError, lzma.LZMAError, EOFError) as error:
                raise BlockDamaged(f"{_shown(block.segment)}: {error}") from error
            if len(data) != block.end - block.start:
                raise BlockDamaged(f"{_shown(block.segment)}: a block of another length")
            while len(self._cache) >= _CACHED:
                del self._cache[next(iter(self._cache))]
            self._cache[block] = data
        return self._cache[block]

    def line(self, offset: int) -> bytes:
        """The line that begins at a byte of the sealed log. Raises :class:`BlockDamaged`."""
        block = next(self.blocks(offset))
        data = self.read(block)
        end = data.find(b"\n", offset - block.start) + 1
        return data[offset - block.start : end or len(data)]

    def _of(self, segment: Segment) -> list[Block]:
        """The blocks of a file; one for all of it where they cannot be told apart, which then cannot be read."""
        if segment.path not in self._blocks:
            try:
                with atomic.open_regular(segment.path) as file:
                    sizes = _streams(file.read())
                if sum(length for _, length in sizes) != segment.end - segment.start:
                    sizes = []
            except (OSError, ValueError, IndexError):
                sizes = []
            blocks, start, offset = [], segment.start, 0
            for size, length in sizes:
                blocks.append(Block(segment, start, start + length, offset, size))
                start, offset = start + length, offset + size
            self._blocks[segment.path] = blocks or [Block(segment, segment.start, segment.end, 0, 0)]
        return self._blocks[segment.path]

    def byte_count(self) -> int:
        """Bytes that the files take."""
        return sum(os.stat(segment.path).st_size for segment in self.segments)

    # -- sealing -----------------------------------------------------------------------------------------------

    def pending(self) -> int | None:
        """From which byte of the log on somebody was sealing who has not finished."""
        try:
            with atomic.open_regular(os.path.join(self.folder, _PENDING)) as file:
                return int(file.read(100))
        except (OSError, ValueError):
            return None

    def add(self, data: bytes) -> None:
        """Seal whole lines that follow on what is sealed, durably. Until :meth:`done` they are pending.

        Raises ``StoreNotWritable``.
        """
        self.folder = rewriting.settled(self._named)
        with atomic.write_errors(self.folder):
            atomic.make_private_directory(self.folder)
        atomic.replace(os.path.join(self.folder, _PENDING), b"%d\n" % self.end)
        for part in _parts(data):
            self._add(part)

    def done(self) -> None:
        """What was sealed is no longer in the open part of the log."""
        with atomic.write_errors(self.folder), contextlib.suppress(FileNotFoundError):
            os.unlink(os.path.join(self.folder, _PENDING))
        atomic.remove_temporaries(self.folder)
        kept = {os.path.basename(segment.path) for segment in self.segments}
        with contextlib.suppress(OSError):  # a shorter file that is left does no harm
            for name in os.listdir(self.folder):
                if _NAME.match(name) and name not in kept:
                    os.unlink(os.path.join(self.folder, name))

    def _add(self, lines: bytes) -> None:
        import lzma

        last = self.segments[-1] if self.segments else None
        before = b""
        if last is not None and last.end - last.start < MOST:
            with atomic.write_errors(last.path), atomic.open_regular(last.path) as file:
                before = file.read()
        start = last.start if last is not None and before else self.end
        data = before + lzma.compress(lines, lzma.FORMAT_XZ, preset=_PRESET)
        end = self.end + len(lines)
        segment = Segment(
            start, end, zlib.crc32(data), os.path.join(self.folder, sealed_name(start, end - start, data))
        )
        atomic.replace(segment.path, data)
        if before:
            self.segments[-1] = segment
        else:
            self.segments.append(segment)
        self._blocks = {}

    def settle(self) -> None:
        """Finish what :meth:`rewrite` began when its process was killed."""
        self.folder = rewriting.settled(self._named)

    def rewrite(self, parts: list[Segment | bytes]) -> None:
        """Have these files, and files of these lines, in this order, in the place of all there are, in one step, durably."""

        def fill(folder: str) -> None:
            at = 0
            for part in parts:
                if isinstance(part, Segment):
                    length = part.end - part.start
                    name = f"{at:012d}-{at + length:012d}-{part.crc32:08x}.jsonl.xz"
                    rewriting.kept(part.path, os.path.join(folder, name))
                    at += length
                    continue
                data = compressed(part)
                atomic.replace(os.path.join(folder, sealed_name(at, part, data)), data)
                at += len(part)

        rewriting.replaced(self._named, fill)
        self.look()

    # -- checking and mending -----------------------------------------------------------------------------------

    def heal(self) -> list[str]:
        """Set files right in which one bit was flipped; a line for each."""
        problems = []
        for segment in self.segments:
            try:
                with atomic.open_regular(segment.path) as file:
                    data = file.read()
            except OSError:
                continue
            difference = zlib.crc32(data) ^ segment.crc32
            fixed = healing.turned_back(data, difference) if difference else None
            if fixed is not None:
                atomic.replace(segment.path, fixed)
                problems.append(f"{_shown(segment)}: one flipped bit was found and set right")
        self._blocks, self._cache = {}, {}
        return problems

    def damaged(self) -> list[str]:
        """A line for each file that is not what was written, and for those that cannot be reached behind a missing one."""
        problems = []
        for name in self._beyond():
            problems.append(f"{FOLDER}: a file before {name} is missing: bytes {self.end:,} and on cannot be read")
            break
        for segment in self.segments:
            try:
                with atomic.open_regular(segment.path) as file:
                    same = zlib.crc32(file.read()) == segment.crc32
            except OSError as error:
                problems.append(f"{_shown(segment)}: {error.strerror or error}")
            else:
                if not same:
                    problems.append(f"{_shown(segment)}: the checksum does not match")
        return problems

    def _beyond(self) -> list[str]:
        """Files behind a gap, in order."""
        try:
            found = filter(None, (named(self.folder, name) for name in os.listdir(self.folder)))
        except OSError:
            return []
        return [os.path.basename(each.path) for each in sorted(found, key=lambda s: s.start) if each.start > self.end]


def named(folder: str, name: str) -> Segment | None:
    """The sealed file that a name in ``folder`` tells of, None where it is no such name."""
    match = _NAME.match(name)
    return Segment(int(match[1]), int(match[2]), int(match[3], 16), os.path.join(folder, name)) if match else None


def sealed_name(start: int, lines: bytes | int, data: bytes) -> str:
    """What the file is called that holds the log from ``start`` on: its lines, or how many bytes they are, and its own bytes."""
    end = start + (lines if isinstance(lines, int) else len(lines))
    return f"{start:012d}-{end:012d}-{zlib.crc32(data):08x}.jsonl.xz"


def compressed(lines: bytes) -> bytes:
    """Whole lines as the bytes of a sealed file."""
    import lzma

    return b"".join(lzma.compress(part, lzma.FORMAT_XZ, preset=_PRESET) for part in _parts(lines))


def _shown(segment: Segment) -> str:
    return f"{FOLDER}/{os.path.basename(segment.path)}"


def _parts(data: bytes) -> Iterator[bytes]:
    """Whole lines of some :data:`BLOCK` bytes each."""
    start = 0
    while start < len(data):
        end = data.find(b"\n", min(start + BLOCK, len(data)) - 1) + 1 or len(data)
        yield data[start:end]
        start = end


def _streams(data: bytes) -> list[tuple[int, int]]:
    """Size in the file and uncompressed length of each xz stream, read from their indexes.

    Each stream ends with an index and a footer that says how long the index is (the .xz file format, 2.1.2 and 4). Raises
    ValueError or IndexError for what is no such file.
    """
    found: list[tuple[int, int]] = []
    end = len(data)
    while end > 0:
        footer = data[end - _FOOTER : end]
        if footer[-2:] != b"YZ" or zlib.crc32(footer[4:10]) != int.from_bytes(footer[:4], "little"):
            raise ValueError("no footer of a stream")
        index_size = 4 * (int.from_bytes(footer[4:8], "little") + 1)
        index = data[end - _FOOTER - index_size : end - _FOOTER]
        if index[0] or zlib.crc32(index[:-4]) != int.from_bytes(index[-4:], "little"):
            raise ValueError("no index of a stream")
        count, at = _number(index, 1)
        blocks = length = 0
        for _ in range(count):
            unpadded, at = _number(index, at)
            size, at = _number(index, at)
            blocks += (unpadded + 3) // 4 * 4
            length += size
        whole = _FOOTER + blocks + index_size + _FOOTER  # a stream's header is as long as its footer
        found.append((whole, length))
        end -= whole
    if end:
        raise ValueError("streams of another length")
    return found[::-1]


def _number(data: bytes, at: int) -> tuple[int, int]:
    """A number in seven bits a byte, the lowest first, and where it ends."""
    value = shift = 0
    while True:
        byte = data[at]
        at += 1
        value |= (byte & 0x7F) << shift
        if byte < 0x80:
            return value, at
        shift += 7
