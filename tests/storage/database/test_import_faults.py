"""What happens to a database in the middle of an import: a line without answer, a full disk, another primary, nobody let in.

Each at random moments of it: the import waits and goes on, or ends with an error that has a name; nothing is half stored, the
next run completes it, ``verify`` finds nothing. That processes, sessions and servers are killed is tried in test_many_processes.py.
"""

from __future__ import annotations

import contextlib
import ctypes
import random
import signal
import time

import psycopg
import pytest

import network_namespaces
import postgres_server
import postgres_standby
import postgres_tls
import tmpfs
from faults.children import run
from import_scenes import Import
from thorough import THOROUGH

pytestmark = [pytest.mark.faults, pytest.mark.slow, pytest.mark.unmeasured]
TIMES = 20 if THOROUGH else 4
LARGE = {"exchanges": 60, "every": 30}
"""An import that no free place of a table's last page takes."""


@pytest.fixture
def own(newest_postgres):
    """A server of the test's own."""
    with postgres_server.Server(newest_postgres.installation) as server:
        yield server


def databases(server, **more):
    """An empty database of a server for each place that is asked for."""
    return lambda _place: server.dsn(server.new_database(), **more)


def end_sessions(server):
    """End those of everybody who came over the network."""
    server.execute("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE client_addr IS NOT NULL")


# --- who is let in ------------------------------------------------------------------------------------------------

LOCAL = "local all all trust"
EVERYBODY = (LOCAL, "host all all 127.0.0.1/32 trust")


def let_in(server, *lines):
    """Only those, from now on."""
    (server.data / "pg_hba.conf").write_text("".join(f"{line}\n" for line in lines), encoding="utf-8")
    server.signal(signal.SIGHUP)


def demands_a_password(server, _database):
    """Which the user does not have."""
    let_in(server, LOCAL, "host all all 127.0.0.1/32 scram-sha-256")
    return lambda: let_in(server, *EVERYBODY)


def demands_tls(server, _database):
    """Which it does not speak itself."""
    let_in(server, LOCAL, "hostssl all all 127.0.0.1/32 trust")
    return lambda: let_in(server, *EVERYBODY)


def lets_nobody_in(server, _database):
    """By its rules."""
    let_in(server, LOCAL, "host all all 127.0.0.1/32 reject")
    return lambda: let_in(server, *EVERYBODY)


def takes_no_changes(server, _database):
    """As a standby does."""
    server.execute("ALTER SYSTEM SET default_transaction_read_only = on")
    server.signal(signal.SIGHUP)

    def undo():
        with server.connect(options="-c default_transaction_read_only=off") as connection:
            connection.execute("ALTER SYSTEM RESET default_transaction_read_only")
        server.signal(signal.SIGHUP)
        postgres_server.wait_for(
            lambda: server.execute("SHOW default_transaction_read_only") == [("off",)], "read-only"
        )

    return undo


def is_of_a_newer_version(server, database):
    """Somebody has brought its tables up meanwhile."""
    server.execute("INSERT INTO schema_version VALUES (999, 'later')", database=database)
    return lambda: server.execute("DELETE FROM schema_version WHERE version = 999", database=database)


@pytest.mark.parametrize(
    ("happens", "error"),
    [
        (demands_a_password, "DatabaseAuthenticationFailed"),
        (demands_tls, "DatabaseAuthenticationFailed"),
        (lets_nobody_in, "DatabaseAuthenticationFailed"),
        (takes_no_changes, "DatabaseReadOnly"),
        (is_of_a_newer_version, "DatabaseSchemaNewer"),
    ],
    ids=lambda value: getattr(value, "__name__", ""),
)
def test_a_server_that_changed_its_mind(own, happens, error):
    """All sessions are ended, and from then on it is another one: that is said by its name, or the import was over before."""

    @contextlib.contextmanager
    def changed(url):
        undo = happens(own, psycopg.conninfo.conninfo_to_dict(url)["dbname"])
        end_sessions(own)
        try:
            yield
        finally:
            undo()

    own.hba(*EVERYBODY)
    ends = Import().hit(databases(own), TIMES, changed)
    assert set(ends) <= {"", error}
    assert error in ends


def test_a_server_with_a_certificate_of_somebody_else(tmp_path):
    """From one moment on: a new connection does not trust it, and says so."""
    authority, other = (postgres_tls.Authority(tmp_path, name) for name in ("authority", "other"))
    hba = (LOCAL, "hostssl all all 127.0.0.1/32 trust")
    with postgres_tls.server(authority, hba=hba) as server:
        own = {name: (server.folder / name).read_bytes() for name in ("server.crt", "server.key")}
        signed = dict(zip(own, (each.read_bytes() for each in other.sign("localhost", "DNS:localhost"))))

        def use(files):
            for name, data in files.items():
                (server.folder / name).write_bytes(data)
            server.signal(signal.SIGHUP)

        @contextlib.contextmanager
        def changed(_url):
            use(signed)
            end_sessions(server)
            try:
                yield
            finally:
                use(own)
                time.sleep(0.2)

        more = {"host": "localhost", "hostaddr": "127.0.0.1", "sslmode": "verify-full"}
        ends = Import().hit(databases(server, sslrootcert=authority.certificate, **more), TIMES, changed)
    assert set(ends) <= {"", "DatabaseTlsFailed"}
    assert "DatabaseTlsFailed" in ends


# --- disks --------------------------------------------------------------------------------------------------------


def test_a_disk_of_tables_that_is_full(own):
    """For as long as the import runs."""
    with tmpfs.disk("600m") as disk:
        own.execute(f"CREATE TABLESPACE small LOCATION '{disk.folder}'")

        def url_of(place):
            own.execute(f'CREATE DATABASE "{place}" TABLESPACE small')
            return own.dsn(place)

        @contextlib.contextmanager
        def full(_url):
            disk.shrink()
            yield
            disk.resize("600m")

        ends = Import(**LARGE).hit(url_of, TIMES, full)
        own.stop("immediate")
    assert set(ends) <= {"", "DatabaseFull"}
    assert "DatabaseFull" in ends


def test_a_disk_of_the_write_ahead_log_that_is_full(newest_postgres):
    """The server ends in the middle of it, and comes back once there is room."""
    with tmpfs.disk("60m") as disk:
        place = postgres_server.owned(disk.folder) / "wal"
        server = postgres_server.Server(newest_postgres.installation, initdb=("--wal-segsize=1", "-X", str(place)))
        server.settings.update(max_wal_size="8MB", min_wal_size="2MB")
        with server:

            @contextlib.contextmanager
            def full(_url):
                disk.fill()
                with contextlib.suppress(psycopg.OperationalError), server.connect() as connection:
                    for _ in range(200):
                        connection.execute("SELECT pg_logical_emit_message(false, 'fill', repeat('x', 100000))")
                    pytest.fail("there is room")
                server.kill()
                disk.empty()
                time.sleep(random.Random(_url).random())
                server.start()
                yield

            ends = Import().hit(databases(server), TIMES, full)
    assert set(ends) <= {"", "DatabaseConnectionLost", "DatabaseUnreachable", "DatabaseFull"}
    assert "" in ends


# --- lines and primaries ------------------------------------------------------------------------------------------


def joins(namespace):
    """This process is in a namespace of the network from now on."""
    with open(f"/proc/{namespace.pid}/ns/net", encoding="ascii") as file:
        if ctypes.CDLL(None, use_errno=True).setns(file.fileno(), 0):
            raise OSError(ctypes.get_errno(), "setns")


def test_a_line_that_gives_no_answer(newest_postgres):
    """A cable is pulled, and nobody is told; it is plugged in again before the import has given up, or later."""
    chance = random.Random(9)
    hba = (LOCAL, "host all all 10.77.0.0/24 trust")
    limits = {"connect_timeout": 2, "tcp_user_timeout": 1500, "keepalives_idle": 1, "keepalives_interval": 1}
    with (
        network_namespaces.joined() as cable,
        postgres_server.Server(newest_postgres.installation, within=cable.server, hba=hba) as server,
    ):

        @contextlib.contextmanager
        def pulled(_url):
            cable.pull()
            time.sleep(3 * chance.random())
            cable.plug()
            yield

        def job():
            joins(cable.client)
            return Import().hit(databases(server, **limits), TIMES, pulled)

        outcome = run(job)
    assert outcome.trace == outcome.error == ""
    assert set(outcome.value) <= {"", "DatabaseConnectionLost", "DatabaseUnreachable", "DatabaseTimeout"}
    assert "" in outcome.value


def test_a_standby_that_is_promoted(newest_postgres):
    """The primary is killed in an import that names both: it goes on with the standby, which has every commit."""
    pairs = []
    with contextlib.ExitStack() as running:

        def url_of(_place):
            primary = running.enter_context(postgres_server.Server(newest_postgres.installation))
            standby = postgres_standby.standby_of(primary)
            running.callback(standby.stop, "immediate")
            postgres_standby.acknowledge_together(primary, standby)
            pairs.append((primary, standby))
            return postgres_server.as_one(primary, standby)

        @contextlib.contextmanager
        def promoted(_url):
            primary, standby = pairs[-1]
            primary.kill()
            postgres_standby.promote(standby)
            yield

        ends = Import().hit(url_of, TIMES // 2 if not THOROUGH else TIMES, promoted)
    assert set(ends) <= {"", "DatabaseUnreachable", "DatabaseConnectionLost", "DatabaseReadOnly"}
    assert "" in ends
