#!/usr/bin/env python3
"""Runs on a large store in PostgreSQL: ``benchmarks/database_import.py [--messages N ...] [--imports N] [--partitioned] [URL]``.

Fills a store with conversations of 200 messages, which share short prompts and calls, and for each number of messages prints what
runs take there: an ordinary conversation of which each export has 50 messages more, one that begins, a file that is known, a
captured turn, and 50 messages more of a conversation of 20,000. The connection is there already; the best of all runs counts:
what else the machine does only adds. Statements and round trips are those of one more run of each kind, as libpq traces them;
processor time of the server is read from /proc, where there is one. Without a URL the oldest server that is found here is started
for it; URL names an empty database.
"""

from __future__ import annotations

import argparse
import contextlib
import os
import random
import sys
import tempfile
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

REPOSITORY = Path(__file__).resolve().parents[1]
sys.path[:0] = [str(REPOSITORY / "scripts"), str(REPOSITORY / "tests"), str(REPOSITORY / "tests" / "support")]

from made_log import EACH, export, lines  # noqa: E402 - it lies there

MORE = 50
LONG = 20_000
TICKS = os.sysconf("SC_CLK_TCK")


class Took(NamedTuple):
    """Seconds: on the clock, of this process's processor, of the server's."""

    wall: float
    client: float
    server: float


def fill(store: Any, messages: int, done: int) -> int:
    """Conversations in a store after it was filled up to so many messages; ``done`` are there."""
    seeds = range(done, messages // EACH)
    began = time.perf_counter()
    with store.transaction():
        for _ in store.load(lines(seeds, store.head)):
            took = time.perf_counter() - began
            print(f"\r{store.unique_count():,} contents, {took:.0f} s", end="", file=sys.stderr, flush=True)
    print(file=sys.stderr)
    return max(done, messages // EACH)


class Measured:
    """A deduplicator of which each run is timed."""

    def __init__(self, url: str) -> None:
        from deduplication import ClaudeConversationDeduplicator

        self.dedup = ClaudeConversationDeduplicator(backend="postgresql", connection_string=url)
        self.session = self.dedup.store.database  # type: ignore[attr-defined]
        self._backend = ""

    def _server(self) -> float:
        """Seconds of the processor that the session's process of the server took."""
        with contextlib.suppress(OSError):
            pid = self.session.connected().info.backend_pid
            fields = Path(f"/proc/{pid}/stat").read_text(encoding="utf-8").rpartition(")")[2].split()
            return (int(fields[11]) + int(fields[12])) / TICKS
        return float("nan")

    def timed(self, action: Callable[[], object]) -> Took:
        """What one run takes."""
        server, client, wall = self._server(), time.process_time(), time.perf_counter()
        action()
        return Took(time.perf_counter() - wall, time.process_time() - client, self._server() - server)

    def traced(self, action: Callable[[], object]) -> tuple[int, int]:
        """Statements and round trips of one run."""
        raw = self.session.connected().pgconn
        with tempfile.TemporaryFile() as file:
            raw.trace(file.fileno())
            try:
                action()
            finally:
                raw.untrace()
            file.seek(0)
            sides = [fields[1:4] for fields in (line.split(b"\t") for line in file) if len(fields) > 3]
        statements = sum(side == b"F" and what in (b"Query", b"Execute") for side, _, what in sides)
        trips = sum(one[0] == b"F" and other[0] == b"B" for one, other in zip(sides, sides[1:]))
        return statements, trips


def actions(dedup: Any, seed: int, folder: Path) -> dict[str, Iterator[Callable[[], object]]]:
    """Runs of each kind, as many as are asked for."""
    from deduplication.ingest.transcript_capture import capture_file
    from purge_scenes import Talk

    def grown(first: int, seed: int) -> Iterator[Callable[[], object]]:
        dedup.ingest(export(seed, first), name=f"grown-{seed}.txt")
        while True:
            first += MORE
            data = export(seed, first)

            def run(data: bytes = data) -> None:
                assert dedup.ingest(data, name=f"grown-{seed}.txt").new

            yield run

    def begun(seed: int) -> Iterator[Callable[[], object]]:
        while True:
            seed += 1
            data = export(seed, MORE)
            yield lambda data=data, seed=seed: dedup.ingest(data, name=f"begun-{seed}.txt")  # type: ignore[misc]

    def known() -> Iterator[Callable[[], object]]:
        data = export(seed, EACH + MORE)
        dedup.ingest(data, name="known.txt")
        while True:
            yield lambda: dedup.ingest(data, name="known.txt")

    def captured() -> Iterator[Callable[[], object]]:
        talk, path, end = Talk(f"turn-{seed}", 1_000), folder / f"{seed}.jsonl", EACH
        while True:
            path.write_bytes(talk.lines(0, end))
            os.utime(path, (1_800_000_000, 1_800_000_000))
            if end == EACH:
                capture_file(dedup, path)
            else:
                yield lambda: capture_file(dedup, path)
            end += 4

    return {
        f"{MORE} new messages": grown(EACH, seed),
        f"a conversation of {MORE} that begins": begun(2 * 10**9 + seed),
        "a file that is known": known(),
        "a captured turn": captured(),
        f"{MORE} more in one of {LONG:,}": grown(LONG, seed + 1),
    }


def measure(url: str, messages: int, imports: int, folder: Path) -> None:
    """A row for each kind of run."""
    measured = Measured(url)
    for what, runs in actions(measured.dedup, random.randrange(10**9), folder).items():
        next(runs)()  # what is made once: modules, plans
        few = max(2, imports // 3) if f"{LONG:,}" in what else imports
        took = Took(*map(min, zip(*(measured.timed(next(runs)) for _ in range(few)))))
        statements, trips = measured.traced(next(runs))
        cells = " | ".join(f"{1000 * seconds:.0f}" for seconds in took)
        print(f"| {messages:,} | {what} | {cells} | {statements} | {trips} |", flush=True)


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("url", nargs="?", help="an empty database; default: a server of its own")
    parser.add_argument("--messages", type=int, nargs="+", default=[10_000, 100_000, 1_000_000])
    parser.add_argument("--imports", type=int, default=9, help="runs of each kind")
    parser.add_argument("--partitioned", action="store_true", help="put the messages into parts first")
    parser.add_argument("--filled", type=int, default=0, help="so many messages are in it already")
    options = parser.parse_args()
    with contextlib.ExitStack() as stack:
        url = options.url
        if not url:
            import postgres_server

            oldest = postgres_server.installations()[-1]
            url = stack.enter_context(postgres_server.Server(oldest, durable=True)).url()
        run(url, options, Path(stack.enter_context(tempfile.TemporaryDirectory())))


def run(url: str, options: argparse.Namespace, folder: Path) -> None:
    """All sizes, one after another."""
    import psycopg

    from deduplication.storage import open_store
    from deduplication.storage.database import partitions, schema

    if options.partitioned and not options.filled:
        with psycopg.connect(url, autocommit=True) as connection:
            schema.bring_up(connection)
            partitions.partition(connection)
    print("| messages | run | ms | client's processor, ms | server's, ms | statements | round trips |")
    print("|--:|---|--:|--:|--:|--:|--:|")
    done = options.filled // EACH
    for messages in sorted(options.messages):
        done = fill(open_store("postgresql", "", url), messages, done)
        measure(url, messages, options.imports, folder)


if __name__ == "__main__":
    main()
