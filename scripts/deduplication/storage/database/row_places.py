"""Whereabouts by the rows of the database: bodies, ids and turns are found by what their columns say."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from ...alignment.fingerprint import Fingerprint
from ...model import TURNS
from ...start.late_tuple import NamedTuple
from .clean_text import name_of, named
from .read_ahead import NearBodies

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterable, Iterator, Sequence

    from ..state.conversation import ConversationState
    from ..state.whereabouts import Found
    from .session import Session

_BODIES: Final = """
SELECT m.content_hash, c.number, m.body_at IS NOT NULL, m.log_start, m.kind, m.alignment_key, m.weight
FROM messages m JOIN conversations c USING (conversation_id, owner)
WHERE m.owner = %s AND m.content_hash = ANY(%s) AND m.body IS NOT NULL
"""
_TURNS: Final = """
SELECT DISTINCT m.alignment_key, c.number FROM messages m JOIN conversations c USING (conversation_id, owner)
WHERE m.owner = %s AND m.alignment_key = ANY(%s) AND m.kind = ANY(%s)
"""
_COLUMNS: Final = "message_index, content_hash, kind, alignment_key, weight, uuid, log_start"
_IDS: Final = """
SELECT c.number, m.message_index, m.uuid FROM messages m JOIN conversations c USING (conversation_id, owner)
WHERE m.owner = %s AND m.conversation_id = ANY(%s) AND m.uuid = ANY(%s)
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
        self.near = NearBodies()
        self.noted: dict[int, Noted] = {}
        """By the byte at which the line begins."""
        self._owners: dict[str, set[int]] = {}
        """In which conversations bodies stand, with what was noted, as far as it was asked."""
        self._carriers: dict[str, Found] = {}
        self._turns: dict[str, set[int]] = {}
        self._fresh_turns: dict[str, set[int]] = {}
        self._fresh_ids: dict[str, list[tuple[int, int]]] = {}

    def note(
        self, conversation: ConversationState, item: Fingerprint, number: int, offset: int, *, brings: bool
    ) -> None:
        """It becomes a row once its run is complete."""
        own, first = conversation.number, False
        if number not in conversation.purged:
            owners = self._owners.setdefault(item.content_hash, set()) if brings else self.owners(item.content_hash)
            first = own not in owners
            owners.add(own)
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
        self.expect(bodies=wanted)
        for identity in wanted:
            yield identity, self._carriers.get(identity)

    def expect(self, *, bodies: Iterable[str] = (), turns: Iterable[str] = ()) -> None:
        """Ask for all that was not asked for yet."""
        unknown = [each for each in dict.fromkeys(bodies) if each not in self._owners]
        if unknown:
            self._expected(unknown)
            self._owners.update((each, set()) for each in unknown)
            for identity, number, carries, start, *rest in self._session.rows(_BODIES, [self._session.owner, unknown]):
                self._owners[identity].add(number)
                if carries:
                    self._carriers[identity] = start, _item(identity, *rest)
        unknown = [each for each in dict.fromkeys(turns) if each not in self._turns]
        if unknown:
            self._turns.update((each, set()) for each in unknown)
            for key, number in self._session.rows(_TURNS, [self._session.owner, unknown, list(TURNS)]):
                self._turns[key].add(number)

    def owners(self, identity: str) -> set[int]:
        """By the whole hash."""
        if identity not in self._owners:
            self.expect(bodies=(identity, *self.near.of(identity)))
        return self._owners[identity]

    def owners_of_turn(self, key: str) -> set[int]:
        """By the key."""
        self.expect(turns=(key,))
        return self._turns[key] | self._fresh_turns.get(key, set())

    def with_body(self, conversation: ConversationState, identity: str) -> Iterator[tuple[int, Fingerprint]]:
        """Those with this body, of what has a row, and all others."""
        return self._rows(conversation, "content_hash = %s", [identity])

    def with_turn(self, conversation: ConversationState, key: str) -> Iterator[tuple[int, Fingerprint]]:
        """Turns with this key, of what has a row, and all others."""
        return self._rows(conversation, "alignment_key = %s AND kind = ANY(%s)", [key, list(TURNS)])

    def _rows(
        self, conversation: ConversationState, where: str, parameters: Sequence[Any]
    ) -> Iterator[tuple[int, Fingerprint]]:
        if conversation.stored:
            yield from (
                (number, item)
                for number, item, _ in self.between(
                    self._name(conversation.number), 0, conversation.stored, where, parameters
                )
            )
        yield from conversation.items(conversation.stored, len(conversation))

    def between(
        self, name: str, first: int, end: int, where: str = "true", parameters: Sequence[Any] = ()
    ) -> Iterator[tuple[int, Fingerprint, int]]:
        """Number, fingerprint and byte of each row of a conversation from one number up to another for which ``where`` holds."""
        sql = f"""SELECT {_COLUMNS} FROM messages
            WHERE conversation_id = %s AND owner = %s AND message_index >= %s AND message_index < %s AND {where}
            ORDER BY message_index"""
        asked = [name_of(name), self._session.owner, first, end, *parameters]
        for number, identity, kind, key, weight, uuid, start in self._session.rows(sql, asked):
            self.near.note(identity)
            yield number, _item(identity, kind, key, weight, uuid), start

    def ids(self, conversations: Collection[int], uuids: Collection[str]) -> Iterator[tuple[int, int, str]]:
        """Those that were noted, and those that have a row."""
        for uuid in uuids:
            yield from ((*place, uuid) for place in self._fresh_ids.get(uuid, ()) if place[0] in conversations)
        names = [name_of(self._name(each)) for each in conversations if each >= 0]
        if names and uuids:
            found = self._session.rows(_IDS, [self._session.owner, names, [name_of(uuid) for uuid in uuids]])
            yield from ((owner, number, named(uuid)) for owner, number, uuid in found)

    def saved(self) -> None:
        """What was noted has rows now."""
        for each in (self.noted, self._fresh_ids, self._fresh_turns, self._owners, self._carriers, self._turns):
            each.clear()

    def let_go(self) -> None:
        """Keep nothing that the database has."""
        if not self.noted:
            self.saved()
            self.near.clear()


def _item(identity: str, kind: str, key: str, weight: int, uuid: str | None = None) -> Fingerprint:
    return Fingerprint(identity, key, kind, "", weight, named(uuid) if uuid else "")
