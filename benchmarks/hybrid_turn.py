#!/usr/bin/env python3
"""What a captured turn costs more where a database has the log, too: ``benchmarks/hybrid_turn.py [--turns N] [--strict]``.

One hook of a json store and one of a hybrid store, in turns, on the same lines: processor time of the whole process, and how much
longer the second one of each pair takes. Nobody is at the database's address: a hook does not ask it.
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
"""Times a json store's turn."""
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
    """Print the medians and their quotient."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--turns", type=int, default=60, help="turns of each (default 60)")
    parser.add_argument("--messages", type=int, default=1000, help="messages in the store before (default 1000)")
    parser.add_argument("--strict", action="store_true", help="exit 1 where the limit was missed")
    asked = parser.parse_args()
    base = Path(tempfile.mkdtemp(prefix="export-dedup turns "))
    try:
        plain, both = (Turns(base / kind, kind, asked.messages) for kind in ("json", "hybrid"))
        for _ in range(3):  # modules are compiled, and somebody has tried to send
            plain.turn(), both.turn()
        pairs = [
            (plain.turn(), both.turn()) if n % 2 else (both.turn(), plain.turn())[::-1] for n in range(asked.turns)
        ]
    finally:
        shutil.rmtree(base, ignore_errors=True)  # whoever tries to send may still be at it
    one, other = (1000 * statistics.median(each) for each in zip(*pairs))
    times = statistics.median(second / first for first, second in pairs)
    print(f"json {one:.1f} ms, hybrid {other:.1f} ms of processor time a turn: {times:.2f} times (at most {LIMIT})")
    return 1 if times > LIMIT and asked.strict else 0


if __name__ == "__main__":
    raise SystemExit(main())
