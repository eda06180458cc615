"""The sealed part of the log: whole lines, compressed, each file replaced only by a longer one or a smaller one of the same lines.

``sealed/START-END-DIGITS.pack`` holds the log's bytes from START to END (twelve digits each): a pack of frames of lines
(``log_pack``); DIGITS are the first ones of its SHA-256. What the archive has of a body is not in it again. Files of earlier
versions end otherwise (``former_files``). Offsets are those of the whole log, as if nothing had been compressed.
"""

from __future__ import annotations

import os
from bisect import bisect_right
from typing import TYPE_CHECKING, Final

from ...errors import ArchiveDamaged
from ...files import atomic, beneath, folder_swap
from . import former_files, log_pack
from .growing_file import GrowingFile
from .opening import ending_of
from .sealed_files import FOLDER, PACK, Block, Segment, Stretch, chain_of, name_of, named, title

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from .column_format import Archived
    from .log_pack import Kept

MOST: Final = 16 * 1024 * 1024
"""Bytes of the log in one file; more where one block is longer."""
_CACHED: Final = 32
_UNPACKED: Final = 4
"""Blocks that are kept as they were unpacked: whoever looks at some lines first and reads them then finds them there."""


class BlockDamaged(ValueError):
    """A block that cannot be decompressed; the message says where."""


class Sealed:
    """The folder of sealed files beside the log. Whoever adds to it holds the store's lock."""

    def __init__(self, folder: str, archive: Archived) -> None:
        self._named = self.folder = os.path.join(folder, FOLDER)
        self.archive = archive
        self.segments: list[Segment] = []
        self._stretches: dict[str, list[Stretch]] = {}
        self._kept: dict[str, Kept] = {}
        self._cache: dict[Block, bytes] = {}
        self._unpacked: dict[tuple[str, int], list[tuple[int, bytes]]] = {}
        self.is_ambiguous = False
        """Whether there are two files of the same bytes of a log, which may be another machine's."""
        self.replaced: set[str] = set()
        """Files that a longer one took the place of, by this process."""
        self._last: Block | None = None
        """Where a line was read last: the next one mostly stands there, too."""

    @property
    def end(self) -> int:
        """How many bytes of the log are sealed."""
        return self.segments[-1].end if self.segments else 0

    def refresh(self, end: int | None = None, ends: str = "") -> None:
        """Take notice of what others have sealed. Of two files with one beginning the longer one counts.

        ``end``: nothing behind it counts, and what stands before it ends as ``ends`` says (see ``opening``). Where something
        synchronises the folder, there may be files of two machines that both went on.
        """
        self.folder = folder_swap.current(self._named)
        found = self.files()
        self.is_ambiguous = len({(each.start, each.end) for each in found}) < len(found)
        chain = chain_of(found, end, lambda last: not ends or self.ends(last) == ends)
        if chain != self.segments:
            self.segments, self._cache, self._last = chain, {}, None
            paths = {one.path for one in chain}
            self._stretches = {path: own for path, own in self._stretches.items() if path in paths}
            self._kept = {path: own for path, own in self._kept.items() if path in paths}

    def forget(self) -> None:
        """The files may be others under the same names."""
        self._stretches, self._kept, self._cache, self._last = {}, {}, {}, None
        self._unpacked = {}

    # -- reading -----------------------------------------------------------------------------------------------

    def blocks(self, start: int = 0) -> Iterator[Block]:
        """The parts of blocks from the one with the byte ``start`` on; one for all of a block that cannot be unpacked."""
        if start >= self.end:
            return  # without a look at the last file
        first = bisect_right([segment.start for segment in self.segments], start) - 1
        for segment in self.segments[max(first, 0) :]:
            for stretch in self._stretches_of(segment):
                if segment.start + stretch.end > start:
                    yield from (block for block in self._parts(segment, stretch) if block.end > start)

    def _stretches_of(self, segment: Segment) -> list[Stretch]:
        """The blocks of a file; one for all of it where they cannot be told apart, which then cannot be read."""
        if segment.path not in self._stretches:
            whole = [Stretch(0, segment.size, -1)]
            try:
                found = (
                    log_pack.stretches(segment.path, segment.size)
                    if segment.form == PACK
                    else former_files.stretches(segment)
                )
            except (ArchiveDamaged, OSError, ValueError, IndexError):
                found = whole
            self._stretches[segment.path] = found if found and found[-1].end == segment.size else whole
        return self._stretches[segment.path]

    def _parts(self, segment: Segment, stretch: Stretch) -> list[Block]:
        start, end = segment.start + stretch.start, segment.start + stretch.end
        try:
            lengths = [length for length, _ in self._unpack(segment, stretch)]
        except (ArchiveDamaged, OSError, ValueError):
            lengths = []
        if sum(lengths) != end - start:
            return [Block(segment, start, end, stretch, -1)]
        found = []
        for part, length in enumerate(lengths):
            found.append(Block(segment, start, start + length, stretch, part))
            start += length
        return found

    def _unpack(self, segment: Segment, stretch: Stretch) -> list[tuple[int, bytes]]:
        """The parts of a block and the bytes of lines in each; those of the last ones are kept.

        Raises :class:`ArchiveDamaged`, :class:`OSError`, :class:`ValueError`.
        """
        place = (segment.path, stretch.start)
        if place not in self._unpacked:
            if segment.form == PACK:
                parts = log_pack.unpacked(segment.path, stretch)
            else:
                lines = former_files.unpacked(segment, stretch)
                parts = [(len(lines), lines)]
            while len(self._unpacked) >= _UNPACKED:
                del self._unpacked[next(iter(self._unpacked))]
            self._unpacked[place] = parts
        return self._unpacked[place]

    def read(self, block: Block) -> bytes:
        """The lines of a part of a block. Raises :class:`BlockDamaged`."""
        if block not in self._cache:
            data = self.part(block)
            if block.segment.form == PACK:
                from .column_reader import decode  # a run that finds the index up to the log reads no sealed line

                try:
                    data = decode(data, self.archive)
                except (OSError, ValueError) as error:
                    raise BlockDamaged(f"{title(block.segment)}: {error}") from error
            if len(data) != block.end - block.start:
                raise BlockDamaged(f"{title(block.segment)}: a block of another length")
            while len(self._cache) >= _CACHED:
                del self._cache[next(iter(self._cache))]
            self._cache[block] = data
        return self._cache[block]

    def part(self, block: Block) -> bytes:
        """A part of a block as it stands there: columns, or lines in a file of an earlier version. Raises :class:`BlockDamaged`."""
        try:
            parts = self._unpack(block.segment, block.stretch)
            return parts[block.part if block.part >= 0 else len(parts)][1]
        except ArchiveDamaged as error:
            raise BlockDamaged(f"{FOLDER}/{error.detail}") from error
        except IndexError:
            raise BlockDamaged(f"{title(block.segment)}: a block of another length") from None
        except (OSError, ValueError) as error:
            raise BlockDamaged(f"{title(block.segment)}: {error}") from error

    def line(self, offset: int) -> bytes:
        """The line that begins at a byte of the sealed log. Raises :class:`BlockDamaged`."""
        block = self._last
        if block is None or not block.start <= offset < block.end:
            block = self._last = next(self.blocks(offset))
        data = self.read(block)
        end = data.find(b"\n", offset - block.start) + 1
        return data[offset - block.start : end or len(data)]

    def kept_of(self, segment: Segment) -> Kept:
        """What a file says that it keeps."""
        if segment.path not in self._kept:
            self._kept[segment.path] = (
                log_pack.kept(segment.path) if segment.form == PACK else log_pack.Kept(thorough=False, files={})
            )
        return self._kept[segment.path]

    # -- sealing -----------------------------------------------------------------------------------------------

    def add(self, blocks: Iterable[bytes]) -> None:
        """Seal blocks of whole lines that follow on what is sealed, durably. Raises ``StoreNotWritable``."""
        self.folder = folder_swap.recover(self._named)
        with atomic.write_errors(self.folder):
            atomic.make_private_directory(self.folder)
        file = self._growing()
        for lines in blocks:
            if file.size >= MOST:
                self._put(file)
                file = GrowingFile(self.end, self.archive)
            file.add(lines)
        self._put(file)

    def ends(self, last: Segment | bytes) -> str:
        """How a log ends of which these are the last lines; empty where they cannot be read."""
        if isinstance(last, bytes):
            return ending_of(last)
        try:
            *_, block = self._parts(last, self._stretches_of(last)[-1])
            return ending_of(self.read(block))
        except BlockDamaged:
            return ""

    def files(self) -> list[Segment]:
        """All sealed files that lie in the folder."""
        try:
            names = os.listdir(self.folder)
        except (FileNotFoundError, NotADirectoryError):
            names = []
        return [segment for name in names if (segment := named(self.folder, name)) and segment.size > 0]

    def every_file(self, but: Iterable[Segment] = ()) -> list[str]:
        """All ``but`` these in the folder, relative to the store's: also what a longer file replaced and nobody deleted."""
        if not os.path.isdir(self._named):
            return []
        others = {os.path.basename(each.path) for each in but}
        return [os.path.join(FOLDER, name) for name in os.listdir(self._named) if name not in others]

    def _growing(self) -> GrowingFile:
        """The last file where it has room and is what was written, else a further one."""
        last = self.segments[-1] if self.segments else None
        if last is not None and last.form == PACK and last.size < MOST:
            blocks = log_pack.blocks(last.path)
            if blocks:
                return GrowingFile(last.start, self.archive, blocks, self.kept_of(last).files)
        return GrowingFile(self.end, self.archive)

    def _put(self, file: GrowingFile) -> None:
        """Write a file: a further one, or a longer one in the place of the last one."""
        if not file.grew:
            return
        written = self._write(file.start, *file.encode())
        if self.segments and self.segments[-1].start == written.start:
            self.replaced.add(self.segments.pop().path)
        self.segments.append(written)
        self._last = None

    def keep(self, file: GrowingFile) -> None:
        """Write a file beside the others, durably."""
        self._write(file.start, *file.encode())

    def _write(self, start: int, data: bytes, length: int, folder: str | None = None) -> Segment:
        """A new file with so many bytes of the log, durably."""
        digits = data[-32:].hex()[:8]
        path = os.path.join(folder or self.folder, name_of(start, length, digits))
        atomic.replace(path, data)
        return Segment(start, start + length, digits, path)

    def exchange(self, segment: Segment, data: bytes, length: int) -> bool:
        """Put a better file in the place of one, durably; False where somebody else replaced it meanwhile.

        Killed between the two steps, both files are there, with the same lines. Raises ``StoreNotWritable``.
        """
        if segment not in self.segments:
            return False
        ends = self.ends(self.segments[-1]) if self.is_ambiguous else ""
        better = self._write(segment.start, data, length)
        if better.path != segment.path:
            with atomic.write_errors(segment.path):
                beneath.unlink(segment.path)
        self.refresh(self.end, ends)
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
                    name = name_of(at, part.size, part.digits, part.form)
                    folder_swap.keep_copy(part.path, os.path.join(folder, name))
                    at += part.size
                    continue
                file = GrowingFile(at, self.archive)
                for lines in log_pack.parts(part, log_pack.BLOCK):
                    file.add(lines)
                at = self._write(at, *file.encode(), folder=folder).end

        folder_swap.replace(self._named, fill)
        self.refresh()
