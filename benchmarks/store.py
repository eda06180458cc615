#!/usr/bin/env python3
"""What the whole store takes and how long it takes: ``benchmarks/store.py [--small] [--set FOLDER] [--tools git,borg]``.

A user's run for each export: ``export-dedup.py --no-checkpoint`` in a project of its own, with ``pack_older_than_days`` at 0, so
that the export is parsed, its new messages are stored, and it is packed and its plain file removed, all in that one process. Then
the same export again, verify, restore, and ``pack`` when idle. Everything on the disk is counted: log, indexes, audit, packs. The
other tools get the same files in the same run. Sets as in ``archive.py``: its three names, or folders of exports.
"""

from __future__ import annotations

import argparse
import json
import os
import shutil
import statistics
import sys
import tempfile
from pathlib import Path
from typing import Final

from measure import process

import archive
from archive import SCRIPTS, TOOLS, Tool, row

PARTS: Final = (
    ("log, open", "dedup_state/conversation_log.jsonl"),
    ("log, sealed", "dedup_state/sealed/*"),
    ("blobs", "dedup_state/blobs/*/*"),
    ("index", "dedup_state/index.bin"),
    ("packs", "exports-archive/packs/*.pack"),
    ("indexes of the packs", "exports-archive/packs/*.idx"),
)
"""What is listed by itself; all that is left is "the rest" (audit, last runs, watermarks, plain files)."""
ONE_STREAM: Final = 200_000_000
"""As in ``archive.py``, for W10."""
ABOUT: Final = ("manifest.json", "truth.jsonl")
_PATCH: Final = Tool(
    "mkdir repo; : > before",
    'zstd -q -3 --long=27 --patch-from=before -c "$F" > "repo/$N" && cp "$F" before',
    "",
    ("repo",),
)
PEERS: Final = {"git": TOOLS["git"], "borg": TOOLS["borg"], "restic": TOOLS["restic"], "zstd": _PATCH}


def files_of(kind: str, folder: Path, *, small: bool) -> list[Path]:
    """The exports of a set, in order; of a folder that the generator made, without what it says about them."""
    return [path for path in archive.made(kind, folder, small=small) if path.name not in ABOUT]


class Ours:
    """One project, and the commands in it."""

    def __init__(self, files: list[Path], base: Path) -> None:
        self._files, self._base = files, base
        self.project = base / "project"
        self.memory = self.project / "MEMORY-CONTEXT"
        (self.memory / "exports").mkdir(parents=True)
        (self.project / ".coditect").mkdir()
        settings = {"pack_older_than_days": 0}
        (self.project / ".coditect" / "config.json").write_text(json.dumps(settings), encoding="utf-8")

    def run(self, script: str, *arguments: str) -> tuple[float, float]:
        """Seconds and peak megabytes of one command, with the modules compiled as an installed one has them."""
        compiled = {"PYTHONDONTWRITEBYTECODE": "", "PYTHONPYCACHEPREFIX": str(self._base / "compiled")}
        return process([sys.executable, str(SCRIPTS / script), *arguments], self.project, **compiled)

    def export(self, path: Path) -> tuple[float, float]:
        """A user's run for one export, written just now: one with the archived one's time is taken for a restored one."""
        shutil.copyfile(path, self.memory / "exports" / path.name)
        return self.run("export-dedup.py", "--no-checkpoint", "--yes")

    def parts(self) -> dict[str, int]:
        """Bytes by part; together they are all bytes in ``MEMORY-CONTEXT/``."""
        found = {}
        left = {path: path.lstat().st_size for path in self.memory.rglob("*") if path.is_file()}
        for name, pattern in PARTS:
            found[name] = sum(left.pop(path) for path in self.memory.glob(pattern) if path in left)
        found["the rest"] = sum(left.values())
        return found

    def after(self) -> str:
        """How long verify and the restoring of the last export take, the median of three, and that both are right."""
        last = self._files[-1]
        verified, restored = [], []
        for _ in range(3):
            verified.append(self.run("deduplicate_export.py", "verify")[0])
            out = self._base / "restored"
            shutil.rmtree(out, ignore_errors=True)
            restored.append(self.run("deduplicate_export.py", "restore", last.name, "--output", str(out))[0])
            if out.read_bytes() != last.read_bytes():
                raise SystemExit(f"{last.name} was not restored as it was")
        return f"verify {statistics.median(verified):.2f} s, restore {1000 * statistics.median(restored):.0f} ms"


def ours(files: list[Path], base: Path) -> list[tuple[str, dict[str, int]]]:
    """Every export in its own process, again, and packed when idle; the parts after both."""
    own = Ours(files, base)
    own.run("deduplicate_export.py", "--help")
    times, peaks = zip(*[own.export(path) for path in files])
    hot = own.parts()
    row("export-dedup, a run for each export", files, sum(hot.values()), list(times), max(peaks), own.after())
    again = [own.export(files[-1])[0] for _ in range(3)]
    bare = [process([sys.executable, "-c", "pass"], base)[0] for _ in range(3)]
    more = f"{1000 * (statistics.median(again) - statistics.median(bare)):.0f} ms more than Python's start"
    row("... the last one again", files, sum(own.parts().values()), again, max(peaks), more)
    seconds, peak = own.run("deduplicate_export.py", "pack")
    idle = own.parts()
    row("... after `pack`, when idle", files, sum(idle.values()), [seconds], peak, own.after())
    return [("a run for each export", hot), ("after `pack`", idle)]


def listed(found: list[tuple[str, dict[str, int]]], files: list[Path]) -> None:
    """The parts, side by side."""
    total = sum(path.stat().st_size for path in files)
    print(f"\n| part | {' | '.join(f'{name}, bytes | %' for name, _ in found)} |")
    print("|---|" + "---|---|" * len(found))
    for part in found[0][1]:
        cells = [f"{parts[part]:,} | {100 * parts[part] / total:.3f}" for _, parts in found]
        print(f"| {part} | {' | '.join(cells)} |")
    sums = [sum(parts.values()) for _, parts in found]
    print(f"| all | {' | '.join(f'{each:,} | {100 * each / total:.3f}' for each in sums)} |", flush=True)


def main() -> int:
    """Print two tables for each set."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--small", action="store_true", help="small sizes, to see that everything runs")
    parser.add_argument(
        "--set", action="append", help="transcript, text, rewrapped, or a folder (default: the first three)"
    )
    parser.add_argument(
        "--tools", help="the other tools, with commas between: git, borg, restic, zstd, xz (default: all)"
    )
    asked = parser.parse_args()
    tools = asked.tools.split(",") if asked.tools is not None else [*PEERS, "xz"]
    for kind in asked.set or (archive.SETS if archive.GENERATOR in os.environ else ["text"]):
        with tempfile.TemporaryDirectory(prefix="export-dedup-store-") as name:
            base = Path(name)
            files = files_of(kind, base / "exports", small=asked.small)
            total = sum(path.stat().st_size for path in files)
            print(f"\n{Path(kind).name}: {len(files)} exports, {total:,} bytes\n")
            print("| what | bytes kept | of the input | s an export, median | s in all | peak MB | |")
            print("|---|---|---|---|---|---|---|")
            found = ours(files, base)
            for tool in tools:
                if tool in PEERS and shutil.which(tool):
                    archive.peer(tool, PEERS[tool], files, base / tool)
            if "xz" in tools and shutil.which("xz") and total <= ONE_STREAM:
                archive.one_stream(files, base)
            listed(found, files)
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
