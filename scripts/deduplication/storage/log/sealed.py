"""The sealed part of the log: whole lines, compressed, each file replaced only by a longer one or a smaller one of the same lines.

``sealed/START-END-CRC.columns.xz`` holds the log's bytes from START to END (twelve digits each) as ``xz`` streams one after
another; CRC is the CRC-32 of the file, which tells a flipped bit. A stream is a block of columns (``column_format``): what is
decompressed to read one line of it; the last one is the table of the blocks. What the archive has of a body is not in it again.
Files of earlier versions end otherwise (``sealed_files``). Offsets are those of the whole log, as if nothing had been compressed.
"""

from __future__ import annotations

import contextlib
import os
import zlib
from bisect import bisect_right
from typing import TYPE_CHECKING, Final

from ...files import atomic, beneath, folder_swap
from . import sealed_blocks
from .growing_file import GrowingFile
from .sealed_blocks import Sealing, Table
from .sealed_files import COLUMNS, FOLDER, Block, Segment, name_of, named, title

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from .column_format import Archived

MOST: Final = 16 * 1024 * 1024
"""Bytes of the log in one file; more where one block is longer."""
_PENDING: Final = ".pending"
_CACHED: Final = 32


class BlockDamaged(ValueError):
    """A block that cannot be decompressed; the message says where."""


class Sealed:
    """The folder of sealed files beside the log. Whoever adds to it holds the store's lock."""

    def __init__(self, folder: str, archive: Archived) -> None:
        self._named = self.folder = os.path.join(folder, FOLDER)
        self.archive = archive
        self.segments: list[Segment] = []
        self._blocks: dict[str, list[Block]] = {}
        self._tables: dict[str, Table] = {}
        self._cache: dict[Block, bytes] = {}
        self._unpacked: tuple[tuple[str, int], list[bytes]] = (("", 0), [])
        self._last: Block | None = None
        """Where a line was read last: the next one mostly stands there, too."""

    @property
    def end(self) -> int:
        """How many bytes of the log are sealed."""
        return self.segments[-1].end if self.segments else 0

    def refresh(self) -> None:
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

    def forget(self) -> None:
        """The files may be others under the same names."""
        self._blocks, self._cache, self._last = {}, {}, None
        self._unpacked = (("", 0), [])

    # -- reading -----------------------------------------------------------------------------------------------

    def blocks(self, start: int = 0) -> Iterator[Block]:
        """The blocks from the one with the byte ``start`` on."""
        if start >= self.end:
            return  # without a look at the last file's table
        first = bisect_right([segment.start for segment in self.segments], start) - 1
        for segment in self.segments[max(first, 0) :]:
            yield from (block for block in self.blocks_of(segment) if block.end > start)

    def read(self, block: Block) -> bytes:
        """The lines of a block. Raises :class:`BlockDamaged`."""
        if block not in self._cache:
            part = self.part(block)
            try:
                data = sealed_blocks.lines_of(part, block.segment.form, self.archive)
            except (OSError, ValueError) as error:
                raise BlockDamaged(f"{title(block.segment)}: {error}") from error
            if len(data) != block.end - block.start:
                raise BlockDamaged(f"{title(block.segment)}: a block of another length")
            while len(self._cache) >= _CACHED:
                del self._cache[next(iter(self._cache))]
            self._cache[block] = data
        return self._cache[block]

    def part(self, block: Block) -> bytes:
        """A block as it stands in its stream. Raises :class:`BlockDamaged`."""
        try:
            return self._parts(block)[block.part]
        except (OSError, ValueError, IndexError) as error:
            raise BlockDamaged(f"{title(block.segment)}: {error}") from error

    def _parts(self, block: Block) -> list[bytes]:
        """The parts of a stream, decompressed; those of the last one are kept."""
        place = (block.segment.path, block.offset)
        if self._unpacked[0] != place:
            with atomic.open_regular(block.segment.path) as file:
                file.seek(block.offset)
                stream = sealed_blocks.unxz(file.read(block.size))
            self._unpacked = place, sealed_blocks.split(stream, block.segment.form)
        return self._unpacked[1]

    def line(self, offset: int) -> bytes:
        """The line that begins at a byte of the sealed log. Raises :class:`BlockDamaged`."""
        block = self._last
        if block is None or not block.start <= offset < block.end:
            block = self._last = next(self.blocks(offset))
        data = self.read(block)
        end = data.find(b"\n", offset - block.start) + 1
        return data[offset - block.start : end or len(data)]

    def table_of(self, segment: Segment) -> Table:
        """What the table of a file says."""
        self.blocks_of(segment)
        return self._tables.get(segment.path, Table([], thorough=False, kept={}))

    def blocks_of(self, segment: Segment) -> list[Block]:
        """The parts of a file's blocks; one for all of it where they cannot be told apart, which then cannot be read."""
        if segment.path not in self._blocks:
            try:
                with atomic.open_regular(segment.path) as file:
                    sizes, self._tables[segment.path] = sealed_blocks.blocks_of(file.read(), segment.form)
                if sum(sum(lengths) for _, lengths in sizes) != segment.end - segment.start:
                    sizes = []
            except (OSError, ValueError, IndexError):
                sizes = []
            blocks, start, offset = [], segment.start, 0
            for size, lengths in sizes:
                for part, length in enumerate(lengths):
                    blocks.append(Block(segment, start, start + length, offset, size, part))
                    start += length
                offset += size
            self._blocks[segment.path] = blocks or [Block(segment, segment.start, segment.end, 0, 0)]
        return self._blocks[segment.path]

    def streams_of(self, segment: Segment, data: bytes) -> list[Sealing]:
        """The blocks of a file, whose bytes are ``data``, as they were written."""
        found: dict[int, list[Block]] = {}
        for block in self.blocks_of(segment):
            found.setdefault(block.offset, []).append(block)
        return [
            Sealing(data[offset : offset + own[0].size], [each.end - each.start for each in own], {})
            for offset, own in found.items()
        ]

    # -- sealing -----------------------------------------------------------------------------------------------

    def pending(self) -> int | None:
        """From which byte of the log on somebody was sealing who has not finished."""
        try:
            with atomic.open_regular(os.path.join(self.folder, _PENDING)) as file:
                return int(file.read(100))
        except (OSError, ValueError):
            return None

    def add(self, blocks: Iterable[bytes]) -> None:
        """Seal blocks of whole lines that follow on what is sealed, durably. Until :meth:`commit` all of them are pending.

        Raises ``StoreNotWritable``.
        """
        self.folder = folder_swap.recover(self._named)
        with atomic.write_errors(self.folder):
            atomic.make_private_directory(self.folder)
        atomic.replace(os.path.join(self.folder, _PENDING), b"%d\n" % self.end)
        file = self._growing()
        for lines in blocks:
            if file.size >= MOST:
                self._put(file)
                file = GrowingFile(self.end, self.archive)
            file.add(lines)
        self._put(file)

    def commit(self) -> None:
        """What was sealed is no longer in the open part of the log."""
        with atomic.write_errors(self.folder), contextlib.suppress(FileNotFoundError):
            beneath.unlink(os.path.join(self.folder, _PENDING))
        self.collect_garbage()

    def collect_garbage(self) -> None:
        """Delete what a longer or smaller file has taken the place of; nothing that stands behind a file that is missing."""
        atomic.remove_temporaries(self.folder)
        kept = {os.path.basename(segment.path) for segment in self.segments}
        with contextlib.suppress(OSError):  # a file that is left does no harm
            for name in os.listdir(self.folder):
                found = named(self.folder, name)
                if found is not None and name not in kept and found.end <= self.end:
                    beneath.unlink(os.path.join(self.folder, name))

    def every_file(self) -> list[str]:
        """All that lies in the folder, relative to the store's: also what a longer file took the place of and nobody deleted."""
        if not os.path.isdir(self._named):
            return []
        return [os.path.join(FOLDER, name) for name in os.listdir(self._named)]

    def _growing(self) -> GrowingFile:
        """The last file where it has room and is what was written, else a further one."""
        last = self.segments[-1] if self.segments else None
        if last is not None and last.form == COLUMNS and last.end - last.start < MOST:
            data = self.bytes_of(last)
            if data:
                return GrowingFile(last.start, self.archive, self.streams_of(last, data), self.table_of(last).kept)
        return GrowingFile(self.end, self.archive)

    def _put(self, file: GrowingFile) -> None:
        """Write a file: a further one, or a longer one in the place of the last one."""
        if not file.grew:
            return
        written = self._write(file.start, *file.encode())
        if self.segments and self.segments[-1].start == written.start:
            self.segments.pop()
        self.segments.append(written)
        self._last = None

    def bytes_of(self, segment: Segment) -> bytes:
        """All of a file; nothing where it is not what was written: nothing is added to it."""
        try:
            with atomic.open_regular(segment.path) as file:
                data = file.read()
        except OSError:
            return b""
        return data if zlib.crc32(data) == segment.crc32 and self.blocks_of(segment)[0].size else b""

    def _write(self, start: int, data: bytes, length: int, folder: str | None = None) -> Segment:
        """A new file with so many bytes of the log, durably."""
        crc32 = zlib.crc32(data)
        path = os.path.join(folder or self.folder, name_of(start, length, crc32))
        atomic.replace(path, data)
        return Segment(start, start + length, crc32, path)

    def exchange(self, segment: Segment, data: bytes, length: int) -> bool:
        """Put a better file in the place of one, durably; False where somebody else replaced it meanwhile.

        Killed between the two steps, both files are there, with the same lines. Raises ``StoreNotWritable``.
        """
        if segment not in self.segments:
            return False
        better = self._write(segment.start, data, length)
        if better.path != segment.path:
            with atomic.write_errors(segment.path):
                beneath.unlink(segment.path)
        self.refresh()
        return True

    def recover(self) -> None:
        """Finish what :meth:`rewrite` began when its process was killed."""
        self.folder = folder_swap.recover(self._named)

    def rewrite(self, parts: list[Segment | bytes]) -> None:
        """Have these files, and files of these lines, in this order, in the place of all there are, in one step, durably."""

        def fill(folder: str) -> None:
            at = 0
            for part in parts:
                if isinstance(part, Segment):
                    length = part.end - part.start
                    name = name_of(at, length, part.crc32, part.form)
                    folder_swap.keep_copy(part.path, os.path.join(folder, name))
                    at += length
                    continue
                file = GrowingFile(at, self.archive)
                for lines in sealed_blocks.parts(part, sealed_blocks.BLOCK):
                    file.add(lines)
                at = self._write(at, *file.encode(), folder=folder).end

        folder_swap.replace(self._named, fill)
        self.refresh()
