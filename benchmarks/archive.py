#!/usr/bin/env python3
"""Archive growing exports, one process an export, and compare with other tools: ``benchmarks/archive.py [--small]``.

Every tool that is installed (``git``, ``xz``, ``zstd``, ``borg``, ``restic``) gets the same exports in the same order, each in a
process of its own, in one run of this script: whole-process wall time, bytes on disk, peak memory. ``--set`` chooses the
exports: ``transcript``, ``text`` and ``rewrapped`` are made by ``gen_exports.py`` in the folder that ``EXPORT_DEDUP_BENCH`` names;
without it there is ``text`` only, made by ``workload.py``. Or a folder of files.
"""

from __future__ import annotations

import argparse
import hashlib
import os
import shutil
import statistics
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Final, NamedTuple

import workload
from run import process

HERE = Path(__file__).resolve().parent
SCRIPTS = HERE.parent / "scripts"
SETS: Final = {"transcript": ("jsonl",), "text": ("txt",), "rewrapped": ("txt", "--rewrap")}
ONE_STREAM: Final = 50_000_000
"""Bytes up to which all exports are also compressed in one stream: it takes minutes, and 700 MB of memory."""
GENERATOR: Final = "EXPORT_DEDUP_BENCH"
_ADD: Final = """
import os, sys
sys.path.insert(0, sys.argv[1])
from deduplication.packs.pack_writer import PackWriter
from deduplication.packs.pack_set import opened_packs
with opened_packs(sys.argv[2]) as packs:
    addition = PackWriter(packs)
    with open(sys.argv[3], "rb") as file:
        addition.add(file.read(), name=sys.argv[4], mtime_ns=os.stat(sys.argv[3]).st_mtime_ns)
    addition.commit()
"""
"""What a capture does: one file into the packs, nothing else."""
_IDLE: Final = """
import sys
sys.path.insert(0, sys.argv[1])
from deduplication.packs.pack_writer import PackWriter
from deduplication.packs.pack_set import opened_packs
with opened_packs(sys.argv[2]) as packs:
    PackWriter(packs, thorough=True).commit()
"""
_GET: Final = """
import sys
sys.path.insert(0, sys.argv[1])
from deduplication.packs.pack_set import opened_packs
with opened_packs(sys.argv[2]) as packs:
    for part in packs.restore(packs.ends()[1] - 1):
        sys.stdout.buffer.write(part)
"""
_VERIFY: Final = """
import sys
sys.path.insert(0, sys.argv[1])
from deduplication.archive.verify import check
found = check(sys.argv[2])
sys.exit(bool(found.all_problems()))
"""


class Tool(NamedTuple):
    """Shell commands: before the first export, for each (``$F`` is always the same path, ``$N`` the name), at the end."""

    setup: str
    add: str
    final: str
    folders: tuple[str, ...]


_GIT: Final = "git -C repo -c user.name=a -c user.email=a@b -c commit.gpgSign=false"
TOOLS: Final = {
    "xz": Tool("mkdir repo", 'xz -9e -c "$F" > "repo/$N"', "", ("repo",)),
    "zstd": Tool("mkdir repo", 'zstd -q -9 --long=27 -c "$F" > "repo/$N"', "", ("repo",)),
    "git": Tool(
        "git init -q repo",
        f'cp "$F" repo/export && {_GIT} add -A && {_GIT} commit -q --no-verify --allow-empty -m "$N"',
        "git -C repo gc -q --aggressive --prune=now",
        ("repo/.git",),
    ),
    "borg": Tool(
        "borg init -e none repo",
        'borg create --chunker-params buzhash,10,16,13,4095 --compression zstd,3 "repo::$N" "$F"',
        "",
        ("repo",),
    ),
    "restic": Tool(
        "restic -q -r repo init",
        'restic -q -r repo backup --compression max "$F"',
        "restic -q -r repo prune",
        ("repo",),
    ),
}


def size_of(*folders: Path) -> int:
    """Bytes of all files below."""
    return sum(path.lstat().st_size for folder in folders for path in folder.rglob("*") if path.is_file())


def row(what: str, files: list[Path], kept: int, times: list[float], peak: float, later: str = "") -> None:
    """One line of the table."""
    total = sum(path.stat().st_size for path in files)
    share = f"{100 * kept / total:.2f} %"
    print(
        f"| {what} | {kept:,} | {share} | {statistics.median(times):.3f} | {sum(times):.1f} | {peak:.0f} | {later} |",
        flush=True,
    )


def ours(files: list[Path], base: Path) -> None:
    """export-dedup's packs: as they come, then packed thoroughly, then all at once by the command."""
    folder, current = base / "packs", base / f"current{files[0].suffix}"
    folder.mkdir()
    times, peaks = [], []
    for path in files:
        shutil.copy2(path, current)
        arguments = [sys.executable, "-S", "-E", "-c", _ADD, str(SCRIPTS), str(folder), str(current), path.name]
        seconds, peak = process(arguments, base)
        times.append(seconds)
        peaks.append(peak)
    restored, memory = process([sys.executable, "-S", "-E", "-c", _GET, str(SCRIPTS), str(folder)], base)
    verified, _ = process([sys.executable, "-S", "-E", "-c", _VERIFY, str(SCRIPTS), str(folder)], base)
    later = f"restores the last in {restored:.2f} s ({memory:.0f} MB), verifies in {verified:.2f} s"
    row("export-dedup, as they come", files, size_of(folder), times, max(peaks), later)
    seconds, peak = process([sys.executable, "-S", "-E", "-c", _IDLE, str(SCRIPTS), str(folder)], base)
    row("… packed together when idle", files, size_of(folder), [seconds], peak, _verified(folder, base))
    project = base / "project"
    archive = project / "MEMORY-CONTEXT" / "exports-archive"
    archive.mkdir(parents=True)
    for path in files:
        shutil.copy2(path, archive / path.name)
    command = [
        sys.executable,
        str(SCRIPTS / "deduplicate_export.py"),
        "pack",
        "--older-than",
        "0",
        "--project",
        str(project),
    ]
    seconds, peak = process(command, base)
    packs = archive / "packs"
    row("`pack --older-than 0`", files, size_of(packs), [seconds], peak, _verified(packs, base))
    only = sum(path.stat().st_size for path in packs.glob("*.pack"))
    row("… its packs alone, without the index", files, only, [seconds], peak)


def _verified(folder: Path, base: Path) -> str:
    restored, _ = process([sys.executable, "-S", "-E", "-c", _GET, str(SCRIPTS), str(folder)], base)
    verified, _ = process([sys.executable, "-S", "-E", "-c", _VERIFY, str(SCRIPTS), str(folder)], base)
    return f"restores the last in {restored:.2f} s, verifies in {verified:.2f} s"


def peer(name: str, tool: Tool, files: list[Path], base: Path) -> None:
    """One other tool."""
    base.mkdir()
    current = base / f"current{files[0].suffix}"
    os.environ.update(
        BORG_BASE_DIR=str(base / "borg"),
        BORG_UNKNOWN_UNENCRYPTED_REPO_ACCESS_IS_OK="yes",
        RESTIC_PASSWORD="x",
        RESTIC_CACHE_DIR=str(base / "cache"),
        GIT_CONFIG_NOSYSTEM="1",
        F=str(current),
    )
    subprocess.run(["sh", "-c", tool.setup], cwd=base, check=True, capture_output=True)
    times, peaks = [], []
    for path in files:
        shutil.copy2(path, current)
        os.environ["N"] = path.name
        seconds, peak = process(["sh", "-c", tool.add], base)
        times.append(seconds)
        peaks.append(peak)
    later = ""
    if tool.final:
        seconds, peak = process(["sh", "-c", tool.final], base)
        later = f"and {seconds:.1f} s, {peak:.0f} MB at the end"
    row(name, files, size_of(*(base / folder for folder in tool.folders)), times, max(peaks), later)


def one_stream(files: list[Path], base: Path) -> None:
    """The bound that no archive of single files reaches: the distinct contents in one stream."""
    seen: set[bytes] = set()
    stream = base / "stream"
    with stream.open("wb") as out:
        for path in files:
            data = path.read_bytes()
            if (digest := hashlib.sha256(data).digest()) not in seen:
                seen.add(digest)
                out.write(data)
    seconds, peak = process(["sh", "-c", f"xz -9e -k '{stream}'"], base)
    row("the distinct contents in one stream, `xz -9e`", files, Path(f"{stream}.xz").stat().st_size, [seconds], peak)


def made(kind: str, folder: Path, *, small: bool) -> list[Path]:
    """The exports of a set, in order: those of a folder, or made here."""
    if kind not in SETS:
        return sorted(path for path in Path(kind).iterdir() if path.is_file())
    size, exports = (500_000, 6) if small else (10_000_000, 30)
    if GENERATOR not in os.environ:
        return _made_here(folder, size, exports)
    generator = Path(os.environ[GENERATOR]) / "gen_exports.py"
    form, *more = SETS[kind]
    command = [str(generator), "--out", str(folder), "--exports", str(exports), "--final-bytes", str(size)]
    subprocess.run([sys.executable, *command, "--format", form, *more], check=True, capture_output=True)
    return sorted(folder.glob("*EXPORT*"))


def _made_here(folder: Path, size: int, exports: int) -> list[Path]:
    folder.mkdir()
    files = []
    for number in range(1, exports + 1):
        files.append(folder / f"{number:03}-EXPORT-GROWING.txt")
        part = size * number // exports
        files[-1].write_bytes(workload.export(max(part // 500, 1), part, seed=1))
    return files


def main() -> int:
    """Print a table for each set."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--small", action="store_true", help="small sizes, to see that everything runs")
    parser.add_argument(
        "--set", action="append", help="transcript, text, rewrapped, or a folder (default: the first three)"
    )
    parser.add_argument("--tools", help="the other tools, with commas between (default: those that are installed)")
    asked = parser.parse_args()
    tools = [name for name in (asked.tools.split(",") if asked.tools is not None else TOOLS) if shutil.which(name)]
    for kind in asked.set or (SETS if GENERATOR in os.environ else ["text"]):
        with tempfile.TemporaryDirectory(prefix="export-dedup-archive-") as name:
            base = Path(name)
            files = made(kind, base / "exports", small=asked.small)
            total = sum(path.stat().st_size for path in files)
            print(f"\n{Path(kind).name}: {len(files)} exports, {total:,} bytes\n")
            print("| what | bytes kept | of the input | s an export, median | s in all | peak MB | |")
            print("|---|---|---|---|---|---|---|")
            ours(files, base)
            if shutil.which("xz") and total <= ONE_STREAM:
                one_stream(files, base)
            for tool in tools:
                peer(tool, TOOLS[tool], files, base / tool)
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
