"""Recipes for files that are added: what the archive has of each is found, and what it has not is gathered as new segments."""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING, Final, NamedTuple, Optional, Union

from . import segmenter
from .recipe import Drawn, Encoded, Recipe, Run, joined

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from .drawings import Drawings, Stretch
    from .file_records import FileRecord
    from .pack_set import Packs
    from .recipe import Item

HEAD: Final = 1024
"""Bytes by which a file is told that may go on where another one ended."""
DEEPEST: Final = 64
"""Files that a file may stand on. One more, and its recipe is written out."""
_TRIED: Final = 64
"""Files with the same first bytes that are tried: exports of one conversation, in windows of several widths."""
_LOOKED_AT: Final = 64
"""Files that are looked at, from the last one on, for another one of the same conversation."""
_NEW: Final = 512
"""Bytes that no segment gives, from which on they are looked for in other drawings."""
_BEYOND: Final = 64 * 1024


class Base(NamedTuple):
    """A file whose bytes are the first ones of another."""

    number: int
    size: int
    depth: int


class _Piece(NamedTuple):
    """A piece of a file: its own bytes, or a segment with this number, -1 for one that the archive does not have.

    ``data`` is that of a segment that is shown as Base64.
    """

    start: int
    end: int
    drawn: bool
    sha256: bytes
    number: int
    data: bytes = b""


class RecipeBuilder:
    """Makes the recipes of one run over ``packs``; :attr:`records` are those of the files that were added so far."""

    def __init__(self, packs: Packs) -> None:
        self.records: list[FileRecord] = []
        self._packs = packs
        self._first_segment, self._first_file = packs.ends()
        self._known: dict[bytes, int] = {}
        self._new: list[tuple[bytes, bytes]] = []

    def taken(self) -> Iterator[tuple[bytes, bytes]]:
        """The new segments, in order, each with its SHA-256; they are let go."""
        new, self._new = self._new, []
        yield from new

    def beginning(self, data: bytes, head: int) -> tuple[Optional[Base], bytes]:
        """The longest file of some that ``data`` goes on from, proven by its hash, if there is one; and the hash of ``data``.

        ``head`` is the checksum of the first bytes of such files, 0 for none.
        """
        found: list[tuple[int, int, bytes, int]] = []
        if head:
            found = [(r.size, r.number, r.sha256, r.depth) for r in reversed(self.records) if r.head == head][:_TRIED]
            there = self._packs.beginnings(head, _TRIED - len(found))
            found += [(known.size, number, known.sha256, known.depth) for number, known in there]
        digest, view, at = hashlib.sha256(), memoryview(data), 0
        base = None
        for size, number, sha256, depth in sorted(found):
            if size > len(data):
                break
            digest.update(view[at:size])
            at = size
            if digest.digest() == sha256:
                base = Base(number, size, depth)
        digest.update(view[at:])
        return base, digest.digest()

    def recipe(self, data: bytes, base: Optional[Base], session: str) -> tuple[Recipe, int]:
        """The recipe of ``data``, and how many files it stands on. Other files of ``session`` may have it in another drawing."""
        start = base.size if base is not None else 0
        pieces = [self._piece(data, each) for each in segmenter.cut(data, start)]
        items = list(self._items(data, pieces, self._drawings(data, pieces, base, session)))
        if base is not None and base.depth < DEEPEST:
            return Recipe(base.number, base.size, joined(items)), base.depth + 1
        before = self._written_out(base.number) if base is not None else []
        return Recipe(-1, 0, joined([*before, *items])), 0

    def _record(self, number: int) -> FileRecord:
        return self.records[number - self._first_file] if number >= self._first_file else self._packs.record(number)

    def _written_out(self, number: int) -> list[Item]:
        """The items of a file, those of all that it stands on first: every one of them is its next one's beginning, whole."""
        chain = [self._record(number)]
        while chain[-1].recipe.base >= 0:
            chain.append(self._record(chain[-1].recipe.base))
        return [item for record in reversed(chain) for item in record.recipe.items]

    # --- segments -------------------------------------------------------------------------------------------------

    def _piece(self, data: bytes, segment: segmenter.Segment) -> _Piece:
        start, end = segment.start, segment.end
        if segment.drawn:
            return _Piece(start, end, True, b"", -1)
        encoded = segmenter.bytes_of(data, segment) if segment.base64 else b""
        sha256 = hashlib.sha256(encoded or memoryview(data)[start:end]).digest()
        number = self._known.get(sha256, -1)
        if number < 0:
            number = self._packs.segment(sha256)
            if number >= 0:
                self._known[sha256] = number
        return _Piece(start, end, False, sha256, number, encoded)

    def _stored(self, data: bytes, sha256: bytes) -> int:
        """The number of these bytes as a segment: a new one, where none of this run is the same."""
        number = self._known.get(sha256)
        if number is None:
            number = self._known[sha256] = self._first_segment + len(self._new)
            self._new.append((data, sha256))
        return number

    def _items(self, data: bytes, pieces: Sequence[_Piece], drawings: Optional[Drawings]) -> Iterator[Item]:
        lacking = [(piece.start, piece.end) for piece in pieces if not piece.drawn and piece.number < 0]
        parts = drawings.parts(data, lacking) if drawings is not None else None
        for piece in pieces:
            if piece.drawn:
                yield data[piece.start : piece.end]
            elif piece.data:
                number = piece.number if piece.number >= 0 else self._stored(piece.data, piece.sha256)
                yield Encoded(number, len(piece.data))
            elif piece.number >= 0:
                yield Run(piece.number, 1)
            elif parts is None:
                yield Run(self._stored(data[piece.start : piece.end], piece.sha256), 1)
            else:
                for start, end, drawn in next(parts):
                    part = b"" if drawn else data[start:end]
                    yield drawn or Run(self._stored(part, hashlib.sha256(part).digest()), 1)

    # --- drawings -------------------------------------------------------------------------------------------------

    def _drawings(
        self, data: bytes, pieces: Sequence[_Piece], base: Optional[Base], session: str
    ) -> Optional[Drawings]:
        """What the last file of the session has, as far back as what is new here may go; None where nothing is to be looked for."""
        new = sum(piece.end - piece.start for piece in pieces if not piece.drawn and piece.number < 0)
        if new < _NEW or not session or data[:1] == b"{":
            return None
        last = self._last(session)
        if last is None or (base is not None and last.number == base.number):
            return None
        from .drawings import Drawings

        return Drawings(self._stretches(last, 2 * new + _BEYOND))

    def _last(self, session: str) -> Optional[FileRecord]:
        end = self._first_file + len(self.records)
        for number in range(end - 1, max(end - _LOOKED_AT, 0) - 1, -1):
            record = self._record(number)
            if record.session == session:
                return record
        return None

    def _stretches(self, record: FileRecord, wanted: int) -> Iterator[Stretch]:
        """What a file has in segments, from its end on, until there are so many bytes."""
        while wanted > 0:
            for item in reversed(record.recipe.items):
                if isinstance(item, (Run, Drawn)) and wanted > 0:
                    stretch = self._stretch(item)
                    wanted -= len(stretch.data)
                    yield stretch
            if record.recipe.base < 0:
                return
            record = self._record(record.recipe.base)

    def _stretch(self, item: Union[Run, Drawn]) -> Stretch:
        from .drawings import Stretch

        if isinstance(item, Run):
            parts = [self._segment(number) for number in range(item.first, item.first + item.length)]
            return Stretch(item.first, 0, [len(part) for part in parts], b"".join(parts), 0)
        parts, end, number = [], item.skip + item.size, item.first
        while end > 0:
            parts.append(self._segment(number))
            end -= len(parts[-1])
            number += 1
        data = b"".join(parts)[item.skip : item.skip + item.size]
        return Stretch(item.first, item.skip, [len(part) for part in parts], data, item.widths.before)

    def _segment(self, number: int) -> bytes:
        if number >= self._first_segment:
            return self._new[number - self._first_segment][0]
        return b"".join(self._packs.run(Run(number, 1)))
