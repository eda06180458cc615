"""The sealed part of the log: whole lines, compressed, each file replaced only by a longer one or a smaller one of the same lines.

``sealed/START-END-CRC.lean.jsonl.xz`` holds the log's bytes from START to END (twelve digits each) as ``xz`` streams one after
another; CRC is the CRC-32 of the file, which tells a flipped bit. A stream is a block of :mod:`~.lean` lines: what is
decompressed to read one line of it; the last one is the table of the blocks. Without ``.lean`` in its name a file, of an
earlier version, has the lines as they are and no table. Offsets are those of the whole log, as if nothing had been compressed.
"""

from __future__ import annotations

import contextlib
import os
import re
import zlib
from bisect import bisect_right
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from ...files import atomic, beneath, folder_swap
from . import bit_flips, sealed_blocks

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

FOLDER: Final = "sealed"
MOST: Final = 16 * 1024 * 1024
"""Bytes of the log in one file; more where one block is longer."""
_NAME: Final = re.compile(r"(\d{12})-(\d{12,})-([0-9a-f]{8})(\.lean)?\.jsonl\.xz\Z")
_PENDING: Final = ".pending"
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
    lean: bool = True


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
        self._thorough: dict[str, bool] = {}
        self._cache: dict[Block, bytes] = {}
        self._last: Block | None = None
        """Where a line was read last: the next one mostly stands there, too."""

    @property
    def end(self) -> int:
        """How many bytes of the log are sealed."""
        return self.segments[-1].end if self.segments else 0

    def look(self) -> None:
        """Take notice of what others have sealed. Of two files with one beginning the longer one counts."""
        found: dict[int, Segment] = {}
        self.folder = folder_swap.current(self._named)
        try:
            names = os.listdir(self.folder)
        except (FileNotFoundError, NotADirectoryError):
            names = []
        for name in names:
            segment = named(self.folder, name)
            if segment and (
                segment.start not in found
                or (found[segment.start].end, found[segment.start].path) < (segment.end, segment.path)
            ):
                found[segment.start] = segment
        chain: list[Segment] = []
        at = 0
        while at in found and found[at].end > at:
            chain.append(found[at])
            at = found[at].end
        if chain != self.segments:
            self.segments, self._cache, self._last = chain, {}, None
            self._blocks = {
                path: blocks for path, blocks in self._blocks.items() if path in {one.path for one in chain}
            }

    # -- reading -----------------------------------------------------------------------------------------------

    def blocks(self, start: int = 0) -> Iterator[Block]:
        """The blocks from the one with the byte ``start`` on."""
        first = bisect_right([segment.start for segment in self.segments], start) - 1
        for segment in self.segments[max(first, 0) :]:
            yield from (block for block in self._of(segment) if block.end > start)

    def read(self, block: Block) -> bytes:
        """The lines of a block. Raises :class:`BlockDamaged`."""
        if block not in self._cache:
            try:
                with atomic.open_regular(block.segment.path) as file:
                    file.seek(block.offset)
                    data = sealed_blocks.unpacked(file.read(block.size), short=block.segment.lean)
            except (OSError, ValueError) as error:
                raise BlockDamaged(f"{_shown(block.segment)}: {error}") from error
            if len(data) != block.end - block.start:
                raise BlockDamaged(f"{_shown(block.segment)}: a block of another length")
            while len(self._cache) >= _CACHED:
                del self._cache[next(iter(self._cache))]
            self._cache[block] = data
        return self._cache[block]

    def line(self, offset: int) -> bytes:
        """The line that begins at a byte of the sealed log. Raises :class:`BlockDamaged`."""
        block = self._last
        if block is None or not block.start <= offset < block.end:
            block = self._last = next(self.blocks(offset))
        data = self.read(block)
        end = data.find(b"\n", offset - block.start) + 1
        return data[offset - block.start : end or len(data)]

    def _of(self, segment: Segment) -> list[Block]:
        """The blocks of a file; one for all of it where they cannot be told apart, which then cannot be read."""
        if segment.path not in self._blocks:
            try:
                with atomic.open_regular(segment.path) as file:
                    sizes, self._thorough[segment.path] = sealed_blocks.blocks_of(file.read(), short=segment.lean)
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

    # -- sealing -----------------------------------------------------------------------------------------------

    def pending(self) -> int | None:
        """From which byte of the log on somebody was sealing who has not finished."""
        try:
            with atomic.open_regular(os.path.join(self.folder, _PENDING)) as file:
                return int(file.read(100))
        except (OSError, ValueError):
            return None

    def add(self, blocks: Iterable[bytes]) -> None:
        """Seal blocks of whole lines that follow on what is sealed, durably. Until :meth:`done` all of them are pending.

        Raises ``StoreNotWritable``.
        """
        self.folder = folder_swap.recover(self._named)
        with atomic.write_errors(self.folder):
            atomic.make_private_directory(self.folder)
        atomic.replace(os.path.join(self.folder, _PENDING), b"%d\n" % self.end)
        last = self.segments[-1] if self.segments else None
        held = [*self._of(last)] if last is not None and last.lean and last.end - last.start < MOST else []
        before = self._bytes(held)
        file = _Growing(held[0].start, before, held) if before else _Growing(self.end)
        for lines in blocks:
            if file.size >= MOST:
                self._put(file)
                file = _Growing(self.end)
            file.add(lines)
        self._put(file)

    def done(self) -> None:
        """What was sealed is no longer in the open part of the log."""
        with atomic.write_errors(self.folder), contextlib.suppress(FileNotFoundError):
            beneath.unlink(os.path.join(self.folder, _PENDING))
        self.tidy()

    def tidy(self) -> None:
        """Delete what a longer or smaller file has taken the place of; nothing that stands behind a file that is missing."""
        atomic.remove_temporaries(self.folder)
        kept = {os.path.basename(segment.path) for segment in self.segments}
        with contextlib.suppress(OSError):  # a file that is left does no harm
            for name in os.listdir(self.folder):
                match = _NAME.match(name)
                if match and name not in kept and int(match[2]) <= self.end:
                    beneath.unlink(os.path.join(self.folder, name))

    def _put(self, file: _Growing) -> None:
        """Write a file: a further one, or a longer one in the place of the last one."""
        if not file.grew:
            return
        written = self._write(file.start, b"".join(file.streams), file.lengths, thorough=False)
        if self.segments and self.segments[-1].start == written.start:
            self.segments.pop()
        self.segments.append(written)
        self._last = None

    def _bytes(self, blocks: list[Block]) -> bytes:
        """The streams of all blocks of a file; none where the file is not what was written: nothing is added to it."""
        if not blocks:
            return b""
        segment = blocks[0].segment
        try:
            with atomic.open_regular(segment.path) as file:
                data = file.read()
        except OSError:
            return b""
        return data[: blocks[-1].offset + blocks[-1].size] if zlib.crc32(data) == segment.crc32 else b""

    def _write(
        self, start: int, streams: bytes, lengths: list[int], *, thorough: bool, folder: str | None = None
    ) -> Segment:
        """A new file, durably."""
        data = streams + sealed_blocks.table(lengths, thorough=thorough)
        length, crc32 = sum(lengths), zlib.crc32(data)
        path = os.path.join(folder or self.folder, _name(start, length, crc32))
        atomic.replace(path, data)
        return Segment(start, start + length, crc32, path)

    # -- when nobody waits ---------------------------------------------------------------------------------------

    def improvable(self) -> list[Segment]:
        """The files that would be smaller if they were compressed slowly, in large blocks; none that is damaged."""
        found = []
        for segment in self.segments:
            blocks = self._of(segment)
            if blocks[0].size and not (segment.lean and self._thorough.get(segment.path)):
                found.append(segment)
        return found

    def improved(self, segment: Segment) -> tuple[bytes, list[int]] | None:
        """The blocks of a file, compressed slowly and proven, and the bytes of lines in each; None where it is damaged.

        Needs no lock: a file is never changed. Takes a second for some megabytes.
        """
        try:
            with atomic.open_regular(segment.path) as file:
                data = file.read()
            blocks = self._of(segment)
            if zlib.crc32(data) != segment.crc32 or not blocks[0].size:
                return None
            parts: list[tuple[bytes, int]] = []
            waiting: list[bytes] = []
            for block in blocks:
                stream = data[block.offset : block.offset + block.size]
                if segment.lean and block.end - block.start > sealed_blocks.THOROUGH // 2:
                    parts += sealed_blocks.slowly(b"".join(waiting), tail=False)
                    waiting = []
                    parts.append((stream, block.end - block.start))
                    continue
                waiting.append(sealed_blocks.unpacked(stream, short=segment.lean))
            parts += sealed_blocks.slowly(b"".join(waiting), tail=True)
        except (OSError, ValueError):
            return None
        return b"".join(stream for stream, _ in parts), [length for _, length in parts]

    def exchange(self, segment: Segment, streams: bytes, lengths: list[int]) -> bool:
        """Put what :meth:`improved` gave in the place of a file, durably; False where somebody else replaced it meanwhile.

        Killed between the two steps, both files are there, with the same lines. Raises ``StoreNotWritable``.
        """
        if segment not in self.segments:
            return False
        better = self._write(segment.start, streams, lengths, thorough=True)
        if better.path != segment.path:
            with atomic.write_errors(segment.path):
                beneath.unlink(segment.path)
        self.look()
        return True

    def settle(self) -> None:
        """Finish what :meth:`rewrite` began when its process was killed."""
        self.folder = folder_swap.recover(self._named)

    def rewrite(self, parts: list[Segment | bytes]) -> None:
        """Have these files, and files of these lines, in this order, in the place of all there are, in one step, durably."""

        def fill(folder: str) -> None:
            at = 0
            for part in parts:
                if isinstance(part, Segment):
                    length = part.end - part.start
                    name = _name(at, length, part.crc32, lean=part.lean)
                    folder_swap.keep_copy(part.path, os.path.join(folder, name))
                    at += length
                    continue
                blocks = list(sealed_blocks.parts(part, sealed_blocks.BLOCK))
                streams = b"".join(map(sealed_blocks.packed, blocks))
                at = self._write(at, streams, list(map(len, blocks)), thorough=False, folder=folder).end

        folder_swap.replace(self._named, fill)
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
            fixed = bit_flips.turned_back(data, difference) if difference else None
            if fixed is not None:
                atomic.replace(segment.path, fixed)
                problems.append(f"{_shown(segment)}: one flipped bit was found and set right")
        self._blocks, self._cache, self._last = {}, {}, None
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


class _Growing:
    """A file from byte ``start`` of the log on: its streams, and how many bytes of the log are in each."""

    def __init__(self, start: int, before: bytes = b"", blocks: Sequence[Block] = ()) -> None:
        self.start = start
        self.streams = [before[block.offset : block.offset + block.size] for block in blocks]
        self.lengths = [block.end - block.start for block in blocks]
        self.grew = False

    @property
    def size(self) -> int:
        """Bytes of the log in it."""
        return sum(self.lengths)

    def add(self, lines: bytes) -> None:
        """Another block; a small one before it is compressed once more, together with it."""
        if self.lengths and self.lengths[-1] + len(lines) <= sealed_blocks.TOGETHER:
            lines = sealed_blocks.unpacked(self.streams.pop()) + lines
            self.lengths.pop()
        self.streams.append(sealed_blocks.packed(lines))
        self.lengths.append(len(lines))
        self.grew = True


def named(folder: str, name: str) -> Segment | None:
    """The sealed file that a name in ``folder`` tells of, None where it is no such name."""
    match = _NAME.match(name)
    if match is None:
        return None
    return Segment(int(match[1]), int(match[2]), int(match[3], 16), os.path.join(folder, name), bool(match[4]))


def _name(start: int, length: int, crc32: int, *, lean: bool = True) -> str:
    """What the file is called that holds ``length`` bytes of the log from ``start`` on, and has this checksum itself."""
    return f"{start:012d}-{start + length:012d}-{crc32:08x}{'.lean' if lean else ''}.jsonl.xz"


def _shown(segment: Segment) -> str:
    return f"{FOLDER}/{os.path.basename(segment.path)}"
