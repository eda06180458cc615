#!/usr/bin/env python3
"""Time the hooks in projects with hostile files of settings, as whole processes: ``benchmarks/settings.py [--small]``.

One Markdown table: the files (``tests/support/hostile_settings.py``), and for the start of a session that finds an export, with
session files and a checkpoint commit, and for the end of a turn, the middle and the longest time, on the clock and of the
processor.
Exit code 1 where a hook takes longer than two seconds of the processor: what others do on the machine is none of its business.
"""

from __future__ import annotations

import argparse
import json
import os
import resource
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Final

HERE: Final = Path(__file__).resolve().parent
sys.path[:0] = [str(HERE.parent / "scripts"), str(HERE.parent / "tests" / "support")]
from measure import process  # noqa: E402 - found beside this script

SESSION: Final = "0b8f6f0c-7d43-4f2a-9a54-6f0f4f3f0d11"
LIMIT: Final = 2.0
HEAD: Final = " ▐▛███▜▌   Claude Code v2.1.197\n▝▜█████▛▘  Opus\n  ▘▘ ▝▝    ~/x\n\n"
TURNS: Final = 200
"""Exchanges in the export: some 30 kB, with lines that a slow pattern would be slow on."""


def main() -> int:
    """Run it."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--small", action="store_true", help="every eighth file only")
    asked = parser.parse_args()
    try:
        import hostile_settings
    except ImportError:
        print("No hostile settings: tests/support/hostile_settings.py is not here.")
        return 0
    times: dict[str, list[tuple[float, float, str]]] = {"SessionStart": [], "Stop": []}
    files = list({"none": b"{}", **hostile_settings.FILES}.items())[:: 8 if asked.small else 1]
    base = Path(tempfile.mkdtemp(prefix="export-dedup-benchmark-"))
    try:
        for name, hostile in files:
            for event, (seconds, processor) in _one(base / "project", hostile).items():
                times[event].append((processor, seconds, name))
    finally:
        shutil.rmtree(base, ignore_errors=True)
    print("| hook | files of settings | seconds, middle | longest | of the processor, middle | longest | with |")
    print("|---|---|---|---|---|---|---|")
    for event, found in times.items():
        clock = [seconds for _, seconds, _ in found]
        processor, (longest, _, name) = statistics.median(each for each, _, _ in found), max(found)
        shown = f"{statistics.median(clock):.2f} | {max(clock):.2f} | {processor:.2f} | {longest:.2f}"
        print(f"| {event} | {len(found) - 1} | {shown} | {name} |")
    return int(any(processor > LIMIT for found in times.values() for processor, _, _ in found))


def _one(root: Path, hostile: object) -> dict[str, tuple[float, float]]:
    """Seconds on the clock and of the processor of each hook in a new project with this file."""
    import hostile_settings

    for folder in (root, root.parent / "home"):
        shutil.rmtree(folder, ignore_errors=True)
        folder.mkdir(parents=True)
    exports = root / "MEMORY-CONTEXT" / "exports"
    exports.mkdir(parents=True)
    for words in (
        ["init", "-q"],
        ["-c", "user.name=A", "-c", "user.email=a@b", "commit", "-q", "--allow-empty", "-m", "x"],
    ):
        subprocess.run(["git", *words], cwd=root, check=True)
    hostile_settings.bring(root, hostile)  # type: ignore[arg-type]
    transcript = root.parent / f"{SESSION}.jsonl"
    transcript.write_bytes(b"")
    payload = {"session_id": SESSION, "transcript_path": str(transcript), "cwd": str(root), "source": "startup"}
    environment = {
        "HOME": str(root.parent / "home"),
        "CLAUDE_PROJECT_DIR": str(root),
        "GIT_AUTHOR_NAME": "A",
        "GIT_AUTHOR_EMAIL": "a@b",
        "GIT_COMMITTER_NAME": "A",
        "GIT_COMMITTER_EMAIL": "a@b",
    }
    seconds = {}
    for number, event in enumerate(("SessionStart", "Stop")):
        said = "".join(f"❯ turn {number}-{n}\n\n● {'a' * 70} {'a b' * 20}\n\n" for n in range(TURNS))
        path = exports / f"{number}.txt"
        path.write_text(HEAD + said, encoding="utf-8")
        os.utime(path, (time.time() - 60,) * 2)
        command = [sys.executable, "-S", "-E", str(HERE.parent / "hooks" / "run.py"), event]
        before = resource.getrusage(resource.RUSAGE_CHILDREN)
        clock = process(command, root, json.dumps(payload).encode(), **environment)[0]
        after = resource.getrusage(resource.RUSAGE_CHILDREN)
        seconds[event] = clock, after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
        path.unlink(missing_ok=True)
    return seconds


if __name__ == "__main__":
    sys.exit(main())
