"""Occurrences as rows: the line of the log, its body beside it, and in columns what the line says."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any, Final

from ...alignment.plain_text import is_own_output, readable
from ...model import counts
from ...start.late_tuple import NamedTuple
from ...words.lexemes import tsvector_of
from .clean_text import cleaned, cleaned_json, moment, name_of

if TYPE_CHECKING:
    import datetime as dt

    from ..log.lines import Record
    from .row_places import Noted

_MESSAGE: Final = b'"message":'
_LARGEST: Final = 1 << 63
_SHOWN: Final = ("conversation_id", "index", "timestamp", "content_hash", "source_index", "message")
"""What has a column of its own, or is the body."""


class MessageRow(NamedTuple):
    """A row of ``messages``; the columns are explained in the first migration."""

    conversation_id: str
    message_index: int
    content_hash: str
    role: str | None
    content: str
    created_at: dt.datetime | None
    metadata: str
    source_index: int | None
    kind: str
    uuid: str | None
    alignment_key: str
    weight: int
    log_start: int
    entry: bytes
    body_at: int | None
    body: bytes | None
    extends: int | None
    words: str | None
    words_cut: bool


TYPES: Final = {
    "conversation_id": "text",
    "message_index": "integer",
    "content_hash": "text",
    "role": "text",
    "content": "text",
    "created_at": "timestamptz",
    "metadata": "jsonb",
    "source_index": "bigint",
    "kind": "text",
    "uuid": "text",
    "alignment_key": "text",
    "weight": "bigint",
    "log_start": "bigint",
    "entry": "bytea",
    "body_at": "integer",
    "body": "bytea",
    "extends": "integer",
    "words": "tsvector",
    "words_cut": "boolean",
}
"""Of each column."""


def parted(line: bytes, record: Record) -> tuple[bytes, int | None, bytes | None]:
    """A line without its body, where the body belongs, and the body: its bytes, as they stand in the line."""
    if "message" not in record:
        return line, None, None
    at = line.index(_MESSAGE) + len(_MESSAGE)  # in a text before it each quotation mark is escaped
    for ascii_only in (False, True):
        text = json.dumps(record["message"], ensure_ascii=ascii_only, separators=(",", ":"))
        body = text.encode("utf-8", "surrogatepass")
        if line.startswith(body, at):
            return line[:at] + line[at + len(body) :], at, body
    _, end = json.JSONDecoder().raw_decode(line[at:].decode())
    body = line[at:].decode()[:end].encode()
    return line[:at] + line[at + len(body) :], at, body


def whole(entry: bytes, body_at: int | None, body: bytes | None) -> bytes:
    """The line that :func:`parted` took apart."""
    return entry if body_at is None or body is None else entry[:body_at] + body + entry[body_at:]


def message_row(
    line: bytes, start: int, record: Record, noted: Noted, message: bytes | None, run: Record
) -> MessageRow:
    """The row of a line at byte ``start`` of the log, which belongs to ``run``.

    ``message`` is the body that it stands for, where the line does not carry it; None where it was purged.
    """
    entry, body_at, carried = parted(line, record)
    if carried is None and noted.first:
        carried = message
    said = record.get("message") or (json.loads(message) if message is not None else None)
    words, words_cut = _words(said) if said else (None, False)
    return MessageRow(
        conversation_id=name_of(record["conversation_id"]),
        message_index=record["index"],
        content_hash=name_of(record["content_hash"]),
        role=said["role"] if said else None,
        content=_text(said["content"]) if said else "",
        created_at=moment(record.get("timestamp")) or moment(run["timestamp"]),
        metadata=cleaned_json({name: value for name, value in record.items() if name not in _SHOWN}),
        source_index=_number(record.get("source_index")),
        kind=noted.item.kind,
        uuid=name_of(record["uuid"]) if record.get("uuid") else None,
        alignment_key=name_of(noted.item.key),
        weight=noted.item.weight,
        log_start=start,
        entry=entry,
        body_at=body_at,
        body=carried,
        extends=record.get("extends"),
        words=words,
        words_cut=words_cut,
    )


def _words(message: dict[str, Any]) -> tuple[str | None, bool]:
    """What a search finds in a message, and whether it has more than that; of what is not to be found there is nothing."""
    text = readable(message["content"])
    if not counts(message["kind"]) or is_own_output(message["kind"], text):
        return None, False
    return tsvector_of(text)


def _number(found: Any) -> int | None:
    """A source's own number, where it is one that fits."""
    return found if isinstance(found, int) and -_LARGEST <= found < _LARGEST else None


def _text(content: Any) -> str:
    """What a message says, to be read: a text as it is, anything else as JSON."""
    return cleaned(content) if isinstance(content, str) else cleaned_json(content)
