"""What a database has of a store, counted row by row: nothing that it remembers is believed."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from ...start.late_tuple import NamedTuple
from .clean_text import named

if TYPE_CHECKING:
    from .session import Session

_COUNTS: Final = """
SELECT (SELECT count(*) FROM conversations WHERE owner = %(owner)s), (SELECT count(*) FROM messages WHERE owner = %(owner)s),
    (SELECT count(*) FROM watermarks WHERE owner = %(owner)s)
"""
_MISMATCHES: Final = """
SELECT c.conversation_id, c.total_messages, count(m.message_id)
FROM conversations AS c LEFT JOIN messages AS m ON m.conversation_id = c.conversation_id AND m.owner = c.owner
WHERE c.owner = %s GROUP BY c.conversation_id, c.total_messages HAVING c.total_messages <> count(m.message_id)
ORDER BY c.conversation_id
"""


class Counted(NamedTuple):
    """Rows, and the conversations of which ``total_messages`` is not the number of their messages: id, expected, actual."""

    conversations: int
    messages: int
    watermarks: int
    mismatches: list[tuple[str, int, int]]


def counted(session: Session) -> Counted:
    """Inside a transaction: count."""
    ((conversations, messages, watermarks),) = session.rows(_COUNTS, {"owner": session.owner})
    found = session.rows(_MISMATCHES, [session.owner])
    return Counted(conversations, messages, watermarks, [(named(name), total, actual) for name, total, actual in found])
