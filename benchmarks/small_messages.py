#!/usr/bin/env python3
"""Seconds and peak memory of files full of tiny messages: ``benchmarks/small_messages.py [--messages N] [--checkout FOLDER]``.

Prints a table: whole processes, their processor seconds beside those of the clock. ``--checkout`` measures another revision of the
project, which lies in that folder; a command that takes longer than ``--seconds`` or more than ``--megabytes`` is ended and said
to be. ``--shapes`` chooses among the files, ``--steps`` among the commands.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

REPOSITORY = Path(__file__).resolve().parents[1]
LETTERS = "abcdefghijklmnopqrstuvwxyz"


def letters(count: int) -> str:
    """Turns of one letter, as ``/export`` writes them: ten bytes a message with its line breaks, of 26 bodies each side."""
    pairs = [f"❯ {each}\n\n● {each}\n\n" for each in LETTERS]
    return "".join(pairs[n % len(pairs)] for n in range(count // 2))


def distinct(count: int) -> str:
    """Short turns that are all different."""
    return "".join(f"❯ q{n}\n\n● r{n}\n\n" for n in range(count // 2))


def calls(count: int) -> str:
    """Calls of a tool with one letter, and results of one."""
    return "❯ a\n\n" + "".join(
        f"● Bash({each})\n  ⎿  {each}\n\n" for each in (LETTERS[n % 26] for n in range(count // 2))
    )


def listed(count: int) -> str:
    """JSON of another tool: a list of messages of one letter."""
    return json.dumps([{"role": ("user", "assistant")[n % 2], "content": LETTERS[n % 26]} for n in range(count)])


def transcript(count: int) -> str:
    """Lines of a session with one letter each."""
    lines, before = [], None
    for n in range(count):
        own = f"{n:08x}-0000-4000-8000-000000000000"
        role = ("user", "assistant")[n % 2]
        content = LETTERS[n % 26] if role == "user" else [{"type": "text", "text": LETTERS[n % 26]}]
        line = {
            "parentUuid": before,
            "sessionId": "5e55",
            "type": role,
            "uuid": own,
            "timestamp": "2026-01-01T00:00:00.000Z",
        }
        lines.append(json.dumps({**line, "message": {"role": role, "content": content}}, separators=(",", ":")))
        before = own
    return "\n".join(lines) + "\n"


_LIMITED = """
import os, resource, sys
resource.setrlimit(resource.RLIMIT_AS, (int(sys.argv[1]),) * 2)
os.execv(sys.executable, [sys.executable, *sys.argv[2:]])
"""
SHAPES: dict[str, tuple[str, Callable[[int], str]]] = {
    "letters": ("many.txt", letters),
    "distinct": ("many.txt", distinct),
    "calls": ("many.txt", calls),
    "json": ("many.json", listed),
    "transcript": ("many.jsonl", transcript),
}
STEPS = {
    "export": ["export-dedup.py", "{file}"],
    "again": ["export-dedup.py", "{file}"],
    "grown": ["export-dedup-with-status.py", "{file}"],
    "verify": ["deduplicate_export.py", "verify"],
    "rebuild": ["deduplicate_export.py", "rebuild"],
    "pack": ["deduplicate_export.py", "pack"],
}


def measured(command: list[str], folder: Path, home: Path, seconds: float, megabytes: int) -> str:
    """One process: its row behind the name. Linux and macOS."""
    environment = {**os.environ, "HOME": str(home), "XDG_CONFIG_HOME": str(home / "config")}
    began = time.monotonic()
    with open(os.devnull, "w", encoding="utf-8") as nowhere:
        child = subprocess.Popen(
            [sys.executable, "-c", _LIMITED, str(megabytes * 1_000_000), *command],
            cwd=folder,
            env=environment,
            stdout=nowhere,
            stderr=nowhere,
        )
    status, usage = 0, None
    while usage is None:
        ended, status, found = os.wait4(child.pid, os.WNOHANG)
        usage = found if ended else None
        if usage is None:
            if time.monotonic() - began > seconds:
                child.kill()
            time.sleep(0.05)
    child.returncode = status
    peak = usage.ru_maxrss / (1_000_000 if sys.platform == "darwin" else 1_000)
    how = "" if not status else f"ended after {seconds:.0f} s" if status == 9 else f"failed ({status})"
    return f"{time.monotonic() - began:.1f} | {usage.ru_utime + usage.ru_stime:.1f} | {peak:.0f} | {how}"


def main() -> int:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--messages", type=int, default=100_000, help="messages of each file (default: 100,000)")
    parser.add_argument("--checkout", type=Path, default=REPOSITORY, help="the project to measure (default: this one)")
    parser.add_argument("--shapes", nargs="+", default=list(SHAPES), choices=list(SHAPES))
    parser.add_argument("--steps", nargs="+", default=list(STEPS), choices=list(STEPS))
    parser.add_argument("--seconds", type=float, default=600, help="a command is ended after so many (default: 600)")
    parser.add_argument("--megabytes", type=int, default=6_000, help="address space of a command (default: 6,000)")
    asked = parser.parse_args()
    scripts = asked.checkout.resolve() / "scripts"
    print(
        "| file | messages | bytes | command | seconds | of the processor | peak MB | |\n|---|---|---|---|---|---|---|---|"
    )
    for shape in asked.shapes:
        name, make = SHAPES[shape]
        with tempfile.TemporaryDirectory(prefix="small-messages-") as root:
            folder, home = Path(root, "project"), Path(root, "home")
            for each in (folder, home):
                each.mkdir()
            subprocess.run(["git", "init", "-q", str(folder)], check=True)
            for setting in (["user.name", "Ada"], ["user.email", "ada@example.org"]):
                subprocess.run(["git", "-C", str(folder), "config", *setting], check=True)
            data = make(asked.messages)
            for step in asked.steps:
                if step in ("export", "again", "grown"):
                    (folder / name).write_text(
                        make(asked.messages + 1000) if step == "grown" else data, encoding="utf-8"
                    )
                command = [str(scripts / STEPS[step][0]), *(each.format(file=name) for each in STEPS[step][1:])]
                row = measured(command, folder, home, asked.seconds, asked.megabytes)
                print(f"| {shape} | {asked.messages:,} | {len(data.encode()):,} | {step} | {row} |", flush=True)
    return 0


if __name__ == "__main__":
    sys.exit(main())
