#!/usr/bin/env python3
"""Time whole processes on made-up exports and print a Markdown table: ``benchmarks/run.py [--small] [--runs N]``.

Every figure is the median over the runs; ``of Python`` is the same interpreter doing nothing, measured in between.
Limits are those of the issue; a figure past its limit is marked, and with ``--strict`` the exit code is 1.
"""

from __future__ import annotations

import argparse
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

from measure import Table, process

HERE = Path(__file__).resolve().parent
SCRIPTS = HERE.parent / "scripts"


def main() -> int:
    """Run the whole table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--small", action="store_true", help="small sizes, to see that everything runs")
    parser.add_argument("--runs", type=int, default=5, help="runs of each command (default 5)")
    parser.add_argument("--strict", action="store_true", help="exit 1 where a limit was missed")
    asked = parser.parse_args()
    scale = 20 if asked.small else 1
    table = Table(1 if asked.small else asked.runs)
    with tempfile.TemporaryDirectory(prefix="export-dedup benchmark ") as name:
        base = Path(name)
        _engine(table, base, scale)
        _command(table, base, scale)
        _growth(table, base, scale)
    return 1 if table.missed and asked.strict else 0


def _dedup(export: Path, store: Path) -> list[str]:
    return [sys.executable, str(SCRIPTS / "deduplicate_export.py"), str(export), "--storage-dir", str(store)]


def _size(megabytes: int, scale: int) -> str:
    """What is measured, as it really is: ``--small`` divides by ``scale``."""
    return f"{megabytes / scale:g} MB, {1000 * megabytes // scale:,} messages"


def _make(*arguments: object) -> None:
    subprocess.run([sys.executable, str(HERE / "workload.py"), *map(str, arguments)], check=True)


def _engine(table: Table, base: Path, scale: int) -> None:
    export, again = base / "2026-01-02-EXPORT-BIG.txt", base / "2026-01-02-EXPORT-BIG-again.txt"
    _make("export", 10_000 // scale, 10_000_000 // scale, 1, export, again)
    store, filled = base / "store", base / "filled store"
    process(_dedup(export, filled), base)

    def prepared(file: Path, *, empty: bool = False) -> tuple[list[str], Path]:
        shutil.rmtree(store, ignore_errors=True)
        if not empty:
            shutil.copytree(filled, store)
        return _dedup(file, store), base

    table.row(f"{_size(10, scale)}, empty store", lambda: prepared(export, empty=True), limit=1.5, megabytes=150)
    table.row("the same file again", lambda: prepared(export), limit=0.3)
    table.row("exported again (every closing line drawn anew)", lambda: prepared(again))


def _command(table: Table, base: Path, scale: int) -> None:
    """The three commands on one 50 KB export, with 10,000 messages in the store."""
    filled, project = base / "filled", base / "project"
    exports = Path("MEMORY-CONTEXT") / "exports"
    (filled / exports).mkdir(parents=True)
    small = base / "2026-01-03-EXPORT-SMALL.txt"
    _make("growth", 10_000 // scale, 60, filled / exports / "2026-01-02-EXPORT-LONG.txt", small)
    core = str(SCRIPTS / "export-dedup.py")
    process([sys.executable, core, "--yes", "--no-checkpoint", "--project", str(filled)], base)

    def prepared(script: str, *, git: bool = False) -> tuple[list[str], Path]:
        shutil.rmtree(project, ignore_errors=True)
        shutil.copytree(filled, project)
        if git:
            subprocess.run(["git", "init", "--quiet", str(project)], check=True)
        export = project / exports / small.name
        shutil.copy(small, export)
        if script == "deduplicate_export.py":
            return _dedup(export, project / "MEMORY-CONTEXT" / "dedup_state"), project
        return [sys.executable, str(SCRIPTS / script), "--yes", "--project", str(project)], project

    what = f"{small.stat().st_size // 1000} KB new, {10_000 // scale:,} messages stored"
    table.row(f"deduplicate_export.py, {what}", lambda: prepared("deduplicate_export.py"))
    table.row(f"export-dedup.py, {what}", lambda: prepared("export-dedup.py"), limit=0.4)
    table.row(f"export-dedup-with-status.py, {what}", lambda: prepared("export-dedup-with-status.py"))
    if shutil.which("git"):
        table.row(f"export-dedup.py with a commit, {what}", lambda: prepared("export-dedup.py", git=True))


def _growth(table: Table, base: Path, scale: int) -> None:
    seconds = {}
    for megabytes in (1, 5, 10, 20, 50):
        export = base / f"2026-01-02-EXPORT-{megabytes}.txt"
        _make(
            "export", 1000 * megabytes // scale, 1_000_000 * megabytes // scale, megabytes, export, base / "again.txt"
        )
        store = base / f"store-{megabytes}"

        def fresh(export: Path = export, store: Path = store) -> tuple[list[str], Path]:
            shutil.rmtree(store, ignore_errors=True)
            return _dedup(export, store), base

        seconds[megabytes] = table.row(f"{_size(megabytes, scale)}, empty store", fresh)
    costs = [
        f"{(seconds[high] - seconds[low]) / (high - low) * scale:.3f} s from {low / scale:g} to {high / scale:g} MB"
        for low, high in ((10, 50), (1, 10))
    ]
    print(f"\nA further MB costs {', '.join(costs)}.")


if __name__ == "__main__":
    raise SystemExit(main())
