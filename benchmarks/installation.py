#!/usr/bin/env python3
"""Time an installation into a project, ``doctor`` right after it, and what takes it out again: ``installation.py [--runs N]``.

Each call is a process that has no network where ``unshare`` can take it away. One Markdown table: the middle of the seconds on the
clock, the files and bytes that lie in the project afterwards. Exit code 1 where ``doctor`` has something to complain of, or where
something is left behind.
"""

from __future__ import annotations

import argparse
import os
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Final

from measure import COMPILED  # found beside this script

CHECKOUT: Final = Path(__file__).resolve().parents[1]
CLIENT: Final = "2.1.332"
"""The version of Claude Code that is written for: the one that may be here takes half a second to say its own."""


def main() -> int:
    """Run it."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--runs", type=int, default=5, metavar="N")
    asked = parser.parse_args()
    without = ["unshare", "-rn"] if _has_unshare() else []
    print(f"The network is {'taken away' if without else 'there: unshare cannot take it away'}.\n")
    seconds: dict[str, list[float]] = {}
    left: dict[str, tuple[int, int]] = {}
    faults = 0
    for _ in range(asked.runs):
        base = Path(tempfile.mkdtemp(prefix="export-dedup-benchmark-"))
        try:
            faults += _one(base / "a project", without, seconds, left)
        finally:
            shutil.rmtree(base, ignore_errors=True)
    print("| what | seconds, middle | shortest | files in the project | bytes |\n|---|---|---|---|---|")
    for what, taken in seconds.items():
        files, size = left[what]
        print(f"| {what} | {statistics.median(taken):.2f} | {min(taken):.2f} | {files:,} | {size:,} |")
    return 1 if faults else 0


def _one(project: Path, without: list[str], seconds: dict[str, list[float]], left: dict[str, tuple[int, int]]) -> int:
    """One project from nothing to nothing; how many things are not as they should be."""
    project.mkdir()
    subprocess.run(["git", "init", "--quiet", str(project)], check=True)
    install = [str(CHECKOUT / "install.sh"), "--project", str(project), "--client", CLIENT]
    scripts = project / ".coditect" / "scripts"
    calls = {
        "install.sh --project": install,
        "doctor": [sys.executable, str(scripts / "deduplicate_export.py"), "doctor", "--project", str(project)],
        "install.sh --project again": install,
        "install.sh --uninstall": [install[0], "--uninstall", *install[1:3]],
    }
    faults = 0
    for what, words in calls.items():
        began = time.perf_counter()
        done = subprocess.run(
            [*without, *words], capture_output=True, text=True, check=False, env={**os.environ, **COMPILED}
        )
        seconds.setdefault(what, []).append(time.perf_counter() - began)
        files = [path for path in project.rglob("*") if path.is_file() and ".git" not in path.parts]
        left[what] = len(files), sum(path.stat().st_size for path in files)
        if done.returncode:
            print(f"{what} ended with {done.returncode}:\n{done.stdout}{done.stderr}", file=sys.stderr)
            faults += 1
    remains = [path.name for path in project.iterdir() if path.name != ".git"]
    if remains:
        print(f"left behind: {', '.join(remains)}", file=sys.stderr)
    return faults + len(remains)


def _has_unshare() -> bool:
    unshare = shutil.which("unshare")
    return (
        unshare is not None
        and subprocess.run([unshare, "-rn", "true"], capture_output=True, check=False).returncode == 0
    )


if __name__ == "__main__":
    sys.exit(main())
