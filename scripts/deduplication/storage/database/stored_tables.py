"""What a database has of a state: heads of conversations, and the entries of an index, looked up many at a time."""

from __future__ import annotations

import json
import weakref
from typing import TYPE_CHECKING, Any, Final

from ..index.conversation_head import take_head
from ..index.table_entries import FORMS, unpacked
from ..state.announcements import KEY
from ..state.conversation import ConversationState
from ..state.table import Table
from . import lookups
from .clean_text import name_of, named
from .conversation_rows import ConversationRows
from .errors import readable
from .row_places import RowPlaces

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Iterator

    from ..state.log_state import State
    from .database_blobs import DatabaseBlobs
    from .message_rows import Told
    from .session import Session

_ENTRIES: Final = """
SELECT found.key, found.value FROM unnest(%s::bytea[]) AS asked (key)
CROSS JOIN LATERAL (
    SELECT key, value FROM index_entries AS e
    WHERE e.conversation_id = '' AND e.owner = %s AND e.name = %s AND e.key = asked.key LIMIT 1
) AS found
"""
"""One by one: for keys in an array all entries of the name may be read."""
_ALL_ENTRIES: Final = (
    "SELECT key, value FROM index_entries WHERE conversation_id = '' AND owner = %s AND name = %s ORDER BY key"
)
_HEADS: Final = "SELECT conversation_id, number, state, total_messages FROM conversations WHERE owner = %s"
_NUMBER: Final = 8
"""Digits of a conversation's number before a body's in ``state.standing``."""


class StoredTables:
    """See ``state.log_state.Stored``. ``state`` is set by whoever makes it."""

    def __init__(self, session: Session, blobs: DatabaseBlobs) -> None:
        self._session, self._blobs = session, blobs
        self.state: State
        self._known: dict[tuple[str, bytes], bytes | None] = {}
        """Entries that were asked for, those that are not there included."""
        self._expected: set[str] = set()
        """Bodies that were asked for: what is counted of them by conversation may be asked for next."""
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
            return Table(None, lambda number: self.places.names.name(int(number)) or None)
        form = FORMS[name]

        def fetch(key: str) -> Any:
            asked = name, form.key(key)
            if asked not in self._known:
                if name == "standing" and not self.places.names.is_stored(int(key[:_NUMBER], 16)):
                    return None
                self._fetch(name, [asked[1], *map(form.key, self._besides(name, key))])
            data = self._known[asked]
            if data is None:
                return None  # so it is for most of what is asked
            with readable(str(self._session), "index_entries"):
                return form.read(data)

        def scan() -> Iterable[tuple[str, Any]]:
            for key, value in self._session.rows(_ALL_ENTRIES, [self._session.owner, name]):
                with readable(str(self._session), "index_entries"):
                    entry = unpacked(key[1:]), form.read(value)
                yield entry

        return Table(None, fetch, scan)

    def _fetch(self, name: str, keys: Collection[bytes]) -> None:
        unknown = [key for key in dict.fromkeys(keys) if (name, key) not in self._known]
        if unknown:
            self._known.update(((name, key), None) for key in unknown)
            for key, value in self._session.rows(_ENTRIES, [unknown, self._session.owner, name]):
                self._known[name, key] = value

    def _besides(self, name: str, key: str) -> Iterator[str]:
        """What is asked for next of a table, when this is: of each body of a run, and of those that are read near this one."""
        if name == "blobs":
            yield from self._blobs.unsent
        elif name in ("noted", "standing", "pictures"):
            conversation = key[:_NUMBER] if name == "standing" else ""  # in the same one
            for identity in (*self._expected, *self.places.near.of(key[len(conversation) :])):
                yield conversation + (identity if name == "pictures" else identity[:KEY])

    def _expect(self, identities: Collection[str]) -> None:
        """What was announced of these is asked for next."""
        self._fetch("noted", [FORMS["noted"].key(identity[:KEY]) for identity in identities])
        self._expected.update(identities)

    def expect_lines(self, told: Collection[Told]) -> None:
        """These lines are applied next: what is looked up then is asked for now, once for all of them."""
        self.state.bodies.find_all(each.record["content_hash"] for each in told if each.is_message)
        self._expected.clear()  # they belong to many conversations
        self._find_heads({each.record["conversation_id"] for each in told})
        self.places.bodies.expect_pairs(lookups.known_bodies(told, self.state))
        for name, keys in lookups.of(told, self.state).items():
            self._fetch(name, [*map(FORMS[name].key, keys)])

    def saved(self) -> None:
        """What is known may be another tomorrow."""
        self._known.clear()
        self._expected.clear()
        self._found.clear()
        self.begin(self.state.begun)

    def begin(self, begun: int) -> None:
        """So many conversations are in the database."""
        self.places.names.begun = begun

    def _name(self, number: int) -> str:
        return self.state.names.get(str(number)) or ""

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
        for stored_name, number, head, total in self._session.rows(sql, parameters):
            name = named(stored_name)
            rows = ConversationRows(self.places, name)
            with readable(str(self._session), "conversations"):
                found = json.loads(head)
                conversation = ConversationState(found["count"], rows)
                take_head(conversation, found)
                if conversation.number != number:
                    raise ValueError(number)
            rows.conversation = weakref.proxy(conversation)
            self.places.names.noted(number, name)
            self.totals[stored_name] = total
            yield name, conversation
