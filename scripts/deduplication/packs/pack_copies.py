"""Packs of several machines in one folder, which something synchronised: what of them the archive's own row does not give.

Two machines that write a pack of one name leave a copy beside it; two that pack at the same time may have packs of different names
with the same numbers. What a pack holds refers to segments and files by numbers, also of packs before it, and those may be
another machine's. So a pack is read behind every row of packs that have the numbers before its own; whether a row was the right
one, the SHA-256 of each file says. Nothing is changed.
"""

from __future__ import annotations

import contextlib
import hashlib
import os
import re
from itertools import islice
from typing import TYPE_CHECKING, Final

from ..errors import ArchiveDamaged
from ..start.late_pattern import late_pattern
from ..start.late_tuple import NamedTuple
from . import pack_index
from .pack_file import Pack
from .pack_names import index_path, names_in, number_of
from .pack_set import Member, Packs
from .recipe import Run

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence
    from typing import Optional

    from .file_records import FileRecord

_NAME: Final = late_pattern(r"pack-\d{4,}(?!\d).*\.(?:pack|idx)\Z", re.ASCII | re.DOTALL)
"""A pack or an index, or a copy of one: whatever says whose it is stands before the ending."""
_ROWS: Final = 64
"""Rows that are tried for a file: two machines make two of them each time that both packed."""


def copies_in(folder: str) -> list[str]:
    """The names of copies of packs and of their indexes in ``folder``."""
    return sorted(name for name in names_in(folder) if _NAME.match(name) and not _is_own(name))


def _is_own(name: str) -> bool:
    return number_of(f"{os.path.splitext(name)[0]}.pack") >= 0


class Held(NamedTuple):
    """A file that came back from a row of packs: its record, and the pack that has it, which is the last one of the row."""

    record: FileRecord
    row: Packs
    path: str

    def data(self) -> bytes:
        """Its bytes."""
        return b"".join(self.row.restore(self.record.number))


class _Row(Packs):
    """Packs by the numbers with which they begin; where two have the same, the later one counts. Who opened them closes them."""

    def __init__(self, members: Sequence[Member]) -> None:
        self._given = members
        super().__init__("")

    def _open(self) -> None:
        self.members = list(self._given)


class CopiedPacks:
    """Every pack in ``folder``, and in the folder ``aside``, of which rows are made as well; see the module.

    Whoever uses it holds the archive's lock, or takes what is not found for what may be there nevertheless.
    """

    def __init__(self, folder: str, aside: str) -> None:
        self._folder = folder
        self.unreadable: list[str] = []
        """Copies of which nothing can be told, by name."""
        self._members: list[Member] = []
        self._rows: dict[str, list[Packs]] = {}
        self._files: dict[tuple[str, int], Optional[Held]] = {}
        try:
            self._open(folder, _NAME.match)
            self._open(aside, _NAME.search)
        except BaseException:
            self.close()
            raise
        self._members.sort(key=_begins)
        self.fork = self._find_fork()
        """The number of the first file that two packs may have; -1 where each number is in one pack alone, and none is missing."""

    def _open(self, folder: str, matches: Callable[[str], object]) -> None:
        for name in sorted(names_in(folder)):
            if not name.endswith(".pack") or not matches(name):
                continue
            path = os.path.join(folder, name)
            try:
                self._members.append(_member(path))
            except ArchiveDamaged:
                if folder == self._folder and not _is_own(name):
                    self.unreadable.append(name)

    def _find_fork(self) -> int:
        found, ends = [], (0, 0)
        for member in self._here():
            if member.number < 0 or _begins(member) != ends:
                found.append(min(member.index.first_file, ends[0]))
            ends = max(ends, _ends(member))
        return min(found, default=-1)

    def _here(self) -> list[Member]:
        """The packs that are not put aside."""
        return [each for each in self._members if os.path.dirname(each.pack.path) == self._folder]

    def _behind_fork(self) -> list[Member]:
        return [each for each in self._here() if _ends(each)[0] > self.fork >= 0]

    def close(self) -> None:
        """Let go of every file."""
        for member in self._members:
            member.close()
        self._members, self._rows, self._files = [], {}, {}

    def files(self) -> Iterator[Held]:
        """Every file from the fork on that some row gives."""
        for member in self._behind_fork():
            for number in range(member.index.first_file, _ends(member)[0]):
                if (held := self._held(member, number)) is not None:
                    yield held

    def incomplete(self) -> list[str]:
        """The names of copies of which a file does not come back, or a byte is not what was written."""
        found = [each.pack.name for each in self._behind_fork() if each.number < 0 and not self._is_whole(each)]
        return sorted([*self.unreadable, *found])

    def doubled(self) -> list[str]:
        """The paths of packs, no copies, with numbers that another one has as well; of each every file comes back."""
        found, end, segments = [], 0, 0
        for member in sorted(self._here(), key=lambda each: each.number):
            if member.number < 0:
                continue
            if member.index.first_file >= end and member.index.first_segment >= segments:
                end, segments = _ends(member)
            elif self._is_whole(member):
                found.append(member.pack.path)
        return found

    def _is_whole(self, member: Member) -> bool:
        numbers = range(member.index.first_file, _ends(member)[0])
        return member.pack.is_intact() and all(self._held(member, number) is not None for number in numbers)

    def find(self, sha256: bytes) -> Optional[Held]:
        """The file with this SHA-256."""
        for member in self._members:
            number = member.index.file(sha256)
            held = self._held(member, number) if number >= 0 else None
            if held is not None:
                return held
        return None

    def segment(self, sha256: bytes) -> bytes:
        """The bytes of a segment with this SHA-256; empty where none has it."""
        for member in self._members:
            number = member.index.segment(sha256)
            if number >= 0:
                with contextlib.suppress(ArchiveDamaged):
                    data = b"".join(_Row([member]).run(Run(number, 1)))
                    if hashlib.sha256(data).digest() == sha256:
                        return data
        return b""

    def _held(self, member: Member, number: int) -> Optional[Held]:
        """The file of a pack, from the first row that gives it; that row is asked first for the next one."""
        path = member.pack.path
        if path not in self._rows:
            self._rows[path] = [_Row(row) for row in islice(self._rows_to(member), _ROWS)]
        if (path, number) not in self._files:
            rows, found = self._rows[path], None
            for at, row in enumerate(rows):
                with contextlib.suppress(ArchiveDamaged):
                    for _ in row.restore(number):
                        pass
                    found = Held(row.record(number), row, path)
                    rows.insert(0, rows.pop(at))
                    break
            self._files[path, number] = found
        return self._files[path, number]

    def _rows_to(self, last: Member) -> Iterator[list[Member]]:
        """Every row of packs that ends with this one: before each stands one that has the numbers before it."""
        once = {each.pack.sha256: each for each in self._members if _begins(each) < _begins(last)}
        before = list(once.values())
        file, segment = _begins(last)
        fitting = [each for each in before if _ends(each)[0] >= file and _ends(each)[1] >= segment]
        if before and not fitting:  # over a gap: what does not need the missing one comes back
            most = max(_ends(each)[0] for each in before)
            fitting = [each for each in before if _ends(each)[0] == most]
        if not fitting:
            yield [last]
        for each in fitting:
            for row in self._rows_to(each):
                yield [*row, last]


def _member(path: str) -> Member:
    pack = Pack(path)
    try:
        return Member(number_of(pack.name), pack, _index_of(pack))
    except BaseException:
        pack.close()
        raise


def _index_of(pack: Pack) -> pack_index.Index:
    """The index beside a pack, where it is its own, else one made in memory: what lies there is evidence."""
    with contextlib.suppress(OSError, ValueError):
        found = pack_index.Index.load(index_path(pack.path), pack.sha256)
        if found.sound():
            return found
        found.close()
    return pack_index.Index(pack_index.made_from(pack), pack.sha256)


def _begins(member: Member) -> tuple[int, int]:
    return member.index.first_file, member.index.first_segment


def _ends(member: Member) -> tuple[int, int]:
    """The numbers behind those of its files and of its segments."""
    return member.index.first_file + member.index.files, member.index.first_segment + member.index.segments
