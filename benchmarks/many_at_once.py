#!/usr/bin/env python3
"""Runs that begin at the same moment in one project: ``benchmarks/many_at_once.py [--runs 32] [--checkout FOLDER]``.

Each run has an export of 100 kB of a conversation of its own. For ``deduplicate_export.py``, ``export-dedup.py`` without a
checkpoint and with one: seconds until the first and until the last run has ended, the processor's seconds of all of them, how many
processes of git and commits they made, and what must be 0: runs that ended with another code than 0, messages that are missing.
"""

from __future__ import annotations

import argparse
import json
import os
import resource
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Final, NamedTuple

from checkpoint_runs import Project, export

REPOSITORY: Final = Path(__file__).resolve().parents[1]
MESSAGES: Final = 1000
WORDS: Final = 17
"""So an export has some 100 kB."""
WAYS: Final = (
    ("deduplicate_export.py", ("--storage-dir", "MEMORY-CONTEXT/dedup_state")),
    ("export-dedup.py", ("--yes", "--no-checkpoint")),
    ("export-dedup.py", ("--yes",)),
)
IDENTITY: Final = {
    "GIT_AUTHOR_NAME": "a",
    "GIT_AUTHOR_EMAIL": "a@b",
    "GIT_COMMITTER_NAME": "a",
    "GIT_COMMITTER_EMAIL": "a@b",
}


class Measured(NamedTuple):
    """All runs of one way."""

    first: float
    last: float
    processor: float
    gits: int
    commits: int
    refused: int
    lost: int


def measured(checkout: Path, folder: Path, script: str, options: tuple[str, ...], runs: int) -> Measured:
    """``runs`` runs of ``script`` at once in a new project."""
    project = Project(folder, checkout)
    project.make()
    started = folder.parent / f"{folder.name}-bin" / "started"
    started.touch()
    (folder / "README.md").write_text("# Example\n", encoding="utf-8")
    names = [f"2026-11-{1 + n % 28:02d}-EXPORT-S{n:02d}.txt" for n in range(runs)]
    for number, name in enumerate(names):
        (folder / name).write_text(export(7000 + number, MESSAGES, WORDS), encoding="utf-8")
    environment = {
        **os.environ,
        **IDENTITY,
        "PATH": f"{folder.parent / (folder.name + '-bin')}{os.pathsep}{os.environ['PATH']}",
    }
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    began = time.perf_counter()
    waiting = {
        number: subprocess.Popen(
            [sys.executable, checkout / "scripts" / script, name, "--session-id", f"s{number:02d}", *options],
            cwd=folder,
            env=environment,
            stdout=(folder.parent / f"{folder.name}-{number}").open("wb"),
            stderr=subprocess.STDOUT,
        )
        for number, name in enumerate(names)
    }
    ends, codes = [], []
    while waiting:
        for number, process in list(waiting.items()):
            if process.poll() is not None:
                ends.append(time.perf_counter() - began)
                codes.append(process.returncode)
                del waiting[number]
        time.sleep(0.005)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    processor = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    gits = len(started.read_bytes())
    stats = [sys.executable, checkout / "scripts" / "deduplicate_export.py", "stats", "--json", *WAYS[0][1]]
    answer = json.loads(subprocess.run(stats, cwd=folder, capture_output=True, check=True).stdout)
    log = subprocess.run(["git", "log", "--format=%h"], cwd=folder, capture_output=True, check=False).stdout
    return Measured(
        min(ends),
        max(ends),
        processor,
        gits,
        len(log.split()),
        sum(map(bool, codes)),
        runs * MESSAGES - answer["unique_messages"],
    )


def main() -> int:
    """Measure, print the table; 1 where anything was refused or lost."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--runs", type=int, default=32)
    parser.add_argument("--checkout", type=Path, default=REPOSITORY)
    parser.add_argument("--way", type=int, choices=range(len(WAYS)), help="only this one")
    asked = parser.parse_args()
    print("| runs at once | first, s | last, s | processor, s | processes of git | commits | refused | lost |")
    print("|---|---|---|---|---|---|---|---|")
    wrong = 0
    for number, (script, options) in enumerate(WAYS):
        if asked.way not in (None, number):
            continue
        with tempfile.TemporaryDirectory() as folder:
            done = measured(asked.checkout.resolve(), Path(folder) / "project", script, options, asked.runs)
        wrong += done.refused + done.lost
        what = " ".join((script, *(option for option in options if option.startswith("--no-"))))
        figures = (f"{done.first:.2f}", f"{done.last:.2f}", f"{done.processor:.1f}", *done[3:])
        print("|", " | ".join(map(str, (f"{asked.runs} × `{what}`", *figures))), "|", flush=True)
    return int(bool(wrong))


if __name__ == "__main__":
    sys.exit(main())
