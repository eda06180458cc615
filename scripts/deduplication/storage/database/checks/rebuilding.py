"""All that follows from the lines of a store's log made anew, in one transaction of the database."""

from __future__ import annotations

import tempfile
from typing import TYPE_CHECKING, Final

from ...log.lines import Damaged, decode_line
from ..database_log import DatabaseLog
from ..loading import load
from .checking import check, size_of
from .wrong_tables import OF_RUNS

if TYPE_CHECKING:
    from ..written import Written

_EMPTIED: Final = ("messages", "runs", "watermarks", "index_entries", "conversations", "stores")
_NOTES: Final = (
    "SELECT conversation_id, metadata::text FROM conversations WHERE owner = current_user AND metadata IS NOT NULL"
)
"""What people noted of conversations follows from nothing."""
_NOTE: Final = "UPDATE conversations SET metadata = %s::jsonb WHERE owner = current_user AND conversation_id = %s"


def rebuild(store: Written) -> list[str]:
    """Inside a transaction for writing: make it anew where it is not what the lines say; a line for what is wrong after that.

    Lines that cannot be read are named, and nothing is changed then: a backup of the database has them. Raises
    ``DatabaseNotAllowed`` for who may only add to the log.
    """
    session = store.session
    problems, chain = check(session, "", is_there=True)
    (end, _), size = session.store(), size_of(session)
    if not problems or (size < end.size and chain.head.digest != end.head):
        return problems
    log = DatabaseLog(session)
    log.sent(size)
    with tempfile.TemporaryFile() as lines:
        for line in log.lines():
            if _is_damaged(line.data):
                return problems
            lines.write(line.data)
        lines.seek(0)
        with session.whole() as connection:
            notes = connection.execute(_NOTES).fetchall()
            connection.execute("SET LOCAL export_dedup.purging = 'on'")
            for table in _EMPTIED:
                connection.execute(f"DELETE FROM {table} WHERE owner = current_user")
            connection.execute(
                "DELETE FROM deduplication_log WHERE owner = current_user AND operation = ANY(%s)", [[*OF_RUNS]]
            )
            store.forget()
            for _ in load(store, lines):
                pass
            for name, note in notes:
                connection.execute(_NOTE, [note, name])
    return check(session, "", is_there=True).problems


def _is_damaged(line: bytes) -> bool:
    try:
        decode_line(line)
    except Damaged:
        return True
    return False
