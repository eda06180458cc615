"""What a state has that an SQLite index lacks, as entries and rows of the database."""

from __future__ import annotations

import heapq
import json
from collections import Counter
from typing import TYPE_CHECKING, Any, Final

from ...alignment.fingerprint import Fingerprint, encoded
from ...alignment.overlap import TURNS
from ...late_dataclass import asdict
from ...model import LOST
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
    SESSION,
    UUID,
    dumps,
    numbers_in,
    packed_rows,
    place,
    place_in,
    uuid_key,
)
from .table_entries import of_cursor

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from ..state.conversation import ConversationState
    from ..state.log_state import State
    from ..state.table import Table
    from .checked_entries import CheckedEntries
    from .contract import AuditMark

VERSION: Final = 3
_MOST_ALSO: Final = 8
"""Further conversations that are noted of a body."""


class SqliteWriter:
    """Puts states into ``entries``, which keep it in memory until they are written."""

    def __init__(self, entries: CheckedEntries) -> None:
        self._entries = entries

    def put(self, state: State, audit: AuditMark, *, whole: bool = False) -> None:
        """Every change of ``state`` into the entries; all of it with ``whole``."""

        def names(table: Table[Any]) -> Iterable[str]:
            return [name for name, _ in table.items()] if whole else table.changed

        entries = self._entries
        meta = json.loads(entries.get(META, b"") or '{"conversations": 0}')
        fresh: list[Iterator[tuple[int, int, int, Fingerprint, bool]]] = []
        for name in names(state.conversations):
            conversation = state.conversation(name)
            data = entries.get(CONVERSATION, encoded(name))
            number = json.loads(data)["number"] if data is not None else meta["conversations"]
            if data is None:
                meta["conversations"] += 1
                entries.put(NUMBER, number.to_bytes(4, "big"), encoded(name))
            head = {"number": number, "count": len(conversation), **head_of(conversation)}
            entries.put(CONVERSATION, encoded(name), dumps(head))
            start = 0 if whole else conversation.stored
            entries.add_rows(number, start, packed_rows(conversation.rows_from(start)))
            fresh.append(self._own_rows(conversation, number, start))
        self._occurrences(heapq.merge(*fresh))
        for name in names(state.sessions):
            entries.put(SESSION, encoded(name), dumps(state.sessions.get(name)))
        for name in names(state.cursors):
            read = state.cursors.get(name)
            assert read is not None
            entries.put(CURSOR, encoded(name), dumps(of_cursor(read)))
        for sha256 in names(state.exports):
            entries.put(EXPORT, encoded(sha256), dumps(state.exports.get(sha256)))
        for kind, sizes in ((BLOB, state.blobs), (PICTURE, state.pictures)):
            for digest in names(sizes):
                entries.put(kind, encoded(digest), dumps(sizes.get(digest)))
        meta.update(version=VERSION, size=state.size, seen_bytes=asdict(state.seen_bytes), unique=state.unique)
        for key in names(state.announced.noted):
            entries.put(NOTED, bytes.fromhex(key), dumps(state.announced.noted.get(key)))
        meta.update(waiting=state.announced.waiting, redrawn=state.announced.redrawn)
        meta.update(occurrences=state.occurrences, audit=list(audit))
        if state.banned:
            meta.update(banned=state.banned)
        entries.put(META, b"", dumps(meta))

    def _own_rows(
        self, conversation: ConversationState, number: int, start: int
    ) -> Iterator[tuple[int, int, int, Fingerprint, bool]]:
        """What can be found of a conversation from sequence number ``start`` on: line, conversation, number, what is known, whether
        it was purged.
        """
        adopted = bool(conversation.adopted)
        for at, (item, line) in enumerate(conversation.rows_from(start), start):
            if item.kind == LOST:
                continue
            if adopted and conversation.origin(at) is not None:
                self._uuid(number, at, item)  # the rest is entered where it came from
            else:
                yield line, number, at, item, at in conversation.purged

    def _occurrences(self, rows: Iterable[tuple[int, int, int, Fingerprint, bool]]) -> None:
        """Where each occurrence can be found, in the order of the log, so that of several the first one stands for the body.

        A body is entered once for each conversation, however often it stands there.
        """
        entered: set[tuple[int, str]] = set()
        turns: Counter[tuple[int, str]] = Counter()
        for _, number, at, item, purged in rows:
            if not purged and (number, item.content_hash) not in entered:
                entered.add((number, item.content_hash))
                self._body(number, at, bytes.fromhex(item.content_hash)[:IDENTITY])
            if item.uuid:
                self._uuid(number, at, item)
            if item.kind in TURNS:
                turns[number, item.key] += 1
        for (number, digits), count in turns.items():
            key = bytes.fromhex(digits)
            counts = dict(PLACE.iter_unpack(self._entries.get(KEY, key) or b""))
            counts[number] = counts.get(number, 0) + count
            self._entries.put(KEY, key, b"".join(PLACE.pack(*each) for each in sorted(counts.items())))

    def _body(self, number: int, at: int, body: bytes) -> None:
        entries = self._entries
        first = entries.get(BODY, body)
        if first is None:
            entries.put(BODY, body, place(number, at))
        elif place_in(first)[0] != number:
            # Calls and results stand in many conversations: enough are noted to tell that they stand in several.
            also = numbers_in(entries.get(ALSO, body) or b"")
            if number not in also and len(also) < _MOST_ALSO:
                entries.put(ALSO, body, b"".join(each.to_bytes(4, "big") for each in (*also, number)))

    def _uuid(self, number: int, at: int, item: Fingerprint) -> None:
        if item.uuid:
            key = uuid_key(number, item.uuid)
            numbers = sorted({*numbers_in(self._entries.get(UUID, key) or b""), at})
            self._entries.put(UUID, key, b"".join(each.to_bytes(4, "big") for each in numbers))
