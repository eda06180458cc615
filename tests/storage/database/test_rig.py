"""The faults that tests inject are faults: each of them is seen through psycopg as DATABASE.md measured it."""

from __future__ import annotations

import contextlib
import subprocess
import sys
import textwrap

import pytest

import network_namespaces
import postgres_proxy
import postgres_server
import postgres_standby
import postgres_tls
import tmpfs

psycopg = pytest.importorskip("psycopg")


@pytest.fixture
def proxy(newest_postgres):
    """A proxy before a server."""
    with postgres_proxy.Proxy(newest_postgres.port) as proxy:
        yield proxy


def through(proxy, **more):
    """A connection through it."""
    return psycopg.connect(
        f"host=127.0.0.1 port={proxy.port} user=postgres dbname=postgres", **{"connect_timeout": 3, **more}
    )


def test_a_proxy_passes_everything_on(proxy):
    """A connection through it is one to the server, and its end is an end."""
    with through(proxy) as connection:
        assert connection.execute("SELECT repeat('x', 1000000)").fetchone() == ("x" * 1_000_000,)
    assert proxy.passed[postgres_proxy.DOWN] > 1_000_000


@pytest.mark.parametrize("direction", [postgres_proxy.UP, postgres_proxy.DOWN])
def test_a_proxy_cuts_after_so_many_bytes(proxy, direction):
    """So many bytes go through, then both sides see a reset; the next connection works."""
    with through(proxy) as connection:
        before = proxy.passed[direction]
        proxy.cut_after(5000, direction)
        with pytest.raises(psycopg.OperationalError):
            connection.execute("SELECT repeat('x', 100000), %s", ["y" * 100_000])
        assert proxy.passed[direction] - before == 5000
    with through(proxy) as connection:
        connection.execute("SELECT 1")


def test_a_proxy_refuses(proxy):
    """New connections are refused while it does, at the same port as before and after."""
    with through(proxy) as connection:
        proxy.mode = postgres_proxy.REFUSE
        with pytest.raises(psycopg.OperationalError, match="Connection refused"):
            through(proxy)
        connection.execute("SELECT 1")
        proxy.mode = postgres_proxy.PASS
        through(proxy).close()


def test_a_proxy_is_a_black_hole(proxy):
    """Who connects hears nothing, and what was connected hears no more, until it passes on again."""
    with through(proxy, autocommit=True) as connection:
        proxy.mode = postgres_proxy.BLACK_HOLE
        with pytest.raises(psycopg.errors.ConnectionTimeout):
            through(proxy, connect_timeout=2)
        proxy.mode = postgres_proxy.PASS
        connection.execute("SELECT 1")


def test_a_standby_takes_over(postgres):
    """It reads what the primary has and writes nothing; promoted, it takes writes, and the killed one follows it."""
    with postgres_server.Server(postgres.installation) as primary:
        primary.execute("CREATE TABLE kept AS SELECT 1 AS one")
        standby = postgres_standby.standby_of(primary)
        try:
            primary.execute("INSERT INTO kept VALUES (2)")
            postgres_standby.wait_for_standby(primary, standby)
            assert standby.execute("SELECT count(*) FROM kept") == [(2,)]
            with pytest.raises(psycopg.errors.ReadOnlySqlTransaction):
                standby.execute("INSERT INTO kept VALUES (3)")
            primary.kill()
            postgres_standby.promote(standby)
            standby.execute("INSERT INTO kept VALUES (3)")
            postgres_standby.follow(primary, standby)
            postgres_standby.wait_for_standby(standby, primary)
            assert primary.execute("SELECT count(*) FROM kept") == [(3,)]
        finally:
            standby.stop("immediate")


def test_a_full_disk_of_tables(newest_postgres):
    """A statement that fills the disk fails, and the server stays."""
    with tmpfs.disk("8m") as disk:
        newest_postgres.execute(f"CREATE TABLESPACE small LOCATION '{disk.folder}'")
        try:
            with pytest.raises(psycopg.errors.DiskFull):
                newest_postgres.execute("CREATE TABLE filling TABLESPACE small AS SELECT generate_series(1, 999999)")
        finally:
            newest_postgres.execute("DROP TABLESPACE small")


def test_a_full_disk_of_everything(postgres):
    """A server without room for its write-ahead log ends, and comes back with what was committed once there is room."""
    with tmpfs.disk("90m") as disk:
        settings = {"max_wal_size": "32MB", "min_wal_size": "32MB"}
        with postgres_server.Server(postgres.installation, disk.folder, settings=settings) as server:
            server.execute("CREATE TABLE kept AS SELECT 1 AS one")
            with pytest.raises(psycopg.OperationalError):
                server.execute("INSERT INTO kept SELECT generate_series(1, 9999999)")
            server.kill()
            disk.fill()
            with contextlib.suppress(OSError):  # mostly it does not start again
                server.start()
                server.kill()
            disk.resize("400m")
            assert server.start().execute("TABLE kept") == [(1,)]


def test_a_pulled_cable():
    """A query over it ends by the limits of the client's socket, and a new connection works once the cable is back."""
    program = textwrap.dedent(
        """\
        import sys
        import time
        import psycopg
        limits = "tcp_user_timeout=2000 keepalives_idle=1 keepalives_interval=1 keepalives_count=2 connect_timeout=20"
        with psycopg.connect(f"{sys.argv[1]} {limits}", autocommit=True) as connection:
            print("connected", flush=True)
            sys.stdin.readline()
            try:
                connection.execute("SELECT 1")
            except psycopg.OperationalError as error:
                print("failed", type(error).__name__, flush=True)
        sys.stdin.readline()
        for left in reversed(range(50)):  # both ends notice in their own time that the cable is back
            try:
                psycopg.connect(f"{sys.argv[1]} {limits}").close()
                break
            except psycopg.OperationalError:
                if not left:
                    raise
                time.sleep(0.2)
        print("connected again", flush=True)
        """
    )
    hba = ("local all all trust", "host all all 10.77.0.0/24 trust")
    with network_namespaces.joined() as cable, postgres_server.Server(within=cable.server, hba=hba) as server:
        command = [sys.executable, "-c", program, server.dsn()]
        pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "text": True, "bufsize": 1}
        with cable.client.popen(*command, **pipes) as client:
            assert client.stdout.readline() == "connected\n"
            cable.pull()
            print(file=client.stdin)
            assert client.stdout.readline() == "failed OperationalError\n"
            cable.plug()
            print(file=client.stdin)
            assert client.stdout.readline() == "connected again\n"


@pytest.mark.parametrize(
    ("told", "fails"),
    [
        ({"sslmode": "disable"}, "pg_hba.conf rejects"),
        ({"sslmode": "require"}, None),
        ({"sslmode": "verify-full", "sslrootcert": "own"}, None),
        ({"sslmode": "verify-full", "sslrootcert": "own", "host": "127.0.0.1"}, "does not match host name"),
        ({"sslmode": "verify-ca", "sslrootcert": "other"}, "certificate verify failed"),
    ],
    ids=lambda value: " ".join(value.values()) if isinstance(value, dict) else "",
)
def test_tls(tmp_path, tls_server, told, fails):
    """A certificate is believed as far as the client asks, and no connection is made without TLS."""
    authorities = {"own": tls_server.authority, "other": postgres_tls.Authority(tmp_path, "other")}
    if "sslrootcert" in told:
        told = {**told, "sslrootcert": authorities[told["sslrootcert"]].certificate}
    dsn = tls_server.dsn(user="known", password="secret", **{"host": "localhost", **told})
    if fails:
        with pytest.raises(psycopg.OperationalError, match=fails):
            psycopg.connect(dsn)
    else:
        psycopg.connect(dsn).close()


def test_a_client_certificate(tls_server):
    """Where the server asks for one, who has none does not get in."""
    certificate, key = tls_server.authority.sign("certified")
    with pytest.raises(psycopg.OperationalError, match="valid client certificate"):
        psycopg.connect(tls_server.dsn(user="certified", sslmode="require"))
    psycopg.connect(tls_server.dsn(user="certified", sslmode="require", sslcert=certificate, sslkey=key)).close()
