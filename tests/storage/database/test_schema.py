"""The tables of a store in PostgreSQL come by themselves, once, whoever comes first."""

from __future__ import annotations

import re
from concurrent.futures import ThreadPoolExecutor

import pytest

from deduplication.storage.database import schema
from deduplication.storage.database.errors import DatabaseSchemaForeign, DatabaseSchemaNewer, DatabaseSchemaOlder
from postgres_catalogue import catalogue

psycopg = pytest.importorskip("psycopg")


def connect(dsn, **more):
    """A connection that commits by itself."""
    return psycopg.connect(dsn, **{"autocommit": True, **more})


def test_migrations_are_numbered_without_a_gap():
    """Their numbers are 1, 2, 3 and so on, and each has a name."""
    found = schema.migrations()
    assert [migration.version for migration in found] == list(range(1, len(found) + 1))
    assert all(re.fullmatch(r"[a-z_]+", migration.name) and migration.sql for migration in found)
    assert schema.newest() == len(found)


@pytest.mark.parametrize("autocommit", [True, False])
def test_an_empty_database_gets_all_tables(database, autocommit):
    """One call makes them, a second one changes nothing, and no transaction stays open."""
    with connect(database, autocommit=autocommit) as connection:
        assert schema.version(connection) == 0
        assert schema.bring_up(connection) == schema.newest() == schema.version(connection)
        assert connection.info.transaction_status == psycopg.pq.TransactionStatus.IDLE
        first = catalogue(connection)
        applied = connection.execute("SELECT * FROM schema_version ORDER BY version").fetchall()
        assert [row[:2] for row in applied] == [(m.version, m.name) for m in schema.migrations()]
        assert schema.bring_up(connection) == schema.newest()
        assert catalogue(connection) == first
        assert connection.execute("SELECT * FROM schema_version ORDER BY version").fetchall() == applied
    assert {row[0] for row in first["tables"] if row[1] == "r"} == set(schema.TABLES)


def test_migrations_that_ran_change_nothing_when_run_again(database):
    """Each of them may be applied twice: what it makes is there."""
    with connect(database) as connection:
        schema.bring_up(connection)
        first = catalogue(connection)
        for migration in schema.migrations():
            connection.execute(migration.sql.encode())
        assert catalogue(connection) == first


def test_everything_has_a_comment(database):
    """Each table, column, function, trigger and policy says what it is."""
    with connect(database) as connection:
        schema.bring_up(connection)
        found = catalogue(connection)
    silent = [row for kind in ("columns", "triggers", "functions", "policies") for row in found[kind] if not row[-1]]
    assert silent == []
    assert [row for row in found["tables"] if row[1] != "S" and not row[-1]] == []


def test_many_at_once_on_an_empty_database(database):
    """Sixteen connections that come at the same time all end with the tables there, made once."""

    def come(_number):
        with connect(database) as connection:
            return schema.bring_up(connection)

    with ThreadPoolExecutor(16) as threads:
        assert set(threads.map(come, range(16))) == {schema.newest()}
    with connect(database) as connection:
        assert connection.execute("SELECT count(*) FROM schema_version").fetchone() == (schema.newest(),)


def test_many_at_once_make_the_schema_too(database):
    """The schema that the search path names is made, by one of those that come at the same time."""

    def come(_number):
        with connect(database, options=r'-c search_path="Team\ A"') as connection:
            return schema.bring_up(connection)

    with ThreadPoolExecutor(8) as threads:
        assert set(threads.map(come, range(8))) == {schema.newest()}
    with connect(database) as connection:
        assert schema.version(connection) == 0
        assert {row[0] for row in catalogue(connection, "Team A")["tables"]} >= set(schema.TABLES)


def test_a_failure_leaves_nothing(database, monkeypatch):
    """All migrations are one transaction: where the last one fails the first one has left no table."""
    broken = (*schema.migrations(), schema.Migration(schema.newest() + 1, "broken", "SELECT no_such_column"))
    monkeypatch.setattr(schema, "migrations", lambda: broken)
    with connect(database) as connection:
        empty = catalogue(connection)
        with pytest.raises(psycopg.errors.UndefinedColumn):
            schema.bring_up(connection)
        assert catalogue(connection) == empty


def test_a_later_version_adds_what_is_missing(database, monkeypatch):
    """Of a schema of an earlier version only the missing migrations are applied."""
    every = schema.migrations()
    monkeypatch.setattr(schema, "migrations", lambda: every[:1])
    with connect(database) as connection:
        assert schema.bring_up(connection) == 1
        monkeypatch.setattr(schema, "migrations", lambda: every)
        assert schema.bring_up(connection) == len(every)
        upgraded = catalogue(connection)
        connection.execute("CREATE SCHEMA fresh")
        connection.execute("SET search_path = fresh")
        schema.bring_up(connection)
        assert upgraded["columns"] == catalogue(connection, "fresh")["columns"]


def test_a_newer_database_is_left_alone(database):
    """Tables of a version that this program does not know are a named error."""
    with connect(database) as connection:
        schema.bring_up(connection)
        connection.execute("INSERT INTO schema_version VALUES (%s, 'later')", (schema.newest() + 1,))
        with pytest.raises(DatabaseSchemaNewer, match=f"version {schema.newest() + 1}"):
            schema.bring_up(connection)


@pytest.mark.parametrize("table", ["CREATE TABLE conversations (id INTEGER)", "CREATE VIEW schema_version AS SELECT 1"])
def test_tables_of_somebody_else_are_left_alone(database, table):
    """A schema that has our names already, and not from us, is a named error, and is not touched."""
    with connect(database) as connection:
        connection.execute(table)
        before = catalogue(connection)
        with pytest.raises(DatabaseSchemaForeign, match=f"{table.split()[2]} in schema public"):
            schema.bring_up(connection)
        assert catalogue(connection) == before


def test_who_may_not_make_them_is_told_who_may(postgres, database):
    """A user without the right is told what is missing, and whose script makes it."""
    name = database.split("dbname=")[1].split()[0]
    postgres.execute("DROP ROLE IF EXISTS plain_user")
    postgres.execute("CREATE ROLE plain_user LOGIN")
    postgres.execute("REVOKE CREATE ON SCHEMA public FROM public", database=name)
    try:
        with connect(postgres.dsn(name, "plain_user")) as connection:
            with pytest.raises(DatabaseSchemaOlder, match="there are none yet, and plain_user may not") as told:
                schema.bring_up(connection)
            assert "Have postgres run scripts/database/create_schema.sql" in told.value.hint
        with connect(database) as owner:
            schema.bring_up(owner)
            owner.execute("GRANT SELECT ON schema_version TO plain_user")
        with connect(postgres.dsn(name, "plain_user")) as connection:
            assert schema.bring_up(connection) == schema.newest()
            postgres.execute("DELETE FROM schema_version WHERE version = %s", (schema.newest(),), database=name)
            with pytest.raises(DatabaseSchemaOlder, match=f"version {schema.newest() - 1}, .* needs {schema.newest()}"):
                schema.bring_up(connection)
    finally:
        postgres.drop_database(name)
        postgres.execute("DROP ROLE plain_user")


def test_a_server_that_takes_no_writes(database):
    """On a standby nothing can be made: that is the same error, with the server's reason."""
    with (
        connect(database, options="-c default_transaction_read_only=on") as connection,
        pytest.raises(DatabaseSchemaOlder, match="read-only transaction"),
    ):
        schema.bring_up(connection)


def test_a_member_of_the_owning_role_migrates_in_its_name(postgres, database, monkeypatch):
    """What a later migration makes belongs to the role that owns the tables, not to whoever came first."""
    name = database.split("dbname=")[1].split()[0]
    every = schema.migrations()
    for statement in (
        "DROP ROLE IF EXISTS member, owning",
        "CREATE ROLE owning",
        "CREATE ROLE member LOGIN IN ROLE owning",
    ):
        postgres.execute(statement)
    postgres.execute("GRANT CREATE ON SCHEMA public TO owning", database=name)
    try:
        monkeypatch.setattr(schema, "migrations", lambda: every[:2])
        with connect(database) as connection:
            connection.execute("SET ROLE owning")
            schema.bring_up(connection)
        later = schema.Migration(3, "later", "CREATE TABLE later (n INTEGER)")
        monkeypatch.setattr(schema, "migrations", lambda: (*every[:2], later))
        with connect(postgres.dsn(name, "member")) as connection:
            schema.bring_up(connection)
            assert connection.execute("SELECT current_user").fetchone() == ("member",)
            found = connection.execute("SELECT tableowner FROM pg_tables WHERE tablename = 'later'").fetchone()
        assert found == ("owning",)
    finally:
        postgres.drop_database(name)
        postgres.execute("DROP ROLE member, owning")


def test_rows_of_any_form(database):
    """A connection that makes dictionaries of rows is brought up as any other."""
    with connect(database, row_factory=psycopg.rows.dict_row) as connection:
        assert schema.bring_up(connection) == schema.newest()


def test_a_long_statement_timeout_is_not_needed(database):
    """A migration may take longer than the connection allows a statement."""
    slow = schema.Migration(schema.newest() + 1, "slow", "SELECT pg_sleep(0.3)")
    every = (*schema.migrations(), slow)
    with pytest.MonkeyPatch.context() as patch, connect(database, options="-c statement_timeout=200") as connection:
        patch.setattr(schema, "migrations", lambda: every)
        assert schema.bring_up(connection) == slow.version


def test_nothing_depends_on_a_copy_of_the_package(tmp_path):
    """The migrations lie beside the module that reads them."""
    assert sorted(path.name for path in schema.FOLDER.iterdir()) == [
        f"{migration.version:04}_{migration.name}.sql" for migration in schema.migrations()
    ]
