#!/usr/bin/env python3
"""Search a store in PostgreSQL: ``benchmarks/database_search.py [--messages N] [--version V] [--small] [--words]``.

Fills the tables of a database with made-up messages, by COPY, and searches them with the tests' set of some hundred queries, each
for its newest 20 hits, confirmed and with their places, as ``search`` does. Prints seconds and bytes of table and indexes, and for
each kind of query milliseconds of the processor, the server's and ours: of the first time after a start of the server, and of later
ones. ``--words`` prints instead how fast texts become words.
"""

from __future__ import annotations

import argparse
import hashlib
import itertools
import json
import random
import sys
import time
from datetime import datetime, timedelta, timezone
from pathlib import Path
from typing import TYPE_CHECKING, Any

REPOSITORY = Path(__file__).resolve().parents[1]
sys.path[:0] = [str(REPOSITORY / "scripts"), str(REPOSITORY / "tests" / "support")]

import postgres_server  # noqa: E402 - found above
import query_set  # noqa: E402
from deduplication.search import in_database  # noqa: E402
from deduplication.search.hits import Wanted  # noqa: E402
from deduplication.storage.database import schema  # noqa: E402
from deduplication.storage.database.clean_text import cleaned  # noqa: E402
from deduplication.storage.database.database_store import DatabaseStore  # noqa: E402
from deduplication.storage.database.place import Place  # noqa: E402
from deduplication.words.lexemes import tsvector_of  # noqa: E402
from deduplication.words.prepared import prepared  # noqa: E402
from deduplication.words.terms import terms  # noqa: E402

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

DIFFERENT = 20_000
"""Texts, of each of which a message is said again and again with another number at its end."""
EACH = 5_000
"""Messages of a conversation."""
SHORT = ("yes", "continue", "go on", "ok", "git status")
ROLES = (("user", "prompt"), ("assistant", "text"), ("assistant", "tool_call"), ("system", "tool_result"))
COLUMNS = (
    "conversation_id, owner, message_index, content_hash, role, content, created_at, kind, alignment_key, log_start, entry, "
    "body_at, body, words, words_cut"
)
CONVERSATIONS = """
INSERT INTO conversations (conversation_id, number, state)
SELECT name, number, '{}' FROM unnest(%s::text[]) WITH ORDINALITY AS found (name, number)
"""
SECONDARY = """
SELECT format('DROP INDEX %I', indexrelid::regclass::text), pg_get_indexdef(indexrelid) FROM pg_index
WHERE indrelid = 'messages'::regclass AND NOT indisunique
"""
SIZES = """
SELECT pg_size_pretty(pg_table_size('messages')), pg_size_pretty(pg_indexes_size('messages')),
    pg_size_pretty(pg_relation_size('idx_messages_content_fts')), pg_size_pretty(pg_relation_size('idx_messages_newest'))
"""


def vocabulary(drawn: random.Random) -> list[str]:
    """Made-up words, the frequent ones first; those of the query set stand here and there among them."""
    parts = [
        a + b
        for a in ["b", "c", "d", "f", "g", "h", "k", "l", "m", "n", "p", "r", "s", "t", "v", "w", "st", "tr"]
        for b in ("a", "e", "i", "o", "u", "ai", "ou")
    ]
    words = ["".join(drawn.choice(parts) for _ in range(drawn.randrange(1, 5))) for _ in range(30_000)]
    words = list(dict.fromkeys(words))
    asked = [word for text in query_set.texts(200) for word in text.split(" ") if word]
    for place, word in enumerate(dict.fromkeys(asked)):
        words.insert(min(30 + place * 60, len(words)), word)
    return words


def texts(drawn: random.Random) -> list[str]:
    """Different texts, of 3 to 400 words; in one of six are words that are not ASCII."""
    words = vocabulary(drawn)
    plain = [word for word in words if word.isascii()]
    weights = list(itertools.accumulate(1 / (rank + 10) for rank in range(len(words))))
    made = []
    for number in range(DIFFERENT):
        length = min(400, int(drawn.lognormvariate(3.3, 1.1)) + 3)
        some = words if number % 6 == 0 else plain
        chosen = drawn.choices(some, cum_weights=weights[: len(some)], k=length)
        separator = "\n" if number % 9 == 0 else " "
        made.append(separator.join(chosen))
    return made


def rows(count: int) -> Iterator[list[Any]]:
    """The rows of ``messages`` in the order of their times."""
    drawn = random.Random(5)
    kept = []
    for text in texts(drawn):
        literal, cut = tsvector_of(text)
        kept.append((text, literal, cut))
    moment = datetime(2024, 1, 1, tzinfo=timezone.utc)
    said: dict[str, str] = {}
    """Of short texts the conversation in which each stood last: the first row has the body, and the first of each conversation."""
    for number in range(count):
        role, kind = ROLES[number % 4]
        if number % 4 == 0 and drawn.random() < 0.5:
            text = words = drawn.choice(SHORT)
            cut = False
        else:
            text, words, cut = drawn.choice(kept)
            text, words = f"{text} {number}", f"{words} {number}"
        moment += timedelta(seconds=drawn.randrange(1, 60))
        name, index = f"conversation-{number // EACH:04}", number % EACH
        body = json.dumps({"role": role, "kind": kind, "content": text}, ensure_ascii=False, separators=(",", ":"))
        stamp = moment.isoformat(timespec="milliseconds").replace("+00:00", "Z")
        entry = f'{{"conversation_id":"{name}","index":{index},"timestamp":"{stamp}","message":'.encode()
        identity = hashlib.sha256(body.encode("utf-8", "surrogatepass")).hexdigest()
        carries, first = text not in said, said.get(text) != name
        if text in SHORT:
            said[text] = name
        data = body.encode("utf-8", "surrogatepass")
        yield [
            *(name, "postgres", index, identity, role, cleaned(text), moment, kind, identity[:16], number * 500),
            *(entry + b"}\n", len(entry) if carries else None, data if first else None, words, cut),
        ]


def fill(connection: Any, count: int) -> None:
    """The tables, as if so many messages had been stored."""
    schema.bring_up(connection)
    connection.execute("INSERT INTO stores (log_size, log_head, about) VALUES (0, '', '{}')")
    names = [f"conversation-{number:04}" for number in range((count - 1) // EACH + 1)]
    connection.execute(CONVERSATIONS, [names])
    secondary = connection.execute(SECONDARY).fetchall()
    for drop, _ in secondary:
        connection.execute(drop)
    started = time.perf_counter()
    with connection.cursor().copy(f"COPY messages ({COLUMNS}) FROM STDIN") as copy:
        for row in rows(count):
            copy.write_row(row)
    copied = time.perf_counter() - started
    connection.execute("SET maintenance_work_mem = '512MB'")
    words = 0.0
    for _, create in secondary:
        started = time.perf_counter()
        connection.execute(create)
        words = time.perf_counter() - started if "content_fts" in create else words
    connection.execute("VACUUM ANALYZE messages")
    table, indexes, fts, newest = connection.execute(SIZES).fetchone()
    print(
        f"{count:,} messages copied in {copied:.0f} s, index of words made in {words:.0f} s; table {table}, all indexes {indexes}, "
        f"that of words {fts}, that of the newest ones {newest}\n",
        flush=True,
    )


def processor(server: int) -> Callable[[], float]:
    """A clock of the seconds that this process and the server's process of that number were on a processor; elsewhere the clock."""
    ticks = Path(f"/proc/{server}/schedstat")
    if not ticks.exists():
        return time.perf_counter
    return lambda: time.process_time() + int(ticks.read_text(encoding="ascii").split()[0]) / 1e9


def measured(url: str) -> dict[str, list[tuple[float, int, str]]]:
    """For each kind milliseconds of the processor, hits and the query; by one connection, which begins with the first query."""
    store = DatabaseStore(Place(url))
    found: dict[str, list[tuple[float, int, str]]] = {}
    in_database.search(store.place, Wanted(tuple(terms(["nothing"]))), 20)
    busy = processor(store.database.outside(lambda connection: connection.info.backend_pid))
    for kind, queries in query_set.QUERIES.items():
        for query in queries:
            started = busy()
            hits = in_database.search(store.place, Wanted(tuple(terms(query))), 20)
            took = 1000 * (busy() - started)
            found.setdefault(kind, []).append((took, len(hits.hits), " ".join(query)))
    store.database.close()
    return found


def at(values: list[float], part: float) -> float:
    """The value below which this part of the values lies."""
    return sorted(values)[min(len(values) - 1, int(part * len(values)))]


def table(cold: dict[str, Any], warm: list[dict[str, Any]]) -> None:
    """Print what was measured."""
    print("| kind | queries | cold p50 / p95 ms | warm p50 / p95 ms | slowest, warm |")
    print("|---|---|---|---|---|")
    everything: tuple[list[float], list[float]] = ([], [])
    for kind, first in cold.items():
        colds = [each[0] for each in first]
        best = [min(run[kind][number] for run in warm) for number in range(len(first))]
        warms = [each[0] for each in best]
        everything[0].extend(colds)
        everything[1].extend(warms)
        took, hits, query = max(best)
        print(f"{_row(kind, colds, warms)} | `{query}` {took:.0f} ms, {hits} hits |")
    colds, warms = everything
    print(f"{_row('all', colds, warms)} | |")


def _row(kind: str, colds: list[float], warms: list[float]) -> str:
    times = [f"{at(values, 0.5):.0f} / {at(values, 0.95):.0f}" for values in (colds, warms)]
    return f"| {kind} | {len(colds)} | {' | '.join(times)}"


def words() -> None:
    """How fast texts become words."""
    made = texts(random.Random(5))
    for name, some in (
        ("ASCII", [text for text in made if text.isascii()]),
        ("others", [text for text in made if not text.isascii()]),
    ):
        size = sum(len(text.encode("utf-8", "surrogatepass")) for text in some)
        for what, function in (("words", prepared), ("lexemes", tsvector_of)):
            started = time.process_time()
            for text in some:
                function(text)
            print(
                f"{name}: {len(some):,} texts, {size:,} bytes, {what} at {size / (time.process_time() - started) / 1e6:.0f} MB/s"
            )


def main() -> int:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--messages", type=int, default=1_000_000)
    parser.add_argument("--version", type=int, help="the server's major version (default: the newest that is found)")
    parser.add_argument("--small", action="store_true", help="20,000 messages")
    parser.add_argument("--words", action="store_true", help="how fast texts become words, and nothing else")
    asked = parser.parse_args()
    if asked.words:
        words()
        return 0
    found = {each.major: each for each in postgres_server.installations()}
    installation = found[asked.version or max(found)]
    print(f"{installation.version}\n")
    settings = {"shared_buffers": "256MB", "max_wal_size": "4GB"}
    with postgres_server.Server(installation, settings=settings) as server:
        database = server.new_database()
        with server.connect(database) as connection:
            fill(connection, 20_000 if asked.small else asked.messages)
        server.restart()
        cold = measured(server.dsn(database))
        warm = [measured(server.dsn(database)) for _ in range(2)]
        table(cold, warm)
    postgres_server.end_all()
    return 0


if __name__ == "__main__":
    sys.exit(main())
