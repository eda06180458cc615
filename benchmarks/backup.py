#!/usr/bin/env python3
"""Time and bytes of backups of a store of growing exports: ``benchmarks/backup.py [--small] [--packed]``.

Thirty exports of a conversation that grows to 10 MB are processed (``--small``: six, up to half a megabyte); then, each a process
of its own: the first snapshot, a second one of the same store, one after a further turn was captured, ``--full``, ``--verify``, a
restore. Beside it ``cp -a`` of the same folder, and how long a run beside a backup has to wait. Where ``restic`` is installed it
gets the same folder. ``EXPORT_DEDUP_BENCH`` names the folder of a generator of exports, as in ``archive.py``.
"""

from __future__ import annotations

import argparse
import os
import shutil
import subprocess
import sys
import tempfile
import threading
import time
from pathlib import Path
from typing import Final

from measure import process

from archive import made, size_of

SCRIPTS: Final = Path(__file__).resolve().parent.parent / "scripts"
sys.path.insert(0, str(SCRIPTS))
from deduplication import ClaudeConversationDeduplicator  # noqa: E402 - found beside this script

TURN: Final = "❯ One more turn, please: how high is the water?\n\n● Two metres and a half, and falling.\n"


def tool(*arguments: str) -> list[str]:
    """A command line of ``deduplicate_export.py``."""
    return [sys.executable, str(SCRIPTS / "deduplicate_export.py"), *arguments]


def count(backup: Path) -> tuple[int, int]:
    """Parts in a backup, and all its bytes."""
    return sum(path.is_file() for path in (backup / "objects").rglob("*")), size_of(backup)


class Table:
    """Rows as they come: what was written is told from what is there before and after."""

    def __init__(self, backup: Path, base: Path) -> None:
        self.backup, self.base = backup, base
        print("| what | seconds | peak MB | new parts | bytes more in the backup |")
        print("|---|---|---|---|---|")

    def row(self, what: str, *arguments: str) -> None:
        """One command."""
        parts, size = count(self.backup)
        seconds, peak = process(tool("backup", str(self.backup), *arguments), self.base)
        more_parts, more = (now - before for now, before in zip(count(self.backup), (parts, size)))
        print(f"| {what} | {seconds:.3f} | {peak:.0f} | {more_parts:,} | {more:,} |", flush=True)


def waits(project: Path, backup: Path, base: Path, seconds: float) -> tuple[float, float]:
    """Seconds that a capture took at most, alone and while backups are taken one after another."""
    ended = threading.Event()

    def captures() -> float:
        longest = 0.0
        until = time.monotonic() + seconds
        number = 0
        while time.monotonic() < until:
            dedup = ClaudeConversationDeduplicator(project / "MEMORY-CONTEXT" / "dedup_state")
            started = time.perf_counter()
            dedup.ingest(f"{TURN}{time.time_ns()} {number}".encode(), name="turn.txt", conversation_id="turns")
            longest = max(longest, time.perf_counter() - started)
            number += 1
        return longest

    alone = captures()

    def backups() -> None:
        while not ended.is_set():
            subprocess.run(
                tool("backup", str(backup), "--project", str(project)), cwd=base, check=True, capture_output=True
            )

    beside = threading.Thread(target=backups)
    beside.start()
    try:
        return alone, captures()
    finally:
        ended.set()
        beside.join()


def main() -> int:
    """Print a table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--small", action="store_true", help="small sizes, to see that everything runs")
    parser.add_argument("--packed", action="store_true", help="pack the archived exports first")
    parser.add_argument("--set", default="text", help="transcript, text, rewrapped, or a folder")
    asked = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="export-dedup-backup-") as name:
        base = Path(name)
        project, backup = base / "project", base / "backup"
        memory = project / "MEMORY-CONTEXT"
        memory.mkdir(parents=True)
        files = made(asked.set, base / "exports", small=asked.small)
        environment = {**os.environ, "EXPORT_DEDUP_PACK_OLDER_THAN_DAYS": "-1"}
        for path in files:
            shutil.copy(path, project / path.name)
            command = [sys.executable, str(SCRIPTS / "export-dedup.py"), "--yes", "--no-checkpoint", "--project", "."]
            subprocess.run(command, cwd=project, env=environment, check=True, capture_output=True)
        if asked.packed:
            subprocess.run(tool("pack", "--older-than", "0"), cwd=project, check=True, capture_output=True)
        total = sum(path.stat().st_size for path in files)
        print(f"\n{len(files)} exports, {total:,} bytes; MEMORY-CONTEXT: {size_of(memory):,} bytes\n")
        backup.mkdir()
        table = Table(backup, base)
        table.row("the first snapshot", "--project", str(project))
        time.sleep(2.1)  # so that the files are older than the next snapshot by more than a disk's clock may round
        table.row("a second one, nothing new", "--project", str(project))
        time.sleep(0.1)
        table.row("a third one, nothing new and nothing in doubt", "--project", str(project))
        turn = base / "turn.txt"
        turn.write_text(TURN, encoding="utf-8")
        subprocess.run(tool(str(turn), "--project", str(project)), cwd=base, check=True, capture_output=True)
        table.row("after one more turn", "--project", str(project))
        table.row("`--full`", "--project", str(project), "--full")
        table.row("`--verify`", "--verify")
        table.row("`--restore`", "--restore", "--output", str(base / "restored"))
        seconds, peak = process(["cp", "-a", str(memory), str(base / "copy")], base)
        print(f"| `cp -a` of the folder | {seconds:.3f} | {peak:.0f} | | {size_of(base / 'copy'):,} |")
        if shutil.which("restic"):
            os.environ.update(RESTIC_PASSWORD="x", RESTIC_CACHE_DIR=str(base / "cache"))
            repository = str(base / "restic")
            subprocess.run(["restic", "-q", "-r", repository, "init"], check=True, capture_output=True)
            for what in ("the first snapshot", "a second one"):
                before = size_of(base / "restic")
                seconds, peak = process(["restic", "-q", "-r", repository, "backup", str(memory)], base)
                print(f"| restic, {what} | {seconds:.3f} | {peak:.0f} | | {size_of(base / 'restic') - before:,} |")
        alone, beside = waits(project, backup, base, 1 if asked.small else 10)
        print(f"\nA turn that is stored takes {alone:.3f} s at most, while backups are taken {beside:.3f} s.")
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
