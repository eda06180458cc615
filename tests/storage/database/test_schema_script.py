"""``create_schema.sql`` makes by hand what the program makes by itself."""

from __future__ import annotations

import re
import runpy
from concurrent.futures import ThreadPoolExecutor

import pytest

from conftest import REPOSITORY
from deduplication.installation.origin import of_checkout
from deduplication.installation.targets import SCRIPTS as INSTALLED
from deduplication.installation.targets import targets
from deduplication.storage.database import schema
from postgres_catalogue import catalogue
from postgres_scripts import SCRIPTS, psql

SCRIPT = "create_schema.sql"


def name_of(dsn):
    """The name of the database in a connection string of the fixture."""
    return re.search(r"dbname=(\S+)", dsn)[1]


def test_the_script_is_made_of_the_migrations():
    """The file is what its script writes: nobody changed it alone."""
    assert (SCRIPTS / SCRIPT).read_text(encoding="utf-8") == runpy.run_path(
        str(REPOSITORY / "docs" / "make_schema.py")
    )["script"]()


def test_an_installed_copy_has_all_of_it():
    """Migrations and scripts are installed with the program, and part of the package that setuptools makes."""
    found = targets(of_checkout(REPOSITORY))
    names = [f"{migration.version:04}_{migration.name}.sql" for migration in schema.migrations()]
    assert {f"{INSTALLED}/deduplication/storage/database/migrations/{name}" for name in names} <= found.keys()
    assert {f"{INSTALLED}/database/{path.name}" for path in SCRIPTS.glob("*.sql")} <= found.keys()
    assert '"deduplication.storage.database": ["migrations/*.sql"]' in (REPOSITORY / "setup.py").read_text(
        encoding="utf-8"
    )


def test_both_ways_make_the_same(postgres, database):
    """Columns, constraints, indexes, triggers, policies and comments are the same after the script and after the program."""
    name = name_of(database)
    postgres.execute("CREATE SCHEMA by_hand", database=name)
    said = psql(postgres, name, SCRIPT, path="by_hand")
    with postgres.connect(name) as connection:
        schema.bring_up(connection)
        ours = catalogue(connection)
        theirs = catalogue(connection, "by_hand")
        for kind, rows in theirs.items():
            assert [str(row).replace("by_hand", "public") for row in rows] == list(map(str, ours[kind])), kind
        connection.execute("SET search_path = by_hand")
        assert schema.bring_up(connection) == schema.newest()
        applied = connection.execute("SELECT version, name FROM schema_version ORDER BY 1").fetchall()
    assert applied == [(m.version, m.name) for m in schema.migrations()]
    assert "Conversation Deduplication schema created successfully!" in said.stderr
    assert "Ready for data import." in said.stderr
    assert re.search(r"messages +\| content_hash +\| text", said.stdout)


def test_twice_is_harmless(postgres, database):
    """The script changes nothing the second time, nor where the program made the tables, and keeps every row."""
    name = name_of(database)
    with postgres.connect(name) as connection:
        schema.bring_up(connection)
        connection.execute("INSERT INTO stores (log_size, log_head, about) VALUES (0, '', '{}')")
        first = catalogue(connection)
        for _ in range(2):
            psql(postgres, name, SCRIPT)
        assert catalogue(connection) == first
        assert connection.execute("SELECT count(*) FROM stores").fetchone() == (1,)


def test_an_earlier_version_is_brought_up(postgres, database, monkeypatch):
    """The script adds what tables of an earlier version lack."""
    every = schema.migrations()
    with postgres.connect(name_of(database)) as connection:
        monkeypatch.setattr(schema, "migrations", lambda: every[:1])
        schema.bring_up(connection)
        monkeypatch.undo()
        psql(postgres, name_of(database), SCRIPT)
        assert schema.version(connection) == schema.newest()


def test_script_and_program_at_the_same_time(postgres, database):
    """Some by hand and some by themselves: all of them end with the tables there."""
    name = name_of(database)

    def come(number):
        if number % 2:
            return psql(postgres, name, SCRIPT).returncode
        with postgres.connect(name) as connection:
            return schema.bring_up(connection) - schema.newest()

    with ThreadPoolExecutor(8) as threads:
        assert list(threads.map(come, range(8))) == [0] * 8


@pytest.mark.parametrize(
    ("before", "said"),
    [
        ("CREATE TABLE messages (id INTEGER)", "tables of these names that export-dedup did not make"),
        (None, "which is newer than this script"),
    ],
    ids=["somebody else's", "newer"],
)
@pytest.mark.parametrize("stops", [0, 1])
def test_what_it_must_not_touch_stays(postgres, database, before, said, stops):
    """Tables of somebody else and of a newer version are refused, also where psql goes on after an error."""
    name = name_of(database)
    with postgres.connect(name) as connection:
        if before:
            connection.execute(before)
        else:
            schema.bring_up(connection)
            connection.execute("INSERT INTO schema_version VALUES (1000, 'later')")
            connection.execute("DELETE FROM schema_version WHERE version = %s", (schema.newest(),))
        first = catalogue(connection)
        done = psql(postgres, name, SCRIPT, check=False, ON_ERROR_STOP=stops)
        assert said in done.stderr
        assert "created successfully" not in done.stderr
        assert catalogue(connection) == first
