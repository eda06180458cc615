"""Search a store in a folder: filters say which blocks of its log may hold the words, and few of these are read, the newest first.

What is found is what ``scan`` finds. A block is visited where it may hold the words, where it repeats bodies that another such
block carries, and where it repeats what was found; once there are enough hits that are newer than all that is left, no more are.
What has no filters is read as a whole.
"""

from __future__ import annotations

from functools import cached_property
from typing import TYPE_CHECKING, Final, Optional

from ..storage import open_in_folder
from ..storage.word_filters.bits import Key
from ..storage.word_filters.block import again_key, conversation_key, hash_key, place_key
from ..storage.word_filters.filter_file import FilterFile
from .block_reader import BlockReader, OtherLog
from .hits import newest_first

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from ..storage.log.append_log import Log
    from ..storage.word_filters.block import Block
    from .hits import Found, Hit, Place, Wanted
    from .log_lines import Occurrence

FEW: Final = 2
"""Blocks that may hold the words, up to which all of them are read: then all hits are known and counted."""
NAMED: Final = 1_000
"""Places of a hit that are named."""
PLACES_READ: Final = 2
"""Blocks that are read for nothing but further places of hits."""


def search(folder: str, wanted: Wanted, limit: int) -> Found:
    """The newest ``limit`` messages of the store in ``folder`` that have all of the terms, with their places, and others, to be
    counted. Raises ``StoreError`` where it cannot be read.
    """
    with open_in_folder(folder).locked_log() as log:
        file = FilterFile(folder)
        try:
            return _Search(log, file.load(log), wanted, limit).result()
        except OtherLog:
            return _Search(log, [], wanted, limit).result()
        finally:
            file.close()


class _Search:
    def __init__(self, log: Log, blocks: Sequence[Block], wanted: Wanted, limit: int) -> None:
        self._blocks, self._wanted, self._enough, self._limit = blocks, wanted, max(limit, 1), limit
        self._read = BlockReader(log, blocks, wanted)
        self._names = self._read.united.names_of(wanted.conversation) if wanted.conversation is not None else None

    # -- the walk ----------------------------------------------------------------------------------------------

    def result(self) -> Found:
        """The hits, those that are shown with their places."""
        if len(self._read.open) <= FEW:
            self._read.all_open()
        for block in self._in_order():
            if self._has_enough(block.newest if block is not None else self._newest_of_tail):
                if len(self._read.open) > FEW:
                    self._read.found.capped = True
                    break
                self._read.all_open()
                if all(map(self._places_of, self._read.hits.values())):
                    break
            self._visit(block)
        hits = self._shown()
        self._read.found.hits = hits
        for hit in hits[: self._limit]:
            self._name_places(hit)
        return self._read.found

    def _in_order(self) -> list[Block | None]:
        """The blocks in which messages stand that are asked for, and None for what has no filter, the newest first."""
        names = None if self._names is None else [Key(conversation_key(name)) for name in self._names]
        found = [
            (block.newest, block.number, block)
            for block in self._blocks
            if (names is None or any(block.has(name) for name in names)) and self._is_in_time(block)
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
        order = sorted(self._read.hits.values(), key=self._newest_place, reverse=True)
        for hit in order:
            if self._newest_place(hit) <= moment:
                break
            places = self._places_of(hit)
            count += bool(places) and max(place.timestamp for place in places) > moment
            if count >= self._enough:
                return True
        return False

    def _newest_place(self, hit: Hit) -> str:
        return max((place.timestamp for place in self._read.places[hit.content_hash].values()), default="")

    def _visit(self, block: Block | None) -> None:
        """Know of all hits that stand in a block, but for those that are older than enough others."""
        if block is None:
            self._find_carriers(self._read.tail, [*self._read.open.values()])
            return
        carriers = [self._read.open[number] for number in {*block.carriers} if number in self._read.open]
        if carriers:
            self._find_carriers(self._read.block(block), carriers)
        elif block.number in self._read.open and self._read.again.isdisjoint(block.again):
            self._read.hits_in(block)
        elif block.number in self._read.open:
            self._read.block(block)
        elif block.number not in self._read.blocks:
            again = self._read.again.intersection(block.again)
            if again and self._wants_places(again, block.newest):
                self._read.block(block)

    def _wants_places(self, again: set[int], newest: str) -> bool:
        """Whether the newest place of one of these hits may stand in a block with this time."""
        hits = [hit for hit in self._read.hits.values() if again_key(hit.content_hash) in again]
        return any(max((place.timestamp for place in self._places_of(hit)), default="") <= newest for hit in hits)

    def _find_carriers(self, occurrences: Iterable[Occurrence], blocks: Sequence[Block]) -> None:
        """Read the blocks that carry what is repeated here, as long as it may be one of the newest hits."""
        looked_for: set[str] = set()
        pending = [
            each for each in occurrences if each.content_hash not in self._read.carried and self._is_asked_for(each)
        ]
        for each in sorted(pending, key=lambda each: each.timestamp, reverse=True):
            left = [block for block in blocks if block.number in self._read.open]
            if not left or self._has_enough(each.timestamp):
                return
            if each.content_hash not in self._read.carried and each.content_hash not in looked_for:
                looked_for.add(each.content_hash)
                self._find_body(each.content_hash, left)

    def _is_asked_for(self, each: Occurrence) -> bool:
        return self._wanted.time_fits(each.timestamp) and (self._names is None or each.conversation in self._names)

    def _find_body(self, content_hash: str, blocks: Sequence[Block]) -> None:
        key = Key(hash_key(content_hash))
        for block in blocks:
            if block.number in self._read.open and block.has(key):
                self._read.hits_in(block)
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
            for number in self._extended.get(place_key(*place[:2]), ()):
                self._read.block(self._blocks[number])
        longer = self._read.longer.get(place[:2], ())
        for content_hash in longer:
            if content_hash not in self._read.carried:
                self._find_body(content_hash, [*self._read.open.values()])
        return any(content_hash in self._read.hits for content_hash in longer)

    @cached_property
    def _extended(self) -> dict[int, list[int]]:
        """In which blocks longer forms of a message stand."""
        found: dict[int, list[int]] = {}
        for block in self._blocks:
            for key in block.extends:
                found.setdefault(key, []).append(block.number)
        return found

    def _name_places(self, hit: Hit) -> None:
        """All places of a hit, as far as they are not in many blocks."""
        key = again_key(hit.content_hash)
        left = [block for block in self._blocks if block.number not in self._read.blocks and key in block.again]
        for count, block in enumerate(sorted(left, key=lambda block: block.newest, reverse=True)):
            if count >= PLACES_READ or len(self._read.places[hit.content_hash]) >= NAMED:
                hit.more = True
                break
            self._read.block(block)
        hit.places = self._places_of(hit)
