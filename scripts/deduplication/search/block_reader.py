"""What a search reads of a log: blocks that may hold the words, and what no filter covers; and all that it knows by then."""

from __future__ import annotations

import zlib
from typing import TYPE_CHECKING

from ..storage.log.column_reader import stands_alone
from ..storage.log.lines import Damaged
from ..storage.log.sealed_files import PACK
from ..storage.word_filters.bits import Key
from ..storage.word_filters.block import again_key, kind_keys
from ..words.filter_keys import asked_keys
from .hits import Found, Hit, Place
from .log_lines import COMMIT_RECORD, read_line, unite
from .quick_look import may_hold
from .united import United

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Sequence

    from ..storage.log.append_log import Log
    from ..storage.log.lines import Line
    from ..storage.word_filters.block import Block
    from .hits import Wanted
    from .log_lines import Occurrence


class OtherLog(Exception):
    """The filters are not of this log."""


class BlockReader:
    """Reads the log of a store that has filters for these ``blocks``, and begins with what they do not cover."""

    def __init__(self, log: Log, blocks: Sequence[Block], wanted: Wanted) -> None:
        self._log, self._wanted = log, wanted
        self.found = Found()
        self.hits: dict[str, Hit] = {}
        self.places: dict[str, dict[tuple[str, int], Place]] = {}
        """Of each content hash in what was read."""
        self.carried: set[str] = set()
        """Hashes of the bodies in what was read."""
        self.longer: dict[tuple[str, int], list[str]] = {}
        """Content hashes of the longer forms of a message, by its place."""
        self.again: set[int] = set()
        """The beginnings of the hashes of all hits."""
        self.united = United()
        for record in (each for block in blocks for each in block.same):
            self.united.take(record)
        self.blocks: dict[int, list[Occurrence]] = {}
        """The messages of each block that was read as a whole."""
        self.tail = list(self._read_tail(blocks[-1].end if blocks else 0))
        asked = {*asked_keys(wanted.terms), *kind_keys(wanted.role, wanted.kind)}
        keys = [Key(key) for key in sorted(asked, key=len, reverse=True)]
        self.open = {block.number: block for block in blocks if all(block.has(key) for key in keys)}
        """The blocks that may hold the words and were not read."""

    def all_open(self) -> None:
        """Read every block that may hold the words."""
        for block in [*self.open.values()]:
            self.hits_in(block)

    def hits_in(self, block: Block) -> None:
        """Know of the hits that a block carries, and of where they stand in it; of the rest of it no more than comes along."""
        if block.number not in self.open:
            return
        del self.open[block.number]
        known = [bytes.fromhex(content_hash) for content_hash in self.hits]
        passed: list[bytes] = []

        def may(part: bytes) -> bool:
            if may_hold(self._wanted.looks, part.lower()) or any(each in part for each in known):
                return True
            passed.append(part)
            return False

        self._take(self._occurrences(_lines_where(self._log, block.start, block.end, may)))
        new = [bytes.fromhex(content_hash) for content_hash in [*self.hits][len(known) :]]
        if any(each in part for part in passed for each in new):
            self.block(block)

    def block(self, block: Block) -> list[Occurrence]:
        """All messages in a block; raises :class:`OtherLog` where it is none of this log."""
        if block.number not in self.blocks:
            self.open.pop(block.number, None)
            damaged = self.found.damaged
            crc32 = _Checksum()
            found = list(self._occurrences(crc32.of(self._log.lines(block.start, block.end))))
            if crc32.value != block.crc32 and damaged == self.found.damaged:
                raise OtherLog
            self._take(found)
            self.blocks[block.number] = found
        return self.blocks[block.number]

    def _occurrences(self, lines: Iterable[Line]) -> Iterator[Occurrence]:
        for line in lines:
            try:
                seen = read_line(line.data, self._wanted)
            except Damaged:
                self.found.damaged += 1
                continue
            if seen is not None and seen is not COMMIT_RECORD:
                yield seen

    def _read_tail(self, start: int) -> Iterator[Occurrence]:
        """The messages of complete runs from byte ``start`` on."""
        pending: list[Occurrence] = []
        for line in self._log.lines(start):
            try:
                unite(self.united, line.data)
                seen = read_line(line.data, self._wanted)
            except Damaged:
                self.found.damaged += 1
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
            if each.carries:
                self.carried.add(each.content_hash)
            if each.hit is not None and each.content_hash not in self.hits:
                self.hits[each.content_hash] = each.hit
                self.again.add(again_key(each.content_hash))
            if each.extends is not None:
                self.longer.setdefault((each.conversation, each.extends), []).append(each.content_hash)
            place = Place(each.conversation, each.number, each.timestamp)
            self.places.setdefault(each.content_hash, {})[place[:2]] = place


class _Checksum:
    """The CRC-32 of lines that somebody reads."""

    value = 0

    def of(self, lines: Iterable[Line]) -> Iterator[Line]:
        for line in lines:
            self.value = zlib.crc32(line.data, self.value)
            yield line


def _lines_where(log: Log, start: int, end: int, may: Callable[[bytes], bool]) -> Iterator[Line]:
    """The lines from byte ``start`` to ``end``, without those of sealed parts that cannot matter.

    ``may`` is asked about a part as it stands in its file, where all that its lines say stands there.
    """
    sealed = log.sealed
    at = start
    for block in sealed.blocks(start):
        if block.start >= end:
            break
        if block.segment.form != PACK or block.part < 0:
            continue
        part = sealed.part(block)
        if stands_alone(part, sealed.archive) and not may(part):
            yield from log.lines(at, block.start)
            at = min(block.end, end)
    yield from log.lines(at, end)
