"""The sealed part of the log: whole lines, compressed, each file replaced only by a longer one or a smaller one of the same lines.

``sealed/START-END-CRC.lean.jsonl.xz`` holds the log's bytes from START to END (twelve digits each) as ``xz`` streams one after
another; CRC is the CRC-32 of the file, which tells a flipped bit. A stream is a block of compact lines (``compact_lines``): what is
decompressed to read one line of it; the last one is the table of the blocks. Without ``.lean`` in its name a file, of an
earlier version, has the lines as they are and no table. Offsets are those of the whole log, as if nothing had been compressed.
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
from .sealed_files import FOLDER, Block, Segment, name_of, named, title

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

MOST: Final = 16 * 1024 * 1024
"""Bytes of the log in one file; more where one block is longer."""
_PENDING: Final = ".pending"
_CACHED: Final = 4


class BlockDamaged(ValueError):
    """A block that cannot be decompressed; the message says where."""


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
                raise BlockDamaged(f"{title(block.segment)}: {error}") from error
            if len(data) != block.end - block.start:
                raise BlockDamaged(f"{title(block.segment)}: a block of another length")
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
        """Seal blocks of whole lines that follow on what is sealed, durably. Until :meth:`commit` all of them are pending.

        Raises ``StoreNotWritable``.
        """
        self.folder = folder_swap.recover(self._named)
        with atomic.write_errors(self.folder):
            atomic.make_private_directory(self.folder)
        atomic.replace(os.path.join(self.folder, _PENDING), b"%d\n" % self.end)
        last = self.segments[-1] if self.segments else None
        held = [*self._of(last)] if last is not None and last.lean and last.end - last.start < MOST else []
        before = self._bytes(held)
        file = GrowingFile(held[0].start, before, held) if before else GrowingFile(self.end)
        for lines in blocks:
            if file.size >= MOST:
                self._put(file)
                file = GrowingFile(self.end)
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

    def _put(self, file: GrowingFile) -> None:
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
        path = os.path.join(folder or self.folder, name_of(start, length, crc32))
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
                    name = name_of(at, length, part.crc32, lean=part.lean)
                    folder_swap.keep_copy(part.path, os.path.join(folder, name))
                    at += length
                    continue
                blocks = list(sealed_blocks.parts(part, sealed_blocks.BLOCK))
                streams = b"".join(map(sealed_blocks.packed, blocks))
                at = self._write(at, streams, list(map(len, blocks)), thorough=False, folder=folder).end

        folder_swap.replace(self._named, fill)
        self.refresh()
