"""The servers that tests run on are real ones: what was committed outlives a kill, and a test has a database of its own."""

from __future__ import annotations

import subprocess
import sys
import textwrap

import pytest

import postgres_fixtures
import postgres_server
from conftest import REPOSITORY

psycopg = pytest.importorskip("psycopg")


def test_a_version_is_what_it_says(postgres):
    """The server answers with the version of its binaries."""
    ((number,),) = postgres.execute("SHOW server_version_num")
    assert int(number) // 10000 == postgres.major


@pytest.mark.parametrize("turn", [1, 2])
def test_a_database_is_empty(database, turn):
    """Whatever an earlier test made is not there."""
    with psycopg.connect(database) as connection:
        connection.execute("CREATE TABLE made (turn INTEGER)")


def test_what_was_committed_outlives_a_kill(postgres):
    """All processes of a killed server are gone at once, the next start recovers, and a restart changes settings."""
    with postgres_server.Server(postgres.installation, durable=True) as server:
        with server.connect() as connection:
            connection.execute("CREATE TABLE kept AS SELECT 1 AS one")
            with connection.transaction():
                connection.execute("INSERT INTO kept VALUES (2)")
                server.kill()
                with pytest.raises(psycopg.OperationalError):
                    connection.execute("SELECT 1")
        assert server.start().execute("TABLE kept") == [(1,)]
        assert server.restart(max_connections="17").execute("SHOW max_connections") == [("17",)]


def test_a_server_ends_with_whoever_started_it(newest_postgres):
    """A process that is killed leaves neither its servers nor their folder."""
    program = textwrap.dedent(
        """\
        import os, signal, sys, time
        sys.path.insert(0, sys.argv[1])
        import postgres_server
        server = postgres_server.Server().create().start()
        print(server.process.pid, server.folder, flush=True)
        os.kill(os.getpid(), signal.SIGKILL)
        """
    )
    command = [sys.executable, "-c", program, str(REPOSITORY / "tests" / "support")]
    pid, folder = subprocess.run(command, capture_output=True, text=True, check=False).stdout.split()
    postgres_server.wait_for(lambda: not postgres_server.runs(int(pid)), "the server is there")
    postgres_server.wait_for(lambda: not postgres_server.Path(folder).exists(), "its folder is there")


def test_a_missing_server_is_said(monkeypatch):
    """Where none is found a test is skipped; where one is needed it fails."""
    monkeypatch.delenv(postgres_fixtures.NEEDED, raising=False)
    with pytest.raises(pytest.skip.Exception, match="no server"):
        postgres_fixtures.missing("no server")
    monkeypatch.setenv(postgres_fixtures.NEEDED, "1")
    with pytest.raises(pytest.fail.Exception, match="no server"):
        postgres_fixtures.missing("no server")
