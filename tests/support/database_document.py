"""What docs/database.md shows, and the place where it is run: a project, and a server for each host that the document names.

A fenced block is run as its language says: ``bash`` as a script that must succeed, ``console`` as a session whose output is
compared, ``sql`` by psql, ``python`` by Python; ``ini`` goes into the file that its first line names, where a server reads it. A
first line such as ``# on new.example.com`` or ``-- on new.example.com, in postgres, as alice`` says where, in which database and as
whom; else it is ``db.example.com``, ``dedup_db`` and the administrator. What is not run stands below a paragraph that begins with
"Not run" and says why. What the document exports stays for the blocks after it.

What is put in the place of what the document says: hosts (a port of the loopback each), folders, and the time of an accident.
"""

from __future__ import annotations

import os
import re
import shlex
import subprocess
import sys
from typing import NamedTuple

import postgres_server
from conftest import REPOSITORY
from documents import FENCE, compare, text_of

PAGE = REPOSITORY / "docs" / "database.md"
RUN = ("bash", "console", "sql", "python", "ini")
FIRST = "db.example.com"
PASSWORD = "neap-tide-7"
"""What the document has for alice's password, and she types."""
_HEAD = re.compile(r"^(?:#|--) (?P<what>(?:on|in|as) \S+(?:, (?:in|as) \S+)*|[\w.]+\.conf(?: on \S+)?)$")
_STATE = "exported"
_PG_CTL = """\
#!/bin/sh
case " $* " in
*" start "*)
    exec "$REAL_PG_CTL" "$@" -o "-p $PGPORT -c unix_socket_directories=$PGHOST -c listen_addresses=127.0.0.1" ;;
*) exec "$REAL_PG_CTL" "$@" ;;
esac
"""
"""A server that the document starts listens at the port of its host."""
_SUDO = """\
import os, pwd, shutil, sys
assert sys.argv[1:3] == ["-u", "postgres"], sys.argv
command = shutil.which(sys.argv[3])
if os.geteuid() == 0:
    user = pwd.getpwuid({uid})
    os.setgroups([])
    os.setgid(user.pw_gid)
    os.setuid(user.pw_uid)
os.environ.update(HOME="/", PGUSER="postgres")
os.chdir("/")
os.execv(command, sys.argv[3:])
"""
"""``sudo -u postgres``: the user as whom servers run here."""


class Block(NamedTuple):
    """A fenced block: the heading (of the second rank) that it stands below, what it is, and where it is run."""

    heading: str
    line: int
    language: str
    body: str
    before: str
    """The paragraph above it."""

    @property
    def where(self):
        """The words of its first line, by their names: ``on``, ``in``, ``as``, and ``file``."""
        found = _HEAD.match(self.body.partition("\n")[0])
        if not found:
            return {}
        words = re.sub(r"^([\w.]+\.conf) ?", r"file \1, ", found["what"])
        return dict(part.split(" ", 1) for part in words.split(", ") if part)

    @property
    def not_run(self):
        """Why it is not run, if it is not."""
        return self.before if self.before.startswith("Not run") else None


def blocks():
    """All of the document, in order."""
    text = text_of(PAGE)
    for found in FENCE.finditer(text):
        above = text[: found.start()]
        headings = re.findall(r"^## (.+)$", FENCE.sub("", above), re.MULTILINE)
        before = above.rstrip("\n").rpartition("\n\n")[2]
        yield Block(headings[-1] if headings else "", above.count("\n") + 1, found[1], found[2], before)


class Place:
    """A project and servers; ``newest`` and the like are installations. Made anew, or as a copy of one that is stopped."""

    def __init__(self, sandbox, installation, folder=None):
        self.sandbox = sandbox
        self.installation = postgres_server.reachable(installation)
        self.folder = folder or postgres_server.new_folder("document")
        self.installations = {}
        self.servers = {}
        self.ports = {}
        self.moments = {}
        for name in ("backups", "log"):
            postgres_server.owned(self._made(self.folder / name))
        self._shims()

    def _made(self, folder):
        for parent in [*reversed(folder.parents), folder]:
            if not parent.exists():
                parent.mkdir(mode=0o755)
                postgres_server.owned(parent)
        return folder

    def _shims(self):
        tools = self.sandbox.root / "bin"
        sudo = tools / "sudo"
        body = _SUDO.format(uid=(self.folder.stat().st_uid))
        sudo.write_text(f"#!{sys.executable} -IS\n{body}", encoding="utf-8")
        control = self.folder / "pg_ctl"
        control.write_text(_PG_CTL, encoding="utf-8")
        for shim in (sudo, control):
            shim.chmod(0o755)

    # -- servers ---------------------------------------------------------------------------------------------------

    def data(self, host):
        """The folder of a host's server, as ``/var/lib/postgresql/data`` of that host."""
        return self.folder / host / "data"

    def port(self, host):
        """The port that stands for a host."""
        return self.ports.setdefault(host, postgres_server.free_port())

    def serve(self, host=FIRST, installation=None, **more):
        """A server of this host: a new one, or one whose folder is there."""
        self._made(self.folder / host)
        server = postgres_server.Server(installation or self.installation, self.folder / host, **more)
        server.port = self.port(host)
        self.servers[host] = server
        return (server if server.data.exists() else server.create()).start()

    def copy(self, sandbox):
        """The same with a project and a first server of its own; this one is stopped."""
        made = Place(sandbox, self.installation)
        copied = made._made(made.folder / FIRST) / "data"
        postgres_server.run("cp", "-a", str(self.data(FIRST)), str(copied))
        made.serve()
        return made

    def stop(self):
        """End all servers, those that the document started, too."""
        for server in self.servers.values():
            server.stop("immediate")
        for lock in self._locks():
            control = self.installation.path("pg_ctl")
            postgres_server.run(control, "-D", str(lock.parent), "-m", "immediate", "stop")

    def _locks(self):
        """The first lines of these files are the first processes of servers."""
        return [*self.folder.glob("*/data/postmaster.pid")]

    def _watch(self):
        """Servers that the document started end with this process, too."""
        with open(postgres_server.ground() / "servers", "a", encoding="utf-8") as servers:
            servers.writelines(
                f"{lock.read_text(encoding='utf-8').splitlines()[0]} {lock.parent}\n" for lock in self._locks()
            )

    # -- what stands for what the document says ----------------------------------------------------------------------

    def put(self, text, host):
        """The text with this place's ports and folders."""
        text = text.replace("/mnt/backups", str(self.folder / "backups"))
        text = text.replace("/var/lib/postgresql", str(self.folder / host))
        text = text.replace("/var/log/postgresql", str(self.folder / "log"))
        if os.geteuid() != 0:
            text = re.sub(r"\bpeer$", "trust", text, flags=re.MULTILINE)
        for told, moment in self.moments.items():
            text = text.replace(told, moment)
        text = re.sub(
            r"\bhost=(\w+\.example\.com)(?:(\s)port=5432)?",
            lambda m: f"host=localhost{m[2] or ' '}port={self.port(m[1])}",
            text,
        )
        text = re.sub(
            r"\\set (\w+)_host (\w+\.example\.com)\n\\set \1_port 5432",
            lambda m: f"\\set {m[1]}_host localhost\n\\set {m[1]}_port {self.port(m[2])}",
            text,
        )
        text = re.sub(r"\b(DNS:|CN=)\w+\.example\.com", r"\1localhost", text)
        return re.sub(r"(?<=[@,\s'])(\w+\.example\.com)(?::5432)?", lambda m: f"localhost:{self.port(m[1])}", text)

    def taken_back(self, text):
        """What was printed, in the document's words."""
        for host, port in self.ports.items():
            text = re.sub(rf"\blocalhost:{port}\b", host, text)
            text = re.sub(rf"\bport {port}\b", "port 5432", text)
        return text.replace(str(self.folder / "backups"), "/mnt/backups")

    # -- running -----------------------------------------------------------------------------------------------------

    def environment(self, host):
        """Of whoever sits at this host: its tools, its server where none is named."""
        server = self.servers.get(host)
        installation = server.installation if server else self.installations.get(host, self.installation)
        told = self.sandbox.environment()
        return {
            **told,
            "PATH": os.pathsep.join(
                [str(self.sandbox.root / "bin"), str(self.folder), str(installation.bin), told["PATH"]]
            ),
            "REAL_PG_CTL": installation.path("pg_ctl"),
            "PGHOST": str(self._made(self.folder / host)),
            "PGPORT": str(self.port(host)),
            "PSQL_HISTORY": os.devnull,
            "PGCONNECT_TIMEOUT": "20",
        }

    def bash(self, script, folder, host=FIRST):
        """Exit code and output of a script, without a terminal; what asks for a password gets alice's."""
        state = self.sandbox.root / _STATE
        kept = state.read_text(encoding="utf-8") if state.exists() else ""
        keep = f"trap 'export -p | grep EXPORT_DEDUP_ >{shlex.quote(str(state))} || :' EXIT\n"
        done = subprocess.run(
            ["bash", "-u", "-c", self.put(kept, host) + keep + self.put(script, host)],
            cwd=folder,
            env=self.environment(host),
            input=f"{PASSWORD}\n" * 2,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            check=False,
            encoding="utf-8",
            start_new_session=True,
        )
        self._watch()
        if state.exists():
            state.write_text(self.taken_back(state.read_text(encoding="utf-8")), encoding="utf-8")
        return done.returncode, self.taken_back(done.stdout)

    def must(self, script, host=FIRST):
        """The output of a script that has to succeed, run in the project."""
        code, output = self.bash(f"set -e -o pipefail\n{script}", self.sandbox.project, host)
        assert code == 0, f"{script}\nexit code {code}:\n{output}"
        return output

    def query(self, statement, host=FIRST, database="dedup_db"):
        """The rows of a statement of the administrator, as text."""
        command = f"sudo -u postgres psql -X -At -d {database} -c {shlex.quote(statement)}"
        return self.must(command, host).splitlines()

    def run(self, block):
        """Do what a block shows; what it printed."""
        where = {"on": FIRST, **block.where}
        if block.language == "bash":
            return self.must(block.body, where["on"])
        if block.language == "python":
            return self.must(f"python3 - <<'EOF'\n{block.body}EOF", where["on"])
        if block.language == "sql":
            return self.must(self._psql(where) + f" <<'EOF'\n{block.body}EOF", where["on"])
        if block.language == "ini":
            return self.configure(where["on"], where["file"], block.body)
        return compare(block.body, self, self.sandbox.project)

    def _psql(self, where):
        """The administrator is let in by the socket of the server; everybody else comes by the network."""
        database = where.get("in", "dedup_db")
        if "as" not in where:
            return f"sudo -u postgres psql -X -v ON_ERROR_STOP=1 -d {database}"
        return f"psql -X -v ON_ERROR_STOP=1 -d postgresql://{where['as']}@{where['on']}/{database}"

    def configure(self, host, file, lines):
        """Add to postgresql.conf, or replace pg_hba.conf; a server that runs reads it."""
        path, text = self.data(host) / file, self.put(lines, host)
        server = self.servers.get(host)
        if file == "pg_hba.conf":
            path.write_text(text, encoding="utf-8")
        else:
            with path.open("a", encoding="utf-8") as configuration:
                configuration.write(text)
        if server and server.running:
            server.restart()
            return server.said()
        return ""
