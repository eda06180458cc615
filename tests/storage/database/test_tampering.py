"""One thing at a time is changed in the tables: verify names it, and rebuild makes it again where the lines of the log say it."""

from __future__ import annotations

import contextlib
import os

import pytest

import image_scenes
from deduplication.errors import StoreDamaged
from deduplication.ingest.deduplicator import ClaudeConversationDeduplicator
from deduplication.ingest.transcript_capture import capture_file
from deduplication.storage.database.checks.wrong_tables import OF_RUNS
from deduplication.storage.database.errors import DatabaseNotAllowed
from postgres_scripts import psql
from purge_scenes import Talk
from store_answers import answers, asked_besides, audit_of, log_of
from store_backends import DATABASES, Stores, require_server

psycopg = pytest.importorskip("psycopg")

TABLES = (
    "stores",
    "conversations",
    "messages",
    "runs",
    "watermarks",
    "deduplication_log",
    "blobs",
    "index_entries",
)
FREE = {
    ("messages", "message_id"): "whatever comes next",
    ("messages", "words"): "a search makes it, and proves it itself",
    ("messages", "words_cut"): "as words",
    ("conversations", "metadata"): "what people noted",
    ("watermarks", "last_updated"): "when somebody looked",
    ("deduplication_log", "log_id"): "whatever comes next",
    ("deduplication_log", "processing_time_us"): "more digits than the log has",
}
"""Columns that nothing says, and why."""
OTHER = {
    "text": "coalesce({0}, '') || 'x'",
    "int4": "coalesce({0}, 0) + 1000",
    "int8": "coalesce({0}, 0) + 1000",
    "numeric": "coalesce({0}, 0) + 1",
    "timestamptz": "{0} + INTERVAL '1 day'",
    "jsonb": "coalesce({0}, '{{}}') || '{{\"x\": 1}}'",
    "bytea": "CASE WHEN length({0}) > 0 THEN set_byte({0}, length({0}) / 2, get_byte({0}, length({0}) / 2) # 1) ELSE 'x' END",
}
"""Another value of a column, by its type."""
ROWS = {
    "the line that carries a body": ("messages", "body_at IS NOT NULL"),
    "a repeat": ("messages", "body IS NULL"),
    "the first repeat in another conversation": ("messages", "body IS NOT NULL AND body_at IS NULL"),
    "a message with an image": (
        "messages",
        "body_at IS NOT NULL AND body::TEXT LIKE '%' || encode('\"blobs\"', 'hex') || '%'",
    ),
    "a message with an id": ("messages", "uuid IS NOT NULL AND body_at IS NOT NULL"),
    **{table: (table, "TRUE") for table in TABLES if table != "messages"},
    "a conversation that became part of another one": ("conversations", "adopted_by IS NOT NULL"),
    "a capture": ("runs", "kind = 'capture'"),
    "what makes two conversations one": ("runs", "kind = 'same'"),
}
LINES = {(table, column) for table in ("messages", "runs") for column in ("entry", "log_start")}
LINES |= {("blobs", column) for column in ("conversation_id", "digest", "data")}
"""What no other row says: a backup has it."""
SAID = ("yes", "Look at the cranes in the harbour again.", "yes", "yes")
"""The same words several times in one conversation."""
BACKEND = next(iter(DATABASES))


def fill(dedup, folder):
    """Exports of two conversations, one of which is found to be part of the other, a transcript, images, repeats."""
    one, other = Talk("one", 12, images=False), Talk("other", 8, images=False)
    dedup.ingest(one.text(0, 6), name="one.txt", conversation_id="first half")
    dedup.ingest(one.text(6, 12, compacted=True), name="two.txt", conversation_id="second half")
    dedup.ingest(one.text(), name="whole.txt")
    dedup.ingest(one.text(0, 3) + other.text(), name="again.txt", conversation_id="other")
    dedup.process_export("other", {"messages": [{"role": "user", "content": each} for each in SAID]})
    path = folder / f"{one.session}.jsonl"
    for end in (4, 12):
        path.write_bytes(one.lines(0, end))
        os.utime(path, (1_800_000_000, 1_800_000_000))
        capture_file(dedup, path)
    for name, data in image_scenes.told().items():
        dedup.ingest(data, name=f"{name}.jsonl")


class Tampered:
    """A store that is filled, and whose rows can be changed behind its back."""

    def __init__(self, stores, folder):
        self.stores = stores
        self.dedup = stores.opened(BACKEND)
        self.store = self.dedup.store
        fill(self.dedup, folder)
        self.server, self.database = stores.server(BACKEND)
        self.execute("ALTER TABLE deduplication_log DROP CONSTRAINT chk_duplicates_among_processed")
        self.expected = self.told()
        assert self.store.verify() == []

    def told(self):
        """All that it says; of its audit the entries of runs: what others noted there is theirs."""
        audit = [each for each in audit_of(self.store) if each[1] in OF_RUNS]
        return answers(self.store), asked_besides(self.store), log_of(self.store), audit

    def asked(self):
        """What is asked of it is answered, or it says that it is damaged."""
        dedup = self.stores.opened(BACKEND)
        with contextlib.suppress(StoreDamaged):
            answers(dedup.store)
            asked_besides(dedup.store)
        dedup.store.database.close()

    def execute(self, sql, parameters=None):
        """As somebody who may do everything; how many rows were changed."""
        with self.server.connect(self.database) as connection, connection.transaction():
            connection.execute("SET LOCAL session_replication_role = 'replica'")  # no trigger, no foreign key
            return connection.execute(sql, parameters).rowcount

    def put_back(self, table):
        """As it was saved."""
        self.execute(f"DELETE FROM {table}")
        self.execute(f"INSERT INTO {table} SELECT * FROM saved")

    def columns(self, table):
        """Every column of a table, with its type."""
        return self.server.execute(
            "SELECT column_name::text, udt_name::text FROM information_schema.columns"
            " WHERE table_schema = 'public' AND table_name = %s AND column_name <> 'owner' ORDER BY ordinal_position",
            [table],
            database=self.database,
        )

    def made_again(self):
        """What rebuild cannot save; the store says what it said before."""
        left = self.store.rebuild()
        if not left:
            assert self.store.verify() == []
            assert self.told() == self.expected
        return left


@pytest.fixture
def tampered(request, tmp_path):
    """A filled store."""
    with Stores(request, tmp_path) as stores:
        yield Tampered(stores, tmp_path)


def one_row(table, where):
    """The identity of one row."""
    return f"{table}.ctid = (SELECT ctid FROM {table} WHERE {where} ORDER BY ctid DESC LIMIT 1)"


def names(problems, table):
    """Does any of them name the table, or the log?"""
    return any(
        problem.startswith((f"{table}: ", "postgresql:", "blobs/")) or ", line " in problem for problem in problems
    )


@pytest.mark.unmeasured
def test_every_column_is_proven(tampered):
    """Each column of each kind of row, changed by itself, is named; all that follows from the lines is made again."""
    tried = set()
    for which, (table, where) in ROWS.items():
        tampered.execute(f"CREATE TABLE saved AS SELECT * FROM {table}")
        row, follows = one_row(table, where), []
        for column, kind in tampered.columns(table):
            if (table, column) in FREE:
                continue
            changed = OTHER[kind].format(f'"{column}"')
            if tampered.execute(
                f'UPDATE {table} SET "{column}" = {changed} WHERE {row} AND {changed} IS DISTINCT FROM "{column}"'
            ):
                tried.add((table, column))
                problems = tampered.store.verify()
                assert names(problems, table), (which, column, problems)
                if (table, column) in LINES or (column in {"body", "body_at"} and "repeat" not in which):
                    assert tampered.store.rebuild() == problems, (which, column)
                elif table == "stores":  # where the log ends, and its head: only one of them can be told from the other
                    assert tampered.made_again() == []
                elif column != "body_at":
                    follows.append(f'"{column}" = {changed}')
                if table in ("stores", "conversations", "index_entries"):
                    tampered.asked()
                tampered.put_back(table)
        if follows:
            assert tampered.execute(f"UPDATE {table} SET {', '.join(follows)} WHERE {row}") == 1
            assert tampered.made_again() == []
        tampered.execute("DROP TABLE saved")
    assert tried == {(table, column) for table in TABLES for column, _ in tampered.columns(table)} - FREE.keys()


@pytest.mark.unmeasured
def test_every_row_is_proven(tampered):
    """A row of each kind that is gone, and one that is there twice, is named."""
    for which, (table, where) in ROWS.items():
        tampered.execute(f"CREATE TABLE saved AS SELECT * FROM {table}")
        assert tampered.execute(f"DELETE FROM {table} WHERE {one_row(table, where)}") == 1
        problems = tampered.store.verify()
        assert names(problems, table), (which, problems)
        left = tampered.made_again()
        assert bool(left) == (table in ("messages", "runs", "blobs")), (which, left)
        if left:
            tampered.put_back(table)
        tampered.execute("DROP TABLE saved")
    copied = {
        "deduplication_log": "conversation_id, operation, messages_processed, duplicates_filtered, created_at, metadata",
        "index_entries": None,
    }
    tampered.execute(
        f"INSERT INTO deduplication_log (owner, {copied['deduplication_log']})"
        f" SELECT owner, {copied['deduplication_log']} FROM deduplication_log ORDER BY log_id LIMIT 1"
    )
    assert names(tampered.store.verify(), "deduplication_log")
    assert tampered.made_again() == []
    tampered.execute(
        "INSERT INTO index_entries (owner, name, key, value) SELECT owner, name, key || 'x', value FROM index_entries"
        " WHERE name = 'exports' LIMIT 1"
    )
    assert names(tampered.store.verify(), "index_entries")
    assert tampered.made_again() == []


def test_a_body_is_in_the_first_row_of_its_content_and_in_no_other_one(tampered):
    """Moved to a later row, or copied there: SQL that joins by it would find it twice, or not."""
    twice = """
        UPDATE messages AS m SET body = f.body FROM messages AS f
        WHERE f.owner = m.owner AND f.conversation_id = m.conversation_id AND f.content_hash = m.content_hash
            AND f.body IS NOT NULL AND m.body IS NULL
    """
    assert tampered.execute(twice) > 0
    assert names(tampered.store.verify(), "messages")
    assert tampered.made_again() == []
    tampered.execute(twice)
    tampered.execute(
        "UPDATE messages AS m SET body = NULL FROM (SELECT conversation_id, content_hash, min(log_start) AS first FROM messages"
        " GROUP BY 1, 2) AS f WHERE m.log_start = f.first AND body_at IS NULL AND body IS NOT NULL AND EXISTS (SELECT FROM messages"
        " AS l WHERE l.conversation_id = m.conversation_id AND l.content_hash = m.content_hash AND l.log_start > f.first)"
    )
    assert names(tampered.store.verify(), "messages")
    assert tampered.made_again() == []


def test_runs_that_are_gone_from_the_end_are_missed(tampered):
    """The store knows how far its log goes: what is no more there is named, and nothing is made of the rest."""
    last = "(SELECT max(log_start) FROM runs)"
    before = "(SELECT max(log_start) FROM runs WHERE log_start < (SELECT max(log_start) FROM runs))"
    tampered.execute(f"DELETE FROM messages WHERE log_start > {before}")
    tampered.execute(f"DELETE FROM runs WHERE log_start = {last}")
    problems = tampered.store.verify()
    assert "bytes at its end are missing" in problems[0]
    assert tampered.store.rebuild() == problems == tampered.store.verify()


def test_a_store_without_its_row_is_no_empty_one(tampered):
    """Who finds nothing in ``stores`` looks whether there are lines."""
    tampered.execute("DELETE FROM stores")
    assert names(tampered.store.verify(), "stores")
    assert tampered.made_again() == []


def test_what_people_noted_outlives_a_rebuild(tampered):
    """It follows from no line."""
    tampered.execute("UPDATE conversations SET metadata = '{\"tag\": \"harbour\"}' WHERE conversation_id = 'other'")
    tampered.execute("UPDATE watermarks SET highest_index = 99")
    tampered.execute(
        "INSERT INTO deduplication_log (owner, operation, messages_processed, duplicates_filtered, metadata)"
        " SELECT owner, 'verify', 0, 0, '{}' FROM stores"
    )
    assert tampered.store.verify() != []
    assert tampered.store.rebuild() == []
    notes = "SELECT conversation_id FROM conversations WHERE metadata->>'tag' = 'harbour'"
    assert tampered.server.execute(notes, database=tampered.database) == [("other",)]
    others = "SELECT count(*) FROM deduplication_log WHERE operation = 'verify'"
    assert tampered.server.execute(others, database=tampered.database) == [(1,)]


def test_who_may_only_add_is_told_so(request, tmp_path, postgres_servers):
    """The application's role cannot rebuild: it says so, and nothing is changed."""
    require_server(BACKEND)
    server = postgres_servers(DATABASES[BACKEND])
    with Stores(request, tmp_path) as stores:
        server, database = stores.server(BACKEND)
        psql(server, database, "create_roles.sql")
        server.execute("CREATE ROLE una LOGIN IN ROLE dedup_app_role")
        dedup = ClaudeConversationDeduplicator(tmp_path / "una", "postgresql", server.dsn(database, "una"))
        try:
            fill(dedup, tmp_path)
            assert dedup.store.verify() == []
            assert dedup.store.rebuild() == []
            with server.connect(database) as connection:
                connection.execute("UPDATE watermarks SET highest_index = 99 WHERE owner = 'una'")
            problems = dedup.store.verify()
            with pytest.raises(DatabaseNotAllowed):
                dedup.store.rebuild()
            assert dedup.store.verify() == problems != []
            assert dedup.ingest(Talk("more", 4).text(), name="more.txt").new == 4
        finally:
            dedup.store.database.close()
            with server.connect(database) as connection:
                connection.execute("DROP OWNED BY una")
            server.execute("DROP ROLE una")
