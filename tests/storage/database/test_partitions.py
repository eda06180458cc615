"""Messages in parts: the same table for everybody who asks, and each conversation in one part of it."""

from __future__ import annotations

import re

import pytest

from deduplication.storage.database import partitions, schema
from deduplication.storage.database.errors import PartitioningRefused
from postgres_catalogue import catalogue
from postgres_rows import OWNED, fill, insert
from postgres_scripts import psql

psycopg = pytest.importorskip("psycopg")

CONVERSATIONS = tuple(f"conversation-{number}" for number in range(40))


@pytest.fixture
def connection(database):
    """A connection to a database with the tables of a store."""
    with psycopg.connect(database, autocommit=True) as opened:
        schema.bring_up(opened)
        yield opened


def name_of(connection):
    """The database of a connection."""
    return connection.info.dbname


def everything(connection):
    """All rows of all tables but the record of migrations, whole."""
    return {table: connection.execute(f"SELECT t.*::TEXT FROM {table} AS t ORDER BY 1").fetchall() for table in OWNED}


def differing(one, other):
    """What two catalogues do not have in common, but for what a table with parts cannot but have otherwise."""
    found = {}
    for kind in one:
        left, right = ([_alike(row) for row in both[kind]] for both in (one, other))
        if left != right:
            found[kind] = sorted(set(left) ^ set(right))
    return found


def _alike(row):
    """A row of the catalogue as text, with a table that has parts taken for any other."""
    return str(tuple("r" if field == "p" and row[0] == "messages" else field for field in row[:2]) + row[2:])


@pytest.mark.parametrize("parts", [1, 8, 3])
def test_the_table_is_the_same(connection, parts):
    """Rows, columns, constraints, indexes, triggers, policies, rights and comments: nothing but the parts is new."""
    fill(connection, conversations=CONVERSATIONS, count=5)
    before, rows = catalogue(connection), everything(connection)
    assert not partitions.is_partitioned(connection)
    assert partitions.partition(connection, parts) == 200
    assert partitions.is_partitioned(connection)
    assert differing(before, catalogue(connection)) == {}
    assert everything(connection) == rows
    found = connection.execute(
        "SELECT c.relname::TEXT, pg_get_expr(c.relpartbound, c.oid), c.relrowsecurity FROM pg_inherits JOIN pg_class c"
        " ON c.oid = inhrelid WHERE inhparent = 'messages'::REGCLASS ORDER BY 1"
    ).fetchall()
    assert found == [
        (f"messages_p{number}", f"FOR VALUES WITH (modulus {parts}, remainder {number})", True)
        for number in range(parts)
    ]
    assert schema.bring_up(connection) == schema.newest()


def test_with_roles_and_what_an_administrator_added(postgres, connection):
    """The owner's role, rights, the team's policy, comments and indexes that somebody added: all are there afterwards."""
    name = name_of(connection)
    try:
        psql(postgres, name, "create_roles.sql")
        for statement in (
            "CREATE INDEX \"Mine, too\" ON messages ((metadata->>'n')) WHERE weight > 1",
            "COMMENT ON INDEX \"Mine, too\" IS 'it''s mine'",
            "COMMENT ON CONSTRAINT fk_messages_conversation ON messages IS 'of a conversation'",
            "COMMENT ON CONSTRAINT chk_message_index_positive ON messages IS 'from 0'",
            "GRANT SELECT (content) ON messages TO PUBLIC",
            "GRANT SELECT ON messages TO dedup_app_role WITH GRANT OPTION",
            "CREATE POLICY narrow ON messages AS RESTRICTIVE FOR INSERT TO dedup_app_role, dedup_purge_role WITH CHECK (weight>0)",
        ):
            connection.execute(statement)
        fill(connection)
        before = catalogue(connection)
        partitions.partition(connection)
        assert differing(before, catalogue(connection)) == {}
        psql(postgres, name, "create_schema.sql")
        psql(postgres, name, "create_roles.sql")
        owners = "SELECT DISTINCT pg_get_userbyid(relowner)::TEXT FROM pg_class WHERE relname LIKE 'messages%'"
        assert connection.execute(owners).fetchall() == [("dedup_owner_role",)]
    finally:
        postgres.drop_database(name)
        postgres.execute(
            "DROP ROLE IF EXISTS dedup_owner_role, dedup_app_role, dedup_reader_role, dedup_purge_role, dedup_team_role"
        )


def test_a_store_goes_on(connection):
    """New messages get new ids, the conversation is counted, what is unique stays unique, and a message needs its conversation."""
    fill(connection, conversations=CONVERSATIONS[:4], count=5)
    partitions.partition(connection)
    insert(connection, "messages", conversation=CONVERSATIONS[0], count=3, number=50, first=5)
    ids = [number for (number,) in connection.execute("SELECT message_id FROM messages ORDER BY 1")]
    assert ids == list(range(1, 24))
    found = connection.execute("SELECT count(*) FROM find_messages($$'storage' & '3'$$)").fetchone()
    assert found == (4,)
    counted = connection.execute("SELECT total_messages FROM conversations ORDER BY number").fetchall()
    assert counted == [(8,), (5,), (5,), (5,)]
    with pytest.raises(psycopg.errors.UniqueViolation):
        insert(connection, "messages", conversation=CONVERSATIONS[0], first=5)
    with pytest.raises(psycopg.errors.ForeignKeyViolation):
        insert(connection, "messages", conversation="nobody knows it")


@pytest.mark.parametrize("table", ["messages", "messages_p3"])
@pytest.mark.parametrize("statement", ["UPDATE {} SET weight = 1", "DELETE FROM {}", "TRUNCATE {}"])
def test_every_part_is_append_only(connection, table, statement):
    """Neither the table nor a part of it is changed by its owner, until a purge is announced."""
    fill(connection, conversations=CONVERSATIONS)
    partitions.partition(connection)
    before = everything(connection)
    with pytest.raises(psycopg.errors.InsufficientPrivilege, match="append-only"):
        connection.execute(statement.format(table))
    with pytest.raises(psycopg.errors.InsufficientPrivilege, match="append-only"):
        connection.execute("DELETE FROM conversations")
    assert everything(connection) == before
    with connection.transaction():
        connection.execute("SET LOCAL export_dedup.purging = 'on'")
        connection.execute(statement.format(table))
        connection.execute("DELETE FROM conversations")
    assert everything(connection)["messages"] == []


def test_one_conversation_is_read_from_one_part(connection):
    """What is asked of a conversation reads one part, through its index; a prepared statement does, too."""
    fill(connection, conversations=CONVERSATIONS, count=200)
    partitions.partition(connection)
    for query in (
        "SELECT content FROM messages WHERE conversation_id = 'conversation-7' ORDER BY message_index LIMIT 5",
        "SELECT FROM messages WHERE conversation_id = 'conversation-7' AND message_index = 25",
        "SELECT FROM messages WHERE conversation_id = 'conversation-7' AND content_hash = 'x'",
        "SELECT FROM messages WHERE conversation_id = 'conversation-7' AND uuid = 'x'",
    ):
        plan = "\n".join(line for (line,) in connection.execute(f"EXPLAIN {query}"))
        assert len(set(re.findall(r"\bmessages_p\d\b", plan))) == 1, plan
        assert "Index" in plan, plan
    connection.execute("SET plan_cache_mode = force_generic_plan")
    connection.execute("PREPARE one (TEXT) AS SELECT FROM messages WHERE conversation_id = $1")
    plan = "\n".join(line for (line,) in connection.execute("EXPLAIN EXECUTE one ('conversation-7')"))
    assert "Subplans Removed: 7" in plan, plan


def test_not_twice(connection):
    """Messages that lie in parts are left as they are."""
    fill(connection)
    partitions.partition(connection, 2)
    before = catalogue(connection)
    with pytest.raises(PartitioningRefused, match="into parts: they are"):
        partitions.partition(connection, 4)
    assert catalogue(connection) == before


@pytest.mark.parametrize("parts", [0, -1])
def test_not_into_nothing(connection, parts):
    """At least one part."""
    with pytest.raises(PartitioningRefused):
        partitions.partition(connection, parts)


def test_not_without_tables(connection):
    """A schema without a store is told so."""
    connection.execute("CREATE SCHEMA another")
    connection.execute("SET search_path = another, public")
    with pytest.raises(PartitioningRefused, match="no tables yet"):
        partitions.partition(connection)
    assert not partitions.is_partitioned(connection)


@pytest.mark.parametrize(
    ("statement", "reason"),
    [
        ("CREATE VIEW mine AS SELECT content FROM messages", "view mine depends"),
        ("CREATE TABLE messages_p5 (n INTEGER)", '"messages_p5" already exists'),
    ],
)
def test_what_stands_in_the_way_is_named(connection, statement, reason):
    """A view on the table, or a table of a part's name: refused, and everything is as it was."""
    connection.execute(statement)
    fill(connection)
    before, rows = catalogue(connection), everything(connection)
    with pytest.raises(PartitioningRefused, match=reason):
        partitions.partition(connection)
    assert catalogue(connection) == before
    assert everything(connection) == rows


def test_only_the_owner(postgres, connection):
    """Whoever does not own the tables is told so."""
    name = name_of(connection)
    postgres.execute("CREATE ROLE passer_by LOGIN")
    try:
        connection.execute("GRANT ALL ON ALL TABLES IN SCHEMA public TO passer_by")
        with postgres.connect(name, "passer_by") as other, pytest.raises(PartitioningRefused, match="must be owner"):
            partitions.partition(other)
    finally:
        postgres.drop_database(name)
        postgres.execute("DROP ROLE passer_by")


def test_a_kill_on_the_way_leaves_everything(postgres, connection):
    """The session ends before the transaction does: the table is as it was, and the same call works afterwards."""
    fill(connection, conversations=CONVERSATIONS, count=50)
    before, rows = catalogue(connection), everything(connection)
    with postgres.connect(name_of(connection)) as doomed, pytest.raises(psycopg.OperationalError), doomed.transaction():
        partitions.partition(doomed)
        connection.execute("SELECT pg_terminate_backend(%s)", [doomed.info.backend_pid])
    assert catalogue(connection) == before
    assert everything(connection) == rows
    assert partitions.partition(connection) == len(rows["messages"])
