"""Whereabouts by stretches of the log: what is looked for is found by five bytes of its hash, and by reading there."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from ...model import TURNS
from .chunks import Chunks
from .places import Places, body_prefix, turn_prefix, uuid_prefix
from .table import Table

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterable, Iterator, Sequence

    from ...alignment.fingerprint import Fingerprint
    from .conversation import ConversationState
    from .whereabouts import Found

    Prove = Callable[[str, Sequence[int]], "Found | None"]
    Ids = Callable[[int], Iterable[tuple[int, str]]]

_AT_ONCE: Final = 4_096
"""Bodies that are looked for in one pass over the log."""


def _nowhere(_identity: str, _chunks: Sequence[int]) -> None:
    """Nothing is stored but what is in memory."""


class Stretches:
    """See ``whereabouts.Whereabouts``. ``again`` has what came more than once.

    ``prove`` reads stretches of the log for the line that carries a body, ``read_ids`` one for the numbers and ids in it; without
    that all ids are in memory.
    """

    def __init__(
        self,
        places: Places | None = None,
        chunks: Chunks | None = None,
        again: Table[Found] | None = None,
        prove: Prove = _nowhere,
        read_ids: Ids | None = None,
    ) -> None:
        self.apart: frozenset[str] = frozenset()
        """Nothing is known of one that was not read."""
        self.places = places if places is not None else Places()
        self.chunks = chunks if chunks is not None else Chunks()
        self.again: Table[Found] = again if again is not None else Table()
        self._prove, self._read_ids = prove, read_ids
        self._ids: dict[str, list[tuple[int, int]]] = {}
        """Where each id stands, if nobody reads them from a log."""

    def note(
        self, conversation: ConversationState, item: Fingerprint, number: int, offset: int, *, brings: bool
    ) -> None:
        """Its body once in each conversation, its id, and the key of a turn."""
        chunk = self.chunks.note(conversation.number, number, offset)
        own = conversation.chunks
        if own and own[-1][1] >= chunk - 1:
            own[-1][1] = chunk
        else:
            own.append([chunk, chunk])
        if number not in conversation.purged:
            prefix = body_prefix(item.content_hash)
            if brings or conversation.number not in self._owners(prefix):
                self.places.add(prefix, chunk)
        if item.uuid:
            self.places.add(uuid_prefix(item.uuid), chunk)
            if self._read_ids is None:
                self._ids.setdefault(item.uuid, []).append((conversation.number, number))
        if item.kind in TURNS:
            self.places.add(turn_prefix(item.key), chunk)

    def came_again(self, identity: str, found: Found) -> None:
        """Have it at hand from now on."""
        if self.again.get(identity) is None:
            self.again[identity] = found

    def carriers(self, identities: Iterable[str]) -> Iterator[tuple[str, Found | None]]:
        """In the order of the log: each block of it is unpacked once."""
        places: dict[str, list[int]] = {}
        for identity in identities:
            chunks = self.places.of(body_prefix(identity))
            if not chunks:
                yield identity, None
            elif len(places) < _AT_ONCE:
                places[identity] = chunks
        for identity in sorted(places, key=places.__getitem__):
            yield identity, self.again.get(identity) or self._prove(identity, places[identity])

    def expect(self, *, bodies: Iterable[str] = (), turns: Iterable[str] = ()) -> None:
        """Nothing is had sooner for that."""

    def owners(self, identity: str) -> set[int]:
        """By the beginning of its hash."""
        return self._owners(body_prefix(identity))

    def stands_in(self, identity: str, conversations: Collection[int]) -> bool:
        """By the beginning of its hash."""
        return not self.owners(identity).isdisjoint(conversations)

    def owners_of_turn(self, key: str) -> set[int]:
        """By the beginning of the key."""
        return self._owners(turn_prefix(key))

    def _owners(self, prefix: bytes) -> set[int]:
        return {self.chunks[each].owner for each in self.places.of(prefix)}

    def with_body(self, conversation: ConversationState, identity: str) -> Iterator[tuple[int, Fingerprint]]:
        """All in the stretches that have one."""
        return self._rows(conversation, body_prefix(identity))

    def with_turn(self, conversation: ConversationState, key: str) -> Iterator[tuple[int, Fingerprint]]:
        """All in the stretches that have one."""
        return self._rows(conversation, turn_prefix(key))

    def _rows(self, conversation: ConversationState, prefix: bytes) -> Iterator[tuple[int, Fingerprint]]:
        for chunk in map(self.chunks.__getitem__, self.places.of(prefix)):
            if chunk.owner == conversation.number:
                yield from conversation.items(chunk.first, chunk.first + chunk.length)

    def ids(self, conversations: Collection[int], uuids: Collection[str]) -> Iterator[tuple[int, int, str]]:
        """All ids of each stretch that has one of them."""
        if self._read_ids is None:
            for uuid in uuids:
                yield from ((*place, uuid) for place in self._ids.get(uuid, ()) if place[0] in conversations)
            return
        found = {chunk for uuid in uuids for chunk in self.places.of(uuid_prefix(uuid))}
        for chunk in sorted(found):
            owner = self.chunks[chunk].owner
            if owner in conversations:
                yield from ((owner, number, uuid) for number, uuid in self._read_ids(chunk))

    def saved(self) -> None:
        """An index has everything now."""
        self.places.saved()
        self.chunks.saved()
        self.again.changed.clear()

    def let_go(self) -> None:
        """Keep nothing in memory that an index has."""
        self.chunks.let_go()
        self.again.let_go()
