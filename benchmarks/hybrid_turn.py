#!/usr/bin/env python3
"""What a captured turn costs more where a database has the log, too: ``benchmarks/hybrid_turn.py [--turns N] [--strict]``.

One hook of a hybrid store and one of each kind in a folder, in turns, on the same lines: processor time of the whole process, and
how many times as long the first of each pair takes. Nobody is at the database's address: a hook does not ask it.
"""

from __future__ import annotations

import argparse
import json
import os
import shutil
import statistics
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Final

from measure import COMPILED

from hooks import ROOT, Scene

LIMIT: Final = 1.2
"""Times a turn of a store in a folder."""
FOLDERS: Final = ("default", "json")
NOBODY: Final = "postgresql://nobody@127.0.0.1:9/nothing"


class Turns:
    """A project whose store is of this kind, with some turns in it."""

    def __init__(self, base: Path, backend: str, messages: int) -> None:
        settings = {"backend": backend, **({"database_url": NOBODY} if backend == "hybrid" else {})}
        own = base / "own" / "export-dedup"
        own.mkdir(parents=True)
        (own / "config.json").write_text(json.dumps(settings), encoding="utf-8")
        os.environ["XDG_CONFIG_HOME"] = str(base / "own")
        self.scene = Scene(base, 300 * messages, messages)
        self.environment = {**os.environ, **COMPILED, **self.scene.environment}

    def hook(self, event: str = "Stop") -> float:
        """Processor seconds of one hook."""
        command = [sys.executable, "-S", "-E", str(ROOT / "hooks" / "run.py"), event]
        child = subprocess.Popen(
            command, cwd=self.scene.root, stdin=subprocess.PIPE, stdout=subprocess.DEVNULL, env=self.environment
        )
        assert child.stdin is not None
        with child.stdin as stdin:
            stdin.write(self.scene.event())
        _, status, usage = os.wait4(child.pid, 0)
        child.returncode = status
        if status:
            raise SystemExit(f"{command} failed")
        return usage.ru_utime + usage.ru_stime

    def turn(self) -> float:
        """The same, after another exchange was said."""
        self.scene.turn()
        return self.hook()


def main() -> int:
    """Print the medians and their quotients."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--turns", type=int, default=60, help="turns of each (default 60)")
    parser.add_argument("--messages", type=int, default=1000, help="messages in the store before (default 1000)")
    parser.add_argument("--strict", action="store_true", help="exit 1 where the limit was missed")
    asked = parser.parse_args()
    base = Path(tempfile.mkdtemp(prefix="export-dedup turns "))
    try:
        missed = [compare(base, kind, asked.turns, asked.messages) > LIMIT for kind in FOLDERS]
    finally:
        shutil.rmtree(base, ignore_errors=True)  # whoever tries to send may still be at it
    return 1 if any(missed) and asked.strict else 0


def compare(base: Path, kind: str, count: int, messages: int) -> float:
    """Print how long turns of both take, and return how many times as long those of the hybrid store take."""
    folder, both = (Turns(base / kind / each, each, messages) for each in (kind, "hybrid"))
    for _ in range(3):  # modules are compiled, and somebody has tried to send
        folder.turn(), both.turn()
    pairs = [(folder.turn(), both.turn()) if n % 2 else (both.turn(), folder.turn())[::-1] for n in range(count)]
    one, other = (1000 * statistics.median(each) for each in zip(*pairs))
    times = statistics.median(second / first for first, second in pairs)
    print(f"{kind} {one:.1f} ms, hybrid {other:.1f} ms of processor time a turn: {times:.2f} times (at most {LIMIT})")
    return times


if __name__ == "__main__":
    raise SystemExit(main())
