"""Messages of a store in PostgreSQL that may have the words of a search, by the indexes; whoever asks compares them.

Row-level security lets no query of the store's owner use the index of words: a function of the schema asks it (migration 6). All
else is asked as any row is read.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final, Optional

from ..files.clock import exactly
from ..start.late_pattern import late_pattern
from ..start.late_tuple import NamedTuple
from ..storage.database.clean_text import name_of, named
from ..storage.log.lines import decode_line

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator, Sequence

    from ..storage.database.session import Session
    from ..storage.log.lines import Record

_FOUND: Final = """
SELECT conversation_id, message_index FROM search_messages(
    %(words)s::tsquery, %(owner)s, %(newest)s::integer, %(most)s::integer, %(conversations)s::text[],
    %(role)s::text, %(kind)s::text, %(since)s::timestamptz, %(until)s::timestamptz
)
"""
_BODY: Final = """(
    SELECT b.body FROM messages AS b WHERE b.conversation_id = {0}.conversation_id AND b.owner = {0}.owner
    AND b.content_hash = {0}.content_hash AND b.body IS NOT NULL LIMIT 1
)"""
ROWS: Final = f"""
SELECT m.conversation_id, m.message_index, m.content_hash, m.entry, coalesce(m.body, {_BODY.format("m")}), e.content_hash
FROM unnest(%(names)s::text[], %(numbers)s::integer[]) WITH ORDINALITY AS k (conversation_id, message_index, place)
JOIN messages AS m ON m.conversation_id = k.conversation_id AND m.message_index = k.message_index AND m.owner = %(owner)s
LEFT JOIN messages AS e ON e.conversation_id = m.conversation_id AND e.extends = m.message_index AND e.owner = m.owner
ORDER BY k.place
"""
TEXTS: Final = """
SELECT k.conversation_id, k.message_index, m.content
FROM unnest(%(names)s::text[], %(numbers)s::integer[]) AS k (conversation_id, message_index)
JOIN messages AS m ON m.conversation_id = k.conversation_id AND m.message_index = k.message_index AND m.owner = %(owner)s
"""
PLACES: Final = """
SELECT m.content_hash, m.conversation_id, m.message_index, m.entry, e.content_hash
FROM unnest(%(hashes)s::text[]) AS h (content_hash)
CROSS JOIN LATERAL (
    SELECT f.* FROM (
        SELECT conversation_id FROM messages
        WHERE content_hash = h.content_hash AND owner = %(owner)s AND body_at IS NOT NULL
        UNION
        SELECT conversation_id FROM messages
        WHERE content_hash = h.content_hash AND owner = %(owner)s AND body IS NOT NULL AND body_at IS NULL
    ) AS c
    JOIN messages AS f
        ON f.conversation_id = c.conversation_id AND f.content_hash = h.content_hash AND f.owner = %(owner)s
    LIMIT %(most)s
) AS m
LEFT JOIN messages AS e ON e.conversation_id = m.conversation_id AND e.extends = m.message_index AND e.owner = m.owner
ORDER BY m.log_start
"""
"""Of each conversation that has a content the first row with it has the body, too: by these the conversations are found."""
BODIES: Final = """
SELECT DISTINCT ON (content_hash) content_hash, body FROM messages
WHERE owner = %(owner)s AND content_hash = ANY(%(hashes)s) AND body_at IS NOT NULL ORDER BY content_hash, log_start
"""
ADOPTED: Final = (
    "SELECT conversation_id, adopted_by FROM conversations WHERE owner = %(owner)s AND adopted_by IS NOT NULL"
)
SAME: Final = "SELECT entry FROM runs WHERE owner = %(owner)s AND kind = 'same' ORDER BY log_start"
_FEW: Final = "SELECT count(*) FROM (SELECT FROM messages WHERE owner = %(owner)s LIMIT %(most)s) AS counted"
_STAMP: Final = late_pattern(rb'"timestamp":"([^"\\]*)"')


class Filters(NamedTuple):
    """Which messages are asked for; None: all. Times in microseconds since 1970."""

    conversations: Optional[Sequence[str]] = None
    role: Optional[str] = None
    kind: Optional[str] = None
    since: Optional[int] = None
    until: Optional[int] = None


class Row(NamedTuple):
    """A message at its place. ``longer``: content hashes of longer forms that may take its place; ``body``: its exact JSON."""

    conversation: str
    number: int
    timestamp: str
    content_hash: str
    longer: str = ""
    body: bytes = b""


class MessageSearch:
    """Inside a transaction of ``session``."""

    def __init__(self, session: Session) -> None:
        self._session = session

    def found(
        self, words: str, filters: Filters, *, newest: int | None = None, most: int | None = None
    ) -> Iterator[tuple[str, int]]:
        """The places of messages that fulfil a tsquery, and of those whose words are not all kept; the newest first.

        ``newest``: only so many of the newest messages are looked at; ``most``: so many at most are found.
        """
        names = None if filters.conversations is None else [name_of(name) for name in filters.conversations]
        since, until = (None if moment is None else exactly(moment) for moment in (filters.since, filters.until))
        asked = {"words": words, "newest": newest, "most": most, "conversations": names, "since": since, "until": until}
        return self._session.stream(_FOUND, {**self._whose(), **asked, "role": filters.role, "kind": filters.kind})

    def texts(self, places: Sequence[tuple[str, int]]) -> Iterator[tuple[tuple[str, int], str]]:
        """The messages at these places, in some order, as text to be read: a text as it is, anything else as JSON."""
        asked = {"names": [name for name, _ in places], "numbers": [number for _, number in places]}
        for name, number, text in self._session.rows(TEXTS, {**self._whose(), **asked}):
            yield (name, number), text

    def rows(self, places: Sequence[tuple[str, int]]) -> Iterator[Row]:
        """The messages at these places, in this order, as often as a longer form may take their place, at least once."""
        asked = {"names": [name for name, _ in places], "numbers": [number for _, number in places]}
        for name, number, identity, entry, body, longer in self._session.rows(ROWS, {**self._whose(), **asked}):
            if body is not None:
                yield Row(named(name), number, _timestamp(entry), named(identity), named(longer or ""), bytes(body))

    def places(self, hashes: Collection[str], most: int) -> Iterator[Row]:
        """Where these contents stand, in the order of the log; at most so many of each."""
        asked = {"hashes": [name_of(identity) for identity in hashes], "most": most}
        for identity, name, number, entry, longer in self._session.rows(PLACES, {**self._whose(), **asked}):
            yield Row(named(name), number, _timestamp(entry), named(identity), named(longer or ""))

    def bodies(self, hashes: Collection[str]) -> Iterator[tuple[str, bytes]]:
        """The exact JSON of these contents."""
        asked = {"hashes": [name_of(identity) for identity in hashes]}
        for identity, body in self._session.rows(BODIES, {**self._whose(), **asked}):
            if body is not None:
                yield named(identity), bytes(body)

    def adopted(self) -> dict[str, str]:
        """Each conversation that turned out to be another one, with that one."""
        return {named(name): named(into) for name, into in self._session.rows(ADOPTED, self._whose())}

    def same_records(self) -> list[Record]:
        """What the log says of that, in its order."""
        return [decode_line(bytes(entry)) for (entry,) in self._session.rows(SAME, self._whose())]

    def has_at_most(self, count: int) -> bool:
        """Whether the store has no more messages than that."""
        ((found,),) = self._session.rows(_FEW, {**self._whose(), "most": count + 1})
        return bool(found <= count)

    def _whose(self) -> dict[str, Any]:
        return {"owner": self._session.owner}


def _timestamp(entry: Any) -> str:
    """As the line has it."""
    found = _STAMP.search(bytes(entry))
    return found[1].decode() if found else ""
