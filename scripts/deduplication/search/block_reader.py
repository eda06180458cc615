"""What a search reads of a log: parts of blocks that may hold the words, and what no filter covers; and what it knows by then."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, Optional

from ..storage.log.column_reader import stands_alone
from ..storage.log.lines import Damaged
from ..storage.log.sealed_files import PACK
from ..storage.word_filters.block import EVERY_PART, again_key, kind_keys
from ..storage.word_filters.table import Key
from ..words.lexemes import asked_of
from .hits import Found, Hit, Place
from .log_lines import COMMIT_RECORD, read_line, unite
from .quick_look import may_hold, may_hold_rows
from .united import United

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Iterator, Sequence

    from ..storage.log.append_log import Log
    from ..storage.log.lines import Line
    from ..storage.word_filters.block import Block
    from .hits import Wanted
    from .log_lines import Occurrence


NEAR: Final = 128 * 1024
"""Bytes of the log within which a line may stand in one sealed part with the line that carries its body."""


class _Others:
    """Bodies of which lines are looked for, by the ``begun`` digits of their hashes.

    ``may_be_known``: a part may have such a line without the hash, which follows from a body there; that may hold the words.
    """

    def __init__(self, begun: Sequence[bytes], *, may_be_known: bool) -> None:
        self.raw = [bytes.fromhex(each.decode()) for each in begun]
        self.may_be_known = may_be_known


class BlockReader:
    """Reads the log of a store that has filters for these ``blocks``, and begins with what they do not cover."""

    def __init__(self, log: Log, blocks: Sequence[Block], wanted: Wanted) -> None:
        self._log, self._blocks, self._wanted = log, blocks, wanted
        self.found = Found()
        self.hits: dict[str, Hit] = {}
        self.places: dict[str, dict[tuple[str, int], Place]] = {}
        """Of each content hash in what was read."""
        self.newest: dict[str, str] = {}
        """The latest time of each hit in what was read."""
        self.carried: set[str] = set()
        """Hashes of the bodies in what was read."""
        self.longer: dict[tuple[str, int], list[str]] = {}
        """Content hashes of the longer forms of a message, by its place."""
        self.again: set[int] = set()
        """The beginnings of the hashes of all hits."""
        self.united = United()
        for record in (each for block in blocks for each in block.same):
            self.united.take(record)
        self._damaged: set[int] = set()
        self._looked: set[tuple[int, int]] = set()
        """Where it was looked for what comes again: blocks, each with the beginning of a hash."""
        self.tail = list(self._read_tail(blocks[-1].end if blocks else 0))
        asked = [Key(lexeme, begun=begun) for lexeme, begun in asked_of(wanted.terms)]
        asked.sort(key=lambda key: len(key.data), reverse=True)
        self.open = _open(blocks, [*asked, *map(Key, kind_keys(wanted.role, wanted.kind))])
        """The parts of blocks that may hold the words and were not read, by the block's number, as bits."""

    @property
    def parts_left(self) -> int:
        """How many parts may hold the words and were not read."""
        return sum(bin(parts).count("1") for parts in self.open.values())

    def hits_in(self, block: Block, parts: int = EVERY_PART) -> None:
        """Know of the hits that some parts of a block carry, and of where they stand in all of it."""
        left = self.open.get(block.number, 0)
        if not left & parts:
            return
        if left & ~parts:
            self.open[block.number] = left & ~parts
        else:
            del self.open[block.number]
        known = len(self.hits)
        self._take(self._read(self._lines(block, left & parts)))
        self._name_inside(block, known)

    def _name_inside(self, block: Block, known: int) -> None:
        """Know where else in their block the hits stand that came behind the first ``known`` ones."""
        new = {again_key(content_hash) for content_hash in [*self.hits][known:]}
        self.again_in(block, new.intersection(block.again_keys))

    def again_in(self, block: Block, keys: Collection[int]) -> list[Occurrence]:
        """The messages of a block that come again, of bodies whose hashes begin so."""
        left = {key for key in keys if (block.number, key) not in self._looked}
        if not left:
            return []
        self._looked.update((block.number, key) for key in left)
        rows = [row for row in block.again if row.key in left]
        parts, is_near = 0, False
        for row in rows:
            parts |= row.parts
            is_near = is_near or self._blocks[row.block].end > block.start - NEAR
        begun = [b"%08x" % key for key in left]
        lines = self._lines(block, parts, _Others(begun, may_be_known=is_near))
        found = list(self._read(line for line in lines if any(each in line.data for each in begun)))
        self._take(found)
        return [each for each in found if again_key(each.content_hash) in left]

    def body(self, block: Block, parts: int, content_hash: str) -> None:
        """Know of a body, where one of these parts carries it, and it is a hit."""
        wanted = content_hash.encode()
        known = len(self.hits)
        self._take(self._read(line for line in self._lines(block, parts) if wanted in line.data))
        self._name_inside(block, known)

    def knows(self, block: Block, key: int) -> bool:
        """Whether all messages of a block are known whose body comes again there and has a hash that begins so."""
        return (block.number, key) in self._looked

    def whole(self, block: Block, part: int) -> None:
        """Know of all messages of a part."""
        if (block.number, ~part) not in self._looked:
            self._looked.add((block.number, ~part))
            self._take(self._read(self._lines(block, 1 << part, _Others([b""], may_be_known=True))))

    def _read(self, lines: Iterable[Line]) -> Iterator[Occurrence]:
        """The messages in lines."""
        for line in lines:
            try:
                seen = read_line(line.data, self._wanted)
            except Damaged:
                self._add_damaged(line)
                continue
            if seen is not None and seen is not COMMIT_RECORD:
                yield seen

    def _lines(self, block: Block, parts: int, others: Optional[_Others] = None) -> Iterator[Line]:
        """The lines of some parts, without those of sealed parts that cannot matter.

        That is told from a part as it stands in its file, where all that its lines say stands there.
        """
        sealed = self._log.sealed
        for start, end in block.ranges(parts):
            at = start
            for each in sealed.blocks(start):
                if each.start >= end:
                    break
                if each.segment.form != PACK or each.part < 0:
                    continue
                data = sealed.part(each)
                if not self._may_matter(data, others) and stands_alone(data, sealed.archive):
                    yield from self._log.lines(at, max(each.start, at))
                    at = min(each.end, end)
            yield from self._log.lines(at, end)

    def _may_matter(self, part: bytes, others: Optional[_Others]) -> bool:
        if others is not None and any(each in part for each in others.raw):
            return True
        if others is not None and not others.may_be_known:
            return False
        lowered = part.lower()
        return may_hold(self._wanted.looks, lowered) and may_hold_rows(self._wanted.rows, lowered)

    def _add_damaged(self, line: Line) -> None:
        self._damaged.add(line.offset)
        self.found.damaged = len(self._damaged)

    def _read_tail(self, start: int) -> Iterator[Occurrence]:
        """The messages of complete runs from byte ``start`` on."""
        pending: list[Occurrence] = []
        for line in self._log.lines(start):
            try:
                unite(self.united, line.data)
                seen = read_line(line.data, self._wanted)
            except Damaged:
                self._add_damaged(line)
                continue
            if seen is COMMIT_RECORD:
                self.found.unfiltered = line.end - start
                self._take(pending)
                yield from pending
                pending = []
            elif seen is not None:
                pending.append(seen)

    def _take(self, occurrences: Iterable[Occurrence]) -> None:
        for each in occurrences:
            identity = each.content_hash
            if each.carries:
                self.carried.add(identity)
            if each.hit is not None and identity not in self.hits:
                self.hits[identity] = each.hit
                self.again.add(again_key(identity))
                self.newest[identity] = max(
                    (place.timestamp for place in self.places.get(identity, {}).values()), default=""
                )
            if each.extends is not None:
                self.longer.setdefault((each.conversation, each.extends), []).append(identity)
            place = Place(each.conversation, each.number, each.timestamp)
            self.places.setdefault(identity, {})[place[:2]] = place
            if identity in self.newest:
                self.newest[identity] = max(self.newest[identity], each.timestamp)


def _open(blocks: Sequence[Block], keys: Sequence[Key]) -> dict[int, int]:
    """The parts of each block that may have all of these keys, where there are some."""
    found = {}
    for block in blocks:
        parts = EVERY_PART
        for key in keys:
            parts &= block.parts(key)
            if not parts:
                break
        if parts:
            found[block.number] = parts
    return found
