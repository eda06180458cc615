"""The two kinds of log line, made of what the engine hands over, and read again; and the audit line that follows from one."""

from __future__ import annotations

import time
from dataclasses import asdict
from typing import TYPE_CHECKING, Any

from ..clock import timestamp
from ..model import EXACT, KINDS, LAYOUT, ROLES, Message
from .base import Cursor
from .lines import Damaged, encode_line

if TYPE_CHECKING:
    from collections.abc import Mapping

    from .base import ExportRecord, NewOccurrence
    from .lines import Record


def occurrence_record(conversation_id: str, number: int, new: NewOccurrence, sha256: str, *, carries: bool) -> Record:
    """The line of one occurrence; ``carries``: it is the first with its content hash and brings the body."""
    message = new.message
    record: Record = {
        "conversation_id": conversation_id,
        "index": number,
        "timestamp": new.timestamp,
        "content_hash": new.fingerprint.content_hash,
    }
    if message.uuid:
        record["uuid"] = message.uuid
    if message.source_index is not None:
        record["source_index"] = message.source_index
    if new.extends is not None:
        record["extends"] = new.extends
    if carries:
        record["message"] = {"role": message.role, "kind": message.kind, "content": message.content}
        if message.fidelity == EXACT:
            record["message"]["fidelity"] = EXACT
    record["source"] = {"export": sha256[:16], "clock": new.clock}
    if message.start >= 0:
        record["source"]["span"] = [message.start, message.end]
    return record


def commit_record(conversation_id: str, export: ExportRecord, started: float) -> Record:
    """The line that ends a run; ``started`` is the ``time.perf_counter()`` at which work on the export began."""
    record: Record = {
        "conversation_id": conversation_id,
        "timestamp": timestamp(),
        "export": {
            "name": export.name,
            "sha256": export.sha256,
            "bytes": export.bytes,
            "format": export.format,
            "parser": export.parser,
            "total": export.total,
            "new": export.new,
        },
        "window": export.window,
        "processing_time_ms": round(1000 * (time.perf_counter() - started)),
    }
    if export.known_bytes:
        record["export"]["known_bytes"] = export.known_bytes
    if export.marks:
        record["marks"] = export.marks
    if export.gaps:
        record["gaps"] = export.gaps
    if export.session:
        record["session"] = export.session
    if export.cursor is not None:
        record["cursor"] = asdict(export.cursor)
    if export.follows >= 0:
        record["follows"] = export.follows
    return record


def cursor_of(record: Any) -> Cursor | None:
    """The cursor of a commit record. Raises :class:`Damaged` where it has another form."""
    if record is None:
        return None
    texts = ("source", "session", "prefix", "after")
    if (
        not isinstance(record, dict)
        or not all(isinstance(record.get(name), str) for name in texts)
        or not all(type(record.get(name)) is int for name in ("offset", "last"))
    ):
        raise Damaged("a cursor of another form")
    return Cursor(**{name: record[name] for name in (*texts, "offset", "last")})


def message_of(record: Record) -> Message:
    """The message that a log line carries. Raises :class:`Damaged` where it has another form."""
    message = record["message"]
    try:
        fidelity = EXACT if message.get("fidelity") == EXACT else LAYOUT
        if message["kind"] not in KINDS or message["role"] not in ROLES:
            raise Damaged("a message of an unknown role or kind")
        return Message(message["role"], message["kind"], message["content"], uuid=record.get("uuid"), fidelity=fidelity)
    except (KeyError, TypeError, AttributeError) as error:
        raise Damaged("a message without role, kind or content") from error


def blobs_of(record: Record) -> Mapping[str, int]:
    """Which blobs a log record refers to, and their sizes in bytes; none where it has another form."""
    message = record.get("message")
    blobs = message.get("blobs") if isinstance(message, dict) else None
    return blobs if isinstance(blobs, dict) else {}


def blob_bytes(record: Record) -> int:
    """Bytes of the blobs that the message of a log line refers to."""
    return sum(blobs_of(record).values())


def base64_size(size: int) -> int:
    """Characters of so many bytes in Base64, with padding."""
    return 4 * ((size + 2) // 3)


def audit_line(record: Record, written: int) -> bytes:
    """The audit entry of one run (the seed's ``deduplication_log``), derived from its commit record."""
    export = record["export"]
    savings = round(100 * (1 - written / export["bytes"]), 1) if export["bytes"] else 0.0
    return encode_line(
        {
            "conversation_id": record["conversation_id"],
            "operation": "process_export",
            "messages_processed": export["total"],
            "new_messages": export["new"],
            "duplicates_filtered": export["total"] - export["new"],
            "storage_savings_pct": savings,
            "processing_time_ms": record["processing_time_ms"],
            "created_at": record["timestamp"],
            "metadata": {**export, "stored_bytes": written, "gaps": record.get("gaps", [])},
        }
    )
