"""Made-up rows of a store in PostgreSQL, by plain SQL: as many as a test of tables, rights and plans needs."""

from __future__ import annotations

OWNED = (
    "stores",
    "conversations",
    "messages",
    "runs",
    "watermarks",
    "deduplication_log",
    "blobs",
    "index_entries",
    "archived_files",
    "archive_objects",
)
"""The tables with an owner, those that others refer to first."""
_STATEMENTS = {
    "stores": "INSERT INTO stores (owner, log_size, log_head, about) VALUES (%(owner)s, 0, '', '{}')",
    "conversations": """
        INSERT INTO conversations (conversation_id, owner, number, state) VALUES (%(id)s, %(owner)s, %(number)s, '{}')
    """,
    "messages": """
        INSERT INTO messages (conversation_id, owner, message_index, content_hash, role, content, metadata, kind, uuid,
            alignment_key, weight, log_start, entry, body, words)
        SELECT %(id)s, %(owner)s, n, encode(sha256(convert_to(%(id)s || n, 'UTF8')), 'hex'),
            CASE n %% 2 WHEN 0 THEN 'user' ELSE 'assistant' END, 'message ' || n || ' about storage', jsonb_build_object('n', n),
            CASE n %% 3 WHEN 0 THEN 'tool_call' ELSE 'text' END, 'uuid-' || n, 'key-' || n, 10, %(start)s + n * 200,
            convert_to('{"index":' || n || '}', 'UTF8'), convert_to('{}', 'UTF8'),
            to_tsvector('simple', 'message ' || n || ' about storage')
        FROM generate_series(%(first)s::INTEGER, %(first)s + %(count)s - 1) AS n
    """,
    "runs": """
        INSERT INTO runs (conversation_id, owner, log_start, entry, kind, export_name, export_sha256, total, new)
        VALUES (%(id)s, %(owner)s, %(start)s - 1, '', 'run', 'a.txt', encode(sha256(convert_to(%(id)s, 'UTF8')), 'hex'),
            %(count)s, %(count)s)
    """,
    "watermarks": """
        INSERT INTO watermarks (conversation_id, owner, highest_index) VALUES (%(id)s, %(owner)s, %(count)s - 1)
    """,
    "deduplication_log": """
        INSERT INTO deduplication_log (conversation_id, owner, operation, messages_processed, duplicates_filtered)
        VALUES (%(id)s, %(owner)s, 'process_export', %(count)s, 0)
    """,
    "blobs": "INSERT INTO blobs (conversation_id, owner, digest, data) VALUES (%(id)s, %(owner)s, 'd', '\\x00')",
    "index_entries": """
        INSERT INTO index_entries (conversation_id, owner, name, key, value) VALUES (%(id)s, %(owner)s, 'n', '\\x00', '\\x00')
    """,
    "archived_files": """
        INSERT INTO archived_files (conversation_id, owner, name, entry, position) VALUES (%(id)s, %(owner)s, 'a', '', 0)
    """,
    "archive_objects": """
        INSERT INTO archive_objects (conversation_id, owner, name, part, size, sha256, data)
        VALUES (%(id)s, %(owner)s, 'a', 0, 1, '', '\\x00')
    """,
}


def insert(connection, table, owner=None, conversation="tide-clock", count=3, number=0, first=0):
    """Rows of one table; ``count`` messages from the sequence number ``first`` on, one row of any other table."""
    if owner is None:
        (owner,) = connection.execute("SELECT current_user::TEXT").fetchone()
    values = {"id": conversation, "owner": owner, "count": count, "number": number, "first": first}
    connection.execute(_STATEMENTS[table], {**values, "start": number * 10_000_000})


def fill(connection, owner=None, conversations=("tide-clock",), count=3, first=0):
    """A store of one owner with a row or more in every table."""
    insert(connection, "stores", owner)
    for number, conversation in enumerate(conversations, first):
        for table in OWNED[1:]:
            insert(connection, table, owner, conversation, count, number)
