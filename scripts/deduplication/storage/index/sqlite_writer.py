"""What a state has that an SQLite index lacks, as entries and rows of the database."""

from __future__ import annotations

import heapq
import json
from collections import Counter
from typing import TYPE_CHECKING, Any, Final, NamedTuple, Protocol

from ...alignment.fingerprint import encoded
from ...alignment.overlap import TURNS
from ...model import LOST
from ...start.late_dataclass import asdict
from .conversation_head import head_of
from .sqlite_encoding import (
    ALSO,
    BLOB,
    BODY,
    CONVERSATION,
    CURSOR,
    EXPORT,
    IDENTITY,
    KEY,
    META,
    NOTED,
    NUMBER,
    PICTURE,
    PLACE,
    PREFIX,
    SESSION,
    UUID,
    dumps,
    numbers_in,
    packed_rows,
    place,
    place_in,
    uuid_key,
)
from .table_entries import of_cursor, of_prefixes

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

    from ...alignment.fingerprint import Fingerprint
    from ..state.conversation import ConversationState
    from ..state.log_state import State
    from ..state.table import Table
    from .checked_entries import CheckedEntries
    from .contract import AuditMark

VERSION: Final = 5
_EMPTY: Final = '{"conversations": 0}'
_MOST_ALSO: Final = 8
"""Further conversations that are noted of a body."""
TABLES: Final[tuple[tuple[int, Callable[[State], Table[Any]], Callable[[str], bytes], Callable[[Any], bytes]], ...]] = (
    (SESSION, lambda state: state.sessions, encoded, dumps),
    (CURSOR, lambda state: state.cursors, encoded, lambda read: dumps(of_cursor(read))),
    (EXPORT, lambda state: state.exports, encoded, dumps),
    (BLOB, lambda state: state.blobs, encoded, dumps),
    (PICTURE, lambda state: state.pictures, encoded, dumps),
    (NOTED, lambda state: state.announced.noted, bytes.fromhex, dumps),
    (PREFIX, lambda state: state.prefixes, bytes.fromhex, lambda noted: dumps(of_prefixes(noted))),
)
"""Kinds of entries that a table of the state has as it is: the kind, the table, and how a name and a value are written."""


class Entries(Protocol):
    """Where entries are kept."""

    def get(self, kind: int, key: bytes) -> bytes | None:
        """The value of an entry, None where there is none."""

    def put(self, kind: int, key: bytes, value: bytes) -> None:
        """Set the value of an entry."""


class SqliteWriter:
    """Puts what follows from a state into ``entries``."""

    def __init__(self, entries: Entries) -> None:
        self._entries = entries

    def put(self, state: State, audit: AuditMark, rows: CheckedEntries) -> None:
        """Every change of ``state`` into the entries, and into ``rows`` what is new in its conversations."""
        entries = self._entries
        meta = json.loads(entries.get(META, b"") or _EMPTY)
        fresh: list[Iterator[OwnRow]] = []
        for name in state.conversations.changed:
            conversation = state.conversation(name)
            data = entries.get(CONVERSATION, encoded(name))
            number = json.loads(data)["number"] if data is not None else meta["conversations"]
            if data is None:
                meta["conversations"] += 1
                entries.put(NUMBER, number.to_bytes(4, "big"), encoded(name))
            entries.put(CONVERSATION, encoded(name), head(number, conversation))
            rows.add_rows(number, conversation.stored, packed_rows(conversation.fresh()))
            fresh.append(own_rows(conversation, number, conversation.stored))
            for at, uuid in adopted_ids(conversation, conversation.stored):
                self.uuid(number, at, uuid)
        self._occurrences(heapq.merge(*fresh))
        for kind, table_of, key, value in TABLES:
            table = table_of(state)
            for name in table.changed:
                entries.put(kind, key(name), value(table.get(name)))
        entries.put(META, b"", dumps({**meta, **about(state, audit)}))

    def _occurrences(self, rows: Iterable[OwnRow]) -> None:
        """Where each occurrence can be found, in the order of the log, so that of several the first one stands for the body.

        A body is entered once for each conversation, however often it stands there.
        """
        entered: set[tuple[int, str]] = set()
        turns: Counter[tuple[int, str]] = Counter()
        for row in rows:
            if not row.purged and (row.conversation, row.item.content_hash) not in entered:
                entered.add((row.conversation, row.item.content_hash))
                self.body(row.conversation, row.number, bytes.fromhex(row.item.content_hash)[:IDENTITY])
            if row.item.uuid:
                self.uuid(row.conversation, row.number, row.item.uuid)
            if row.item.kind in TURNS:
                turns[row.conversation, row.item.key] += 1
        self.turns(turns)

    def turns(self, turns: Counter[tuple[int, str]]) -> None:
        """So many turns more of each conversation have each alignment key."""
        for (number, digits), count in turns.items():
            key = bytes.fromhex(digits)
            counts = dict(PLACE.iter_unpack(self._entries.get(KEY, key) or b""))
            counts[number] = counts.get(number, 0) + count
            self._entries.put(KEY, key, b"".join(PLACE.pack(*each) for each in sorted(counts.items())))

    def body(self, number: int, at: int, body: bytes) -> None:
        """The occurrence ``at`` of conversation ``number`` has this body; those before it in the log were put before."""
        entries = self._entries
        first = entries.get(BODY, body)
        if first is None:
            entries.put(BODY, body, place(number, at))
        elif place_in(first)[0] != number:
            # Calls and results stand in many conversations: enough are noted to tell that they stand in several.
            also = numbers_in(entries.get(ALSO, body) or b"")
            if number not in also and len(also) < _MOST_ALSO:
                entries.put(ALSO, body, b"".join(each.to_bytes(4, "big") for each in (*also, number)))

    def uuid(self, number: int, at: int, uuid: str) -> None:
        """The occurrence ``at`` of conversation ``number`` has this id."""
        key = uuid_key(number, uuid)
        numbers = sorted({*numbers_in(self._entries.get(UUID, key) or b""), at})
        self._entries.put(UUID, key, b"".join(each.to_bytes(4, "big") for each in numbers))


class OwnRow(NamedTuple):
    """An occurrence that can be found: where its line is, conversation, sequence number, and what is known of it."""

    line: int
    conversation: int
    number: int
    item: Fingerprint
    purged: bool


def own_rows(conversation: ConversationState, number: int, start: int = 0) -> Iterator[OwnRow]:
    """What can be found of a conversation, the ``number``-th of the database, from sequence number ``start`` on.

    Without what came from other conversations: that is entered where it came from.
    """
    adopted = bool(conversation.adopted)
    for at, (item, line) in enumerate(conversation.rows_from(start), start):
        if item.kind != LOST and not (adopted and conversation.origin(at) is not None):
            yield OwnRow(line, number, at, item, at in conversation.purged)


def adopted_ids(conversation: ConversationState, start: int = 0) -> Iterator[tuple[int, str]]:
    """The ids from sequence number ``start`` on that came from other conversations: they are entered here as well."""
    for at, (item, _) in enumerate(conversation.rows_from(start), start) if conversation.adopted else ():
        if item.uuid and item.kind != LOST and conversation.origin(at) is not None:
            yield at, item.uuid


def head(number: int, conversation: ConversationState) -> bytes:
    """The entry of the ``number``-th conversation."""
    return dumps({"number": number, "count": len(conversation), **head_of(conversation)})


def about(state: State, audit: AuditMark) -> dict[str, Any]:
    """What the database says of itself, besides the number of its conversations."""
    found: dict[str, Any] = {"version": VERSION, "size": state.size, "seen_bytes": asdict(state.seen_bytes)}
    found.update(unique=state.unique, waiting=state.announced.waiting, redrawn=state.announced.redrawn)
    found.update(occurrences=state.occurrences, audit=list(audit), figures=state.figures._asdict())
    if state.banned:
        found.update(banned=state.banned)
    return found
