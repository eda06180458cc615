"""Whereabouts by the rows of the database: bodies, ids and turns are found by what their columns say."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from ...alignment.fingerprint import Fingerprint
from ...model import TURNS
from ...start.late_tuple import NamedTuple
from .body_places import BodyPlaces
from .clean_text import name_of, named
from .conversation_names import ConversationNames

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Container, Iterable, Iterator, Sequence

    from ..state.conversation import ConversationState
    from ..state.whereabouts import Found
    from .session import Session

_TURNS: Final = """
SELECT f.alignment_key, c.conversation_id, c.number, c.adopted_by IS NULL
FROM (
    SELECT DISTINCT alignment_key, conversation_id FROM messages
    WHERE owner = %(owner)s AND alignment_key = ANY(%(asked)s) AND kind IN ('prompt', 'text')
) AS f
CROSS JOIN LATERAL (
    SELECT * FROM conversations WHERE conversation_id = f.conversation_id AND owner = %(owner)s LIMIT 1
) AS c
"""
_COLUMNS: Final = "message_index, content_hash, kind, alignment_key, weight, uuid, log_start"
_BETWEEN: Final = f"""
SELECT {_COLUMNS} FROM messages
WHERE conversation_id = %s AND owner = %s AND message_index >= %s AND message_index < %s ORDER BY message_index
"""
_WITH_BODY: Final = f"SELECT {_COLUMNS} FROM messages WHERE conversation_id = %s AND owner = %s AND content_hash = %s"
_WITH_TURN: Final = f"""
SELECT {_COLUMNS} FROM messages
WHERE conversation_id = %s AND owner = %s AND alignment_key = %s AND kind IN ('prompt', 'text')
"""
_IDS: Final = """
SELECT m.conversation_id, m.message_index, m.uuid FROM unnest(%(uuids)s::text[]) AS asked (uuid)
CROSS JOIN LATERAL (
    SELECT * FROM messages
    WHERE owner = %(owner)s AND conversation_id = ANY(%(names)s) AND uuid = asked.uuid OFFSET 0
) AS m
"""


class Noted(NamedTuple):
    """What is known of an occurrence that has no row yet; ``first``: no row of its conversation has the body."""

    item: Fingerprint
    first: bool


class RowPlaces:
    """See ``state.whereabouts.Whereabouts``. ``name_of_number`` names a conversation by its number.

    What was noted since :meth:`saved` is in memory. ``expected`` is told which bodies are asked for.
    """

    def __init__(
        self, session: Session, name_of_number: Callable[[int], str], expected: Callable[[Collection[str]], None]
    ) -> None:
        self._session, self._name, self._expected = session, name_of_number, expected
        self.names = ConversationNames(session)
        self.bodies = BodyPlaces(session, self.names)
        self.near = self.bodies.near
        self.noted: dict[int, Noted] = {}
        """By the byte at which the line begins."""
        self._turns: dict[str, set[int]] = {}
        self._fresh_turns: dict[str, set[int]] = {}
        self._fresh_ids: dict[str, list[tuple[int, int]]] = {}

    @property
    def apart(self) -> Container[str]:
        """As the rows told that were read."""
        return self.names.apart

    def note(
        self, conversation: ConversationState, item: Fingerprint, number: int, offset: int, *, brings: bool
    ) -> None:
        """It becomes a row once its run is complete."""
        own, first = conversation.number, False
        if number not in conversation.purged:
            first = self.bodies.note(own, item.content_hash, brings=brings)
        if item.uuid:
            self._fresh_ids.setdefault(item.uuid, []).append((own, number))
        if item.kind in TURNS:
            self._fresh_turns.setdefault(item.key, set()).add(own)
        self.near.note(item.content_hash)
        self.noted[offset] = Noted(item, first)

    def came_again(self, identity: str, found: Found) -> None:
        """Its row says it."""

    def carriers(self, identities: Iterable[str]) -> Iterator[tuple[str, Found | None]]:
        """One question for all of them."""
        wanted = list(identities)
        self._expected(wanted)
        return self.bodies.carriers(wanted)

    def expect(self, *, bodies: Iterable[str] = (), turns: Iterable[str] = ()) -> None:
        """Ask for all that was not asked for yet."""
        self.bodies.expect(bodies)
        unknown = [each for each in dict.fromkeys(turns) if each not in self._turns]
        if unknown:
            self._turns.update((each, set()) for each in unknown)
            asked = {"owner": self._session.owner, "asked": unknown}
            for key, name, number, apart in self._session.rows(_TURNS, asked):
                self.names.note(number, name, apart=apart)
                self._turns[key].add(number)

    def owners(self, identity: str) -> set[int]:
        """By the whole hash."""
        return self.bodies.owners(identity)

    def stands_in(self, identity: str, conversations: Collection[int]) -> bool:
        """By the whole hash."""
        return self.bodies.stands_in(identity, conversations)

    def owners_of_turn(self, key: str) -> set[int]:
        """By the key."""
        self.expect(turns=(key,))
        return self._turns[key] | self._fresh_turns.get(key, set())

    def with_body(self, conversation: ConversationState, identity: str) -> Iterator[tuple[int, Fingerprint]]:
        """Those with this body, of what has a row, and all others."""
        return self._with(conversation, _WITH_BODY, identity)

    def with_turn(self, conversation: ConversationState, key: str) -> Iterator[tuple[int, Fingerprint]]:
        """Turns with this key, of what has a row, and all others."""
        return self._with(conversation, _WITH_TURN, key)

    def _with(self, conversation: ConversationState, sql: str, key: str) -> Iterator[tuple[int, Fingerprint]]:
        if conversation.stored:
            name = name_of(self._name(conversation.number))
            yield from ((number, item) for number, item, _ in self._rows(sql, [name, self._session.owner, key]))
        yield from conversation.items(conversation.stored, len(conversation))

    def between(self, name: str, first: int, end: int) -> Iterator[tuple[int, Fingerprint, int]]:
        """Number, fingerprint and byte of each row of a conversation from one number up to another."""
        return self._rows(_BETWEEN, [name_of(name), self._session.owner, first, end])

    def _rows(self, sql: str, parameters: Sequence[Any]) -> Iterator[tuple[int, Fingerprint, int]]:
        for number, identity, kind, key, weight, uuid, start in self._session.rows(sql, parameters):
            self.near.note(identity)
            yield number, Fingerprint(identity, key, kind, "", weight, named(uuid) if uuid else ""), start

    def ids(self, conversations: Collection[int], uuids: Collection[str]) -> Iterator[tuple[int, int, str]]:
        """Those that were noted, and those that have a row."""
        for uuid in uuids:
            yield from ((*place, uuid) for place in self._fresh_ids.get(uuid, ()) if place[0] in conversations)
        numbers = {name_of(self._name(each)): each for each in conversations if self.names.is_stored(each)}
        if numbers and uuids:
            owner = self._session.owner
            asked = {"owner": owner, "names": [*numbers], "uuids": [name_of(uuid) for uuid in uuids]}
            for name, number, uuid in self._session.rows(_IDS, asked):
                yield numbers[name], number, named(uuid)

    def saved(self) -> None:
        """What was noted has rows now."""
        for each in (self.noted, self._fresh_ids, self._fresh_turns, self._turns, self.bodies, self.names):
            each.clear()

    def let_go(self) -> None:
        """Keep nothing that the database has."""
        if not self.noted:
            self.saved()
            self.near.clear()
