"""The packs of a damaged archive: whatever is whole in them is given out, and what is not from bytes that lie elsewhere.

A pack that its parity makes whole again is one that is whole. A segment is known by its SHA-256, which the pack's index has;
so whoever has bytes that are cut alike can lend them (:meth:`SalvagedPacks.lend`). Indexes are read as they are and not made
again: they are the evidence. Nothing is changed.
"""

from __future__ import annotations

import contextlib
import hashlib
import os
from typing import TYPE_CHECKING, Final

from ..errors import ArchiveDamaged
from . import pack_index, segmenter
from .frames import Header
from .pack_file import Block, Pack
from .pack_names import INDEX, index_path
from .pack_set import Packs

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from typing import Optional

    from .pack_file import MendedPack
    from .pack_index import Index, Known
    from .pack_set import Member

_KEPT: Final = 16
"""Bytes of a segment's SHA-256 that every version of an index has."""


class SalvagedPacks(Packs):
    """See :class:`~.packs.Packs`; whoever uses it holds the archive's lock."""

    def __init__(self, folder: str) -> None:
        self.mended: dict[str, tuple[MendedPack, str]] = {}
        """Packs that are whole again by their parity, by their paths, and what is wrong with each."""
        self._lent: dict[bytes, bytes] = {}
        self._told: dict[str, Index] = {}
        self._hashes: Optional[list[tuple[int, list[bytes]]]] = None
        super().__init__(folder)

    def _pack(self, path: str) -> Pack:
        pack = Pack(path, salvage=True)
        mended = pack.mended() if not pack.is_intact() else None
        if mended is not None and mended.is_intact():
            self.mended[path] = mended, pack.fault()
            return mended
        if pack.guessed:
            pack.header = self._completed(pack.header, pack_index.Index.of_any(index_path(path)))
        return pack

    def _completed(self, header: Header, told: Optional[Index]) -> Header:
        """A header made up from frames, with the ranges of the pack's own index, or behind the pack before it."""
        if told is not None:
            ranges = (told.first_segment, told.segments, told.first_file, told.files)
        else:
            segment, file = self.ends()
            ranges = (
                header.first_segment if header.segments else segment,
                header.segments,
                header.first_file if header.files else file,
                header.files,
            )
        return Header(*ranges, header.frames, header.size)

    def _index(self, pack: Pack) -> Index:
        told = pack_index.Index.of_any(index_path(pack.path))
        header = pack.header
        if told is not None:
            ranges = (told.first_segment, told.segments, told.first_file, told.files)
            if ranges == (header.first_segment, header.segments, header.first_file, header.files):
                self._told[pack.path] = told
        return pack_index.Index(pack_index.made_from(pack), pack.sha256)

    def _left_over(self, pack: Pack) -> None:
        known = len(self.problems)
        super()._left_over(pack)
        if len(self.problems) > known:
            self.unreadable.append(pack.name)

    def lend(self, files: Iterable[bytes], ends: Iterable[int]) -> None:
        """Take note of every segment of these files, also as they are cut from each of ``ends`` on (bytes)."""
        starts = sorted({0, *ends})
        for data in files:
            for start in starts:
                if start > len(data):
                    break
                for base64 in (True, False):
                    for piece in segmenter.cut(data, start, base64=base64):
                        part = segmenter.bytes_of(data, piece)
                        self._lent.setdefault(hashlib.sha256(part).digest()[:_KEPT], part)

    def _block(self, number: int) -> Block:
        try:
            return super()._block(number)
        except ArchiveDamaged:
            part = self._lent.get(self.segment_hash(number)[:_KEPT])
            if part is None:
                raise
            return Block(number, part, [0, len(part)])

    def segment_hash(self, number: int) -> bytes:
        """The SHA-256 of a segment as its pack's index had it, or the first half of it; empty where none says."""
        if self._hashes is None:
            every = [*self._told.values(), *(told for _, told in self._orphaned())]
            self._hashes = [(told.first_segment, told.hashes()) for told in every]
        for first, hashes in self._hashes:
            if first <= number < first + len(hashes):
                return hashes[number - first]
        return b""

    def damaged(self) -> list[Member]:
        """The packs that are not what was written."""
        return [member for member in self.members if not member.pack.is_intact()]

    def remembered(self) -> Iterator[tuple[int, Known, str]]:
        """Files of which only an index tells: number, what is known of it, and the pack that had it."""
        for name, told in {**self._told, **dict(self._orphaned())}.items():
            for n in range(told.files):
                yield told.first_file + n, told.known(told.first_file + n), os.path.basename(name)

    def orphans(self) -> list[str]:
        """Indexes whose pack is gone or cannot be read, by the pack's name."""
        return [os.path.basename(path) for path, _ in self._orphaned()]

    def _orphaned(self) -> list[tuple[str, Index]]:
        have = {member.pack.path for member in self.members} | set(self.stale)
        found = []
        with contextlib.suppress(OSError):
            for name in sorted(os.listdir(self.folder)):
                path = os.path.join(self.folder, name[: -len("idx")] + "pack")
                if INDEX.match(name) and path not in have:
                    told = pack_index.Index.of_any(os.path.join(self.folder, name))
                    if told is not None:
                        found.append((path, told))
        return found
