from __future__ import annotations

import contextlib
import subprocess
import sys
import textwrap
import threading

import pytest

import network_namespaces
import postgres_server
import postgres_standby
from conftest import REPOSITORY
from deduplication.storage.database import errors
from deduplication.storage.database.server import connection as connections
from deduplication.storage.database.server.address_reader import OPTION, read
from deduplication.storage.database.server.connection import (
    LIMITS,
    borrowed,
    connect,
    is_transient,
    pool,
    retried,
)

psycopg = pytest.importorskip("psycopg")


def shown(connection, *names):
    """Settings of a session."""
    return {name: connection.execute("SELECT current_setting(%s)", [name]).fetchone()[0] for name in names}


def test_a_session_has_its_limits(database):
    """Each limit that nobody set is ours; times are those of UTC, and nothing sits in a transaction."""
    with connect(read(database, OPTION)) as connection:
        told = shown(connection, *LIMITS, "TimeZone", "DateStyle", "application_name", "client_encoding")
        assert connection.autocommit
        assert connection.info.transaction_status == psycopg.pq.TransactionStatus.IDLE
    assert told["TimeZone"] == "UTC"
    assert told["DateStyle"] == "ISO, YMD"
    assert told["application_name"] == "export-dedup"
    assert told["client_encoding"] == "UTF8"
    assert told["statement_timeout"] == "5min"
    assert told["lock_timeout"] == "1min"
    assert told["tcp_keepalives_idle"] == "30"


def test_who_decided_otherwise_is_heard(postgres):
    """The address, the role and the database stand above our limits."""
    name = postgres.new_database()
    try:
        postgres.execute(f"ALTER DATABASE \"{name}\" SET statement_timeout = '7min'")
        options = {"options": "-c lock_timeout=9s", "application_name": "mine"}
        with connect(read(postgres.dsn(name, **options), OPTION)) as connection:
            told = shown(connection, "statement_timeout", "lock_timeout", "application_name")
        assert told == {"statement_timeout": "7min", "lock_timeout": "9s", "application_name": "mine"}
    finally:
        postgres.drop_database(name)


def test_a_socket_has_no_limits_of_a_line(postgres):
    """A server on the same machine is reached by its socket as well."""
    with connect(read(postgres.dsn(host=postgres.folder), OPTION)) as connection:
        assert shown(connection, "statement_timeout") == {"statement_timeout": "5min"}


def test_transactions_are_said(database):
    """Outside of one every statement stands for itself; one that fails leaves nothing."""
    address = read(database, OPTION)
    with connect(address) as connection:
        connection.execute("CREATE TABLE one (a INT)")
        with contextlib.suppress(KeyError), connection.transaction():
            connection.execute("INSERT INTO one VALUES (1)")
            raise KeyError
        connection.execute("INSERT INTO one VALUES (2)")
    with connect(address, reading=True) as connection:
        assert connection.execute("TABLE one").fetchall() == [(2,)]


def test_an_old_server_is_refused(database, monkeypatch):
    """By its version, before anything is asked of it, and the connection is closed."""
    monkeypatch.setattr(connections, "OLDEST", 990000)
    with pytest.raises(errors.DatabaseUnsuitable, match=r"it is PostgreSQL \d\d$"):
        connect(read(database, OPTION))


def test_tls_as_far_as_the_address_asks(tls_server):
    """Up to the host's name and a certificate of one's own."""
    certificate, key = tls_server.authority.sign("certified")
    told = {"host": "localhost", "sslmode": "verify-full", "sslrootcert": tls_server.authority.certificate}
    for who in ({"user": "known", "password": "secret"}, {"user": "certified", "sslcert": certificate, "sslkey": key}):
        with connect(read(tls_server.dsn(**told, **who), OPTION)) as connection:
            secure = "SELECT ssl FROM pg_stat_ssl WHERE pid = pg_backend_pid()"
            assert connection.execute(secure).fetchone() == (True,)


# --- what may be tried again --------------------------------------------------------------------------------------


class Clock:
    """Time that passes only where somebody waits."""

    def __init__(self):
        self.now = 0.0
        self.waits = []

    def wait(self, seconds):
        self.waits.append(seconds)
        self.now += seconds


def trying(outcomes, **more):
    """What comes of outcomes one after the other, errors or not; the clock, and what was said."""
    clock, heard, left = Clock(), [], iter(outcomes)

    def action():
        outcome = next(left)
        if isinstance(outcome, BaseException):
            raise outcome
        return outcome

    said = lambda error, seconds: heard.append((str(error), seconds))  # noqa: E731
    try:
        return retried(action, said=said, wait=clock.wait, clock=lambda: clock.now, **more), clock, heard
    except errors.DatabaseError as error:
        return error, clock, heard


def test_what_passes_is_tried_again():
    """With longer and longer pauses, each of which is said."""
    lost = errors.DatabaseConnectionLost("x")
    result, clock, heard = trying([lost] * 4 + ["done"])
    assert result == "done"
    assert clock.waits == [0.1, 0.2, 0.4, 0.8]
    assert [text for text, _ in heard] == [str(lost)] * 4
    assert heard[0][1] == 10.0


def test_patience_ends():
    """The last error is raised when the time is over, not later and not much earlier."""
    result, clock, _ = trying([errors.DatabaseStarting("x")] * 99, patience=5.0)
    assert isinstance(result, errors.DatabaseStarting)
    assert clock.now == 5.0
    assert max(clock.waits) <= 2.0


def test_without_patience_nothing_is_tried_again():
    """A hook, which never waits, asks once."""
    result, clock, heard = trying([errors.DatabaseStarting("x"), "done"], patience=0)
    assert isinstance(result, errors.DatabaseStarting)
    assert clock.waits == heard == []


@pytest.mark.parametrize("error", [errors.DatabaseFull("x"), errors.DatabaseBusy("x"), errors.DatabaseUnreachable("x")])
def test_what_stays_is_not_tried_again(error):
    """It is raised at once."""
    result, clock, heard = trying([error, "done"])
    assert result is error
    assert clock.waits == heard == []
    assert not is_transient(error)
    assert not is_transient(ValueError())


@pytest.mark.parametrize("way", ["restart", "kill", "kill_backend", "terminate"])
def test_a_server_comes_back(postgres, way):
    """What began before a restart, a crash or the end of a session is done again, once, and is there once."""
    with postgres_server.Server(postgres.installation, durable=True) as server:
        server.execute("CREATE TABLE one (a INT)")
        address = read(server.dsn(), OPTION)
        fault, tries, heard = threading.Event(), [], []

        def break_it():
            if way == "restart":
                server.restart("immediate")
            elif way == "kill":
                server.kill()
                server.start()

        breaking = threading.Thread(target=lambda: fault.wait(60) and break_it())
        breaking.start()

        def action():
            tries.append(1)
            with connect(address) as connection, connections.named(address), connection.transaction():
                connection.execute("INSERT INTO one VALUES (1)")
                if not fault.is_set():
                    if way == "kill_backend":
                        server.kill_backend(connection.info.backend_pid)
                    elif way == "terminate":
                        server.execute("SELECT pg_terminate_backend(%s)", [connection.info.backend_pid])
                    fault.set()
                    connection.execute("SELECT pg_sleep(60)")

        try:
            retried(action, said=lambda error, _left: heard.append(error), patience=60)
        finally:
            fault.set()
            breaking.join()
        assert len(tries) > 1
        assert all(is_transient(error) for error in heard)
        assert server.execute("TABLE one") == [(1,)]


def test_a_failover_loses_and_doubles_nothing(postgres):
    """The primary is killed while somebody writes; whoever names both servers goes on with the promoted one."""
    with contextlib.ExitStack() as running:
        primary = running.enter_context(postgres_server.Server(postgres.installation))
        primary.execute("CREATE TABLE kept (number INT UNIQUE)")
        standby = postgres_standby.standby_of(primary)
        running.callback(standby.stop, "immediate")
        postgres_standby.acknowledge_together(primary, standby)
        both = postgres_server.as_one(primary, standby)
        address = read(both, OPTION)
        acknowledged, heard, middle, gone = [], [], threading.Event(), threading.Event()

        def break_it():
            if middle.wait(60):
                primary.kill()
                gone.set()
                postgres_standby.promote(standby)

        breaking = threading.Thread(target=break_it)
        breaking.start()

        def write(number):
            with connect(address) as connection, connections.named(address):
                connection.execute("INSERT INTO kept VALUES (%s) ON CONFLICT DO NOTHING", [number])
            acknowledged.append(number)

        for number in range(60):
            if number == 20:
                middle.set()
                gone.wait(60)
            retried(lambda: write(number), said=lambda error, _left: heard.append(error), patience=60)  # noqa: B023
        breaking.join()
        assert heard
        assert acknowledged == list(range(60))
        with connect(address) as connection:
            assert connection.info.port == standby.port
            assert connection.execute("SELECT number FROM kept ORDER BY 1").fetchall() == [(n,) for n in range(60)]


# --- pools --------------------------------------------------------------------------------------------------------


def test_a_pool_lends_connections(database):
    """They are as others: with limits, committing by themselves; and what fails in one has its name."""
    address = read(database, OPTION)
    with pool(address) as lent:
        assert (lent.min_size, lent.max_size) == (1, 10)
        with borrowed(lent, address) as one, borrowed(lent, address) as other:
            assert one is not other
            assert other.autocommit
            assert shown(other, "lock_timeout") == {"lock_timeout": "1min"}
        with pytest.raises(errors.DatabaseSchemaOlder), borrowed(lent, address) as one:
            one.execute("TABLE missing")


def test_a_pool_outlives_a_restart(newest_postgres):
    """A connection that was lost meanwhile is not lent again."""
    with postgres_server.Server(newest_postgres.installation) as server:
        address = read(server.dsn(), OPTION)
        with pool(address) as lent:
            with borrowed(lent, address) as one:
                one.execute("SELECT 1")
            server.restart()
            with borrowed(lent, address) as one:
                assert one.execute("SELECT 1").fetchone() == (1,)


def test_a_pool_says_why_it_has_none(newest_postgres, monkeypatch, capfd):
    """All lent is too many clients; a server that is gone is that, and nothing is written to the screen."""
    monkeypatch.setattr(connections, "PATIENCE", 0.3)
    with postgres_server.Server(newest_postgres.installation) as server:
        address = read(server.dsn(), OPTION)
        with pool(address, largest=1) as lent:
            with (
                borrowed(lent, address),
                pytest.raises(errors.DatabaseTooManyClients),
                borrowed(lent, address),
            ):
                pass
            server.stop()
            with pytest.raises(errors.DatabaseUnreachable), borrowed(lent, address):
                pass
        with pytest.raises(errors.DatabaseUnreachable):
            pool(address)
    assert capfd.readouterr() == ("", "")


# --- lines that are cut -------------------------------------------------------------------------------------------


def test_a_cut_line_is_noticed_and_lets_go_of_locks():
    """With our defaults: the client gets an error, and the server ends the session of a client that is gone, with its locks."""
    program = textwrap.dedent(
        """\
        import sys
        sys.path.insert(0, sys.argv[1])
        from deduplication.storage.database import errors
        from deduplication.storage.database.server import connection
        from deduplication.storage.database.server.address_reader import read
        connection.LIMITS.update(tcp_keepalives_idle="1", tcp_keepalives_interval="1", tcp_user_timeout="2s")
        quick = " keepalives_idle=1 keepalives_interval=1 keepalives_count=2 tcp_user_timeout=2000"
        address = read(sys.argv[2] + quick, "a test")
        with connection.connect(address) as one:
            one.execute("SELECT pg_advisory_lock(1)")
            print("locked", flush=True)
            sys.stdin.readline()
            try:
                with connection.named(address):
                    one.execute("SELECT 1")
            except errors.DatabaseConnectionLost:
                print("lost", flush=True)
        """
    )
    hba = ("local all all trust", "host all all 10.77.0.0/24 trust")
    with network_namespaces.joined() as cable, postgres_server.Server(within=cable.server, hba=hba) as server:
        command = [sys.executable, "-c", program, str(REPOSITORY / "scripts"), server.dsn()]
        pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "text": True, "bufsize": 1}
        with cable.client.popen(*command, **pipes) as client:
            assert client.stdout.readline() == "locked\n"
            cable.pull()
            with server.connect() as waiting:
                waiting.execute("SET lock_timeout = '60s'")
                waiting.execute("SELECT pg_advisory_lock(1)")
            print(file=client.stdin)
            assert client.stdout.readline() == "lost\n"


def test_nothing_needs_psycopg_but_a_connection():
    """Every module of the room is imported without it; using it says what is missing."""
    program = textwrap.dedent(
        """\
        import importlib, pkgutil, sys
        sys.path.insert(0, sys.argv[1])
        sys.modules["psycopg"] = sys.modules["psycopg_pool"] = None
        from deduplication.storage import database
        from deduplication.storage.database import errors
        from deduplication.storage.database.server import address_reader, connection, driver
        for module in pkgutil.walk_packages(database.__path__, database.__name__ + "."):
            importlib.import_module(module.name)
        address = connection.load and address_reader.Address({"host": "a"})
        for attempt in (
            lambda: address_reader.read("host=a", "a test"),
            lambda: connection.connect(address),
            lambda: connection.pool(address),
            driver.load_pool,
        ):
            try:
                attempt()
            except errors.PsycopgMissing as error:
                assert "pip install" in error.hint
            else:
                raise SystemExit("no error")
        print(address.shown())
        """
    )
    command = [sys.executable, "-c", program, str(REPOSITORY / "scripts")]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.stdout == "postgresql://a/\n", done.stderr
