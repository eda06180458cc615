#!/usr/bin/env python3
"""What the triggers on messages cost: ``benchmarks/database_triggers.py [--messages N] [--runs N] [URL]``.

Stores N messages of one conversation in one INSERT, and in many small ones: without triggers, with those by statement that the
tables have, and with the one by row of the first design; each in tables of its own. Without a URL a server of each version that is
found here is started for it. URL names a database that may be filled: its schema ``triggers`` is made, and removed.
"""

from __future__ import annotations

import argparse
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterator

REPOSITORY = Path(__file__).resolve().parents[1]
sys.path[:0] = [str(REPOSITORY / "scripts"), str(REPOSITORY / "tests"), str(REPOSITORY / "tests" / "support")]

BY_ROW = """
CREATE FUNCTION by_row() RETURNS TRIGGER LANGUAGE plpgsql AS $$
BEGIN
    UPDATE conversations SET last_updated = CURRENT_TIMESTAMP
    WHERE conversation_id = NEW.conversation_id AND owner = NEW.owner;
    RETURN NEW;
END;
$$;
CREATE TRIGGER by_row AFTER INSERT ON messages FOR EACH ROW EXECUTE FUNCTION by_row();
"""
DROP = "DROP TRIGGER trg_messages_update_conversation ON messages; DROP TRIGGER trg_messages_append_only ON messages"
WAYS = {"no trigger": DROP, "by statement": "", "by row, as first designed": f"{DROP}; {BY_ROW}"}
SMALL = 50
"""Messages of a small INSERT: what a turn brings."""


def servers() -> Iterator[tuple[str, str]]:
    """The version and the URL of each server that can be tried."""
    import postgres_server

    for installation in postgres_server.installations():
        with postgres_server.Server(installation) as server:
            yield installation.version, server.dsn()


def stored(connection: Any, way: str, messages: int, at_once: int) -> float:
    """Seconds of storing the messages in a fresh schema, ``at_once`` in a statement, which is a transaction of its own."""
    from deduplication.storage.database import schema
    from postgres_rows import insert

    connection.execute("DROP SCHEMA IF EXISTS triggers CASCADE")
    connection.execute("CREATE SCHEMA triggers")
    connection.execute("SET search_path = triggers")
    schema.bring_up(connection)
    if WAYS[way]:
        connection.execute(WAYS[way])
    insert(connection, "conversations")
    began = time.perf_counter()
    for first in range(0, messages, at_once):
        insert(connection, "messages", count=min(at_once, messages - first), first=first)
    took = time.perf_counter() - began
    if way == "by statement":
        (counted,) = connection.execute("SELECT total_messages FROM conversations").fetchone()
        assert counted == messages
    connection.execute("DROP SCHEMA triggers CASCADE")
    return took


def measure(version: str, url: str, messages: int, runs: int) -> None:
    """The rows of one server: the best of each, taken in turns; what else the machine does only adds."""
    import psycopg

    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute("SET client_min_messages = warning")
        for name, at_once in (("one INSERT", messages), (f"INSERTs of {SMALL}", SMALL)):
            seconds: dict[str, list[float]] = {way: [] for way in WAYS}
            for _ in range(runs):
                for way, taken in seconds.items():
                    taken.append(stored(connection, way, messages, at_once))
            bare = min(seconds["no trigger"])
            for way, taken in seconds.items():
                print(f"| {version} | {name} | {way} | {min(taken):.2f} | {min(taken) / bare:.2f} |", flush=True)


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("url", nargs="?", help="a database that may be filled; default: servers of its own")
    parser.add_argument("--messages", type=int, default=20_000)
    parser.add_argument("--runs", type=int, default=3)
    options = parser.parse_args()
    print("| server | stored by | triggers | seconds | times |")
    print("|---|---|---|--:|--:|")
    for version, url in [("given", options.url)] if options.url else servers():
        measure(version, url, options.messages, options.runs)


if __name__ == "__main__":
    main()
