"""What a run changes in the database, as statements: its lines as rows, and all that follows from them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from ...start.late_tuple import NamedTuple
from ..audit_entries import entry_of
from ..index.conversation_head import head_of
from ..index.root import about_of
from ..index.table_entries import FORMS, dumps
from ..log.lines import PREVIOUS, decode_line
from ..log.records import CAPTURE, PURGE, SAME, announces, blobs_of, is_occurrence
from ..log.title_records import TITLE, is_titling
from .clean_text import cleaned, cleaned_json, moment, name_of, named
from .message_rows import TYPES, Told
from .new_rows import NewRows

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    from ..audit_entries import AuditEntry
    from ..state.log_state import State
    from .message_rows import MessageRows
    from .session import Change, Session, Statement
    from .stored_tables import StoredTables

STORE: Final = """
INSERT INTO stores (log_size, log_head, about) VALUES (%(size)s, %(head)s, %(about)s)
ON CONFLICT (owner) DO UPDATE SET log_size = excluded.log_size, log_head = excluded.log_head, about = excluded.about
WHERE stores.log_size = %(old_size)s AND stores.log_head = %(old_head)s
RETURNING owner
"""
"""Of the store as it was found; it returns nothing where somebody else has written meanwhile."""
_BODIES: Final = (
    "SELECT content_hash, body FROM messages WHERE owner = %s AND content_hash = ANY(%s) AND body_at IS NOT NULL"
)
_NEW: Final = """
INSERT INTO conversations (conversation_id, number, state) SELECT * FROM unnest(%s::text[], %s::integer[], %s::text[])
ON CONFLICT (conversation_id, owner) DO NOTHING
"""
_HEADS: Final = """
UPDATE conversations AS c SET state = n.state, total_messages = n.total, adopted_by = n.adopted_by,
    created_at = coalesce(n.created_at, c.created_at), last_updated = coalesce(n.updated_at, c.last_updated)
FROM unnest(%s::text[], %s::text[], %s::integer[], %s::text[], %s::timestamptz[], %s::timestamptz[])
    AS n (conversation_id, state, total, adopted_by, created_at, updated_at)
WHERE c.conversation_id = n.conversation_id AND c.owner = current_user AND c.conversation_id = ANY(%s)
"""
"""The names stand in it twice: an array is looked up in the index, whatever is known of the table."""
_WATERMARKS: Final = """
INSERT INTO watermarks (conversation_id, highest_index) SELECT * FROM unnest(%s::text[], %s::integer[])
ON CONFLICT (conversation_id, owner) DO UPDATE SET highest_index = excluded.highest_index, last_updated = CURRENT_TIMESTAMP
"""
_ENTRIES: Final = """
INSERT INTO index_entries (name, key, value) SELECT * FROM unnest(%s::text[], %s::bytea[], %s::bytea[])
ON CONFLICT (conversation_id, owner, name, key) DO UPDATE SET value = excluded.value
"""
_BLOBS: Final = """
INSERT INTO blobs (conversation_id, digest, data) SELECT * FROM unnest(%s::text[], %s::text[], %s::bytea[])
ON CONFLICT (conversation_id, owner, digest) DO NOTHING
"""
RUN: Final = {
    "conversation_id": "text",
    "log_start": "bigint",
    "entry": "bytea",
    "kind": "text",
    "created_at": "timestamptz",
    "export_name": "text",
    "export_sha256": "text",
    "export_bytes": "bigint",
    "format": "text",
    "session": "text",
    "total": "integer",
    "new": "integer",
    '"window"': "jsonb",
    "metadata": "jsonb",
}
AUDIT: Final = {
    "conversation_id": "text",
    "operation": "text",
    "messages_processed": "integer",
    "duplicates_filtered": "integer",
    "storage_savings_pct": "numeric",
    "processing_time_ms": "integer",
    "created_at": "timestamptz",
    "metadata": "jsonb",
}
WITHOUT: Final = ("names", "again")
"""Tables of an index in files that columns of rows say."""
_SHOWN: Final = ("conversation_id", "timestamp", "export", "window", PREVIOUS, "session", "processing_time_ms")


def about(state: State) -> str:
    """The sums of a state, as the database keeps them."""
    return dumps(about_of(state)).decode()


class Lines(NamedTuple):
    """Lines of the log, and the audit lines and the blobs that belong to them."""

    told: Sequence[Told]
    audit: Sequence[bytes]
    blobs: Mapping[str, bytes]


def told_from(lines: Iterable[bytes], start: int) -> Iterator[Told]:
    """Lines with what they say; the first one begins at byte ``start`` of the log."""
    for line in lines:
        record = decode_line(line)
        yield Told(start, line, record, is_occurrence(record))
        start += len(line)


def bodies_of(session: Session, identities: list[str]) -> Iterator[tuple[str, bytes]]:
    """What the database has of the bodies with these content hashes."""
    return ((named(found), body) for found, body in session.rows(_BODIES, [session.owner, [*map(name_of, identities)]]))


def of_lines(state: State, tables: StoredTables, new: Lines, rows: MessageRows) -> Iterator[Change]:
    """What is new with lines that were applied."""
    names = state.conversations.changed
    numbers = [state.conversation(name).number for name in names]
    yield _NEW, [[*map(name_of, names)], numbers, ["{}"] * len(numbers)]
    messages = rows.of(new.told, tables.places.noted.__getitem__)
    for row in messages:
        tables.totals[row.conversation_id] = tables.totals.get(row.conversation_id, 0) + 1
    yield NewRows("messages", TYPES, messages)
    yield NewRows("runs", RUN, [run_row(each) for each in new.told if not each.is_message])
    yield NewRows("deduplication_log", AUDIT, [audit_row(line) for line in new.audit if line])
    if new.blobs:
        yield _blobs(new)


def of_state(state: State, tables: StoredTables) -> Iterator[Change]:
    """What follows from all lines that were applied, where it changed."""
    changed = [(name, state.conversation(name)) for name in state.conversations.changed]
    names = [name_of(name) for name, _ in changed]
    figures = [found.figures for _, found in changed]
    yield (
        _HEADS,
        [
            names,
            [dumps({**head_of(found), "chunks": []}).decode() for _, found in changed],
            [tables.totals.get(name, 0) for name in names],
            [name_of(found.adopted_by.conversation_id) if found.adopted_by else None for _, found in changed],
            [moment(each.get("created_at")) for each in figures],
            [moment(each.get("updated_at")) for each in figures],
            names,
        ],
    )
    yield _WATERMARKS, [names, [len(found) - 1 for _, found in changed]]
    yield from _entries(state)


def _blobs(new: Lines) -> Statement:
    """Each with the first conversation that refers to it."""
    found = {
        digest: name_of(record["conversation_id"])
        for _, _, record, _ in reversed(new.told)
        for digest in blobs_of(record)
    }
    return _BLOBS, [[found[digest] for digest in new.blobs], [*new.blobs], [*new.blobs.values()]]


def run_row(told: Told) -> list[Any]:
    """A line of a run that is no occurrence, as the columns of ``runs``."""
    start, line, record, _ = told
    export = record.get("export", {})
    kind = SAME if SAME in record else PURGE if PURGE in record else "run" if announces(record) else CAPTURE
    kind = TITLE if is_titling(record) else kind
    return [
        name_of(record["conversation_id"]),
        start,
        line,
        kind,
        moment(record["timestamp"]),
        cleaned(export["name"]) if export else None,
        export.get("sha256"),
        export.get("bytes"),
        export.get("format"),
        cleaned(record["session"]) if record.get("session") else None,
        export.get("total"),
        export.get("new"),
        cleaned_json(record["window"]) if "window" in record else None,
        cleaned_json({name: value for name, value in record.items() if name not in _SHOWN}),
    ]


def audit_row(line: bytes) -> list[Any]:
    """A line of the audit log as the original design's columns; what has none is in ``metadata``."""
    return audit_values(entry_of(decode_line(line)))


def audit_values(entry: AuditEntry) -> list[Any]:
    """What an audit says, as the columns of its table."""
    return [name_of(entry.conversation_id), *entry[1:-2], moment(entry.created_at), cleaned_json(entry.metadata)]


def _entries(state: State) -> Iterator[Statement]:
    """What an index in files has besides rows and heads."""
    found = [
        (name, form.key(key), form.write(state.table(name).get(key)))
        for name, form in FORMS.items()
        if name not in WITHOUT
        for key in state.table(name).changed
    ]
    if found:
        yield _ENTRIES, [*map(list, zip(*found))]
