"""The audit in its table: the rows that follow from the log, and those of what was done to the store besides."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from ..audit_entries import OF_RUNS, AuditEntry
from .changes import AUDIT, audit_values
from .clean_text import named
from .new_rows import NewRows, insert

if TYPE_CHECKING:
    from collections.abc import Iterator

    from .session import Session

_AUDIT: Final = """
SELECT conversation_id, operation, messages_processed, duplicates_filtered, storage_savings_pct::float8, processing_time_ms,
    to_char(created_at, 'YYYY-MM-DD"T"HH24:MI:SS.USTZH:TZM'), metadata
FROM deduplication_log WHERE owner = %s AND operation {} ORDER BY log_id
"""
_OF_RUNS: Final = _AUDIT.format("= ANY(%s)")
"""Those that follow from the log."""
_BESIDES: Final = _AUDIT.format("<> ALL(%s)")


def of_runs(session: Session) -> Iterator[AuditEntry]:
    """Those that follow from the log, in their order. Inside a transaction."""
    return _rows(session, _OF_RUNS)


def besides(session: Session) -> Iterator[AuditEntry]:
    """The others. Inside a transaction."""
    return _rows(session, _BESIDES)


def _rows(session: Session, sql: str) -> Iterator[AuditEntry]:
    for row in session.stream(sql, [session.owner, [*OF_RUNS]]):
        entry = AuditEntry(*row)
        yield entry._replace(conversation_id=named(entry.conversation_id))


def add(session: Session, entry: AuditEntry) -> None:
    """Add one, outside of every transaction. Raises ``DatabaseError``."""
    row = NewRows("deduplication_log", AUDIT, [audit_values(entry)])
    session.outside(lambda connection: insert(connection, row))
