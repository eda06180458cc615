#!/usr/bin/env python3
"""The dashboard of a large store: ``benchmarks/dashboard.py [--messages N] [--backends B,B] [--seconds S] [--state DIR]``.

Builds a store of N messages over half a year, half of them in conversations of 5,000, half of 100. For each kind of
store it prints how long each panel takes to be gathered, the first time and after a capture; how long the server takes for each
address; the first paint in a real Chromium; and what 50 readers and captures of turns do to each other for a while. ``--state`` is
where stores are built and kept, so that the next call has them. ``--strict``: 1 where a limit is missed.
"""

from __future__ import annotations

import argparse
import contextlib
import http.client
import json
import os
import random
import shutil
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from large_store import export

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

REPOSITORY: Final = Path(__file__).resolve().parents[1]
sys.path[:0] = [str(REPOSITORY / "scripts"), str(REPOSITORY / "tests" / "support")]
LONG, SHORT = 5_000, 100
DAYS: Final = 180
READERS: Final = 50
POLL: Final = 2.0
PANEL, PAINT, SLOWER = 0.3, 1.0, 1.2
"""Limits: seconds of a panel, seconds until something is painted, times that a capture may take."""
ADDRESSES: Final = (
    ("/panels?since=0", "all panels, drawn already"),
    ("/", "the page"),
    ("/search?q=harbour", "a search for a word that is everywhere"),
    ("/search?q=42/4711", "a search for one message"),
    ("/search?q=nosuchword", "a search for nothing"),
    ("/conversation/conversation-000000", "200 messages of a conversation of 5,000"),
    ("/conversation/conversation-000000?from=4800", "its last 200 messages"),
    ("/metrics", "figures for Prometheus"),
)


def build(folder: str, count: int, backend: str) -> None:
    """A store of so many messages, of which the last came today."""
    from deduplication import ClaudeConversationDeduplicator
    from deduplication.files import clock

    long, short = max(1, count // 2 // LONG), count // 2 // SHORT
    sizes = [*([min(LONG, count // 2)] * long), *([SHORT] * short)]
    random.Random(5).shuffle(sizes)
    sizes.insert(0, sizes.pop(sizes.index(max(sizes))))  # the first one is long: it is read in pages
    dedup = ClaudeConversationDeduplicator(folder, backend)
    now = time.time()
    for seed, size in enumerate(sizes):
        with clock.stands_at(clock.spelt(now - DAYS * 86400 * (1 - (seed + 1) / len(sizes)))):
            name = f"conversation-{seed:06}"
            dedup.ingest(export(seed, size), name=f"{name}.txt", conversation_id=name, keep=False)
    dedup.store.condense()


def into_database(folder: str, dsn: str) -> None:
    """All lines of a store, in a database."""
    from deduplication.storage import open_store

    source: Any = open_store("default", folder)
    target: Any = open_store("postgresql", "", dsn)
    with source.transaction(write=False), target.transaction():
        for _ in target.load(line.data for line in source.lines()):
            pass
    target.database.close()


# -- what is measured ------------------------------------------------------------------------------------------------


def panels(folder: str, backend: str, dsn: str | None, more: Callable[[], object]) -> list[tuple[str, list[float]]]:
    """Seconds that each panel takes to be gathered, at first and after a capture: on the clock, and of the processor."""
    from deduplication.dashboard.figures import Figures
    from deduplication.dashboard.sources import sources
    from deduplication.dashboard.subject import subject_of

    figures = Figures(subject_of(folder, backend, dsn))
    made = sources(figures)
    rows: dict[str, list[float]] = {}
    for _ in range(2):
        for name, work in (("figures of all panels", figures.stored), *((each.title, each.gather) for each in made)):
            began, busy = time.perf_counter(), time.thread_time()
            work()
            rows.setdefault(name, []).extend((time.perf_counter() - began, time.thread_time() - busy))
        more()
        time.sleep(0.6)  # a version is believed for half a second
    return list(rows.items())


class Server:
    """A dashboard in a process of its own."""

    def __init__(self, folder: str, backend: str, dsn: str | None) -> None:
        environment = {**os.environ, **({"EXPORT_DEDUP_DATABASE_URL": dsn} if dsn else {})}
        script = [sys.executable, str(REPOSITORY / "scripts" / "deduplicate_export.py"), "dashboard", "--json"]
        words = ["--port", "0", "--storage-dir", folder, "--backend", backend]
        began = time.perf_counter()
        self.process = subprocess.Popen([*script, *words], stdout=subprocess.PIPE, env=environment)
        assert self.process.stdout is not None
        self.url = json.loads(self.process.stdout.readline())["url"]
        self.port = int(self.url.split(":")[2].split("/")[0])
        self.token = self.url.partition("token=")[2]
        self.begun = time.perf_counter() - began

    def close(self) -> None:
        """End it."""
        self.process.terminate()
        self.process.wait()

    def reader(self) -> Reader:
        """Somebody who has a cookie."""
        return Reader(self.port, self.token)


class Reader:
    """A browser without a screen: one connection that is kept, and the cookie."""

    def __init__(self, port: int, token: str) -> None:
        self._to = http.client.HTTPConnection("127.0.0.1", port, timeout=60)
        _, headers, _ = self.get(f"/?token={token}")
        self._cookie = headers["Set-Cookie"].partition(";")[0]

    _cookie = ""

    def get(self, path: str, **headers: str) -> tuple[int, Any, float]:
        """Status, headers and seconds of one request."""
        began = time.perf_counter()
        self._to.request("GET", path, headers={"Cookie": self._cookie, **headers} if self._cookie else headers)
        answer = self._to.getresponse()
        answer.read()
        return answer.status, answer.headers, time.perf_counter() - began


def processor(pid: int) -> float:
    """Seconds of the processor that a process has taken."""
    fields = Path(f"/proc/{pid}/stat").read_text(encoding="utf-8").rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def addresses(server: Server) -> list[tuple[str, float, float, float]]:
    """Median and longest seconds of each address, and those of the server's processor."""
    reader = server.reader()
    rows = []
    for path, what in ADDRESSES:
        times, before = [], processor(server.process.pid)
        for _ in range(10):
            status, _, seconds = reader.get(path)
            assert status == 200, (path, status)
            times.append(seconds)
            time.sleep(0.2 if path.startswith("/search") else 0.02)
        taken = (processor(server.process.pid) - before) / len(times)
        rows.append((what, statistics.median(times), max(times), taken))
    return rows


def first_paint(server: Server) -> float | None:
    """Seconds from the request of the page until something of it is painted; None without a Chromium."""
    import browser

    if browser.executable() is None:
        return None
    script = "performance.getEntriesByName('first-contentful-paint').map(each => each.startTime)[0] || 0"
    with browser.Browser() as page:
        found = []
        page.send("Page.navigate", url=server.url)
        for _ in range(5):
            time.sleep(2)
            found.append(page.evaluate(script))
            page.send("Page.reload", ignoreCache=True)
        return statistics.median(each for each in found if each) / 1000


def readers(server: Server, seconds: float) -> tuple[int, list[float], list[str]]:
    """How many requests 50 readers made for so long, the seconds of each, and what went wrong."""
    until = time.monotonic() + seconds
    times: list[float] = []
    wrong: list[str] = []

    def read(number: int) -> None:
        try:
            reader, tag = server.reader(), ""
            time.sleep(POLL * number / READERS)
            for turn in range(1_000_000):
                path = "/" if turn % 10 == 9 else "/search?q=tide+lantern" if turn % 15 == 14 else "/panels?since=0"
                polls = path.startswith("/panels")
                status, headers, took = reader.get(path, **({"If-None-Match": tag} if tag and polls else {}))
                times.append(took)
                if status not in (200, 304):
                    wrong.append(f"{path}: {status}")
                tag = headers.get("ETag", tag) if polls else tag
                if time.monotonic() + POLL > until:
                    return
                time.sleep(POLL)
        except (OSError, http.client.HTTPException) as error:
            wrong.append(repr(error))

    threads = [threading.Thread(target=read, args=(number,)) for number in range(READERS)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return len(times), times, wrong


class Captures:
    """Turns that are captured, one after the other, by a process that does nothing else."""

    def __init__(self, folder: str, backend: str, dsn: str | None, transcript: Path) -> None:
        self._asked = [folder, backend, dsn or "", str(transcript)]

    def for_seconds(self, seconds: float) -> list[list[float]]:
        """How long each took, on the clock and of the processor."""
        command = [sys.executable, __file__, "--capture", json.dumps([*self._asked, seconds])]
        done = subprocess.run(command, check=True, stdout=subprocess.PIPE)
        return list(json.loads(done.stdout))

    def one(self) -> None:
        """One turn."""
        self.for_seconds(0)


def capture(folder: str, backend: str, dsn: str, transcript: str, seconds: float) -> list[tuple[float, float]]:
    """Write a turn and capture it, five times a second: seconds on the clock and of the processor of each."""
    from deduplication import ClaudeConversationDeduplicator
    from deduplication.ingest.transcript_capture import capture_file
    from transcript_lines import answer, call, prompt, result

    path, times = Path(transcript), []
    path.parent.mkdir(parents=True, exist_ok=True)
    dedup = ClaudeConversationDeduplicator(folder, backend, dsn or None)
    until = time.monotonic() + seconds
    while not times or time.monotonic() < until:
        name = f"{time.time_ns()}"
        with path.open("ab") as file:
            for line in (prompt(f"look at {name}"), call("Bash", name, command="ls"), result(f"a b {name}", name)):
                file.write(line)
            file.write(answer(f"there is {name}"))
        began, busy = time.perf_counter(), time.process_time()
        capture_file(dedup, path)
        times.append((time.perf_counter() - began, time.process_time() - busy))
        time.sleep(0.2 if seconds else 0)
    return times


# -- the tables --------------------------------------------------------------------------------------------------------


@contextlib.contextmanager
def stores(base: Path, count: int, backends: list[str]) -> Iterator[Iterator[tuple[str, str, str | None]]]:
    """Each kind of store: its folder, its kind, its database."""
    with contextlib.ExitStack() as stack:

        def each() -> Iterator[tuple[str, str, str | None]]:
            for backend in backends:
                kept = base / f"{count}-{'json' if backend == 'json' else 'default'}"
                if not kept.exists():
                    build(str(kept), count, "json" if backend == "json" else "default")
                folder = Path(stack.enter_context(tempfile.TemporaryDirectory(dir=base))) / "state"
                dsn = None
                if backend == "postgresql":
                    import postgres_server

                    server = stack.enter_context(postgres_server.Server())
                    dsn = server.dsn(server.new_database())
                    into_database(str(kept), dsn)
                    folder.mkdir()
                else:
                    shutil.copytree(kept, folder)
                yield str(folder), backend, dsn

        yield each()


def measure(folder: str, backend: str, dsn: str | None, seconds: float, base: Path) -> list[str]:
    """Print what one kind of store came to; what is beyond a limit."""
    captures = Captures(
        folder, backend, dsn, base / f"{backend}-{time.time_ns()}" / f"{'1' * 8}-2222-4333-8444-{'5' * 12}.jsonl"
    )
    missed = []
    captures.one()
    print(
        f"\n{backend}: a panel gathered, in ms (of the processor)\n\n| panel | at first | after a capture |\n|---|--:|--:|"
    )
    for name, (first, first_busy, later, busy) in panels(folder, backend, dsn, captures.one):
        print(f"| {name} | {1000 * first:,.0f} ({1000 * first_busy:,.0f}) | {1000 * later:,.0f} ({1000 * busy:,.0f}) |")
        missed += [f"{backend}: {name} takes {later:.2f} s"] if later > PANEL else []
    server = Server(folder, backend, dsn)
    try:
        time.sleep(3)
        print(f"\n{backend}: an answer, in ms\n\n| address | median | longest | of the processor |\n|---|--:|--:|--:|")
        print(f"| from the command to the first address | {1000 * server.begun:,.0f} | | |")
        for name, median, longest, busy in addresses(server):
            print(f"| {name} | {1000 * median:,.0f} | {1000 * longest:,.0f} | {1000 * busy:,.0f} |")
            missed += [f"{backend}: {name} takes {median:.2f} s"] if median > PANEL else []
        paint = first_paint(server)
        print(f"| first paint in a browser | {'not measured' if paint is None else f'{1000 * paint:,.0f}'} | | |")
        missed += [f"{backend}: painted after {paint:.2f} s"] if paint is not None and paint > PAINT else []
        alone = captures.for_seconds(seconds / 2)
        found: list[Any] = []
        thread = threading.Thread(target=lambda: found.append(readers(server, seconds)))
        thread.start()
        time.sleep(1)
        beside = captures.for_seconds(seconds - 4)
        thread.join()
    finally:
        server.close()
    count, times, wrong = found[0]
    times.sort()
    (clock, busy), (clock_alone, busy_alone) = (map(statistics.mean, zip(*each)) for each in (beside, alone))
    ratio = clock / clock_alone
    print(f"\n{backend}: {READERS} readers for {seconds:.0f} s: {count:,} answers, {len(wrong)} errors, ", end="")
    print(f"p50 {1000 * times[len(times) // 2]:.0f} ms, p95 {1000 * times[len(times) * 95 // 100]:.0f} ms; ", end="")
    print(
        f"{len(alone)} captures without them {1000 * clock_alone:.1f} ms ({1000 * busy_alone:.1f} of the processor), ",
        end="",
    )
    print(f"{len(beside)} beside them {1000 * clock:.1f} ms ({1000 * busy:.1f}): {ratio:.2f} times", flush=True)
    missed += [f"{backend}: {wrong[:3]}"] if wrong else []
    missed += [f"{backend}: captures take {ratio:.2f} times as long"] if ratio > SLOWER else []
    return missed


def main() -> int:
    """Print the tables."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--messages", type=int, default=20_000)
    parser.add_argument("--backends", default="default,json,postgresql")
    parser.add_argument("--seconds", type=float, default=60)
    parser.add_argument("--state", type=Path)
    parser.add_argument("--strict", action="store_true")
    parser.add_argument("--build", action="store_true", help="build what is missing in --state, and end")
    parser.add_argument("--capture", type=json.loads, help=argparse.SUPPRESS)
    asked = parser.parse_args()
    if asked.capture is not None:
        print(json.dumps(capture(*asked.capture)))
        return 0
    with tempfile.TemporaryDirectory() as temporary:
        base = asked.state or Path(temporary)
        base.mkdir(parents=True, exist_ok=True)
        os.environ.update(HOME=temporary, XDG_CONFIG_HOME=str(Path(temporary) / "config"))
        missed: list[str] = []
        if asked.build:
            build(str(base / f"{asked.messages}-default"), asked.messages, "default")
            return 0
        print(f"{asked.messages:,} messages; Python {sys.version.split()[0]}")
        with stores(base, asked.messages, asked.backends.split(",")) as each:
            for folder, backend, dsn in each:
                missed += measure(folder, backend, dsn, asked.seconds, base)
    print("\n" + "\n".join(f"beyond its limit: {each}" for each in missed) if missed else "\nevery limit is kept")
    return 1 if missed and asked.strict else 0


if __name__ == "__main__":
    sys.exit(main())
