"""Where bodies stand, asked of the rows: which line carries one, and which conversations have it.

What is said again and again stands in thousands of conversations. So it is asked for the line that carries a body, and whether one
conversation has it, each of which is one row; for all that have it only where somebody wants them all.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from ...alignment.fingerprint import Fingerprint
from .clean_text import name_of
from .read_ahead import NearBodies

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Iterator

    from ..state.whereabouts import Found
    from .conversation_names import ConversationNames
    from .session import Session

_CARRIERS: Final = """
SELECT content_hash, conversation_id, log_start, kind, alignment_key, weight FROM messages
WHERE owner = %s AND content_hash = ANY(%s) AND body_at IS NOT NULL
"""
_OWNERS: Final = """
SELECT f.content_hash, c.conversation_id, c.number, c.adopted_by IS NULL
FROM (
    SELECT content_hash, conversation_id FROM messages
    WHERE owner = %(owner)s AND content_hash = ANY(%(asked)s) AND body_at IS NOT NULL
    UNION
    SELECT content_hash, conversation_id FROM messages
    WHERE owner = %(owner)s AND content_hash = ANY(%(asked)s) AND body IS NOT NULL AND body_at IS NULL
) AS f
CROSS JOIN LATERAL (
    SELECT * FROM conversations WHERE conversation_id = f.conversation_id AND owner = %(owner)s LIMIT 1
) AS c
"""
_PAIRS: Final = """
SELECT asked.conversation_id, asked.content_hash
FROM unnest(%s::text[], %s::text[]) AS asked (conversation_id, content_hash)
CROSS JOIN LATERAL (
    SELECT FROM messages AS m
    WHERE m.content_hash = asked.content_hash AND m.owner = %s AND m.conversation_id = asked.conversation_id COLLATE "POSIX"
        AND m.body IS NOT NULL AND m.body_at IS NULL
    LIMIT 1
) AS found
"""


class BodyPlaces:
    """What was asked, and what was noted since :meth:`clear`. ``names`` knows conversations by their numbers."""

    def __init__(self, session: Session, names: ConversationNames) -> None:
        self._session, self._names = session, names
        self.near = NearBodies()
        """As rows were read."""
        self._asked = NearBodies()
        """As they were asked for."""
        self._carriers: dict[str, Found | None] = {}
        """Of the bodies that were asked for, those that are nowhere included."""
        self._homes: dict[str, set[str]] = {}
        """The conversations of these lines, by their stored names."""
        self._owners: dict[str, set[int]] = {}
        self._fresh: dict[str, set[int]] = {}
        """In which conversations bodies were noted."""
        self._pairs: dict[tuple[int, str], bool] = {}
        """Whether a conversation has a body, as far as it was asked."""

    def note(self, number: int, identity: str, *, brings: bool) -> bool:
        """A conversation has a body, which no line before has if this one ``brings`` it; whether it had none before."""
        fresh = self._fresh.setdefault(identity, set())
        first = number not in fresh and (brings or not self._has(number, identity))
        fresh.add(number)
        return first

    def carriers(self, identities: Collection[str]) -> Iterator[tuple[str, Found | None]]:
        """One question for all of them."""
        unknown = [each for each in dict.fromkeys(identities) if each not in self._carriers]
        if unknown:
            self._carriers.update(dict.fromkeys(unknown))
            for identity in unknown:
                self._asked.note(identity)
            for identity, home, start, kind, key, weight in self._session.rows(
                _CARRIERS, [self._session.owner, unknown]
            ):
                self._homes.setdefault(identity, set()).add(home)
                self._carriers[identity] = start, Fingerprint(identity, key, kind, "", weight, "")
        return ((identity, self._carriers[identity]) for identity in identities)

    def expect(self, bodies: Iterable[str]) -> None:
        """Ask for the owners of all that were not asked for yet."""
        unknown = [each for each in dict.fromkeys(bodies) if each not in self._owners]
        if unknown:
            self._owners.update((each, set()) for each in unknown)
            asked = {"owner": self._session.owner, "asked": unknown}
            for identity, name, number, apart in self._session.rows(_OWNERS, asked):
                self._names.note(number, name, apart=apart)
                self._owners[identity].add(number)

    def owners(self, identity: str) -> set[int]:
        """By the whole hash."""
        self.expect((identity,))
        return self._owners[identity] | self._fresh.get(identity, set())

    def stands_in(self, identity: str, numbers: Collection[int]) -> bool:
        """By the whole hash, and what is asked for next along with it."""
        return not self._fresh.get(identity, set()).isdisjoint(numbers) or any(
            self._has(number, identity) for number in numbers
        )

    def _has(self, number: int, identity: str) -> bool:
        """Whether the database has a row with the body in this conversation."""
        if identity in self._owners:
            return number in self._owners[identity]
        if (number, identity) not in self._pairs:
            near = identity, *self.near.of(identity), *self._asked.of(identity)
            self.expect_pairs((number, each) for each in near)
        return self._pairs[number, identity]

    def expect_pairs(self, pairs: Iterable[tuple[int, str]]) -> None:
        """Ask whether conversations have bodies, all that was not asked yet."""
        unknown = [each for each in dict.fromkeys(pairs) if each not in self._pairs]
        self._pairs.update(dict.fromkeys(unknown, False))
        stored = [each for each in unknown if self._names.is_stored(each[0])]
        names = {number: name_of(self._names.name(number)) for number, _ in stored}
        self.carriers([identity for _, identity in stored])
        asked = []
        for number, identity in stored:
            if names[number] in self._homes.get(identity, ()):
                self._pairs[number, identity] = True
            elif self._carriers[identity] is not None:
                asked.append((names[number], identity))
        if asked:
            numbers = {name: number for number, name in names.items()}
            for name, identity in self._session.rows(_PAIRS, [*map(list, zip(*asked)), self._session.owner]):
                self._pairs[numbers[name], identity] = True

    def clear(self) -> None:
        """The database has everything, and what is known may be another tomorrow."""
        for each in (self._carriers, self._homes, self._owners, self._fresh, self._pairs):
            each.clear()
        self._asked.clear()
