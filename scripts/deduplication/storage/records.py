"""The two kinds of log line, made of what the engine hands over."""

from __future__ import annotations

import time
from dataclasses import asdict
from typing import TYPE_CHECKING

from ..clock import timestamp
from ..model import EXACT

if TYPE_CHECKING:
    from .base import ExportRecord, NewOccurrence
    from .log import Record


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
