"""Packs of an archive in a database, of which the indexes are here: a pack is fetched when the first byte of it is asked for."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Any, Optional, cast

from ..errors import ArchiveDamaged
from ..packs.pack_file import Pack
from ..packs.pack_index import Index, made_from
from ..packs.pack_names import number_of
from ..packs.pack_set import Member, Packs
from ..packs.ranges import Range, gaps_between

if TYPE_CHECKING:
    from ..packs.frames import Header
    from .archive_state import ArchiveState, Held
    from .fetching import Fetcher


class LatePack:
    """A pack that is fetched when something of it is asked for."""

    def __init__(self, held: Held, host: str, fetcher: Fetcher) -> None:
        self.name = self.path = os.path.basename(held.name)
        self._held, self._host, self._fetcher = held, host, fetcher
        self._pack: Optional[Pack] = None

    def pack(self) -> Pack:
        """The pack itself. Raises ``ArchiveDamaged``, ``DatabaseError``."""
        if self._pack is None:
            self._pack = Pack(self._fetcher.fetch(self._held, self._host))
        return self._pack

    def __getattr__(self, name: str) -> Any:
        return getattr(self.pack(), name)

    def close(self) -> None:
        """Let go of the file, if it was ever opened."""
        if self._pack is not None:
            self._pack.close()


class LatePacks(Packs):
    """The packs of an archive, in the order of their numbers.

    Packs that are gone on its machine may have numbers that others got there since: of two that have the same the ``gone`` one
    counts, or the other one.
    """

    def __init__(self, state: ArchiveState, fetcher: Fetcher, *, gone: bool) -> None:
        self._state, self._fetcher, self._gone = state, fetcher, gone
        super().__init__("")

    def _open(self) -> None:
        files = self._state.files
        for held in sorted(files, key=lambda held: held.gone != self._gone):
            if not held.name.endswith(".pack"):
                continue
            pack = LatePack(held, self._state.host, self._fetcher)
            name = f"{held.name[: -len('.pack')]}.idx"
            told = next((each for each in files if each.name == name and each.gone == held.gone), None)
            try:
                index = self._index_of(pack, told)
            except ArchiveDamaged as error:
                pack.close()
                self.problems.append(error.detail)
                self.unreadable.append(f"{held.name} of the archive on {self._state.host}")
                continue
            if any(_overlap(index, member.index) for member in self.members):
                pack.close()
                continue
            self.members.append(Member(number_of(os.path.basename(held.name)), cast("Pack", pack), index))
        self.members.sort(key=lambda member: (member.index.first_file, member.index.first_segment))

    def _index_of(self, pack: LatePack, held: Held | None) -> Index:
        if held is not None:
            try:
                found = Index.of_bytes(self._fetcher.bytes_of(held, self._state.host))
            except ArchiveDamaged:
                found = None
            if found is not None:
                return found
        return Index(made_from(pack.pack()), pack.pack().sha256)

    def missing(self) -> list[Range]:
        """As the indexes tell it: no pack is fetched for that."""
        return gaps_between(cast("Header", member.index) for member in self.members)


def _overlap(one: Index, other: Index) -> bool:
    """Whether both have a number of a file, or of a segment."""
    files = one.first_file < other.first_file + other.files and other.first_file < one.first_file + one.files
    segments = one.first_segment + one.segments, other.first_segment + other.segments
    return files or (one.first_segment < segments[1] and other.first_segment < segments[0])
