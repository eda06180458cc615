#!/usr/bin/env python3
"""A run with a checkpoint in stores of different size: ``benchmarks/checkpoint_runs.py [--small] [--checkout FOLDER]``.

Each project has a git repository, and a store of conversations of 20,000 short messages each. A session is begun there by a first
run of ``export-dedup.py``; measured are the next ones, in turns, each with 50 new messages: seconds of the clock and of the
processor (git included), peak megabytes, and how many processes of git it starts. A second table tells these of a session
whose file has few parts and of one with many. ``--checkout`` measures another revision, which lies in that folder;
``--keep FOLDER`` makes the stores there, or takes those that are there.
"""

from __future__ import annotations

import argparse
import os
import random
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Final, NamedTuple

from measure import COMPILED
from workload import WORDS

REPOSITORY: Final = Path(__file__).resolve().parents[1]
EACH: Final = 20_000
"""Messages of one conversation."""
NEW: Final = 50
PART: Final = 165
"""Messages of which a session file of long messages has one part, about."""
HEAD: Final = " ▐▛███▜▌   Claude Code v2.1.197\n▝▜█████▛▘  Example 1.0\n  ▘▘ ▝▝    ~/x\n\n\n"
MANY: Final = """
import sys
sys.path.insert(0, sys.argv[1])
from pathlib import Path
from deduplication import ClaudeConversationDeduplicator
for file in sys.argv[3:]:
    ClaudeConversationDeduplicator(sys.argv[2]).process_export(Path(file).stem, Path(file).read_bytes())
"""


def export(seed: int, messages: int, words: int = 12) -> str:
    """A text export of short turns, calls and results, of which few are the same; more ``messages`` go on from fewer."""
    chance, found = random.Random(seed), [HEAD]
    for number in range(messages):
        text = " ".join(chance.choices(WORDS, k=chance.randrange(3, words) * words // 12)) + f" {seed}-{number}"
        forms = (f"❯ {text}\n\n", f"● Bash(grep -n {text})\n", f"  ⎿  {text}\n\n", f"● {text}, as it was before\n\n")
        found.append(forms[number % 4])
    return "".join(found)


class Measured(NamedTuple):
    """One process with all that it started."""

    seconds: float
    processor: float
    megabytes: float
    gits: int


class Project:
    """A project with git, in which each run is measured."""

    def __init__(self, folder: Path, checkout: Path) -> None:
        self.folder, self._checkout = folder, checkout
        self.exports = folder / "MEMORY-CONTEXT" / "exports"
        self._bin = folder.parent / f"{folder.name}-bin"
        self._started = self._bin / "started"

    def make(self) -> None:
        """An empty project, and a git that notes each start."""
        self.exports.mkdir(parents=True, exist_ok=True)
        if not (self.folder / ".git").exists():
            subprocess.run(["git", "init", "--quiet", str(self.folder)], check=True)
        self._bin.mkdir(exist_ok=True)
        git = self._bin / "git"
        git.write_text(f'#!/bin/sh\necho >> "{self._started}"\nexec "{shutil.which("git")}" "$@"\n', encoding="utf-8")
        git.chmod(0o755)

    def fill(self, messages: int) -> None:
        """Store conversations of so many messages in all."""
        state = self.folder / "MEMORY-CONTEXT" / "dedup_state"
        with tempfile.TemporaryDirectory() as name:
            files = []
            for number in range(-(-messages // EACH)):
                files.append(Path(name) / f"conversation-{number:04}.txt")
                files[-1].write_text(export(number, min(EACH, messages)), encoding="utf-8")
            command = [sys.executable, "-c", MANY, str(self._checkout / "scripts"), str(state), *map(str, files)]
            subprocess.run(command, check=True)

    def run(self, text: str) -> Measured:
        """An export that says this is processed, with its session file and a checkpoint."""
        (self.exports / "2026-01-02-EXPORT-SESSION.txt").write_text(text, encoding="utf-8")
        self._started.write_bytes(b"")
        command = [sys.executable, str(self._checkout / "scripts" / "export-dedup.py"), "--yes"]
        environment = {**os.environ, "PATH": os.pathsep.join((str(self._bin), os.environ["PATH"])), **COMPILED}
        started = time.perf_counter()
        child = subprocess.Popen(command, cwd=self.folder, stdout=subprocess.DEVNULL, env=environment)
        _, status, usage = os.wait4(child.pid, 0)
        child.returncode = status
        if status:
            raise SystemExit(f"{command} failed in {self.folder}")
        scale = 1_000_000 if sys.platform == "darwin" else 1_000
        return Measured(
            time.perf_counter() - started,
            usage.ru_utime + usage.ru_stime,
            usage.ru_maxrss / scale,
            len(self._started.read_bytes()),
        )

    def parts(self) -> int:
        """How many parts the longest session file has."""
        return len(list((self.folder / "MEMORY-CONTEXT" / "sessions").glob("*.md")))


def grown(projects: list[Project], first: int, runs: int, words: int = 12) -> list[list[Measured]]:
    """A session of so many messages is begun in each project; what the runs after that come to, which take turns."""
    seed = time.time_ns()
    for project in projects:
        project.run(export(seed, first, words))
    rounds = [
        [project.run(export(seed, first + NEW * number, words)) for project in projects]
        for number in range(1, runs + 1)
    ]
    return [list(each) for each in zip(*rounds)]


def main() -> None:
    """Print both tables."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--small", action="store_true", help="small sizes, to see that everything runs")
    parser.add_argument("--messages", type=int, nargs="*", help="messages stored (default 20000 200000)")
    parser.add_argument("--parts", type=int, nargs="*", help="parts of the session file, about (default 2 40)")
    parser.add_argument("--runs", type=int, default=5, help="measured runs (default 5)")
    parser.add_argument("--checkout", type=Path, default=REPOSITORY, metavar="FOLDER", help="measure what lies there")
    parser.add_argument("--keep", type=Path, metavar="FOLDER", help="where the stores are made, or are already")
    asked = parser.parse_args()
    runs = 1 if asked.small else asked.runs
    sizes = asked.messages if asked.messages is not None else [1_000, 6_000] if asked.small else [20_000, 200_000]
    parts = asked.parts if asked.parts is not None else [1, 3] if asked.small else [2, 40]
    with tempfile.TemporaryDirectory(prefix="export-dedup benchmark ") as name:
        base = (asked.keep or Path(name)).resolve()
        projects = [Project(base / f"{size}", asked.checkout.resolve()) for size in sizes]
        for size, project in zip(sizes, projects):
            filled = (project.folder / "MEMORY-CONTEXT" / "dedup_state").exists()
            project.make()
            if not filled:
                project.fill(size)
        print("| messages stored | seconds | of the processor | over the first, ms | peak MB | processes of git |")
        print("|---|---|---|---|---|---|")
        measured = grown(projects, NEW, runs)
        for size, done in zip(sizes, measured):
            over = [1000 * (one.processor - other.processor) for one, other in zip(done, measured[0])]
            show(f"{size:,}", done, f" {statistics.median(over):.0f} |")
        print("\n| parts | seconds | of the processor | peak MB | processes of git |\n|---|---|---|---|---|")
        for count in parts:
            project = Project(Path(name) / f"session of {count}", asked.checkout.resolve())
            project.make()
            (done,) = grown([project], count * PART, runs, words=100)
            show(f"{project.parts()}", done)


def show(what: str, runs: list[Measured], over: str = "") -> None:
    """A row."""
    middle = [statistics.median(column) for column in zip(*runs)]
    peak = max(run.megabytes for run in runs)
    print(f"| {what} | {middle[0]:.2f} | {middle[1]:.2f} |{over} {peak:.0f} | {middle[3]:.0f} |", flush=True)


if __name__ == "__main__":
    main()
