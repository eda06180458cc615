"""What compresses the archive's frames best: each frame of a pack's files, by what the archive uses and by Zstandard.

    python benchmarks/codecs.py FOLDER…        files of each folder, in the order of their names, an archive run for each

Sizes are sums over all frames that the runs made, times those of compressing them, on one core. ``idle`` is what ``pack``
makes afterwards of all of them together. Zstandard is measured where the package ``zstandard`` or Python 3.14 has it.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
import time
from pathlib import Path
from typing import TYPE_CHECKING

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "scripts"))

from deduplication.packs import codec, pack_builder
from deduplication.packs.pack_set import opened_packs
from deduplication.packs.pack_writer import PackWriter

if TYPE_CHECKING:
    from collections.abc import Callable

FILES = (".txt", ".jsonl", ".json")


def zstandards() -> dict[str, Callable[[bytes], bytes]]:
    """Zstandard at some levels; nothing where it is not installed."""
    try:
        import zstandard
    except ImportError:
        return {}
    found: dict[str, Callable[[bytes], bytes]] = {}
    for level in (3, 12, 19, 22):
        found[f"zstd {level}"] = lambda raw, level=level: zstandard.ZstdCompressor(level=level).compress(raw)  # type: ignore[misc]
    return found


def frames_of(files: list[Path]) -> tuple[list[bytes], list[bytes]]:
    """The unpacked frames that a run for each file makes, and those of an idle pack of all of them."""
    seen: list[bytes] = []
    real = pack_builder.frames.make

    def make(kind: int, first: int, count: int, raw: bytes, *, thorough: bool) -> object:
        seen.append(raw)
        return real(kind, first, count, raw, thorough=thorough)

    pack_builder.frames.make = make  # type: ignore[assignment]
    with tempfile.TemporaryDirectory() as folder:
        for file in files:
            with opened_packs(folder) as packs:
                addition = PackWriter(packs)
                addition.add(file.read_bytes(), name=file.name, mtime_ns=0)
                addition.commit()
        hot = list(seen)
        seen.clear()
        with opened_packs(folder) as packs:
            PackWriter(packs, thorough=True).commit()
    pack_builder.frames.make = real
    return hot, list(seen)


def measured(name: str, frames: list[bytes], compress: Callable[[bytes], bytes]) -> str:
    """A row of the table."""
    best, size = float("inf"), 0
    for _ in range(3):
        began = time.perf_counter()
        size = sum(len(compress(raw)) for raw in frames)
        best = min(best, time.perf_counter() - began)
    raw = sum(map(len, frames))
    return f"| {name} | {size:,} | {100 * size / raw:.2f} % | {best:.2f} | {raw / best / 1e6:.0f} |"


def main() -> int:
    """Print a table for each folder."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folders", nargs="+", type=Path)
    for folder in parser.parse_args().folders:
        files = sorted(path for path in folder.rglob("*") if path.suffix in FILES and path.name != "truth.jsonl")
        hot, idle = frames_of(files)
        for title, frames, thorough in (("a run for each", hot, False), ("idle", idle, True)):
            print(f"\n{folder.name}, {title}: {len(frames)} frames, {sum(map(len, frames)):,} bytes\n")
            print("| codec | bytes | of the frames | s | MB/s |\n|---|---|---|---|---|")
            rows = {"ours": lambda raw, thorough=thorough: codec.compress(raw, thorough=thorough)[1], **zstandards()}
            for name, compress in rows.items():
                print(measured(name, frames, compress), flush=True)
    return 0


if __name__ == "__main__":
    sys.exit(main())
