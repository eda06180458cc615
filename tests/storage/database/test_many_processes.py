"""Many processes on one database, and processes, sessions and servers that are killed: as if the runs were done one by one."""

from __future__ import annotations

import os
import random
import signal
import subprocess
import sys
import time

import pytest

import postgres_server
from deduplication.ingest.deduplicator import ClaudeConversationDeduplicator
from exports import Story, kept
from faults.children import end, start
from store_backends import DATABASES, FULL, Stores, require_server

pytestmark = [pytest.mark.faults, pytest.mark.unmeasured]

BACKEND = next(iter(DATABASES))
TIMES = 20 if FULL else 8
"""Moments at which something is killed in the middle of an import."""
STORY = Story(31, exchanges=10)
FILES = STORY.exports(5)


@pytest.fixture
def stores(request, tmp_path):
    """Empty stores."""
    with Stores(request, tmp_path) as stores:
        yield stores


def opened(url):
    """A store as a process of its own opens it."""
    return ClaudeConversationDeduplicator("nowhere", "postgresql", url)


def ingest(url, file, name):
    """A job that stores one export; how many messages were new."""
    return lambda: opened(url).ingest(file.data, name=file.name, conversation_id=name).new


def agrees(url, folder, work, new):
    """The store says what one says into which the same was stored one after the other, in whatever order."""
    serial = ClaudeConversationDeduplicator(folder / "serial", "json")
    expected = sum(serial.ingest(file.data, name=file.name, conversation_id=name).new for file, name in work)
    dedup = opened(url)
    assert dedup.store.verify() == []
    read = {name: kept(dedup.get_full_conversation(name)) for name in sorted(dedup.conversations())}
    assert read == {name: kept(serial.get_full_conversation(name)) for name in sorted(serial.conversations())}
    announced = dedup.store.announced()
    assert (dedup.global_unique_count(), announced) == (serial.global_unique_count(), serial.store.announced())
    assert new in (expected, None)
    assert announced.announced == expected
    assert dedup.store.store_figures() == serial.store.store_figures()
    dedup.store.database.close()


def on_four(exchanges=8):
    """Sixteen exports of four conversations, shuffled."""
    work = [
        (file, f"c{number}")
        for number in range(4)
        for file in Story(40 + number, exchanges=exchanges).exports(exchanges // 4)
    ]
    assert len(work) == 16
    random.Random(4).shuffle(work)
    return work


def on_one():
    """Thirty-two exports of one conversation, shuffled."""
    work = [(file, "one") for file in Story(50, exchanges=32).exports(1)]
    assert len(work) == 32
    random.Random(1).shuffle(work)
    return work


@pytest.mark.parametrize("work", [on_four, on_one], ids=["16 on 4", "32 on 1"])
@pytest.mark.parametrize("backend", DATABASES)
def test_many_at_once_are_as_if_one_after_the_other(stores, tmp_path, backend, work):
    """Sixteen processes on four conversations, and thirty-two on one: nothing is lost, nothing doubled, the sums are right."""
    work, url = work(), stores.url(backend)
    outcomes = [end(*child) for child in [start(ingest(url, *each)) for each in work]]
    assert [outcome.trace or outcome.error for outcome in outcomes] == [""] * len(work)
    agrees(url, tmp_path, work, sum(outcome.value for outcome in outcomes))


@pytest.mark.parametrize("work", [on_four, *([on_one] if FULL else [])])
def test_the_commands_at_once(stores, tmp_path, repository, work):
    """The same by the command, each a process from its beginning to its end, and none of them says anything odd."""
    work, url = work(), stores.url(BACKEND)
    running = []
    for number, (file, name) in enumerate(work):
        folder = tmp_path / str(number)
        folder.mkdir()
        (folder / file.name).write_bytes(file.data)
        command = [sys.executable, str(repository / "scripts" / "deduplicate_export.py"), str(folder / file.name)]
        more = ["--session-id", name, "--backend", "postgresql", "--json", "--project", str(folder)]
        environment = {**os.environ, "EXPORT_DEDUP_DATABASE_URL": url}
        running.append(
            subprocess.Popen(
                [*command, *more], env=environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
            )
        )
    for each in running:
        _, said = each.communicate()
        assert (each.returncode, said) == (0, "")
    agrees(url, tmp_path, work, None)


def moments(action, times):
    """So many moments within the time that an import takes, and a little after it."""
    began = time.monotonic()
    action()
    took = time.monotonic() - began
    return [1.1 * took * (number + random.Random(number).random()) / times for number in range(times)]


def half(url, place):
    """A store with all exports but the last one."""
    for file in FILES[:-1]:
        assert end(*start(ingest(url(place), file, "s"))).error == ""


def exports(url):
    """How many are stored; nothing is wrong."""
    dedup = opened(url)
    assert dedup.store.verify() == []
    with dedup.store.transaction(write=False):
        found = dedup.store.store_figures().exports
    dedup.store.database.close()
    return found


def completes(url, folder):
    """The next run stores what is missing, once, and everything agrees."""
    end(*start(ingest(url, FILES[-1], "s")))
    dedup = opened(url)
    assert kept(dedup.get_full_conversation("s")) == STORY.truth()
    assert dedup.global_unique_count() == dedup.store.announced().announced
    assert dedup.store.verify() == []
    dedup.store.database.close()


def test_a_process_that_is_killed_leaves_nothing_half_stored(stores, tmp_path):
    """At twenty moments of an import: all of the run is there or nothing of it, and the next run completes it."""

    def url(place):
        return stores.url(BACKEND, f"{place}")

    half(url, "measured")
    killed = stored = 0
    for number, moment in enumerate(moments(lambda: end(*start(ingest(url("measured"), FILES[-1], "s"))), TIMES)):
        half(url, number)
        child = start(ingest(url(number), FILES[-1], "s"))
        time.sleep(moment)
        os.kill(child[0], signal.SIGKILL)
        killed += bool(end(*child).signal)
        found = exports(url(number))
        stored += found == len(FILES)
        assert found in (len(FILES) - 1, len(FILES))
        completes(url(number), tmp_path)
    assert killed
    assert stored < TIMES


def test_a_session_that_is_ended_costs_nothing(stores, tmp_path):
    """The server's process for a run is ended at twenty moments: the run connects again, and stores everything once."""
    server, database = stores.server(BACKEND)

    def url(place):
        return stores.url(BACKEND, f"{place}")

    half(url, "measured")
    for number, moment in enumerate(moments(lambda: end(*start(ingest(url("measured"), FILES[-1], "s"))), TIMES)):
        half(url, number)
        owner = url(number).partition("user=")[2].split()[0]
        child = start(ingest(url(number), FILES[-1], "s"))
        time.sleep(moment)
        ended = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE usename = %s AND datname = %s"
        server.execute(ended, [owner, database])
        outcome = end(*child)
        assert outcome.trace == outcome.error == ""
        assert outcome.value > 0
        completes(url(number), tmp_path)


@pytest.mark.slow
@pytest.mark.parametrize("backend", list(DATABASES) if FULL else [BACKEND])
def test_a_server_that_is_killed_keeps_what_it_acknowledged(tmp_path, backend):
    """SIGKILL to all of the server in an import: the run waits for it, or says by name what happened; nothing is half stored."""
    require_server(backend)
    (installation,) = [each for each in postgres_server.installations() if str(each.major) == DATABASES[backend]]
    with postgres_server.Server(installation, durable=True) as server:
        databases = {}

        def url(place):
            if place not in databases:
                databases[place] = server.dsn(server.new_database())
            return databases[place]

        half(url, "measured")
        waits = 0
        for number, moment in enumerate(
            moments(lambda: end(*start(ingest(url("measured"), FILES[-1], "s"))), TIMES if FULL else 4)
        ):
            half(url, number)
            child = start(ingest(url(number), FILES[-1], "s"))
            time.sleep(moment)
            server.kill()
            server.start()
            outcome = end(*child)
            assert outcome.trace == ""
            waits += not outcome.error
            assert exports(url(number)) in {len(FILES), len(FILES) - bool(outcome.error)}, outcome
            completes(url(number), tmp_path)
        assert waits
