from __future__ import annotations

import contextlib
import gettext
import re
import socket
import threading
from pathlib import Path

import pytest

import postgres_proxy
import postgres_server
import postgres_standby
import postgres_tls
import tmpfs
from conftest import REPOSITORY
from deduplication.storage.database import errors
from deduplication.storage.database.server import server_messages
from deduplication.storage.database.server.address import Address
from deduplication.storage.database.server.connection import connect
from deduplication.storage.database.server.failures import CONNECTING, STATES, named, named_error

psycopg = pytest.importorskip("psycopg")

SECRET = "hid/den p@ss"
HBA = (
    "local all all trust",
    "host all postgres 127.0.0.1/32 trust",
    "host all known,limited,nobody,certain 127.0.0.1/32 scram-sha-256",
    "host all unnamed 127.0.0.1/32 trust",
    "host all rejected 127.0.0.1/32 reject",
)
CATALOGUES = sorted(Path("/usr/share/locale").glob("*/LC_MESSAGES/postgres-15.mo"))
LANGUAGES = [path.parts[-3] for path in CATALOGUES]


def at(server, **told):
    """The address of a server for the user ``known``, with the right password unless told otherwise."""
    words = {
        "host": "127.0.0.1",
        "port": server.port,
        "user": "known",
        "password": SECRET,
        "dbname": "postgres",
        **told,
    }
    return Address({key: str(value) for key, value in words.items() if value is not None})


def fails(address, kind, *, transient=None, says="", **more):
    """Connecting raises this error, on one line, with a hint, and without the password."""
    with pytest.raises(kind) as caught:
        connect(address, **more).close()
    assert type(caught.value) is kind
    told = f"{caught.value} {caught.value.hint} {caught.value!r} {caught.value.detail}"
    assert SECRET not in told
    assert "\n" not in str(caught.value)
    assert address.shown() in str(caught.value)
    assert caught.value.hint
    assert re.search(says, str(caught.value))
    if transient is not None:
        assert caught.value.transient is transient
    return caught.value


@pytest.fixture(scope="module")
def guarded_servers():
    """Servers of which each user is let in differently, by version."""
    with contextlib.ExitStack() as running:
        made = {}

        def server(installation):
            if installation.major not in made:
                settings = {"max_connections": "6", "superuser_reserved_connections": "1", "max_wal_senders": "0"}
                one = running.enter_context(postgres_server.Server(installation, hba=HBA, settings=settings))
                for statement in (
                    f"CREATE ROLE known LOGIN PASSWORD '{SECRET}'",
                    f"CREATE ROLE limited LOGIN PASSWORD '{SECRET}' CONNECTION LIMIT 0",
                    f"CREATE ROLE nobody PASSWORD '{SECRET}'",
                    "CREATE DATABASE closed ALLOW_CONNECTIONS false",
                    "CREATE DATABASE limited CONNECTION LIMIT 0",
                    "CREATE DATABASE private",
                    "CREATE DATABASE latin ENCODING 'LATIN1' LOCALE 'C' TEMPLATE template0",
                    "REVOKE CONNECT ON DATABASE private FROM public",
                ):
                    one.execute(statement)
                made[installation.major] = one
            return made[installation.major]

        yield server


@pytest.fixture
def guarded(postgres, guarded_servers):
    """Such a server of each version."""
    return guarded_servers(postgres.installation)


@pytest.mark.parametrize(
    ("told", "kind", "says"),
    [
        (
            {"password": "wrong one"},
            errors.DatabaseAuthenticationFailed,
            'password authentication failed for user "known"$',
        ),
        ({"password": None}, errors.DatabaseAuthenticationFailed, "no password supplied$"),
        ({"user": "certain"}, errors.DatabaseAuthenticationFailed, "password authentication failed"),
        ({"user": "unnamed"}, errors.DatabaseAuthenticationFailed, 'role "unnamed" does not exist$'),
        ({"user": "nobody"}, errors.DatabaseAuthenticationFailed, "not permitted to log in$"),
        ({"user": "rejected"}, errors.DatabaseAuthenticationFailed, "pg_hba.conf rejects connection"),
        ({"user": "stranger"}, errors.DatabaseAuthenticationFailed, "no pg_hba.conf entry"),
        ({"dbname": "nowhere"}, errors.DatabaseUnknown, 'database "nowhere" does not exist$'),
        ({"dbname": "closed"}, errors.DatabaseNotAllowed, "not currently accepting connections"),
        ({"dbname": "private"}, errors.DatabaseNotAllowed, 'permission denied for database "private"'),
        ({"dbname": "latin"}, errors.DatabaseUnsuitable, "its encoding is LATIN1"),
        ({"dbname": "limited"}, errors.DatabaseTooManyClients, "too many connections for database"),
        ({"user": "limited"}, errors.DatabaseTooManyClients, "too many connections for role"),
        ({"sslmode": "require"}, errors.DatabaseTlsFailed, "server does not support SSL"),
        ({"sslmode": "disable", "channel_binding": "require"}, errors.DatabaseTlsFailed, "channel binding required"),
        ({"sslmode": "certainly"}, errors.DatabaseAddressInvalid, 'invalid sslmode value: "certainly"'),
        ({"options": "-c nothing.such=1 -c lock_timeout=long"}, errors.DatabaseAddressInvalid, "invalid value for"),
        ({"options": "-c nothing=1"}, errors.DatabaseAddressInvalid, "unrecognized configuration parameter"),
        ({"options": "-c lc_messages=C"}, errors.DatabaseAddressInvalid, "permission denied to set parameter"),
        ({"service": "nowhere"}, errors.DatabaseAddressInvalid, "service"),
        ({"connect_timeout": "soon"}, errors.DatabaseAddressInvalid, "bad value for connect_timeout"),
        ({"keepalives_idle": "soon"}, errors.DatabaseAddressInvalid, "invalid integer value"),
        ({"host": "a,b,c", "port": "1,2"}, errors.DatabaseAddressInvalid, ""),
        ({"host": "nowhere.invalid"}, errors.DatabaseUnreachable, "failed to resolve host"),
    ],
    ids=lambda value: " ".join(f"{key}={told}" for key, told in value.items()) if isinstance(value, dict) else "",
)
def test_who_is_not_let_in(guarded, told, kind, says):
    """Each way of not getting in has its error, of both versions."""
    fails(at(guarded, **told), kind, says=says, transient=kind.transient if hasattr(kind, "transient") else None)


def test_everybody_else_is_let_in(guarded):
    """The table fails for its reasons, not for others."""
    with connect(at(guarded)) as connection:
        assert connection.execute("SELECT current_user").fetchone() == ("known",)


def test_too_many_clients(guarded):
    """The last connections are for superusers, then there are none; both is the same to a user, and passes."""
    with contextlib.ExitStack() as taken:
        for _ in range(5):
            taken.enter_context(guarded.connect())
        fails(at(guarded), errors.DatabaseTooManyClients, says="reserved", transient=True)
        taken.enter_context(guarded.connect())
        fails(at(guarded), errors.DatabaseTooManyClients, says="too many clients already", transient=True)


def test_no_server(tmp_path):
    """Nobody listens, at a port or at a socket: it may be a server that restarts."""
    port = postgres_server.free_port()
    fails(Address({"host": "127.0.0.1", "port": str(port)}), errors.DatabaseUnreachable, says="refused", transient=True)
    several = Address({"host": "127.0.0.1,127.0.0.1", "port": f"{port},{port}"})
    fails(several, errors.DatabaseUnreachable, says="refused", transient=True)
    fails(Address({"host": str(tmp_path)}), errors.DatabaseUnreachable, says="No such file", transient=True)


def test_another_kind_of_server():
    """What answers is no PostgreSQL server."""
    with socket.create_server(("127.0.0.1", 0)) as listening:

        def answer():
            for _ in range(2):
                client, _address = listening.accept()
                with client:
                    client.recv(100)
                    client.sendall(b"HTTP/1.1 400 Bad Request\r\n\r\n")

        threading.Thread(target=answer, daemon=True).start()
        port = str(listening.getsockname()[1])
        for mode in ("prefer", "disable"):
            fails(
                Address({"host": "127.0.0.1", "port": port, "sslmode": mode}),
                errors.DatabaseUnsuitable,
                transient=False,
            )


def test_a_black_hole(newest_postgres):
    """Who hears nothing waits for as long as connect_timeout says, which is short where nobody decided."""
    with postgres_proxy.Proxy(newest_postgres.port) as proxy:
        proxy.mode = postgres_proxy.BLACK_HOLE
        address = Address({"host": "127.0.0.1", "port": str(proxy.port), "connect_timeout": "2"})
        fails(address, errors.DatabaseUnreachable, says="connection timeout expired$", transient=False)


def test_a_connection_cut_while_it_is_made(newest_postgres):
    """The other side resets it before anything was said."""
    with postgres_proxy.Proxy(newest_postgres.port) as proxy:
        for count in (0, 1, 100):
            proxy.cut_after(count)
            address = Address({"host": "127.0.0.1", "port": str(proxy.port), "user": "postgres"})
            fails(address, errors.DatabaseUnreachable, transient=True)


def test_a_server_that_starts_and_stops(postgres):
    """While it recovers and while it stops, it says so; both pass."""
    with postgres_server.Server(postgres.installation) as server:
        address = at(server, user="postgres", password=None)
        with server.connect() as sits:
            server.signal(postgres_server.signal.SIGTERM)  # it waits for that one
            server.wait_to_say("received smart shutdown request")
            fails(address, errors.DatabaseStarting, says="the database system is shutting down$", transient=True)
            sits.execute("SELECT 1")
        server.process.wait(postgres_server.PATIENCE)
        (server.data / "standby.signal").touch()
        server.start(wait=False, hot_standby="off")
        server.wait_to_say("entering standby mode")
        fails(
            address, errors.DatabaseStarting, says="the database system is (starting up|not accepting)", transient=True
        )


def test_a_standby(postgres):
    """It is told from a primary where several hosts are named; alone it takes readers, and no change."""
    with postgres_server.Server(postgres.installation) as primary:
        standby = postgres_standby.standby_of(primary)
        try:
            alone = at(standby, user="postgres", password=None)
            with connect(alone) as connection, pytest.raises(errors.DatabaseReadOnly) as caught, named(alone):
                connection.execute("CREATE TABLE more ()")
            assert not caught.value.transient
            primary.kill()
            both = at(standby, host="127.0.0.1,127.0.0.1", port=f"{primary.port},{standby.port}", user="postgres")
            fails(both, errors.DatabaseReadOnly, says="session is read-only$", transient=True)
            connect(both, reading=True).close()
            postgres_standby.promote(standby)
            connect(both).close()
        finally:
            standby.stop("immediate")


@pytest.mark.parametrize(
    ("told", "says"),
    [
        ({"sslmode": "verify-ca", "sslrootcert": "other"}, "certificate verify failed"),
        ({"sslmode": "verify-full", "sslrootcert": "own"}, 'does not match host name "127.0.0.1"'),
        ({"sslmode": "verify-full", "sslrootcert": "missing"}, "root certificate file .* does not exist"),
        ({"user": "certified", "sslmode": "require"}, "connection requires a valid client certificate"),
        ({"user": "certified", "sslmode": "require", "sslcert": "stranger"}, "alert unknown ca"),
        ({"user": "certified", "sslmode": "require", "sslcert": "open"}, "has group or world access"),
    ],
    ids=lambda value: " ".join(value.values()) if isinstance(value, dict) else "",
)
def test_tls(tmp_path, tls_server, told, says):
    """What one side cannot prove to the other."""
    fails(
        at(tls_server, **with_files(told, tls_server, tmp_path)), errors.DatabaseTlsFailed, says=says, transient=False
    )


def with_files(told, tls_server, folder):
    """The same with files instead of what they are."""
    other = postgres_tls.Authority(folder, "other")
    roots = {"own": tls_server.authority.certificate, "other": other.certificate, "missing": folder / "missing"}
    if "sslrootcert" in told:
        told = {**told, "sslrootcert": roots[told["sslrootcert"]]}
    if "sslcert" in told:
        certificate, key = (other if told["sslcert"] == "stranger" else tls_server.authority).sign("certified")
        key.chmod(0o644 if told["sslcert"] == "open" else 0o600)
        told = {**told, "sslcert": certificate, "sslkey": key}
    return told


def test_a_wrong_password_where_tls_is_tried_first(tls_server):
    """The try without TLS, which the server never takes, is not what is told."""
    fails(at(tls_server), errors.DatabaseAuthenticationFailed, says="password authentication failed")
    fails(at(tls_server, sslmode="disable"), errors.DatabaseAuthenticationFailed, says="pg_hba.conf rejects")


def test_a_certificate_of_somebody_else(tls_server):
    """It is believed, and is not that of the user who wants in."""
    certificate, key = tls_server.authority.sign("someone")
    address = at(tls_server, user="certified", sslmode="require", sslcert=certificate, sslkey=key)
    fails(address, errors.DatabaseAuthenticationFailed, says="certificate authentication failed")


@pytest.fixture(scope="module")
def speaking():
    """A server that has translations; not running."""
    spoken = [one for one in postgres_server.installations() if one.major == 15]
    if not spoken:
        pytest.skip("no server here with translations")
    settings = {"max_connections": "3", "superuser_reserved_connections": "1", "max_wal_senders": "0"}
    with postgres_server.Server(spoken[0], hba=HBA, settings={**settings, "lc_messages": "C.UTF-8"}) as server:
        server.execute(f"CREATE ROLE known LOGIN PASSWORD '{SECRET}'")
        server.stop()
        yield server


@pytest.mark.parametrize("language", LANGUAGES)
def test_a_server_speaks_its_language(speaking, language):
    """The same failures have the same names, whatever language the server has them in."""
    speaking.environment["LANGUAGE"] = language
    speaking.start()
    with speaking.connect() as sits, pytest.raises(psycopg.Error) as caught:
        sits.execute("SELECT 1 / 0")
    if str(caught.value) == "division by zero":
        speaking.stop()
        pytest.skip("the system has no messages in that language, or does not use them")
    fails(at(speaking, password="wrong one"), errors.DatabaseAuthenticationFailed, says="known")
    fails(at(speaking, user="rejected"), errors.DatabaseAuthenticationFailed, says="rejected")
    fails(at(speaking, user="unnamed"), errors.DatabaseAuthenticationFailed, says="unnamed")
    fails(at(speaking, dbname="nowhere"), errors.DatabaseUnknown, says="nowhere")
    with speaking.connect(), speaking.connect():
        fails(at(speaking), errors.DatabaseTooManyClients, transient=True)
    with speaking.connect():
        speaking.signal(postgres_server.signal.SIGTERM)
        postgres_server.wait_for(lambda: is_shutting_down(at(speaking)), "the server takes connections")
    speaking.stop()


def is_shutting_down(address):
    """Whether it says that it stops; it may not have heard yet that it is to."""
    with contextlib.suppress(errors.DatabaseStarting):
        connect(address).close()
        return False
    return True


@pytest.mark.parametrize("catalogue", CATALOGUES, ids=LANGUAGES)
def test_translations_are_those_of_the_catalogues(catalogue):
    """Each text of PostgreSQL's own catalogue is recognised, and as the one that it translates."""
    with open(catalogue, "rb") as file:
        translations = gettext.GNUTranslations(file)
    for english in server_messages.MESSAGES:
        text = translations.gettext(english)
        if text != english:
            assert server_messages.in_english(f"FATAL:  {text.replace('%s', 'somebody')}") == english
    assert server_messages.in_english("FATAL:  something else") is None


# --- statements that fail -----------------------------------------------------------------------------------------


@contextlib.contextmanager
def failing(dsn, kind, *, transient):
    """A connection in which something fails by this name."""
    address = Address(as_words(dsn))
    with connect(address) as connection, pytest.raises(kind) as caught, named(address):
        yield connection
    assert type(caught.value) is kind
    assert caught.value.transient is transient
    assert address.shown() in str(caught.value)
    assert "\n" not in str(caught.value)


def test_a_statement_takes_too_long(database):
    """The server ends it."""
    with failing(database, errors.DatabaseTimeout, transient=False) as connection:
        connection.execute("SET statement_timeout = '50ms'")
        connection.execute("SELECT pg_sleep(60)")


def test_a_lock_is_held_by_another(database):
    """A limit of waiting for it was reached."""
    with connect(Address(as_words(database))) as other:
        other.execute("SELECT pg_advisory_lock(1)")
        with failing(database, errors.DatabaseBusy, transient=False) as connection:
            connection.execute("SET lock_timeout = '50ms'")
            connection.execute("SELECT pg_advisory_lock(1)")


def as_words(dsn):
    """The words of a connection string."""
    from psycopg.conninfo import conninfo_to_dict

    return {key: str(value) for key, value in conninfo_to_dict(dsn).items()}


def test_a_deadlock(database):
    """One of both loses; the other has let go of everything by then, so that the loser may try again."""
    with connect(Address(as_words(database))) as other:
        other.execute("SELECT pg_advisory_lock(1)")
        with failing(database, errors.DatabaseBusy, transient=True) as connection:
            connection.execute("SET deadlock_timeout = '50ms'")
            connection.execute("SELECT pg_advisory_lock(2)")
            waiting = threading.Thread(target=lambda: other.execute("SELECT pg_advisory_lock(2)"))
            waiting.start()
            try:
                connection.execute("SELECT pg_sleep(0.2)")
                connection.execute("SELECT pg_advisory_lock(1)")
            finally:
                connection.close()
                waiting.join()


def test_a_session_is_ended(postgres, database):
    """The statement under way is lost, and so is the next one on the same connection."""
    with failing(database, errors.DatabaseConnectionLost, transient=True) as connection:
        postgres.execute("SELECT pg_terminate_backend(%s)", [connection.info.backend_pid])
        connection.execute("SELECT 1")
    with failing(database, errors.DatabaseConnectionLost, transient=True) as connection:
        connection.close()
        connection.execute("SELECT 1")


@pytest.mark.parametrize("way", ["fast", "immediate", "kill", "kill_backend"])
def test_a_server_ends(postgres, way):
    """However it ends, its sessions are lost by that name."""
    with (
        postgres_server.Server(postgres.installation) as server,
        failing(server.dsn(), errors.DatabaseConnectionLost, transient=True) as connection,
    ):
        if way == "kill":
            server.kill()
        elif way == "kill_backend":
            with server.connect() as other:
                server.kill_backend(other.info.backend_pid)
                server.wait_to_say("terminating any other active server processes")
        else:
            server.stop(way)
        connection.execute("SELECT 1")


@pytest.mark.parametrize("direction", [postgres_proxy.UP, postgres_proxy.DOWN])
def test_a_line_is_cut(newest_postgres, direction):
    """A reset in the middle of what is sent, or of what is answered."""
    with postgres_proxy.Proxy(newest_postgres.port) as proxy:
        dsn = newest_postgres.dsn(port=proxy.port)
        with failing(dsn, errors.DatabaseConnectionLost, transient=True) as connection:
            proxy.cut_after(1000, direction)
            connection.execute("SELECT repeat('x', 100000), %s", ["y" * 100_000])


def test_a_disk_is_full(postgres, database):
    """Nothing of the statement stays, and the connection goes on."""
    with tmpfs.disk("8m") as disk:
        postgres.execute(f"CREATE TABLESPACE small LOCATION '{disk.folder}'")
        try:
            with failing(database, errors.DatabaseFull, transient=False) as connection:
                connection.execute("CREATE TABLE filling TABLESPACE small AS SELECT generate_series(1, 999999)")
        finally:
            postgres.execute("DROP TABLESPACE small")


@pytest.mark.parametrize(
    ("statement", "kind"),
    [
        ("SELECT * FROM messages", errors.DatabaseSchemaOlder),
        ("SELECT nothing FROM pg_class", errors.DatabaseSchemaOlder),
        ("SET transaction_read_only = on; CREATE TABLE more ()", errors.DatabaseReadOnly),
        ("CREATE ROLE modest; SET ROLE modest; CREATE SCHEMA more", errors.DatabaseNotAllowed),
        ("SET idle_in_transaction_session_timeout = 50; BEGIN; SELECT 1", errors.DatabaseConnectionLost),
        ("DO $$ BEGIN RAISE EXCEPTION 'torn' USING ERRCODE = 'XX001'; END $$", errors.DatabaseDamaged),
        ("DO $$ BEGIN RAISE EXCEPTION 'torn' USING ERRCODE = '58030'; END $$", errors.DatabaseError),
        ("DO $$ BEGIN RAISE EXCEPTION 'torn' USING ERRCODE = '40001'; END $$", errors.DatabaseBusy),
    ],
    ids=lambda value: value.split("'")[-2] if isinstance(value, str) and "'" in value else str(value)[:30],
)
def test_a_statement_fails(postgres, database, statement, kind):
    """By its SQLSTATE."""
    try:
        with failing(database, kind, transient=kind.transient or "40001" in statement) as connection:
            connection.execute(statement)
            connection.execute("SELECT pg_sleep(0.2)")
            with contextlib.suppress(psycopg.errors.InFailedSqlTransaction):
                threading.Event().wait(0.3)
                connection.execute("SELECT 1")
    finally:
        postgres.execute("DROP ROLE IF EXISTS modest")


@pytest.mark.parametrize(
    "statement",
    [
        "SELEKT 1",
        "SELECT 1 / 0",
        "SELECT '{'::jsonb",
        "CREATE TABLE one (a INT UNIQUE); INSERT INTO one VALUES (1), (1)",
    ],
)
def test_a_defect_of_ours_keeps_its_trace(database, statement):
    """What no state of the database explains is not given a name that would send the user to look for one."""
    with psycopg.connect(database) as connection, pytest.raises(psycopg.Error), named():
        connection.execute(statement)


def test_other_errors_pass():
    """What psycopg did not raise is none of ours."""
    assert named_error(ValueError("x")) is None
    with pytest.raises(ValueError, match="x"), named():
        raise ValueError("x")


def test_every_error_is_raised():
    """No error of this room is left over: each is raised for a text, for a state, or by a module that names it."""
    told = {kind.__name__ for kind, _ in CONNECTING} | {kind.__name__ for kind in STATES.values()}
    package = REPOSITORY / "scripts" / "deduplication"
    others = [path.read_text("utf-8") for path in package.rglob("*.py") if path != Path(errors.__file__)]
    here = {name for name, kind in vars(errors).items() if getattr(kind, "__module__", "") == errors.__name__}
    assert {
        name for name in here - told if not any(f"{name}(" in text or f"ours.{name}," in text for text in others)
    } == set()
