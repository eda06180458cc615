"""What a run changes in the database, as statements: its lines as rows, and all that follows from them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from ...start.late_tuple import NamedTuple
from ..index.conversation_head import head_of
from ..index.root import about_of
from ..index.table_entries import FORMS, dumps
from ..log.lines import PREVIOUS, decode_line, is_commit
from ..log.records import CAPTURE, PURGE, PURGED, SAME, announces, blobs_of
from .clean_text import cleaned, cleaned_json, moment, name_of
from .message_rows import TYPES, MessageRow, message_row, parted

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from ..log.lines import Record
    from ..state.log_state import State
    from .session import Session, Statement
    from .stored_tables import StoredTables

    Told = tuple[int, bytes, Record]
    """The byte at which a line begins, the line, and what it says."""

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
WHERE c.conversation_id = n.conversation_id AND c.owner = current_user
"""
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
_BYTES_AT_ONCE: Final = 8 * 1024 * 1024
_ROWS_AT_ONCE: Final = 10_000
_SHOWN: Final = ("conversation_id", "timestamp", "export", "window", PREVIOUS, "session", "processing_time_ms")


def about(state: State) -> str:
    """The sums of a state, as the database keeps them."""
    return dumps(about_of(state)).decode()


class Runs(NamedTuple):
    """The ``lines`` of complete runs, the first at byte ``start`` of the log, the audit lines and the blobs that belong to them."""

    lines: Sequence[bytes]
    start: int
    audit: Sequence[bytes]
    blobs: Mapping[str, bytes]


def of_runs(session: Session, state: State, tables: StoredTables, runs: Runs) -> Iterator[Statement]:
    """The statements for runs and all that follows from them."""
    told = list(_told(runs.lines, runs.start))
    messages = list(_message_rows(session, tables, told))
    changed = [(name, state.conversation(name)) for name in state.conversations.changed]
    names = [name_of(name) for name, _ in changed]
    yield _NEW, [names, [found.number for _, found in changed], ["{}"] * len(changed)]
    yield from _insert("messages", TYPES, messages)
    yield from _insert("runs", RUN, [run_row(*each) for each in told if _ends(each[2])])
    for row in messages:
        tables.totals[row.conversation_id] = tables.totals.get(row.conversation_id, 0) + 1
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
        ],
    )
    yield _WATERMARKS, [names, [len(found) - 1 for _, found in changed]]
    yield from _insert("deduplication_log", AUDIT, [audit_row(line) for line in runs.audit if line])
    yield from _blobs(told, runs.blobs)
    yield from _entries(state)


def _blobs(told: Sequence[Told], blobs: Mapping[str, bytes]) -> Iterator[Statement]:
    """Each with the first conversation that refers to it."""
    found = {
        digest: name_of(record["conversation_id"]) for _, _, record in reversed(told) for digest in blobs_of(record)
    }
    if blobs:
        yield _BLOBS, [[found[digest] for digest in blobs], [*blobs], [*blobs.values()]]


def _insert(table: str, types: dict[str, str], rows: Sequence[Sequence[Any]]) -> Iterator[Statement]:
    """``owner`` is whoever is connected."""
    arrays = ", ".join(f"%s::{each}[]" for each in types.values())
    for some in _at_once(rows):
        yield f"INSERT INTO {table} ({', '.join(types)}) SELECT * FROM unnest({arrays})", [*map(list, zip(*some))]


def _at_once(rows: Sequence[Sequence[Any]]) -> Iterator[list[Sequence[Any]]]:
    """So many of them together that neither side has to hold very much at a time."""
    some: list[Sequence[Any]] = []
    size = 0
    for row in rows:
        some.append(row)
        size += sum(len(each) for each in row if isinstance(each, (str, bytes)))
        if size > _BYTES_AT_ONCE or len(some) == _ROWS_AT_ONCE:
            yield some
            some, size = [], 0
    if some:
        yield some


def _told(lines: Sequence[bytes], start: int) -> Iterator[Told]:
    for line in lines:
        yield start, line, decode_line(line)
        start += len(line)


def _ends(record: Record) -> bool:
    """Whether it is a line of the run itself, and not an occurrence."""
    return SAME in record or is_commit(record)


def _message_rows(session: Session, tables: StoredTables, told: Sequence[Told]) -> Iterator[MessageRow]:
    carried: dict[str, bytes | None] = {}
    wanted: dict[str, None] = {}
    for _, line, record in told:
        if "message" in record:
            carried[record["content_hash"]] = parted(line, record)[2]
        elif not _ends(record) and PURGED not in record and record["content_hash"] not in carried:
            wanted[record["content_hash"]] = None
    if wanted:
        carried.update((name, bytes(body)) for name, body in session.rows(_BODIES, [session.owner, [*wanted]]))
    run: Record = {}
    for start, line, record in reversed(told):
        if _ends(record):
            run = record
        else:
            message = carried[record["content_hash"]] if PURGED not in record else None
            yield message_row(line, start, record, tables.places.noted[start], message, run)


def run_row(start: int, line: bytes, record: Record) -> list[Any]:
    """A line of a run that is no occurrence, as the columns of ``runs``."""
    export = record.get("export", {})
    kind = SAME if SAME in record else PURGE if PURGE in record else "run" if announces(record) else CAPTURE
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
    said = decode_line(line)
    more = {name: said[name] for name in ("new_messages", "captured_messages") if name in said}
    return [
        name_of(said["conversation_id"]),
        said["operation"],
        said.get("messages_processed", 0),
        said.get("duplicates_filtered", 0),
        said.get("storage_savings_pct"),
        said.get("processing_time_ms"),
        moment(said["created_at"]),
        cleaned_json({**said["metadata"], **more}),
    ]


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
