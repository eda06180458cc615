"""Many processes on one database, and processes, sessions and servers that are killed: as if the runs were done one by one."""

from __future__ import annotations

import contextlib
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
from import_scenes import Import, ingest, opened
from store_backends import DATABASES, Stores, require_server
from thorough import THOROUGH

pytestmark = [pytest.mark.faults, pytest.mark.unmeasured]

BACKEND = next(iter(DATABASES))
TIMES = 20 if THOROUGH else 8
"""Moments at which something is killed in the middle of an import."""


@pytest.fixture
def stores(request, tmp_path):
    """Empty stores."""
    with Stores(request, tmp_path) as stores:
        yield stores


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


@pytest.mark.parametrize("work", [on_four, *([on_one] if THOROUGH else [])])
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


def test_a_process_that_is_killed_leaves_nothing_half_stored(stores):
    """At any moment of an import: all of the run is there or nothing of it, and the next run completes it."""
    killed, stored = 0, []
    last = Import()
    for number, moment in enumerate(last.moments(stores.url(BACKEND, "measured"), TIMES)):
        url = stores.url(BACKEND, f"{number}")
        last.half(url)
        child = start(last.last(url))
        time.sleep(moment)
        os.kill(child[0], signal.SIGKILL)
        killed += bool(end(*child).signal)
        stored.append(last.is_whole(url))
        last.completes(url)
    assert killed
    assert not all(stored)


def test_a_session_that_is_ended_costs_nothing(stores):
    """The server's process for a run is ended at any moment: the run connects again, and stores everything once."""
    server, database = stores.server(BACKEND)

    @contextlib.contextmanager
    def ended(url):
        owner = url.partition("user=")[2].split()[0]
        sessions = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE usename = %s AND datname = %s"
        server.execute(sessions, [owner, database])
        yield

    assert Import().hit(lambda place: stores.url(BACKEND, f"{place}"), TIMES, ended) == [""] * (TIMES + 1)


@pytest.mark.slow
@pytest.mark.parametrize("backend", list(DATABASES) if THOROUGH else [BACKEND])
def test_a_server_that_is_killed_keeps_what_it_acknowledged(backend):
    """SIGKILL to all of the server in an import: the run waits for it, or says by name what happened; nothing is half stored."""
    require_server(backend)
    (installation,) = [each for each in postgres_server.installations() if str(each.major) == DATABASES[backend]]
    with postgres_server.Server(installation, durable=True) as server:

        @contextlib.contextmanager
        def killed(_url):
            server.kill()
            server.start()
            yield

        ends = Import().hit(lambda _place: server.dsn(server.new_database()), TIMES if THOROUGH else 4, killed)
    assert "" in ends
