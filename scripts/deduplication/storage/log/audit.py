"""The audit line that follows from the commit record of a run."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from .lines import encode_line
from .records import CAPTURE, PURGE, announces
from .title_records import TITLE, TITLED, is_titling

if TYPE_CHECKING:
    from .lines import Record

PROCESS_EXPORT: Final = "process_export"
"""What the audit line of a run that announces calls the operation."""


def audit_line(record: Record, written: int) -> bytes:
    """The audit entry of one run (the original design's ``deduplication_log``), derived from its commit record."""
    export = record["export"]
    if PURGE in record:
        return encode_line(
            {
                "conversation_id": record["conversation_id"],
                "operation": PURGE,
                "created_at": record["timestamp"],
                "metadata": record[PURGE],
            }
        )
    if is_titling(record):  # what was said stands in the log alone: a purge has one place less to look into
        return encode_line(
            {
                "conversation_id": record["conversation_id"],
                "operation": TITLE,
                "created_at": record["timestamp"],
                "metadata": {"said": sorted(record[TITLED])},
            }
        )
    savings = round(100 * (1 - written / export["bytes"]), 1) if export["bytes"] else 0.0
    captures = not announces(record)
    return encode_line(
        {
            "conversation_id": record["conversation_id"],
            "operation": CAPTURE if captures else PROCESS_EXPORT,
            "messages_processed": export["total"],
            # What was captured is announced by the export that shows it: nobody is to add it up twice.
            "new_messages": 0 if captures else export["new"],
            **({"captured_messages": export["new"]} if captures else {}),
            "duplicates_filtered": export["total"] - export["new"],
            "storage_savings_pct": savings,
            "processing_time_ms": record["processing_time_ms"],
            "created_at": record["timestamp"],
            "metadata": {**export, "stored_bytes": written, "gaps": record.get("gaps", [])},
        }
    )
