#!/usr/bin/env python3
"""What a run imports, starts and syncs: ``benchmarks/calls.py [--checkout FOLDER] [--strict]``.

Each way to start a run, as a whole process in a project with git and some messages stored, below ``strace``: modules of ours and of
Python that are imported, processes of Python and of git that are started, ``fsync`` and ``fdatasync`` of ours before and behind the
moment when the last message is durable (the commit record's sync), and those of git. ``--strict`` exits with 1 where there are more
than docs/benchmarks.md accounts for. Counts do not depend on the machine.
"""

from __future__ import annotations

import argparse
import json
import os
import re
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Final, NamedTuple

from checkpoint_runs import NEW, Project, export

from hooks import Scene

REPOSITORY: Final = Path(__file__).resolve().parents[1]
BEFORE: Final = 200
"""Messages that are stored before."""
NAME: Final = "2026-01-03-EXPORT-SESSION.txt"
STATE: Final = ("--storage-dir", "MEMORY-CONTEXT/dedup_state")
WAYS: Final = (
    ("deduplicate_export.py", ("deduplicate_export.py", NAME, *STATE)),
    ("deduplicate_export.py, the same export again", ("deduplicate_export.py", NAME, *STATE)),
    ("export-dedup.py", ("export-dedup.py", "--yes", "--no-checkpoint")),
    ("export-dedup.py with a checkpoint", ("export-dedup.py", "--yes")),
    ("export-dedup-with-status.py", ("export-dedup-with-status.py", "--yes")),
    ("the same export again", ("export-dedup-with-status.py", "--yes")),
)
LIMITS: Final = {"processes of Python": 1, "processes of git": 12, "syncs until all is stored": 3}
_IMPORTED: Final = re.compile(rb"^import time: .*\|\s*(\S+)$", re.MULTILINE)
_SYNC: Final = re.compile(r"^(\d+)\s+f(?:data)?sync\(\d+<([^>]*)>")
_STARTED: Final = re.compile(r'^(\d+)\s+execve\("([^"]+)"')


class Counted(NamedTuple):
    """One run."""

    ours: int
    standard: int
    pythons: int
    gits: int
    durable: int
    later: int
    of_git: int


def _strace(trace: Path) -> list[str]:
    return ["strace", "-f", "-y", "-o", str(trace), "-e", "trace=fsync,fdatasync,execve"]


def hook(checkout: Path, scene: Scene) -> Counted:
    """The hook that the client starts when an answer has ended."""
    with tempfile.TemporaryDirectory() as name:
        trace = Path(name) / "trace"
        command = [sys.executable, "-S", "-E", "-X", "importtime", str(checkout / "hooks" / "run.py"), "Stop"]
        done = subprocess.run(
            [*_strace(trace), *command],
            cwd=scene.root,
            env={**os.environ, **scene.environment},
            input=scene.event(),
            capture_output=True,
            check=True,
        )
        found = {each.decode() for each in _IMPORTED.findall(done.stderr)}
        ours = {each for each in found if each.partition(".")[0] == "deduplication"}
        return _of_trace(trace.read_text(encoding="utf-8", errors="replace"), len(ours), len(found - ours))


def counted(checkout: Path, project: Path, arguments: tuple[str, ...]) -> Counted:
    """A run of ``checkout`` in ``project``, traced."""
    with tempfile.TemporaryDirectory() as name:
        trace, listed = Path(name) / "trace", Path(name) / "sitecustomize.py"
        modules = Path(name) / "modules"
        listed.write_text(
            "import atexit, os, sys\n"
            "def tell():\n"
            f"    with open({str(modules)!r}, 'a') as file:\n"
            "        file.write('\\n'.join(sys.modules) + '\\n')\n"
            "atexit.register(tell)\n"
            "end = os._exit\n"
            "os._exit = lambda code: (tell(), end(code))\n",
            encoding="utf-8",
        )
        environment = {**os.environ, "PYTHONPATH": name}
        command = [sys.executable, str(checkout / "scripts" / arguments[0]), *arguments[1:]]
        done = subprocess.run(
            [*_strace(trace), *command], cwd=project, env=environment, capture_output=True, check=False
        )
        if done.returncode:
            raise SystemExit(f"{command} failed: {done.stdout.decode()}{done.stderr.decode()}")
        found = set(modules.read_text(encoding="utf-8").split()) if modules.exists() else set()
        ours = {each for each in found if each.partition(".")[0] == "deduplication"}
        return _of_trace(trace.read_text(encoding="utf-8", errors="replace"), len(ours), len(found - ours))


def _of_trace(text: str, ours: int, standard: int) -> Counted:
    gits: set[str] = set()
    pythons, syncs = set(), []
    for line in text.splitlines():
        started = _STARTED.match(line)
        if started and " = -1 " not in line:
            (gits if started[2].endswith("git") else pythons).add(started[1])
        sync = _SYNC.match(line)
        if sync:
            syncs.append((sync[1] in gits, sync[2]))
    own = [path for of_git, path in syncs if not of_git]
    last = max((number for number, path in enumerate(own) if path.endswith("conversation_log.jsonl")), default=-1)
    return Counted(ours, standard, len(pythons), len(gits), last + 1, len(own) - last - 1, len(syncs) - len(own))


def main() -> int:
    """Count, print the table; 1 where ``--strict`` finds more than is accounted for."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--checkout", type=Path, default=REPOSITORY, metavar="FOLDER", help="measure what lies there")
    parser.add_argument("--strict", action="store_true", help="exit with 1 where a limit is exceeded")
    parser.add_argument("--json", action="store_true", help="print numbers instead of a table")
    asked = parser.parse_args()
    if shutil.which("strace") is None:
        raise SystemExit("this needs strace")
    checkout, over = asked.checkout.resolve(), False
    rows: dict[str, Counted] = {}
    with tempfile.TemporaryDirectory(prefix="export-dedup benchmark ") as name:
        for number, (what, arguments) in enumerate(WAYS):
            project = Project(Path(name).resolve() / str(number), checkout)
            project.make()
            subprocess.run(["git", "-C", project.folder, "config", "user.name", "a"], check=True)
            subprocess.run(["git", "-C", project.folder, "config", "user.email", "a@b"], check=True)
            project.run(export(1, BEFORE))
            again = what.endswith("the same export again")
            (project.folder / NAME).write_text(export(1, BEFORE + (0 if again else NEW)), encoding="utf-8")
            rows[what] = counted(checkout, project.folder, arguments)
        scene = Scene(Path(name).resolve(), 1_000_000, 1_000)
        for _ in range(2):  # what the first ones find, and what they make themselves
            hook(checkout, scene)
        rows["a hook with nothing to do"] = hook(checkout, scene)
        scene.turn()
        rows["a captured turn (Stop)"] = hook(checkout, scene)
    for row in rows.values():
        figures = dict(zip(LIMITS, (row.pythons, row.gits, row.durable)))
        over = over or any(figures[limit] > most for limit, most in LIMITS.items())
    if asked.json:
        print(json.dumps({what: row._asdict() for what, row in rows.items()}, indent=1))
    else:
        print(
            "| run | modules: ours | Python's | processes of Python | of git | syncs until all is stored | later | git's |"
        )
        print("|---|---|---|---|---|---|---|---|")
        for what, row in rows.items():
            print("|", " | ".join(map(str, (what, *row))), "|")
    return int(asked.strict and over)


if __name__ == "__main__":
    sys.exit(main())
