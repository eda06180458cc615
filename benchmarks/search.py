#!/usr/bin/env python3
"""Search a store in a folder: ``benchmarks/search.py [--messages N] [--state FOLDER] [--small] [--fts] [--scan N]``.

Stores made-up messages (those of ``database_search.py``: 20,000 texts of a vocabulary of 30,000, each said again and again with
another number behind it, and short ones), makes their filters, and runs ``search`` with 100 queries of eight kinds, each in a
process of its own: processor time over a bare start of Python, the better of two. Beside it ``grep`` and ripgrep, where they are,
on the plain texts, and a scan of the log for ``--scan`` queries. ``--fts`` measures SQLite's FTS5 on the same texts, contentless:
bytes, seconds, and milliseconds for the numbers of the newest 20 messages. ``--state`` takes a store that this has built.
"""

from __future__ import annotations

import argparse
import os
import random
import resource
import shutil
import sqlite3
import subprocess
import sys
import tempfile
import time
from datetime import datetime, timedelta, timezone
from pathlib import Path
from typing import TYPE_CHECKING, Any

REPOSITORY = Path(__file__).resolve().parents[1]
sys.path[:0] = [str(REPOSITORY / "scripts"), str(REPOSITORY / "tests" / "support")]

import database_search  # noqa: E402 - found above

import query_set  # noqa: E402
from deduplication import ClaudeConversationDeduplicator  # noqa: E402
from deduplication.model import EXACT, Export, Message  # noqa: E402
from deduplication.purge.run import purge  # noqa: E402
from deduplication.purge.scope import Scope  # noqa: E402
from deduplication.search.hits import Wanted  # noqa: E402
from deduplication.search.scan import scan  # noqa: E402
from deduplication.words.lexemes import lexemes_of  # noqa: E402
from deduplication.words.terms import terms  # noqa: E402

if TYPE_CHECKING:
    from collections.abc import Iterator

COMMAND = [sys.executable, str(REPOSITORY / "scripts" / "deduplicate_export.py"), "search", "--json"]
PURGED = "zanzibarquay"
EACH = 13


def messages(count: int) -> Iterator[tuple[str, str, str, str]]:
    """Role, kind, text and time of each message."""
    drawn = random.Random(5)
    kept = database_search.texts(drawn)
    moment = datetime(2024, 1, 1, tzinfo=timezone.utc)
    for number in range(count):
        role, kind = database_search.ROLES[number % 4]
        is_short = number % 4 == 0 and drawn.random() < 0.5
        text = drawn.choice(database_search.SHORT) if is_short else f"{drawn.choice(kept)} {number}"
        moment += timedelta(seconds=drawn.randrange(1, 60))
        yield role, kind, text, moment.isoformat(timespec="milliseconds").replace("+00:00", "Z")


def build(folder: str, count: int, plain: Path) -> None:
    """The store, its filters, and the texts, a line each."""
    started, size, some = time.process_time(), 0, []
    with plain.open("w", encoding="utf-8", errors="surrogatepass") as lines:
        for number, (role, kind, text, moment) in enumerate(messages(count)):
            size += len(text.encode("utf-8", "surrogatepass"))
            lines.write(" ".join(text.split()) + "\n")
            some.append(Message(role, kind, text, uuid=f"u{number}", timestamp=moment, fidelity=EXACT))
            if len(some) == database_search.EACH or number == count - 1:
                if number == count - 1:
                    secret = f"the {PURGED} of {number}"
                    some.append(Message("user", "prompt", secret, uuid="secret", timestamp=moment, fidelity=EXACT))
                store_all(folder, tuple(some), number // database_search.EACH)
                some = []
    store = ClaudeConversationDeduplicator(folder).store
    stored = time.process_time()
    store.make_filters()
    made = time.process_time()
    (hit,) = scan(folder, Wanted(tuple(terms([PURGED])))).hits
    purge(store, None, Scope(hashes=(hit.content_hash,)))
    store.make_filters()
    filters = os.path.getsize(os.path.join(folder, "words.bin"))
    print(
        f"{count:,} messages, {size:,} bytes of text, stored in {stored - started:.0f} s; filters {filters:,} bytes "
        f"({100 * filters / size:.1f} % of the text), made in {made - stored:.0f} s\n",
        flush=True,
    )


def store_all(folder: str, some: tuple[Message, ...], number: int) -> None:
    """One conversation."""
    export = Export("test", some, conversation_id=f"conversation-{number:04}")
    dedup = ClaudeConversationDeduplicator(folder)
    dedup.ingest_export(export, name=f"x{number}", sha256=f"{number:064}", raw_bytes=1)


def queries() -> dict[str, list[list[str]]]:
    """A hundred, of eight kinds."""
    drawn = random.Random(9)
    vocabulary = [word for word in database_search.vocabulary(random.Random(5)) if word.isascii() and word.isalpha()]
    kept = [text.split() for text in database_search.texts(random.Random(5)) if text.isascii()]
    long = [words for words in kept if len(words) > 20]
    ranks = [int(1.9**power) + 3 for power in range(EACH)]
    phrases = [drawn.choice(long) for _ in range(EACH)]
    return {
        "words": [[vocabulary[rank]] for rank in ranks],
        "phrases": [[" ".join(words[5:8])] for words in phrases],
        "beginnings": [[drawn.choice(vocabulary)[:4] + "*"] for _ in range(EACH)],
        "scripts without blanks": query_set.QUERIES["scripts without blanks"][:EACH],
        "part of a path": [*query_set.QUERIES["paths and addresses"], *query_set.QUERIES["names in code"]][:12],
        "not there": [[f"zzyzx{number}"] for number in range(12)],
        "in every message": [[word] for word in ("b", "s", "t", "k", "l", "m", "p", "ba*", "sa*", "ta*", "ma*", "ka*")],
        "purged": [[PURGED[:length]] for length in range(len(PURGED) - 6, len(PURGED) + 1)]
        + [[PURGED, "the"], [f"the {PURGED}"], [f'"{PURGED}"'], [PURGED.upper()], [PURGED, "of"]],
    }


def processor(arguments: list[str], **given: Any) -> float:
    """Milliseconds of the processor of one process."""
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    subprocess.run(arguments, stdout=subprocess.PIPE, check=False, **given)  # grep stops early for the null device
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return 1000 * (after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime)


def table(folder: str, plain: Path, scans: int) -> None:
    """Measure and print."""
    print("| kind of query | queries | over a bare start of Python: p50 / p95 ms | slowest | grep | ripgrep |")
    print("|---|--:|--:|---|--:|--:|")
    everything: list[float] = []
    for kind, asked in queries().items():
        took = []
        for query in asked:
            bare = min(processor([sys.executable, "-c", "pass"]) for _ in range(2))
            asked_for = [*COMMAND, "--storage-dir", folder, "--", *query]
            took.append((min(processor(asked_for) for _ in range(2)) - bare, " ".join(query)))
        times = [each for each, _ in took]
        everything += times
        slowest, what = max(took)
        others = [beside(tool, plain, [query[0] for query in asked[:3]]) for tool in (["grep", "-aic"], ["rg", "-aic"])]
        print(
            f"| {kind} | {len(asked)} | {percentiles(times)} | `{what}` {slowest:.0f} ms | {' | '.join(others)} |",
            flush=True,
        )
    print(f"| all | {len(everything)} | {percentiles(everything)} | | | |")
    for query in [asked[0] for asked in queries().values()][:scans]:
        started = time.process_time()
        scan(folder, Wanted(tuple(terms(query))))
        print(f"a scan for {' '.join(query)}: {time.process_time() - started:.1f} s", flush=True)


def percentiles(times: list[float]) -> str:
    """As the table has them."""
    return f"{database_search.at(times, 0.5):.0f} / {database_search.at(times, 0.95):.0f}"


def beside(tool: list[str], plain: Path, asked: list[str]) -> str:
    """The middle of what another tool takes for some of these, on the plain texts."""
    if shutil.which(tool[0]) is None or not plain.exists():
        return ""
    times = [processor([*tool, "--", query.strip('"*'), str(plain)]) for query in asked]
    return f"{database_search.at(times, 0.5):.0f}"


def fts(count: int, folder: Path) -> None:
    """FTS5 without the texts: how large, how long, how fast."""
    for detail in ("none", "full"):
        path = folder / f"{detail}.sqlite3"
        connection = sqlite3.connect(path)
        connection.execute(f"CREATE VIRTUAL TABLE words USING fts5(text, content='', detail={detail}, prefix='')")
        started, size = time.process_time(), 0
        for number, (_, _, text, _) in enumerate(messages(count)):
            size += len(text.encode("utf-8", "surrogatepass"))
            lexemes = " ".join(lexemes_of(text)) if detail == "none" else text
            connection.execute(
                "INSERT INTO words (rowid, text) VALUES (?, ?)", (number, lexemes.encode(errors="replace").decode())
            )
        connection.execute("INSERT INTO words (words) VALUES ('optimize')")
        connection.commit()
        built = time.process_time() - started
        times = []
        for asked in (["words", "beginnings", "not there"], [*queries()])[detail == "full"]:
            for query in queries()[asked]:
                cleaned = query[0].strip('"*')
                wanted = f'"{cleaned}"' + ("" if " " in cleaned else "*")
                started = time.process_time()
                connection.execute(
                    "SELECT rowid FROM words WHERE words MATCH ? ORDER BY rowid DESC LIMIT 20", (wanted,)
                ).fetchall()
                times.append(1000 * (time.process_time() - started))
        connection.close()
        took = path.stat().st_size
        print(
            f"FTS5, detail={detail}: {took:,} bytes ({100 * took / size:.0f} % of the text), {built:.0f} s, numbers only in "
            f"{percentiles(times)} ms",
            flush=True,
        )


def main() -> int:
    """Print the tables."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--messages", type=int, default=100_000)
    parser.add_argument("--state", type=Path, help="a store's folder that this has built, with texts.txt beside it")
    parser.add_argument("--build", type=Path, help="build one in this folder, and keep it")
    parser.add_argument("--small", action="store_true", help="5,000 messages")
    parser.add_argument("--fts", action="store_true", help="SQLite's FTS5 instead")
    parser.add_argument("--scan", type=int, default=1, help="queries for which the log is scanned as well")
    asked = parser.parse_args()
    count = 5_000 if asked.small else asked.messages
    with tempfile.TemporaryDirectory() as temporary:
        where = asked.build or Path(temporary)
        if asked.fts:
            fts(count, Path(temporary))
            return 0
        state = asked.state or where / "dedup_state"
        if asked.state is None:
            build(str(state), count, where / "texts.txt")
        table(str(state), state.parent / "texts.txt", asked.scan)
    return 0


if __name__ == "__main__":
    sys.exit(main())
