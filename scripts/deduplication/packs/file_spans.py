"""Some bytes of an archived file, without putting all of it together: only the frames are unpacked in which they lie."""

from __future__ import annotations

import contextlib
import hashlib
from bisect import bisect_right
from typing import TYPE_CHECKING

from ..errors import ArchiveDamaged
from .pack_set import Packs
from .recipe import Encoded, Run

if TYPE_CHECKING:
    from .pack_set import Member
    from .recipe import Item


class UnlockedPacks(Packs):
    """The packs for who holds no lock of theirs: a damaged index is not removed."""

    def _sound(self, member: Member) -> bool:
        if not member.index.sound():
            raise ArchiveDamaged(f"the index of {member.pack.name}")
        return True


class FileSpans:
    """Reads spans of the files in ``packs``, which stays open. Every byte was checked by the hash of its frame."""

    def __init__(self, packs: Packs) -> None:
        self._packs = packs
        self._files: dict[int, _Pieces] = {}
        self._sizes: dict[bytes, tuple[int, int]] = {}
        """Number and size of each file that was asked for: a block asks for each of its messages."""
        self._names: dict[str, list[bytes]] | None = None

    def named(self, prefix: bytes) -> bytes:
        """The SHA-256 that begins with these bytes of a file that is there; empty where there is none."""
        number = self._packs.file(prefix)
        return self._packs.known(number).sha256 if number >= 0 else b""

    def has_segment(self, sha256: bytes) -> bool:
        """Whether a pack has bytes with this SHA-256 as a segment, as its index says."""
        return self._packs.segment(sha256) >= 0

    def segment(self, sha256: bytes) -> bytes:
        """These bytes, none where no pack has them. Raises :class:`ArchiveDamaged` where that cannot be told, or read."""
        number = self._packs.segment(sha256)
        if number < 0 and self._packs.unreadable:
            raise ArchiveDamaged(self._packs.unreadable[0])
        data = b"".join(self._packs.run(Run(number, 1))) if number >= 0 else b""
        if data and hashlib.sha256(data).digest() != sha256:
            raise ArchiveDamaged(f"segment {number} is another one")
        return data

    def states(self, name: str) -> list[bytes]:
        """The SHA-256 of each file whose name ends so, behind a slash or alone, the last one first."""
        if self._names is None:
            self._names = {}
            for number in self._packs.numbers():
                with contextlib.suppress(ArchiveDamaged):
                    record = self._packs.record(number)
                    self._names.setdefault(record.name.rpartition("/")[2], []).append(record.sha256)
        return self._names.get(name, [])[::-1]

    def read(self, sha256: bytes, start: int, end: int) -> bytes:
        """Bytes ``start`` to ``end`` of the file with this hash. Raises :class:`ArchiveDamaged` where they cannot be read."""
        number, size = self._sizes.get(sha256) or self._found(sha256)
        if end > size:
            raise ArchiveDamaged(f"file {number}: it ends before byte {end:,}")
        parts: list[bytes] = []
        while end > start:
            pieces = self._of(number)
            begin = max(start, pieces.prefix)
            if begin < end:
                parts.append(pieces.read(begin, end))
            end, number = min(end, pieces.prefix), pieces.base
        return b"".join(reversed(parts))

    def _found(self, sha256: bytes) -> tuple[int, int]:
        number = self._packs.file(sha256)
        if number < 0:
            raise ArchiveDamaged(f"the file with SHA-256 {sha256.hex()[:16]}… is not in the archive")
        found = self._sizes[sha256] = number, self._packs.record(number).size
        return found

    def _of(self, number: int) -> _Pieces:
        if number not in self._files:
            self._files[number] = _Pieces(self._packs, number)
        return self._files[number]


class _Pieces:
    """What a file has behind the beginning that an earlier one gives: where each piece of it begins, found as far as asked."""

    def __init__(self, packs: Packs, number: int) -> None:
        recipe = packs.record(number).recipe
        self.base, self.prefix = recipe.base, recipe.prefix
        self._packs, self._number = packs, number
        self._left = list(reversed(recipe.items))
        self._starts = [self.prefix]
        self._pieces: list[Item] = []
        self._last: tuple[int, bytes] = (-1, b"")

    def read(self, start: int, end: int) -> bytes:
        """Bytes from ``start`` on, which is not before :attr:`prefix`."""
        self._find(end)
        at = bisect_right(self._starts, start) - 1
        parts = []
        while start < end:
            if at >= len(self._pieces):
                raise ArchiveDamaged(f"file {self._number}: its recipe ends before byte {end:,}")
            parts.append(self._part(at, start, min(end, self._starts[at + 1])))
            start = self._starts[at + 1]
            at += 1
        return b"".join(parts)

    def _part(self, at: int, start: int, end: int) -> bytes:
        """Bytes of a piece; the last one is kept, but for Base64, which is made as far as it is asked for."""
        begin, piece = self._starts[at], self._pieces[at]
        if isinstance(piece, Encoded):
            return self._packs.assembly.encoded(piece, start - begin, end - begin)
        return self._piece(at)[start - begin : end - begin]

    def _piece(self, at: int) -> bytes:
        if self._last[0] != at:
            self._last = at, b"".join(self._packs.assembly.piece(self._pieces[at]))
        return self._last[1]

    def _find(self, end: int) -> None:
        """Know the pieces up to this byte; a run of segments is as many pieces as there are segments."""
        while self._starts[-1] < end and self._left:
            item = self._left.pop()
            if not isinstance(item, Run):
                self._add(item, len(item) if isinstance(item, bytes) else item.length)
                continue
            sizes = self._packs.sizes(item)
            for number, size in enumerate(sizes, item.first):
                self._add(Run(number, 1), size)
            if item.length > len(sizes):
                self._left.append(Run(item.first + len(sizes), item.length - len(sizes)))

    def _add(self, piece: Item, size: int) -> None:
        self._pieces.append(piece)
        self._starts.append(self._starts[-1] + size)
