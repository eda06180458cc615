#!/usr/bin/env python3
"""Time session files and pages on made-up conversations and print Markdown tables: ``benchmarks/sessions.py [--runs N]``.

The first table: a turn of four messages put below a session of so many: the whole update with its waiting for the disk, and the
computing in it, of the renderer and of the store. The second one: a page, how long it takes to make, and how long a browser
takes from the click to everything being there.
Every figure is the median over the runs.
"""

from __future__ import annotations

import argparse
import json
import random
import statistics
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

from workload import WORDS

HERE = Path(__file__).resolve().parent
sys.path[:0] = [str(HERE.parent / "scripts"), str(HERE.parent / "tests" / "support")]

from deduplication import ClaudeConversationDeduplicator  # noqa: E402 - found beside this script
from deduplication.ingest.transcript_capture import capture_file  # noqa: E402
from deduplication.sessions import full_document, session_file  # noqa: E402
from deduplication.sessions.redaction import Cleaner, standard  # noqa: E402

SESSION = "0f0f0f0f-1111-4222-8333-444444444444"


class Clocked:
    """A store that counts the seconds of computing spent in it."""

    def __init__(self, store: Any) -> None:
        self._store = store
        self.seconds = 0.0

    def __getattr__(self, name: str) -> Any:
        value = getattr(self._store, name)
        if not callable(value) or name == "transaction":
            return value

        def clocked(*arguments: Any) -> Any:
            started = time.process_time()
            found = value(*arguments)
            if name == "bodies":
                found = iter(list(found))
            if name == "conversation":
                found.reading()  # what comes later of it is known then
            self.seconds += time.process_time() - started
            return found

        return clocked


def lines(first: int, count: int) -> bytes:
    """Messages of a transcript: prompts, answers with code and tables, calls and results."""
    chance = random.Random(first)
    found = []
    for number in range(first, first + count):
        words = " ".join(chance.choices(WORDS, k=chance.randrange(20, 160)))
        kind = number % 4
        text = f"{number}: {words}"
        if kind == 0:
            content: Any = text[:200]
        elif kind == 1:
            content = [
                {
                    "type": "text",
                    "text": f"{text}\n\n```python\nfor n in range({number}):\n    print(n)\n```\n\n- one\n- two",
                }
            ]
        elif kind == 2:
            given = {"command": f"grep -rn {chance.choice(WORDS)} .", "description": f"Look for number {number}"}
            content = [{"type": "tool_use", "id": f"t{number}", "name": "Bash", "input": given}]
        else:
            output = "\n".join(f"{n}: {words[:60]}" for n in range(chance.randrange(1, 30)))
            content = [{"type": "tool_result", "tool_use_id": f"t{number - 1}", "content": output}]
        role = "assistant" if kind in (1, 2) else "user"
        value = {
            "parentUuid": None,
            "type": role,
            "uuid": f"{number:032x}",
            "sessionId": SESSION,
            "timestamp": f"2026-03-{1 + number // 1440 % 28:02}T{number // 60 % 24:02}:{number % 60:02}:00.000Z",
            "message": {"role": role, "content": content},
        }
        found.append(json.dumps(value) + "\n")
    return "".join(found).encode()


class Scene:
    """A store with a session of ``count`` messages, and its files."""

    def __init__(self, folder: Path, count: int) -> None:
        self.folder, self.count = folder, 0
        self.dedup = ClaudeConversationDeduplicator(folder / "state")
        (folder / "sessions").mkdir(parents=True)
        self.grow(count)
        self.update()

    def grow(self, count: int) -> None:
        """Store so many further messages."""
        with open(self.folder / "session.jsonl", "ab") as file:
            file.write(lines(self.count, count))
        self.count += count
        capture_file(self.dedup, self.folder / "session.jsonl")

    def update(self) -> tuple[float, float, float]:
        """Bring the files up to the store; seconds of all of it, and of computing outside of the store."""
        with self.dedup.store.transaction(write=False):
            store: Any = Clocked(self.dedup.store)
            started, computing = time.perf_counter(), time.process_time()
            names = full_document.names_of(store, SESSION, Cleaner())
            session_file.update(store, SESSION, str(self.folder / "sessions"), Cleaner(*standard(self.folder)), names)
            seconds = time.perf_counter() - started
            computing = time.process_time() - computing
        return seconds, computing - store.seconds, store.seconds

    def page(self) -> Path:
        """The page, written to a file."""
        path = self.folder / "page.html"
        with self.dedup.store.transaction(write=False):
            path.write_text(
                "".join(full_document.pieces(self.dedup.store, SESSION, full_document.HTML, standard(self.folder)[0])),
                encoding="utf-8",
            )
        return path


def main() -> int:
    """Print both tables."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--runs", type=int, default=9, help="how often each figure is taken (default 9)")
    parser.add_argument("--small", action="store_true", help="short sessions, to see that it works")
    asked = parser.parse_args()
    sizes = (40, 200) if asked.small else (200, 2_000, 20_000)
    with tempfile.TemporaryDirectory(prefix="export-dedup-sessions-") as name:
        print("| messages | parts | first writing, s | a turn, ms | computing of the renderer, ms | of the store, ms |")
        print("|---|---|---|---|---|---|")
        for size in sizes:
            _growth(Path(name) / str(size), size, asked.runs)
        print("\n| messages | page, MB | making it, s | opening it, s | first paint, s |")
        print("|---|---|---|---|---|")
        for size in sizes[:1] if asked.small else (1_000, 10_000):
            _opening(Path(name) / f"page-{size}", size, asked.runs)
    return 0


def _growth(folder: Path, size: int, runs: int) -> None:
    scene = Scene(folder, size)
    for file in (folder / "sessions").iterdir():
        file.unlink()
    first = scene.update()[0]
    taken = []
    for _ in range(runs):
        scene.grow(4)
        taken.append(scene.update())
    parts = len(list((folder / "sessions").iterdir()))
    columns = " | ".join(_ms(list(column)) for column in zip(*taken))
    print(f"| {size:,} | {parts} | {first:.2f} | {columns} |", flush=True)


def _opening(folder: Path, size: int, runs: int) -> None:
    try:
        import browser
    except ImportError:  # the tests are not beside it
        browser = None
    scene = Scene(folder, size)
    started = time.perf_counter()
    page = scene.page()
    making = time.perf_counter() - started
    megabytes = page.stat().st_size / 1e6
    if browser is None or browser.executable() is None:
        print(f"| {size:,} | {megabytes:.1f} | {making:.2f} | no browser | no browser |")
        return
    loads, paints = [], []
    for _ in range(runs):
        with browser.Browser() as chromium:
            started = time.perf_counter()
            chromium.open(page)
            loads.append(time.perf_counter() - started)
            paint = "performance.getEntriesByName('first-contentful-paint')[0]?.startTime ?? 0"
            chromium.settled()
            paints.append(chromium.evaluate(paint) / 1000)
    print(
        f"| {size:,} | {megabytes:.1f} | {making:.2f} | {statistics.median(loads):.2f} | {statistics.median(paints):.2f} |"
    )


def _ms(seconds: list[float]) -> str:
    return f"{1000 * statistics.median(seconds):.1f}"


if __name__ == "__main__":
    raise SystemExit(main())
