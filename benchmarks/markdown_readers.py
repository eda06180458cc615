#!/usr/bin/env python3
"""Our reader of Markdown beside markdown-it-py: ``benchmarks/markdown_readers.py FOLDER…``, or what stands in the documents here.

Reads the assistant's texts in the transcripts of each folder and its Markdown files, and prints how long both take (the best of
three, seconds of the processor) and in how many of them they find the same structure.
"""

from __future__ import annotations

import sys
import time
from pathlib import Path
from typing import Callable

HERE = Path(__file__).resolve().parent
sys.path[:0] = [str(HERE.parent / "scripts"), str(HERE.parent / "tests" / "support")]

from commonmark import answers, oracle, structure  # noqa: E402 - found beside this script
from deduplication.sessions.html.blocks import render  # noqa: E402

LARGEST = 60_000


def documents(folder: Path) -> set[str]:
    """The Markdown files below a folder, but very long ones."""
    paths = [path for path in folder.glob("**/*.md") if path.is_file() and path.stat().st_size < LARGEST]
    return {path.read_text(encoding="utf-8", errors="replace") for path in paths}


def seconds(reader: Callable[[str], object], texts: set[str]) -> float:
    """The best of three."""
    taken = []
    for _ in range(3):
        started = time.process_time()
        for text in texts:
            reader(text)
        taken.append(time.process_time() - started)
    return min(taken)


def main() -> int:
    """Print the table."""
    library = oracle().render
    print("| texts | kB | ours, s | markdown-it-py, s | same structure |")
    print("|---|---|---|---|---|")
    for folder in map(Path, sys.argv[1:] or [str(HERE.parent)]):
        for name, texts in (("answers", answers(folder)), ("documents", documents(folder))):
            same = sum(structure(render(text)) == structure(library(text)) for text in texts)
            size = sum(map(len, texts)) / 1000
            row = f"{size:,.0f} | {seconds(render, texts):.3f} | {seconds(library, texts):.3f} | {same} of {len(texts)}"
            print(f"| {name} | {row} |" if texts else f"| {name} | 0 | | | |")
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
