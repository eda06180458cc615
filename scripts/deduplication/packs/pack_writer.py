"""Adds files to the archive: cut, looked up, and what is new written as one pack.

Nothing is in the archive before :meth:`Addition.commit` has returned, and everything is afterwards. A pack is written whole
and synced under another name, so that there is never a part of one under its own: whatever does not match its hash later
is damage, and a killed run leaves a temporary file that nobody reads.
"""

from __future__ import annotations

import hashlib
import os
import zlib
from typing import TYPE_CHECKING, Final, Optional

from ..errors import ArchiveDamaged
from ..files import atomic, beneath
from . import merge_policy
from .file_records import FileRecord
from .index_file import write_index
from .pack_builder import PackBuilder
from .pack_names import index_path, listed, pack_path
from .recipe_builder import HEAD, RecipeBuilder

if TYPE_CHECKING:
    from collections.abc import Callable

    from .pack_set import Packs

_EARLIEST: Final = -(2**63)
_LATEST: Final = 2**63 - 1
"""Nanoseconds since 1970 that a record has room for (to the year 2262); a file system may have any number."""
_BLIND: Final = "Put it back from a backup, or move it elsewhere; the plain files stay where they are meanwhile."


class PackWriter:
    """One run: files are added, then committed, under the archive's lock. ``thorough``: slower, smaller, small frames together.

    Raises :class:`ArchiveDamaged` where the last pack cannot be read: nobody knows which numbers it has.
    """

    def __init__(self, packs: Packs, *, thorough: bool = False) -> None:
        if packs.blind():
            raise ArchiveDamaged(f"{packs.blind()}: nothing can be added behind it", hint=_BLIND)
        self._packs, self._thorough = packs, thorough
        self._recipes = RecipeBuilder(packs)
        self._first_segment, self._first_file = packs.ends()
        self.records: list[FileRecord] = self._recipes.records

    def add(
        self,
        data: bytes,
        *,
        name: str,
        mtime_ns: int,
        session_of: Callable[[str], str] = lambda _sha256: "",
        again: bool = False,
    ) -> FileRecord:
        """Take a file in; its record. The same bytes under the same name with the same time are no second file.

        ``session_of`` gives the conversation of a file with this SHA-256 (64 digits), empty where it is not known. ``again``:
        what the archive has of it is damaged, so it is stored as if it were new.
        """
        mtime_ns = max(_EARLIEST, min(mtime_ns, _LATEST))
        head = zlib.crc32(memoryview(data)[:HEAD]) if len(data) >= HEAD else 0
        base, sha256 = self._recipes.beginning(data, head) if not again else (None, hashlib.sha256(data).digest())
        same = None if again else self._same(sha256)
        if same is not None and (same.name, same.mtime_ns) == (name, mtime_ns):
            return same
        session = session_of(sha256.hex())
        if same is not None:
            recipe, depth = same.recipe, same.depth
        else:
            recipe, depth = self._recipes.recipe(data, base, session if not again else "")
        number = self._first_file + len(self.records)
        record = FileRecord(number, name, session, len(data), mtime_ns, sha256, recipe, head, depth)
        self.records.append(record)
        return record

    def _same(self, sha256: bytes) -> Optional[FileRecord]:
        for record in reversed(self.records):
            if record.sha256 == sha256:
                return record
        number = self._packs.file(sha256)
        return self._packs.record(number) if number >= 0 else None

    def commit(self) -> int:
        """Make it durable; how many files the archive gained. The packs that this run began with are closed afterwards.

        Raises :class:`StoreNotWritable`; then nothing has changed, or the run's files are in already.
        """
        packs = self._packs
        sizes = [member.pack.size for member in packs.unbroken()]
        count = merge_policy.packs_to_merge(sizes, thorough=self._thorough)
        if not self.records and not (self._thorough and self._worth_it(count)):
            return 0
        filling, taken = self._filled(count)
        for data, sha256 in self._recipes.taken():
            filling.segment(data, sha256)
        number = taken[0] if taken else max((n for n, _ in listed(packs.folder)), default=0) + 1
        path = pack_path(packs.folder, number)
        gone = [*packs.stale, *(pack_path(packs.folder, other) for other in taken[1:])]
        packs.close()
        with atomic.write_errors(packs.folder):
            atomic.make_private_directory(packs.folder)
        data = filling.write(path, self.records)
        write_index(index_path(path), data)
        remove(gone)
        return len(self.records)

    def _worth_it(self, count: int) -> bool:
        """Whether packing the last ``count`` packs together makes fewer packs or fuller frames, or gives one parity."""
        from .frames import SEGMENTS
        from .pack_builder import THOROUGH_FRAME

        last = self._packs.members[len(self._packs.members) - count :]
        places = [(m, place) for m in last for place in m.index.places if place.kind == SEGMENTS]
        small = sum(m.pack.head(place.at).raw <= THOROUGH_FRAME // 2 for m, place in places)
        return count > 1 or small > 1 or any(not member.pack.header.parity for member in last)

    def _filled(self, count: int) -> tuple[PackBuilder, list[int]]:
        """A pack in the making with what the last ``count`` packs hold, and their numbers; fewer of them where one is damaged."""
        members = self._packs.members
        while count:
            last = members[len(members) - count :]
            filling = PackBuilder(last[0].index.first_segment, last[0].index.first_file, thorough=self._thorough)
            try:
                for member in last:
                    filling.take_in(member)
            except ArchiveDamaged:
                count -= 1  # it stays where it is, for verify to name; the packs behind it may still be taken in
            else:
                return filling, [member.number for member in last]
        return PackBuilder(self._first_segment, self._first_file, thorough=self._thorough), []


def remove(paths: list[str]) -> None:
    """Delete packs whose content another one has, with their indexes. Killed half way: the next run goes on with it.

    The index first: one without its pack says that the pack was lost.
    """
    for path in paths:
        with atomic.write_errors(path):
            for each in (index_path(path), path):
                if os.path.lexists(each):
                    beneath.unlink(each)
