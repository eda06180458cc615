"""What a database has of a state: heads of conversations, and the entries of an index, looked up many at a time."""

from __future__ import annotations

import json
import weakref
from array import array
from typing import TYPE_CHECKING, Any, Final

from ...alignment.columns import Columns
from ...alignment.fingerprint import Fingerprint
from ...model import LOST
from ..index.conversation_head import take_head
from ..index.table_entries import FORMS, unpacked
from ..state.adopting import origins
from ..state.announcements import KEY
from ..state.conversation import ConversationState
from ..state.table import Table
from . import lookups
from .clean_text import name_of, named
from .row_places import RowPlaces

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Iterator

    from ..state.log_state import State
    from ..state.stored_rows import Row, Rows
    from .message_rows import Told
    from .session import Session

_ENTRIES: Final = (
    "SELECT key, value FROM index_entries WHERE conversation_id = '' AND owner = %s AND name = %s AND key = ANY(%s)"
)
_ALL_ENTRIES: Final = (
    "SELECT key, value FROM index_entries WHERE conversation_id = '' AND owner = %s AND name = %s ORDER BY key"
)
_HEADS: Final = "SELECT conversation_id, state, total_messages FROM conversations WHERE owner = %s"
_NAME: Final = "SELECT conversation_id FROM conversations WHERE owner = %s AND number = %s"
_NUMBER: Final = 8
"""Digits of a conversation's number before a body's in ``state.standing``."""
_LOST: Final = Fingerprint("", "", LOST, "", 0)


class StoredTables:
    """See ``state.log_state.Stored``. ``state`` is set by whoever makes it."""

    def __init__(self, session: Session) -> None:
        self._session = session
        self.state: State
        self._known: dict[tuple[str, bytes], bytes | None] = {}
        """Entries that were asked for, those that are not there included."""
        self._expected: set[str] = set()
        """Bodies that were asked for: what is counted of them by conversation may be asked for next."""
        self._counted: set[str] = set()
        """The conversations, by the beginning of their keys, of which that was asked."""
        self.begun = 0
        """How many conversations the database has."""
        self._found: dict[str, ConversationState | None] = {}
        """Conversations that were looked up, those that are not there included."""
        self.totals: dict[str, int] = {}
        """How many rows each conversation has of which the head was read."""
        self.places = RowPlaces(session, self._name, self._expect)

    def whereabouts(self) -> RowPlaces:
        """By rows."""
        return self.places

    def table(self, name: str) -> Table[Any]:
        """Of each all can be listed."""
        if name == "conversations":
            return Table(None, self._conversation, self._conversations)
        if name == "names":
            return Table(None, self._named)
        form = FORMS[name]

        def fetch(key: str) -> Any:
            stored_key = form.key(key)
            if (name, stored_key) not in self._known:
                if name == "standing" and int(key[:_NUMBER], 16) >= self.begun:
                    return None
                self._fetch(name, [stored_key, *(self._counted_with(key) if name == "standing" else ())])
            data = self._known[name, stored_key]
            return form.read(data) if data is not None else None

        def scan() -> Iterable[tuple[str, Any]]:
            for key, value in self._session.rows(_ALL_ENTRIES, [self._session.owner, name]):
                yield unpacked(key[1:]), form.read(value)

        return Table(None, fetch, scan)

    def _fetch(self, name: str, keys: Collection[bytes]) -> None:
        unknown = [key for key in dict.fromkeys(keys) if (name, key) not in self._known]
        if unknown:
            self._known.update(((name, key), None) for key in unknown)
            for key, value in self._session.rows(_ENTRIES, [self._session.owner, name, unknown]):
                self._known[name, key] = value

    def _counted_with(self, key: str) -> list[bytes]:
        """The keys of all bodies that are expected in the same conversation, the first time that one of them is asked for."""
        whose = key[:_NUMBER]
        if whose in self._counted:
            return []
        self._counted.add(whose)
        return [FORMS["standing"].key(whose + identity[:KEY]) for identity in self._expected]

    def _expect(self, identities: Collection[str]) -> None:
        """What was announced of these is asked for next."""
        self._fetch("noted", [FORMS["noted"].key(identity[:KEY]) for identity in identities])
        self._expected.update(identities)
        self._counted.clear()

    def expect_lines(self, told: Collection[Told]) -> None:
        """These lines are applied next: what is looked up then is asked for now, once for all of them."""
        self.state.bodies.find_all(each.record["content_hash"] for each in told if each.is_message)
        self._expected.clear()  # they belong to many conversations
        self._find_heads({each.record["conversation_id"] for each in told})
        for name, keys in lookups.of(told, self.state).items():
            self._fetch(name, [*map(FORMS[name].key, keys)])

    def saved(self) -> None:
        """What is known may be another tomorrow."""
        self._known.clear()
        self._expected.clear()
        self._counted.clear()
        self._found.clear()
        self.begun = self.state.begun

    def _name(self, number: int) -> str:
        return self.state.names.get(str(number)) or ""

    def _named(self, number: str) -> str | None:
        found = self._session.rows(_NAME, [self._session.owner, int(number)])
        return named(found[0][0]) if found else None

    # -- conversations ---------------------------------------------------------------------------------------------

    def _conversation(self, name: str) -> ConversationState | None:
        if name not in self._found:
            self._find_heads([name])
        return self._found[name]

    def _find_heads(self, names: Iterable[str]) -> None:
        unknown = [name for name in names if name not in self._found and self.state.conversations.known(name) is None]
        if unknown:
            self._found.update(dict.fromkeys(unknown))
            sql = f"{_HEADS} AND conversation_id = ANY(%s)"
            self._found.update(self._heads(sql, [self._session.owner, [*map(name_of, unknown)]]))

    def _conversations(self) -> Iterator[tuple[str, ConversationState]]:
        return self._heads(f"{_HEADS} ORDER BY number", [self._session.owner])

    def _heads(self, sql: str, parameters: list[Any]) -> Iterator[tuple[str, ConversationState]]:
        for stored_name, head, total in self._session.rows(sql, parameters):
            name, found = named(stored_name), json.loads(head)
            rows = _ConversationRows(self.places, name)
            conversation = ConversationState(found["count"], rows)
            rows.conversation = weakref.proxy(conversation)
            take_head(conversation, found)
            self.totals[stored_name] = total
            yield name, conversation


class _ConversationRows:
    """The rows of one conversation (see ``state.stored_rows.StoredRows``)."""

    def __init__(self, places: RowPlaces, name: str) -> None:
        self._places, self._name = places, name
        self.conversation: ConversationState

    def all(self) -> Rows:
        columns, lines = Columns(), array("q")
        for item, line in self._every():
            columns.append(item)
            lines.append(line)
        return columns, lines

    def one(self, number: int) -> Row:
        whose, at = self.conversation.origin(number) or (self._name, number)
        return next(((item, line) for _, item, line in self._places.between(whose, at, at + 1)), (_LOST, -1))

    def some(self, first: int, end: int) -> Iterator[tuple[int, Fingerprint]]:
        return ((number, item) for number, item, _ in self._places.between(self._name, first, end))

    def offsets(self, first: int, end: int) -> array[int]:
        lines = array("q", [-1]) * (end - first)
        for start, whose, origin, length in origins(self._name, self.conversation, self.conversation.stored):
            low, high = max(start, first), min(start + length, end)
            for number, _, line in self._places.between(whose, origin + low - start, origin + high - start):
                lines[start + number - origin - first] = line
        return lines

    def kinds(self) -> list[str]:
        return [item.kind for item, _ in self._every()]

    def _every(self) -> Iterator[Row]:
        """Each from number 0 on, those that were lost included."""
        at = 0
        for start, whose, first, length in origins(self._name, self.conversation, self.conversation.stored):
            for number, item, line in self._places.between(whose, first, first + length):
                while at < start + number - first:
                    yield _LOST, -1
                    at += 1
                yield item, line
                at += 1
        while at < self.conversation.stored:
            yield _LOST, -1
            at += 1
