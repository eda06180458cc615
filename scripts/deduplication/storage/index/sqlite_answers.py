"""A state that asks an SQLite database for what it needs, one entry at a time."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from ...alignment.fingerprint import Fingerprint, encoded
from ...figures.savings import Seen
from ..contract import StoreFigures
from ..state.conversation import ConversationState
from ..state.log_state import State
from ..state.table import Table
from .conversation_head import take_head
from .sqlite_encoding import (
    BLOB,
    BODY,
    CONVERSATION,
    CURSOR,
    EXPORT,
    IDENTITY,
    NOTED,
    NUMBER,
    PICTURE,
    PREFIX,
    SESSION,
    loads,
    place_in,
    text_of,
    unpacked,
    unpacked_rows,
)
from .table_entries import to_cursor, to_exports, to_prefixes

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from ..state.conversation import Row, Rows
    from ..state.prefixes import NotedPrefix
    from ..state.table_records import ReadTo, ShownIn
    from .checked_entries import CheckedEntries

    Ask = Callable[[Callable[[CheckedEntries], Any]], Any]


class SqliteAnswers:
    """What the database says. ``ask`` puts a question to its entries, and mends them first where they are damaged.

    ``names`` are the conversations that were looked up by their number.
    """

    def __init__(self, ask: Ask, names: dict[int, str]) -> None:
        self._ask = ask
        self._names = names

    def get(self, kind: int, key: bytes) -> bytes | None:
        """The value of an entry; None where there is none."""
        value: bytes | None = self._ask(lambda entries: entries.get(kind, key))
        return value

    def state(self, data: dict[str, Any]) -> State:
        """The state of which ``data`` is the entry that is read at each beginning."""
        state = State(
            Table(None, self._conversation, self._conversations),
            Table(None, self._exports),
            Table(None, lambda session: loads(self.get(SESSION, encoded(session)))),
            Table(None, self._cursor, self._cursors),
            SqliteBodies(self),
            Table(None, lambda digest: loads(self.get(BLOB, encoded(digest)))),
            Table(None, lambda identity: loads(self.get(PICTURE, encoded(identity)))),
            Table(None, lambda key: loads(self.get(NOTED, bytes.fromhex(key)))),
            Table(None, self._prefixes),
        )
        state.begins_at(data["size"])
        state.seen_bytes, state.figures = Seen(**data["seen_bytes"]), StoreFigures(**data["figures"])
        state.occurrences = data["occurrences"]
        counted = state.announced
        counted.unique, counted.waiting, counted.redrawn = data["unique"], data["waiting"], data["redrawn"]
        state.banned = data.get("banned", [])
        return state

    def _conversation(self, name: str) -> ConversationState | None:
        data = self.get(CONVERSATION, encoded(name))
        return self._lazy(json.loads(data)) if data is not None else None

    def _lazy(self, data: dict[str, Any]) -> ConversationState:
        number = data["number"]

        def rows(count: int) -> Rows:
            found: Rows = self._ask(lambda entries: unpacked_rows(entries.rows(number, count)))
            return found

        def row(at: int) -> Row:
            return unpacked(self._ask(lambda entries: entries.row(number, at)))

        state = ConversationState(data["count"], rows, row)
        take_head(state, data)
        return state

    def _conversations(self) -> Iterable[tuple[str, ConversationState]]:
        found = [
            (json.loads(value), text_of(key)) for key, value in self._ask(lambda entries: entries.listing(CONVERSATION))
        ]
        for data, name in sorted(found, key=lambda each: each[0]["number"]):
            yield name, self._lazy(data)

    def _cursor(self, source: str) -> ReadTo | None:
        data = self.get(CURSOR, encoded(source))
        return to_cursor(json.loads(data)) if data is not None else None

    def _cursors(self) -> Iterable[tuple[str, ReadTo]]:
        for key, value in self._ask(lambda entries: entries.listing(CURSOR)):
            yield text_of(key), to_cursor(json.loads(value))

    def place(self, identity: str) -> Row | None:
        """The occurrence that carries the body with this content hash, as the database knows it."""
        data = self.get(BODY, bytes.fromhex(identity)[:IDENTITY])
        if data is None:
            return None
        found = unpacked(self._ask(lambda entries: entries.row(*place_in(data))))
        return found if found[0].content_hash == identity else None

    def _exports(self, sha256: str) -> list[ShownIn] | None:
        data = self.get(EXPORT, encoded(sha256))
        return to_exports(json.loads(data)) if data is not None else None

    def _prefixes(self, head: str) -> list[NotedPrefix] | None:
        data = self.get(PREFIX, bytes.fromhex(head))
        return to_prefixes(json.loads(data)) if data is not None else None

    def name(self, number: int) -> str:
        """The conversation that has this number in the database."""
        if number not in self._names:
            self._names[number] = text_of(self.get(NUMBER, number.to_bytes(4, "big")) or b"")
        return self._names[number]


class SqliteBodies:
    """The bodies of a state that asks the database."""

    def __init__(self, answers: SqliteAnswers) -> None:
        self._answers = answers
        self._added: dict[str, tuple[int, Fingerprint]] = {}
        self._found: dict[str, Row | None] = {}
        """What the database said: a run asks for each of its bodies several times."""

    def offset(self, identity: str) -> int | None:
        """The byte offset of the line that carries the body."""
        if identity in self._added:
            return self._added[identity][0]
        found = self._place(identity)
        return found[1] if found is not None else None

    def fingerprint(self, identity: str) -> Fingerprint | None:
        """What is known of the body."""
        if identity in self._added:
            return self._added[identity][1]
        found = self._place(identity)
        return found[0] if found is not None else None

    def _place(self, identity: str) -> Row | None:
        if identity not in self._found:
            self._found[identity] = self._answers.place(identity)
        return self._found[identity]

    def add(self, identity: str, offset: int, item: Fingerprint) -> None:
        """Another body."""
        self._added[identity] = (offset, item)
