#!/usr/bin/env python3
"""A log taken over by a database, and a bare COPY of the same rows: ``benchmarks/database_load.py [--messages N] [--state DIR]``.

Builds a store of distinct conversations of short, mostly different messages (see ``large_store.py``), or takes one that is there,
and starts a server of its own, the newest that is found here. The store's lines are in memory before the clock starts, and so are
the rows of the COPY, in binary form: it goes into empty tables with the same indexes and triggers. Printed are seconds on the clock
and of the processor, of this process and of the server's, and how many times as long the first takes; the best of ``--rounds``.
"""

from __future__ import annotations

import argparse
import gc
import os
import sys
import tempfile
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

REPOSITORY = Path(__file__).resolve().parents[1]
sys.path[:0] = [str(REPOSITORY / "scripts"), str(REPOSITORY / "tests" / "support")]

if TYPE_CHECKING:
    from collections.abc import Callable

TABLES = ("stores", "conversations", "messages", "runs", "watermarks", "deduplication_log", "index_entries")


def lines_of(folder: str) -> list[bytes]:
    """The lines of a store's log."""
    from deduplication.storage import open_store

    store: Any = open_store("default", folder)
    with store.transaction(write=False):
        return [line.data for line in store.lines()]


def build(folder: str, count: int) -> None:
    """A store of so many messages."""
    from large_store import EACH, export

    from deduplication import ClaudeConversationDeduplicator

    dedup = ClaudeConversationDeduplicator(folder)
    for seed in range(max(count // EACH, 1)):
        data = export(seed, min(count, EACH))
        dedup.ingest(data, name=f"c{seed}.txt", conversation_id=f"conversation-{seed:04}", keep=False)


def processor(pid: int) -> float:
    """Seconds of the processor that a process has taken."""
    fields = Path(f"/proc/{pid}/stat").read_text(encoding="utf-8").rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def timed(work: Callable[[], object], pid: int) -> tuple[float, float, float]:
    """Seconds on the clock, and of the processor: of this process, and of the server's."""
    gc.collect()
    began, own, servers = time.perf_counter(), time.process_time(), processor(pid)
    work()
    return time.perf_counter() - began, time.process_time() - own, processor(pid) - servers


def loaded(server: Any, lines: list[bytes]) -> tuple[str, tuple[float, float, float]]:
    """The name of a database with the lines in it, and what that took."""
    from deduplication.storage import open_store

    name = server.new_database()
    store: Any = open_store("postgresql", "", server.dsn(name))
    with store.transaction():
        pid = store.database.connected().info.backend_pid
        took = timed(lambda: list(store.load(lines)), pid)
    store.database.close()
    return name, took


def copied(server: Any, name: str) -> tuple[float, float, float]:
    """What a COPY of all rows of a database into another one takes."""
    import psycopg

    from deduplication.storage.database import schema

    rows: dict[str, bytes] = {}
    with psycopg.connect(server.dsn(name)) as connection:
        for table in TABLES:
            with connection.cursor().copy(f"COPY {table} TO STDOUT (FORMAT BINARY)") as copy:
                rows[table] = b"".join(map(bytes, copy))
    other = server.new_database()
    with psycopg.connect(server.dsn(other), autocommit=True) as connection:
        schema.bring_up(connection)

        def work() -> None:
            for table, data in rows.items():
                with connection.cursor().copy(f"COPY {table} FROM STDIN (FORMAT BINARY)") as copy:
                    copy.write(data)

        return timed(work, connection.info.backend_pid)


def main() -> int:
    """Print the table."""
    import postgres_server

    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--messages", type=int, default=100_000)
    parser.add_argument("--state", help="a store's folder, instead of building one")
    parser.add_argument("--rounds", type=int, default=1)
    asked = parser.parse_args()
    with tempfile.TemporaryDirectory() as temporary, postgres_server.Server() as server:
        folder = asked.state or str(Path(temporary) / "state")
        if asked.state is None:
            build(folder, asked.messages)
        lines = lines_of(folder)
        took: dict[str, list[tuple[float, float, float]]] = {"taken over": [], "COPY": []}
        for _ in range(asked.rounds):
            name, seconds = loaded(server, lines)
            took["taken over"].append(seconds)
            took["COPY"].append(copied(server, name))
        version = server.installation.version
    postgres_server.end_all()
    print(f"{len(lines):,} lines, {sum(map(len, lines)) / 1e6:.1f} MB; {version}")
    print("| | seconds | of this process | of the server |\n|---|--:|--:|--:|")
    best = {what: min(found) for what, found in took.items()}
    for what, seconds in best.items():
        print(f"| {what} | " + " | ".join(f"{each:.2f}" for each in seconds) + " |")
    print(f"{best['taken over'][0] / best['COPY'][0]:.2f} times as long as COPY")
    return 0


if __name__ == "__main__":
    sys.exit(main())
