"""What Citus asks of tables that it distributes by conversation, held on plain PostgreSQL."""

from __future__ import annotations

import re

import pytest

from deduplication.storage.database import schema
from postgres_scripts import SCRIPTS

psycopg = pytest.importorskip("psycopg")

LOCAL = {"stores", "schema_version"}
"""Tables that stay on one machine."""
SCRIPT = "distribute.sql"
KEYS = """
    SELECT c.relname::TEXT, k.conname::TEXT, k.contype::TEXT,
        array(SELECT attname::TEXT FROM pg_attribute WHERE attrelid = k.conrelid AND attnum = ANY(k.conkey)),
        array(SELECT attname::TEXT FROM pg_attribute WHERE attrelid = k.confrelid AND attnum = ANY(k.confkey)),
        k.confrelid::REGCLASS::TEXT
    FROM pg_constraint k JOIN pg_class c ON c.oid = k.conrelid
    WHERE c.relnamespace = 'public'::REGNAMESPACE AND k.contype IN ('p', 'u', 'f', 'x')
"""
UNIQUE_INDEXES = """
    SELECT x.indrelid::REGCLASS::TEXT, x.indexrelid::REGCLASS::TEXT,
        array(SELECT attname::TEXT FROM pg_attribute WHERE attrelid = x.indrelid AND attnum = ANY(x.indkey))
    FROM pg_index x JOIN pg_class c ON c.oid = x.indrelid WHERE c.relnamespace = 'public'::REGNAMESPACE AND x.indisunique
"""


@pytest.fixture
def connection(database):
    """A connection to a database with the tables of a store."""
    with psycopg.connect(database, autocommit=True) as opened:
        schema.bring_up(opened)
        yield opened


def script():
    """The statements of the script, without comments."""
    return re.sub(r"--.*", "", (SCRIPTS / SCRIPT).read_text(encoding="utf-8"))


def test_every_key_holds_the_conversation(connection):
    """Each primary, unique and foreign key of a table that is distributed, and each unique index, has conversation_id."""
    keys = connection.execute(KEYS).fetchall()
    distributed = [row for row in keys if row[0] not in LOCAL]
    assert {row[0] for row in distributed} == set(schema.TABLES) - LOCAL
    assert [row for row in distributed if "conversation_id" not in row[3]] == []
    foreign = [row for row in distributed if row[2] == "f"]
    assert {row[0] for row in foreign} == {"messages", "runs", "watermarks"}
    assert [row for row in foreign if "conversation_id" not in row[4] or row[5] != "conversations"] == []
    indexes = [row for row in connection.execute(UNIQUE_INDEXES) if row[0] not in LOCAL]
    assert [row for row in indexes if "conversation_id" not in row[2]] == []


def test_tables_that_stay_refer_to_none_that_goes(connection):
    """No foreign key leads from or to a table that stays on one machine."""
    keys = connection.execute(KEYS).fetchall()
    assert [row for row in keys if row[2] == "f" and (row[0] in LOCAL or row[5] in LOCAL)] == []


def test_the_conversation_is_never_missing(connection):
    """No row can have NULL in the column by which it is distributed, and numbers given out are 64 bits wide."""
    found = connection.execute(
        "SELECT table_name FROM information_schema.columns WHERE table_schema = 'public' AND column_name = 'conversation_id'"
        " AND is_nullable = 'NO' AND data_type = 'text'"
    ).fetchall()
    assert {name for (name,) in found} == set(schema.TABLES) - LOCAL
    kinds = connection.execute(
        "SELECT DISTINCT data_type::TEXT FROM pg_sequences WHERE schemaname = 'public'"
    ).fetchall()
    assert kinds == [("bigint",)]


def test_every_table_can_be_partitioned_by_it(connection):
    """PostgreSQL itself takes each table, with its keys, as one in parts by a hash of the conversation."""
    for table in set(schema.TABLES) - LOCAL:
        connection.execute(
            f"CREATE TABLE parts_of_{table} (LIKE {table} INCLUDING ALL) PARTITION BY HASH (conversation_id)"
        )


def test_the_script_names_tables_in_their_order(connection):
    """All of them but those that stay, once each; a table to which another refers before it; and no trigger is left on any."""
    order = re.findall(r"create_distributed_table\('(\w+)', 'conversation_id'", script())
    assert sorted(order) == sorted(set(schema.TABLES) - LOCAL)
    for table, *_, kind, _mine, _theirs, other in connection.execute(KEYS).fetchall():
        assert kind != "f" or order.index(other) < order.index(table)
    dropped = re.findall(r"DROP TRIGGER IF EXISTS (\w+) ON (\w+)", script())
    triggers = connection.execute(
        "SELECT tgname::TEXT, tgrelid::REGCLASS::TEXT FROM pg_trigger t JOIN pg_class c ON c.oid = tgrelid"
        " WHERE NOT tgisinternal AND c.relnamespace = 'public'::REGNAMESPACE"
    ).fetchall()
    assert sorted(dropped) == sorted(triggers)
    assert script().index("DROP TRIGGER") < script().index("create_distributed_table")


def test_the_script_is_sql(connection):
    """All of it but Citus itself is run: a function of the same name and arguments takes the place of its own."""
    connection.execute("CREATE TABLE told (name REGCLASS, by TEXT, beside TEXT)")
    connection.execute(
        "CREATE FUNCTION create_distributed_table(REGCLASS, TEXT, colocate_with TEXT DEFAULT 'default') RETURNS VOID"
        " LANGUAGE SQL AS 'INSERT INTO told VALUES ($1, $2, $3)'"
    )
    connection.execute(script().replace("CREATE EXTENSION IF NOT EXISTS citus;", ""))
    told = connection.execute("SELECT name::TEXT, by, beside FROM told").fetchall()
    assert told[0] == ("conversations", "conversation_id", "default")
    assert {row[1:] for row in told[1:]} == {("conversation_id", "conversations")}


def test_it_says_that_it_was_not_tried():
    """Whoever opens the script reads that in its first lines."""
    assert "NOT TRIED" in "".join((SCRIPTS / SCRIPT).read_text(encoding="utf-8").splitlines()[:5])
