#!/usr/bin/env python3
"""A grown export: ``benchmarks/grown_export.py [--small] [--rounds N] [--before CHECKOUT] [--prototype FILE]``.

Thirty exports of one growing conversation are stored, then the thirty-first, of ten megabytes with some 340 kB new, and the very
same file again: as transcript and as text where ``EXPORT_DEDUP_BENCH`` names the folder of their generator, else as text made
here. Measured is ``deduplicate_export.py FILE`` in a copy of the store each time, in turns with the interpreter doing nothing, with
another checkout of the product and with a prototype that is run as ``FILE add STORE EXPORT``; medians of processor and wall time.
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
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Final

import workload
from measure import COMPILED

from archive import GENERATOR, SCRIPTS, SETS

if TYPE_CHECKING:
    from collections.abc import Callable

STORED: Final = 30
Measured = "tuple[float, float, float]"


class Product:
    """A checkout, and the store of the exports before."""

    def __init__(self, scripts: Path, files: list[Path], base: Path) -> None:
        self._command = [sys.executable, str(scripts / "deduplicate_export.py")]
        self._last, self._base = files[-1], base
        self._stored, self._copy = base / "stored", base / "copy"
        self._stored.mkdir(parents=True)
        for file in files[:-1]:
            self._run(file, self._stored)

    def _run(self, file: Path, folder: Path) -> Measured:
        return measured([*self._command, str(file), "--storage-dir", str(folder / "state")], folder)

    def grown(self) -> Measured:
        """The last export, in a copy of the store that has the others."""
        shutil.rmtree(self._copy, ignore_errors=True)
        shutil.copytree(self._stored, self._copy)
        return self._run(self._last, self._copy)

    def again(self) -> Measured:
        """The very same file once more."""
        return self._run(self._last, self._copy)


class Prototype:
    """A script that keeps exports in a folder of its own, and the folder with the exports before."""

    def __init__(self, script: Path, files: list[Path], base: Path) -> None:
        self._command = [sys.executable, "-S", "-E", str(script), "add"]
        self._last, self._stored, self._copy = files[-1], base / "stored", base / "copy"
        base.mkdir(parents=True)
        for file in files[:-1]:
            measured([*self._command, str(self._stored), str(file)], base)

    def grown(self) -> Measured:
        """The last export, in a copy of the folder that has the others."""
        shutil.rmtree(self._copy, ignore_errors=True)
        shutil.copytree(self._stored, self._copy)
        return measured([*self._command, str(self._copy), str(self._last)], self._copy)


def measured(command: list[str], folder: Path) -> Measured:
    """Wall seconds, processor seconds and peak megabytes of a process; ends the program where it fails."""
    started = time.perf_counter()
    home = {**os.environ, **COMPILED, "HOME": str(folder)}
    child = subprocess.Popen(command, cwd=folder, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, env=home)
    errors = child.stderr.read() if child.stderr else b""
    _, status, usage = os.wait4(child.pid, 0)
    seconds = time.perf_counter() - started
    child.returncode = status
    if status:
        raise SystemExit(f"{command} failed:\n{errors.decode()}")
    return (
        seconds,
        usage.ru_utime + usage.ru_stime,
        usage.ru_maxrss / (1_000_000 if sys.platform == "darwin" else 1_000),
    )


def table(cases: dict[str, Callable[[], Measured]], rounds: int) -> None:
    """Run the cases in turns, and print a row each."""
    found: dict[str, list[Measured]] = {name: [] for name in cases}
    for at in range(rounds + 1):
        for name, case in cases.items():
            one = case()
            if at:  # the first round compiles
                found[name].append(one)
    print("| what | processor, ms | wall, ms | peak MB |")
    print("|---|---|---|---|")
    for name, times in found.items():
        wall, processor, peak = (statistics.median(each) for each in zip(*times))
        print(f"| {name} | {1000 * processor:.0f} | {1000 * wall:.0f} | {peak:.0f} |", flush=True)


def main() -> int:
    """Print a table for each kind of export."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--small", action="store_true", help="small sizes, to see that everything runs")
    parser.add_argument("--rounds", type=int, default=7)
    parser.add_argument("--before", type=Path, help="another checkout of the product")
    parser.add_argument("--prototype", type=Path, help="a script that is run as FILE add STORE EXPORT")
    asked = parser.parse_args()
    for kind in ("transcript", "text") if GENERATOR in os.environ else ("text",):
        with tempfile.TemporaryDirectory(prefix="export-dedup-grown-") as name:
            base = Path(name)
            files = exports(kind, base / "exports", small=asked.small)
            sizes = [file.stat().st_size for file in files]
            print(f"\n{kind}: {sizes[-1]:,} bytes, {sizes[-1] - sizes[-2]:,} of them new\n")
            ours = Product(SCRIPTS, files, base / "ours")
            bare = partial(measured, [sys.executable, "-S", "-E", "-c", "pass"], base)
            cases: dict[str, Callable[[], Measured]] = {"Python alone": bare}
            if asked.before:
                before = Product(asked.before / "scripts", files, base / "before")
                cases.update({"before": before.grown, "before, the same again": before.again})
            cases.update({"grown": ours.grown, "the same again": ours.again})
            if asked.prototype:
                cases["prototype"] = Prototype(asked.prototype, files, base / "prototype").grown
            table(cases, asked.rounds)
    return 0


def exports(kind: str, folder: Path, *, small: bool) -> list[Path]:
    """The exports of a conversation, one more than are stored before."""
    size, count = (500_000, 6) if small else (10_340_000, STORED + 1)
    if GENERATOR not in os.environ:
        return grown_here(folder, size, count)
    command = [sys.executable, str(Path(os.environ[GENERATOR]) / "gen_exports.py"), "--out", str(folder)]
    command += ["--exports", str(count), "--final-bytes", str(size), "--format", *SETS[kind]]
    subprocess.run(command, check=True, capture_output=True)
    return sorted(folder.glob("*EXPORT*"))


def grown_here(folder: Path, size: int, count: int) -> list[Path]:
    """A text that grows, each export up to a prompt."""
    folder.mkdir()
    whole = workload.export(size // 500, size)
    files = [folder / f"{number:03}-EXPORT-GROWING.txt" for number in range(1, count + 1)]
    for number, file in enumerate(files, 1):
        end = whole.rfind(b"\n\n\xe2\x9d\xaf ", 0, len(whole) * number // count) if number < count else len(whole)
        file.write_bytes(whole[:end])
    return files


if __name__ == "__main__":
    sys.exit(main())
