"""All packs of an archive as one: which segments and files there are, and the bytes of each.

Segments and files are numbered through the whole archive; each pack holds a range of both. Whoever uses this holds the
archive's lock.
"""

from __future__ import annotations

import contextlib
import hashlib
import os
from bisect import bisect_right
from collections import OrderedDict
from typing import TYPE_CHECKING, Final

from ..errors import ArchiveDamaged
from ..files import beneath
from ..start.late_dataclass import dataclass
from . import pack_index as index
from .assembly import Assembly
from .frames import FILES, SEGMENTS
from .index_file import opened_index
from .pack_file import Pack
from .pack_names import INDEX, index_path, listed, names_in, pack_of
from .ranges import gaps_between

if TYPE_CHECKING:
    from collections.abc import Iterator

    from .file_records import FileRecord
    from .pack_file import Block
    from .pack_index import Index, Known, Place
    from .ranges import Range
    from .recipe import Run

_KEPT: Final = 32 * 1024 * 1024
"""Bytes of unpacked frames that are kept at hand; one of them may have 8 MiB."""
_LENGTH: Final = 10
"""Bytes at most that the length of a segment takes in its frame."""


@dataclass(frozen=True)
class Member:
    """One pack with its index."""

    number: int
    pack: Pack
    index: Index

    def close(self) -> None:
        """Let go of both files."""
        self.pack.close()
        self.index.close()


class Packs:
    """The packs in ``folder``, which may be missing: then there are none. ``problems``: what is wrong with them as files."""

    def __init__(self, folder: str) -> None:
        self.folder = folder
        self.members: list[Member] = []
        self.problems: list[str] = []
        self.unreadable: list[str] = []
        """Packs of which nothing can be told, by name."""
        self.stale: list[str] = []
        """Files whose content another pack has taken in, and that a run which was killed did not remove."""
        self._blocks: OrderedDict[int, Block] = OrderedDict()
        self._kept = 0
        self._records: dict[tuple[str, int], list[FileRecord]] = {}
        self.assembly = Assembly(self)
        """Puts files together from their recipes."""
        try:
            self._open()
        except BaseException:
            self.close()
            raise
        self._first_segments = [member.index.first_segment for member in self.members]
        self._first_files = [member.index.first_file for member in self.members]

    def close(self) -> None:
        """Let go of every file."""
        for member in self.members:
            member.close()
        self.members = []

    def _open(self) -> None:
        end = segments = 0
        for number, name in listed(self.folder):
            path = os.path.join(self.folder, name)
            try:
                pack = self._pack(path)
            except ArchiveDamaged as error:
                self.problems.append(error.detail)
                self.unreadable.append(name)
                continue
            if pack.header.first_file < end or pack.header.first_segment < segments:
                self._left_over(pack)
                continue
            self.problems += [f"{name}, {problem}" for problem in pack.problems]
            end = pack.header.first_file + pack.header.files
            segments = pack.header.first_segment + pack.header.segments
            self.members.append(Member(number, pack, self._index(pack)))
        self._look_for_lost(end)

    def _pack(self, path: str) -> Pack:
        return Pack(path)

    def _index(self, pack: Pack) -> Index:
        return opened_index(pack)

    def _look_for_lost(self, end: int) -> None:
        """Indexes whose packs are gone, and whose files no other pack has: behind the last pack nothing else tells of a loss."""
        names = set(names_in(self.folder))
        for name in sorted(name for name in names if INDEX.match(name) and pack_of(name) not in names):
            try:
                _, last = index.range_in(os.path.join(self.folder, name))
            except (OSError, ValueError):
                continue
            if last > end:
                lost = pack_of(name)
                self.problems.append(f"{lost} is missing (delete {name} where it is lost for good)")
                self.unreadable.append(lost)

    def _left_over(self, pack: Pack) -> None:
        """A pack whose numbers an earlier one has: taken in by it, and to be removed; or not ours, and to be named."""
        with contextlib.closing(pack), contextlib.closing(self._index(pack)) as left:
            taken_in = all(self.file(known.sha256) >= 0 for known in left.all_known())
        if taken_in:
            self.stale.append(pack.path)
        else:
            self.problems.append(f"{pack.name}: it holds numbers that another pack has, and files that none has")

    def missing(self) -> list[Range]:
        """The ranges that no pack has: of packs that were lost or cannot be read. What lay behind the last one is unknown."""
        return gaps_between(member.pack.header for member in self.members)

    def unbroken(self) -> list[Member]:
        """The last packs whose ranges follow each other: over a gap nothing may be put together."""
        found: list[Member] = []
        for member in reversed(self.members):
            ends = (member.index.first_segment + member.index.segments, member.index.first_file + member.index.files)
            if found and ends != (found[-1].index.first_segment, found[-1].index.first_file):
                break
            found.append(member)
        return found[::-1]

    def blind(self) -> str:
        """The pack behind the last one that can be read, if there is one: which numbers it has, nobody can tell."""
        last = self.members[-1].pack.name if self.members else ""
        return next((name for name in self.unreadable if (len(name), name) > (len(last), last)), "")

    def ends(self) -> tuple[int, int]:
        """The numbers that the next segment and the next file get."""
        if not self.members:
            return 0, 0
        last = self.members[-1].index
        return last.first_segment + last.segments, last.first_file + last.files

    # --- what there is --------------------------------------------------------------------------------------------

    def segment(self, sha256: bytes) -> int:
        """The number of a segment with this hash, -1 where there is none."""
        for member in reversed(self.members):
            found = member.index.segment(sha256)
            if found >= 0 and self._sound(member):
                return found
        return -1

    def file(self, sha256: bytes) -> int:
        """The number of the last file whose hash is this or begins with it, -1 where there is none."""
        for member in reversed(self.members):
            found = member.index.file(sha256)
            if found >= 0 and self._sound(member):
                return found
        return -1

    def known(self, number: int) -> Known:
        """What is known of the file with this number, without its recipe. Raises :class:`ArchiveDamaged`."""
        return self._place(self._first_files, FILES, number, "file")[0].index.known(number)

    def beginnings(self, head: int, most: int) -> Iterator[tuple[int, Known]]:
        """Files whose first kilobyte has this checksum, the last ones first, ``most`` of them."""
        for member in reversed(self.members):
            before = member.index.first_file + member.index.files
            while most and (before := member.index.beginning(head, before)) >= 0 and self._sound(member):
                yield before, member.index.known(before)
                most -= 1

    def _sound(self, member: Member) -> bool:
        """Whether an index may be believed. One that is damaged is removed: the next who opens the archive makes it again."""
        if member.index.sound():
            return True
        with contextlib.suppress(FileNotFoundError):
            beneath.unlink(index_path(member.pack.path))
        raise ArchiveDamaged(
            f"the index of {member.pack.name}", hint="It was removed and is made again: run the command once more."
        )

    def numbers(self) -> Iterator[int]:
        """The number of every file, in order."""
        for member in self.members:
            yield from range(member.index.first_file, member.index.first_file + member.index.files)

    def record(self, number: int) -> FileRecord:
        """The record of the file with this number. Raises :class:`ArchiveDamaged`."""
        member, place = self._place(self._first_files, FILES, number, "file")
        key = (member.pack.path, place.at)
        if key not in self._records:
            self._records[key] = member.pack.records(member.pack.head(place.at))
        return self._records[key][number - place.first]

    def _place(self, firsts: list[int], kind: int, number: int, what: str) -> tuple[Member, Place]:
        at = bisect_right(firsts, number) - 1
        member = self.members[at] if at >= 0 else None
        place = member.index.place(kind, number) if member is not None else None
        if member is None or place is None:
            where = "no pack has it" if member is None else f"{member.pack.name} does not have it"
            raise ArchiveDamaged(f"{what} {number} is lost: {where}")
        return member, place

    # --- bytes ----------------------------------------------------------------------------------------------------

    def _block(self, number: int) -> Block:
        """The frame that holds the segment with this number, unpacked."""
        for first, block in self._blocks.items():
            if first <= number < first + len(block.starts) - 1:
                self._blocks.move_to_end(first)
                return block
        member, place = self._place(self._first_segments, SEGMENTS, number, "segment")
        block = member.pack.block(member.pack.head(place.at))
        self._blocks[block.first] = block
        self._kept += len(block.data)
        while self._kept > _KEPT and len(self._blocks) > 1:
            self._kept -= len(self._blocks.popitem(last=False)[1].data)
        return block

    def prove_frames(self, first: int, segments: int, size: int, sound: set[tuple[str, int]]) -> None:
        """Look at the frames of so many segments from ``first`` on, and at further ones with ``size`` bytes at least, if there are.

        ``sound`` are those that were looked at. Raises :class:`ArchiveDamaged` where one is not what was written.
        """
        end, behind = first + segments, 0
        while first < end or (behind < size and first < self.ends()[0]):
            member, place = self._place(self._first_segments, SEGMENTS, first, "segment")
            frame = member.pack.head(place.at)
            if (member.pack.path, place.at) not in sound:
                member.pack.body(frame)
                sound.add((member.pack.path, place.at))
            behind += max(frame.raw - _LENGTH * frame.count, 0) if first >= end else 0
            first = place.first + place.count

    def run(self, run: Run) -> Iterator[memoryview]:
        """The bytes of consecutive segments, in as few parts as there are frames."""
        number, end = run.first, run.first + run.length
        while number < end:
            block = self._block(number)
            stop = min(end, block.first + len(block.starts) - 1)
            start, close = block.starts[number - block.first], block.starts[stop - block.first]
            yield memoryview(block.data)[start:close]
            number = stop

    def sizes(self, run: Run) -> list[int]:
        """Bytes of each of consecutive segments, of those in the frame of the first one."""
        block = self._block(run.first)
        at = run.first - block.first
        starts = block.starts[at : at + run.length + 1]
        return [end - start for start, end in zip(starts, starts[1:])]

    def restore(self, number: int) -> Iterator[memoryview]:
        """The bytes of a file, in parts. Raises :class:`ArchiveDamaged`, at the latest at the end, where they are not its own."""
        record = self.record(number)
        digest, size = hashlib.sha256(), 0
        for part in self.assembly.content(number):
            digest.update(part)
            size += len(part)
            yield part
        if digest.digest() != record.sha256 or size != record.size:
            raise ArchiveDamaged(f"file {number} ({record.name}): what its recipe gives is not what was archived")


@contextlib.contextmanager
def opened_packs(folder: str) -> Iterator[Packs]:
    """The packs in ``folder``, closed when the block ends."""
    packs = Packs(folder)
    try:
        yield packs
    finally:
        packs.close()
