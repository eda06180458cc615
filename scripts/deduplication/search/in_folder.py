"""Search a store in a folder: filters say which parts of its log may hold the words, and few of these are read, the newest first.

What is found is what ``scan`` finds. A part is read where it may hold the words, where it repeats bodies that another such part
carries, and where it repeats what was found; once there are enough hits that are newer than all that is left, no more are. What has
no filters is read as a whole.
"""

from __future__ import annotations

from functools import cached_property
from typing import TYPE_CHECKING, Final, Optional

from ..storage.store_folder import StoreFolder
from ..storage.word_filters.block import again_key, conversation_key, hash_key, place_key
from ..storage.word_filters.filter_file import FilterFile
from ..storage.word_filters.table import Key
from .block_reader import BlockReader
from .hits import newest_first

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from ..storage.log.append_log import Log
    from ..storage.word_filters.block import Block
    from .hits import Found, Hit, Place, Wanted
    from .log_lines import Occurrence

FEW: Final = 4
"""Parts that may hold the words, up to which all of them are read: then all hits are known and counted."""
CARRIERS: Final = 8
"""Parts that carry what a block repeats, up to which they are read without a look at what it is."""
NAMED: Final = 1_000
"""Places of a hit that are named."""
PLACES_READ: Final = 1
"""Blocks that are read for nothing but further places of a hit."""


def search(folder: str, wanted: Wanted, limit: int) -> Found:
    """The newest ``limit`` messages of the store in ``folder`` that have all of the terms, with their places, and others, to be
    counted. Raises ``StoreError`` where it cannot be read.
    """
    with StoreFolder(folder).locked_log() as log:
        file = FilterFile(folder)
        try:
            return _Search(log, file.load(log), wanted, limit).result()
        finally:
            file.close()


class _Search:
    def __init__(self, log: Log, blocks: Sequence[Block], wanted: Wanted, limit: int) -> None:
        self._blocks, self._wanted, self._enough, self._limit = blocks, wanted, max(limit, 1), limit
        self._read = BlockReader(log, blocks, wanted)
        self._sought: set[str] = set()
        """Hashes of bodies that were looked for."""
        self._names = self._read.united.names_of(wanted.conversation) if wanted.conversation is not None else None

    # -- the walk ----------------------------------------------------------------------------------------------

    def result(self) -> Found:
        """The hits, those that are shown with their places."""
        if self._read.parts_left <= FEW:
            self._all_open()
        order = self._in_order()
        for block in order:
            if not self._read.open and not self._read.hits:
                break
            if self._has_enough(block.newest if block is not None else self._newest_of_tail):
                if self._read.parts_left > FEW:
                    self._read.found.capped = True
                    break
                self._all_open()
                if all(map(self._places_of, self._read.hits.values())):
                    break
            self._visit(block)
        self._read.found.capped |= any(block.number in self._read.open for block in order if block is not None)
        hits = self._shown()
        self._read.found.hits = hits
        self._name_places(hits[: self._limit])
        return self._read.found

    def _all_open(self) -> None:
        """Read every part that may hold the words."""
        for number in [*self._read.open]:
            self._read.hits_in(self._blocks[number])

    def _in_order(self) -> list[Block | None]:
        """The blocks in which messages stand that are asked for, and None for what has no filter, the newest first."""
        names = None if self._names is None else [Key(conversation_key(name)) for name in self._names]
        found = [
            (block.newest, block.number, block)
            for block in self._blocks
            if (names is None or any(map(block.parts, names))) and self._is_in_time(block)
        ]
        order: list[tuple[str, int, Optional[Block]]] = [*found, (self._newest_of_tail, len(self._blocks), None)]
        return [block for _, _, block in sorted(order, key=lambda each: each[:2], reverse=True)]

    def _is_in_time(self, block: Block) -> bool:
        since, until = self._wanted.since, self._wanted.until
        return (since is None or block.latest >= since) and (until is None or block.earliest < until)

    @cached_property
    def _newest_of_tail(self) -> str:
        return max((each.timestamp for each in self._read.tail), default="")

    def _has_enough(self, moment: str) -> bool:
        """Whether as many hits as are wanted are newer than all that was said up to this moment, as it is spelt."""
        count = 0
        for identity, newest in [*self._read.newest.items()]:
            if newest > moment:
                places = self._places_of(self._read.hits[identity])
                count += bool(places) and max(place.timestamp for place in places) > moment
                if count >= self._enough:
                    return True
        return False

    def _visit(self, block: Block | None) -> None:
        """Know of all hits that stand in a block, but for those that are older than enough others."""
        if block is None:
            self._find_carriers(self._read.tail)
            return
        parts = self._read.open.get(block.number, 0)
        for moment, part in sorted(((each, part) for part, each in enumerate(block.times)), reverse=True):
            if parts >> part & 1:
                if self._has_enough(moment):
                    break
                self._read.hits_in(block, 1 << part)
        if not self._read.open.keys().isdisjoint(block.carriers):
            self._read_carriers(block)
        again = self._read.again.intersection(block.again_keys)
        if again and self._wants_places(again, block.newest):
            self._read.again_in(block, again)

    def _wants_places(self, again: set[int], newest: str) -> bool:
        """Whether the newest place of one of these hits may stand in a block with this time."""
        hits = [hit for hit in self._read.hits.values() if again_key(hit.content_hash) in again]
        return any(max((place.timestamp for place in self._places_of(hit)), default="") <= newest for hit in hits)

    def _read_carriers(self, block: Block) -> None:
        """Know of the hits among what a block repeats: from the parts that carry it, where they are few, else one by one."""
        rows = [row for row in block.again if self._read.open.get(row.block, 0) >> row.part & 1]
        parts = {(row.block, row.part) for row in rows}
        if len(parts) > CARRIERS:
            self._find_carriers(self._read.again_in(block, {row.key for row in rows}))
            return
        for number, part in sorted(parts, reverse=True):
            self._read.hits_in(self._blocks[number], 1 << part)

    def _find_carriers(self, occurrences: Iterable[Occurrence]) -> None:
        """Read the parts that carry what is repeated here, as long as it may be one of the newest hits."""
        pending = [
            each for each in occurrences if each.content_hash not in self._read.carried and self._is_asked_for(each)
        ]
        for each in sorted(pending, key=lambda each: each.timestamp, reverse=True):
            if not self._read.open or self._has_enough(each.timestamp):
                return
            if each.content_hash not in self._read.carried:
                self._find_body(each.content_hash)

    def _is_asked_for(self, each: Occurrence) -> bool:
        return self._wanted.time_fits(each.timestamp) and (self._names is None or each.conversation in self._names)

    def _find_body(self, content_hash: str) -> None:
        """Know of a body, where a part carries it that may hold the words."""
        if content_hash in self._sought:
            return
        self._sought.add(content_hash)
        key = Key(hash_key(content_hash))
        for number, left in [*self._read.open.items()]:
            parts = self._blocks[number].parts(key) & left
            if parts:
                self._read.body(self._blocks[number], parts, content_hash)
            if content_hash in self._read.carried:
                return

    # -- places ------------------------------------------------------------------------------------------------

    def _shown(self) -> list[Hit]:
        for hit in [*self._read.hits.values()]:
            hit.places = self._places_of(hit)
        return newest_first(self._read.hits.values())

    def _places_of(self, hit: Hit) -> list[Place]:
        """Those that are known and count."""
        places = [*self._read.places[hit.content_hash].values()]
        superseded = {each[:2] for each in places if self._is_superseded(each)}
        return self._read.united.places(places, superseded, self._wanted)

    def _is_superseded(self, place: Place) -> bool:
        """Whether a longer form that is a hit, too, takes this place."""
        if self._extended:
            for number, part in self._extended.get(place_key(*place[:2]), ()):
                self._read.whole(self._blocks[number], part)
        longer = self._read.longer.get(place[:2], ())
        for content_hash in longer:
            if content_hash not in self._read.carried:
                self._find_body(content_hash)
        return any(content_hash in self._read.hits for content_hash in longer)

    @cached_property
    def _extended(self) -> dict[int, list[tuple[int, int]]]:
        """In which parts of blocks longer forms of a message stand."""
        found: dict[int, list[tuple[int, int]]] = {}
        for block in self._blocks:
            for key, part in block.extends:
                found.setdefault(key, []).append((block.number, part))
        return found

    def _name_places(self, hits: Sequence[Hit]) -> None:
        """All places of some hits, as far as they are not in many blocks."""
        keys = {again_key(hit.content_hash): hit for hit in hits}
        read = dict.fromkeys(keys, 0)
        for block in sorted(self._blocks, key=lambda block: (block.newest, block.number), reverse=True):
            for key in keys.keys() & block.again_keys if keys else ():
                if self._read.knows(block, key):
                    continue
                hit = keys[key]
                if read[key] >= PLACES_READ or len(self._read.places[hit.content_hash]) >= NAMED:
                    hit.more = True
                    del keys[key]
                    continue
                read[key] += 1
                self._read.again_in(block, [key])
        for hit in hits:
            hit.places = self._places_of(hit)
