"""Every record of a database that has all of a state, in the order of its tables: to fill one, or to be compared with one.

Entries are made some buckets at a time, so that those of a store of a million messages are never in memory together.
"""

from __future__ import annotations

import heapq
from array import array
from collections import Counter
from typing import TYPE_CHECKING, Final

from ...alignment.fingerprint import encoded
from ...alignment.overlap import TURNS
from .checked_entries import BUCKETS, LISTED, bucket_of, digest_of, grouped
from .sqlite_encoding import ALSO, BODY, CONVERSATION, IDENTITY, KEY, META, NUMBER, UUID, dumps, packed_rows, uuid_key
from .sqlite_writer import TABLES, SqliteWriter, about, adopted_ids, head, own_rows

if TYPE_CHECKING:
    from collections.abc import Iterator

    from ..state.conversation import ConversationState
    from ..state.log_state import State
    from .contract import AuditMark

    Record = tuple[object, ...]

_TOGETHER: Final = 8_192
"""Messages, about, of which entries are in memory at a time."""
_REMEMBERED: Final = 4_096
"""Messages of which rows are kept at hand."""
_NUMBER: Final = 32
"""Bits of a sequence number in the place of an occurrence."""


class WholeIndex:
    """What a database has of ``state``, which is in memory as a whole."""

    def __init__(self, state: State, audit: AuditMark) -> None:
        self._state, self._audit = state, audit
        self._conversations = state.conversations.items()
        rows = sum(len(conversation) for _, conversation in self._conversations)
        self._parts = [_Part() for _ in range(max(1, min(BUCKETS, rows // _TOGETHER)))]
        self._digests: Counter[int] = Counter()
        """Of each bucket, and of each kind that can be listed, as the table ``digest`` has them."""
        self._divided = False

    def everything(self) -> Iterator[Record]:
        """Every record, as ``CheckedEntries.everything`` has those of a database."""
        yield from self.entries()
        yield from self.digests()
        yield from self.rows()
        yield from self._listed()

    def entries(self) -> Iterator[Record]:
        """Bucket, kind, key and value of each entry, in this order."""
        if not self._divided:
            self._divide()
        for part in self._parts:
            found = _Slice()
            self._fill(part, SqliteWriter(found), found)
            for (kind, key), bucket in sorted(found.buckets.items(), key=lambda each: (each[1], each[0])):
                value = found.values[kind, key]
                digest = digest_of(kind, key, value)
                self._digests[bucket] += digest
                if kind < LISTED:
                    self._digests[-1 - kind] += digest
                yield bucket, kind, key, value

    def digests(self) -> Iterator[Record]:
        """The checksums of all buckets; :meth:`entries` came to its end before."""
        yield from sorted(self._digests.items())

    def rows(self) -> Iterator[Record]:
        """The records of all occurrences."""
        for number, (_, conversation) in enumerate(self._conversations):
            yield from grouped(number, 0, packed_rows(conversation.rows_from(0), _REMEMBERED))

    def _listed(self) -> Iterator[Record]:
        """The kinds and keys that the database can list."""
        named = [(CONVERSATION, encoded(name)) for name, _ in self._conversations]
        for kind, table_of, key, _ in TABLES:
            if kind < LISTED:
                named += [(kind, key(name)) for name in table_of(self._state).names()]
        yield from sorted(named)

    def _divide(self) -> None:
        """Note in which part what belongs: places of occurrences and names, not yet their entries."""
        self._divided = True
        of = self._part_of
        for number, (name, conversation) in enumerate(self._conversations):
            of(CONVERSATION, encoded(name)).conversations.append(number)
            of(NUMBER, number.to_bytes(4, "big")).numbers.append(number)
            for at, uuid in adopted_ids(conversation):
                of(UUID, uuid_key(number, uuid)).uuids.append(number << _NUMBER | at)
        own = (own_rows(conversation, number) for number, (_, conversation) in enumerate(self._conversations))
        for _, number, at, item, purged in heapq.merge(*own):
            place = number << _NUMBER | at
            if not purged:
                identity = bytes.fromhex(item.content_hash)[:IDENTITY]
                of(BODY, identity).bodies.append(place)
                of(ALSO, identity).also.append(place)
            if item.uuid:
                of(UUID, uuid_key(number, item.uuid)).uuids.append(place)
            if item.kind in TURNS:
                of(KEY, bytes.fromhex(item.key)).turns.append(place)
        for table, (kind, table_of, key, _) in enumerate(TABLES):
            for name in table_of(self._state).names():
                of(kind, key(name)).names[table].append(name)

    def _part_of(self, kind: int, key: bytes) -> _Part:
        return self._parts[bucket_of(kind, key) * len(self._parts) // BUCKETS]

    def _fill(self, part: _Part, writer: SqliteWriter, found: _Slice) -> None:
        """Make the entries of a part."""
        for number in part.conversations:
            name, conversation = self._conversations[number]
            found.put(CONVERSATION, encoded(name), head(number, conversation))
        for number in part.numbers:
            found.put(NUMBER, number.to_bytes(4, "big"), encoded(self._conversations[number][0]))
        for kind, places in ((BODY, part.bodies), (ALSO, part.also)):
            both = _Slice()
            once = SqliteWriter(both)
            for place in places:
                item, _ = self._conversation(place).row(_at(place))
                once.body(place >> _NUMBER, _at(place), bytes.fromhex(item.content_hash)[:IDENTITY])
            for (of, body), entry in both.values.items():
                if of == kind:
                    found.put(kind, body, entry)
        for place in part.uuids:
            writer.uuid(place >> _NUMBER, _at(place), self._conversation(place).row(_at(place))[0].uuid)
        keys = ((place >> _NUMBER, self._conversation(place).row(_at(place))[0].key) for place in part.turns)
        writer.turns(Counter(keys))
        for names, (kind, table_of, key, value) in zip(part.names, TABLES):
            table = table_of(self._state)
            for name in names:
                found.put(kind, key(name), value(table.get(name)))
        if part is self._part_of(META, b""):
            meta = {"conversations": len(self._conversations), **about(self._state, self._audit)}
            found.put(META, b"", dumps(meta))

    def _conversation(self, place: int) -> ConversationState:
        return self._conversations[place >> _NUMBER][1]


def _at(place: int) -> int:
    return place & ((1 << _NUMBER) - 1)


class _Part:
    """What belongs in some of the buckets: places of occurrences, eight bytes each, and names."""

    def __init__(self) -> None:
        self.bodies, self.also, self.uuids, self.turns = array("q"), array("q"), array("q"), array("q")
        self.conversations, self.numbers = array("q"), array("q")
        self.names: list[list[str]] = [[] for _ in TABLES]


class _Slice:
    """The entries of a part (see ``sqlite_writer.Entries``)."""

    def __init__(self) -> None:
        self.values: dict[tuple[int, bytes], bytes] = {}
        self.buckets: dict[tuple[int, bytes], int] = {}

    def get(self, kind: int, key: bytes) -> bytes | None:
        """The value of an entry."""
        return self.values.get((kind, key))

    def put(self, kind: int, key: bytes, value: bytes) -> None:
        """Set the value of an entry."""
        if (kind, key) not in self.values:
            self.buckets[kind, key] = bucket_of(kind, key)
        self.values[kind, key] = value
