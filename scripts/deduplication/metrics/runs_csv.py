"""The audit as CSV: a row for each run, and for each operation, in the order of time, with the audit's columns."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Final

from ..files import clock
from ..tables import csv_lines, values
from ..tables.columns import MOMENT, TEXT, WHOLE, Column, Table, row_of
from .operations import operations

if TYPE_CHECKING:
    from collections.abc import Iterator
    from typing import BinaryIO

    from ..storage.audit_entries import AuditEntry
    from ..storage.contract import Store
    from ..tables.columns import Value

AUDIT: Final = Table(
    "audit",
    (
        Column("conversation_id", TEXT),
        Column("operation", TEXT),
        Column("messages_processed", WHOLE),
        Column("new_messages", WHOLE, optional=True),
        Column("captured_messages", WHOLE, optional=True),
        Column("duplicates_filtered", WHOLE),
        Column("storage_savings_pct", TEXT, optional=True),
        Column("processing_time_ms", WHOLE, optional=True),
        Column("created_at", MOMENT, optional=True),
        Column("metadata", TEXT),
    ),
)
_OF_THEIR_OWN: Final = ("new_messages", "captured_messages")
"""Members of a line of the audit that stand beside the original design's columns."""


def write(out: BinaryIO, store: Store, folder: str) -> int:
    """Write it; the number of rows. ``folder`` is that of the store, or beside which its database is used.

    Call it outside of a transaction. Raises ``StoreError``.
    """
    logged = store.log_backed()
    with store.transaction(write=False):
        audit = list(logged.audit()) if logged is not None else []
        audit += operations(store, folder)
    audit.sort(key=lambda each: clock.nanoseconds(each.created_at))
    csv_lines.write(out, AUDIT, rows(audit))
    return len(audit)


def rows(audit: list[AuditEntry]) -> Iterator[tuple[Value, ...]]:
    """A row for each entry."""
    for each in audit:
        said = dict(each.metadata)
        counts = {name: said.pop(name, None) for name in _OF_THEIR_OWN}
        savings = each.storage_savings_pct
        yield row_of(
            AUDIT,
            {
                **counts,
                "conversation_id": values.text(each.conversation_id),
                "operation": each.operation,
                "messages_processed": each.messages_processed,
                "duplicates_filtered": each.duplicates_filtered,
                "storage_savings_pct": None if savings is None else f"{savings:g}",
                "processing_time_ms": each.processing_time_ms,
                "created_at": clock.microseconds(each.created_at),
                "metadata": values.text(json.dumps(said, sort_keys=True)),
            },
        )
