"""What people ask of a store in PostgreSQL most often, as functions of a connection.

Each is one statement, answered by an index whatever the size. ``owner`` is a database user, whose store is asked: by default that
of the connection; whoever is of the team may name others. Nothing is changed. Texts are for reading: what PostgreSQL's text cannot
hold stands in them as U+FFFD.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final, Optional

from ...start.late_tuple import NamedTuple
from .plain_rows import all_rows, first_row, first_value

if TYPE_CHECKING:
    from datetime import datetime
    from decimal import Decimal

    from psycopg import Connection

NONE_YET: Final = -1
"""The watermark of a conversation of which nothing is stored."""
WATERMARK: Final = """
SELECT highest_index
FROM watermarks
WHERE conversation_id = %(conversation)s AND owner = coalesce(%(owner)s, CURRENT_USER::TEXT)
"""
ALL_MESSAGES: Final = """
SELECT message_index, role, content, created_at
FROM messages
WHERE conversation_id = %(conversation)s AND owner = coalesce(%(owner)s, CURRENT_USER::TEXT)
ORDER BY message_index ASC
"""
EXISTS_BY_INDEX: Final = """
SELECT EXISTS (
    SELECT 1 FROM messages
    WHERE conversation_id = %(conversation)s AND owner = coalesce(%(owner)s, CURRENT_USER::TEXT)
      AND message_index = %(index)s
)
"""
EXISTS_BY_HASH: Final = """
SELECT EXISTS (
    SELECT 1 FROM messages
    WHERE conversation_id = %(conversation)s AND owner = coalesce(%(owner)s, CURRENT_USER::TEXT)
      AND content_hash = %(hash)s
)
"""
STATISTICS: Final = """
SELECT
    conversation_id,
    SUM(messages_processed)::BIGINT AS total_processed,
    SUM(duplicates_filtered)::BIGINT AS total_duplicates,
    AVG(storage_savings_pct) AS avg_savings_pct,
    AVG(processing_time_ms) AS avg_processing_time_ms
FROM deduplication_log
WHERE owner = coalesce(%(owner)s, CURRENT_USER::TEXT)
GROUP BY conversation_id
ORDER BY conversation_id
"""
LATEST: Final = """
SELECT message_index, role, content, created_at
FROM messages
WHERE conversation_id = %(conversation)s AND owner = coalesce(%(owner)s, CURRENT_USER::TEXT)
ORDER BY message_index DESC
LIMIT %(count)s
"""
FULL_TEXT: Final = """
SELECT m.conversation_id, m.message_index, m.role, m.content
FROM find_messages(%(words)s::TSQUERY, %(count)s, ARRAY[coalesce(%(owner)s, CURRENT_USER::TEXT)], %(conversation)s) AS found
JOIN messages AS m USING (conversation_id, owner, message_index)
ORDER BY m.created_at DESC, m.log_start DESC
"""
SUMMARY: Final = """
SELECT
    c.conversation_id,
    c.total_messages,
    c.created_at,
    c.last_updated,
    w.highest_index,
    (
        SELECT COUNT(*) FROM deduplication_log AS l
        WHERE l.conversation_id = c.conversation_id AND l.owner = c.owner AND l.operation = 'process_export'
    ) AS export_count
FROM conversations AS c
LEFT JOIN watermarks AS w ON c.conversation_id = w.conversation_id AND c.owner = w.owner
WHERE c.conversation_id = %(conversation)s AND c.owner = coalesce(%(owner)s, CURRENT_USER::TEXT)
"""


class StoredMessage(NamedTuple):
    """A message of a conversation; ``content`` is empty where it was purged."""

    message_index: int
    role: Optional[str]
    content: str
    created_at: datetime


class FoundMessage(NamedTuple):
    """A message in which the words are."""

    conversation_id: str
    message_index: int
    role: Optional[str]
    content: str


class Statistics(NamedTuple):
    """The audit of a conversation, summed up; of a conversation ``''`` what concerned none."""

    conversation_id: str
    total_processed: int
    total_duplicates: int
    avg_savings_pct: Optional[Decimal]
    avg_processing_time_ms: Optional[Decimal]


class Summary(NamedTuple):
    """A conversation at a glance."""

    conversation_id: str
    total_messages: int
    created_at: datetime
    last_updated: datetime
    highest_index: Optional[int]
    export_count: int


def watermark(connection: Connection[Any], conversation: str, owner: Optional[str] = None) -> int:
    """The highest sequence number of a conversation, -1 where nothing is stored of it."""
    found = first_value(connection, WATERMARK, {"conversation": conversation, "owner": owner})
    return NONE_YET if found is None else int(found)


def all_messages(connection: Connection[Any], conversation: str, owner: Optional[str] = None) -> list[StoredMessage]:
    """Every message of a conversation by its sequence number."""
    found = all_rows(connection, ALL_MESSAGES, {"conversation": conversation, "owner": owner})
    return [StoredMessage(*row) for row in found]


def exists_by_index(connection: Connection[Any], conversation: str, index: int, owner: Optional[str] = None) -> bool:
    """Whether a conversation has a message of this sequence number."""
    return bool(
        first_value(connection, EXISTS_BY_INDEX, {"conversation": conversation, "index": index, "owner": owner})
    )


def exists_by_hash(
    connection: Connection[Any], conversation: str, content_hash: str, owner: Optional[str] = None
) -> bool:
    """Whether a conversation has a message with this content hash."""
    values = {"conversation": conversation, "hash": content_hash, "owner": owner}
    return bool(first_value(connection, EXISTS_BY_HASH, values))


def statistics(connection: Connection[Any], owner: Optional[str] = None) -> list[Statistics]:
    """What was processed and saved, by conversation."""
    return [Statistics(*row) for row in all_rows(connection, STATISTICS, {"owner": owner})]


def latest(
    connection: Connection[Any], conversation: str, count: int = 10, owner: Optional[str] = None
) -> list[StoredMessage]:
    """The last ``count`` messages of a conversation, the newest first."""
    found = all_rows(connection, LATEST, {"conversation": conversation, "count": count, "owner": owner})
    return [StoredMessage(*row) for row in found]


def full_text(
    connection: Connection[Any],
    words: str,
    conversation: Optional[str] = None,
    count: int = 500,
    owner: Optional[str] = None,
) -> list[FoundMessage]:
    """Messages with these words, the newest first and at most ``count``; of all conversations where none is named.

    ``words`` is the text of a tsquery of normalised words: ``'deduplication' & 'storage'``. Of a content that a conversation has
    several times the first place is found.
    """
    values = {"words": words, "conversation": conversation, "count": count, "owner": owner}
    return [FoundMessage(*row) for row in all_rows(connection, FULL_TEXT, values)]


def summary(connection: Connection[Any], conversation: str, owner: Optional[str] = None) -> Optional[Summary]:
    """A conversation at a glance, None where there is none of this name; ``export_count`` are the exports that were processed."""
    found = first_row(connection, SUMMARY, {"conversation": conversation, "owner": owner})
    return Summary(*found) if found else None
