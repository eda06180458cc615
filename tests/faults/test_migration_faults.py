"""A migration stopped anywhere: what is in the target is whole, and the same command goes on where it was."""

from __future__ import annotations

import os
import random
import shutil
import signal
import time

import pytest

from deduplication.ingest.deduplicator import ClaudeConversationDeduplicator
from deduplication.storage.database import loading
from faults.children import Shim, end, run, start
from full_store import FullStore, numbered
from migration_scenes import DATABASES, files_of, full, lines_of, moved, stores
from thorough import THOROUGH

__all__ = ["full", "stores"]
pytestmark = pytest.mark.faults
DATABASE = next(iter(DATABASES))
KILLS = 20 if THOROUGH else 5
"""At random moments, of each kind and backend."""


@pytest.fixture(scope="module")
def origin(tmp_path_factory):
    """A small store with images, and its lines."""
    folder = tmp_path_factory.mktemp("origin")
    found = FullStore(folder / "state", folder / "client")
    found.pictures()
    found.dedup.ingest(numbered("a", range(4)), name="a.json", conversation_id="a")
    return found


@pytest.fixture
def small_parts(monkeypatch):
    """Many transactions instead of one."""
    monkeypatch.setattr(loading, "_AT_ONCE", 2_000)
    monkeypatch.setattr(loading, "_PIECE", 20)


def is_beginning(target, lines):
    """Whether whole runs of a log are there, and nothing else; what a killed one began is put aside when it is opened."""
    with target.store.transaction():
        found = [line.data for line in target.store.lines()]
    return found == lines[: len(found)] and (not found or b'"window":' in found[-1])


@pytest.mark.parametrize("action", ["kill", "torn"])
def test_killed_before_or_within_any_call_it_goes_on(disk, origin, backend, calls, action):
    """Into a folder: runs are there or not, an image before the line that refers to it; the second time all is there."""
    lines, folder = lines_of(origin.dedup.store), disk / "target"

    def migrated():
        return moved(origin.dedup, ClaudeConversationDeduplicator(folder, backend))

    def job():
        Shim(at, action).install()
        return migrated().copied.size

    before = files_of(origin.folder)
    for at in calls(9):
        shutil.rmtree(folder, ignore_errors=True)
        outcome = run(job)
        assert (outcome.error, outcome.trace) == ("", ""), f"call {at}"
        assert is_beginning(ClaudeConversationDeduplicator(folder, backend), lines), f"call {at}"
        migrated()
        assert lines_of(ClaudeConversationDeduplicator(folder, backend).store) == lines
        if not outcome.signal:
            break
    assert at > 20, "the shim does not see the calls"
    assert files_of(origin.folder) == before


def killed_again_and_again(job, drawn, longest, looked_at):
    """Begin a job in a child and kill it at random moments until so many were killed and one came to its end."""
    killed = 0
    while True:
        pid, reading = start(job)
        if killed < KILLS:
            time.sleep(drawn.uniform(0.01, longest))
            os.kill(pid, signal.SIGKILL)
        outcome = end(pid, reading)
        assert (outcome.error, outcome.trace) == ("", "")
        looked_at()
        killed += bool(outcome.signal)
        if not outcome.signal:
            return outcome.value


@pytest.mark.usefixtures("small_parts")
def test_into_a_database_it_goes_on_after_each_kill(stores, full, backend):
    """Whole runs are there after each, and in the end all of them, proven; what was there is not taken again."""
    drawn, lines, reached = random.Random(backend), lines_of(full.dedup.store), [0]

    def looked_at():
        goal = stores.opened(DATABASE)
        assert is_beginning(goal, lines)
        size = sum(map(len, lines_of(goal.store)))
        assert size >= reached[-1]
        reached.append(size)
        stores.close()

    def job():
        return moved(full.dedup, stores.opened(DATABASE)).copied

    stores.url(DATABASE)  # the same one for all of them
    before = files_of(full.folder)
    copied = killed_again_and_again(job, drawn, 0.8, looked_at)
    assert copied.before == reached[-2]
    assert len(set(reached)) > 2
    assert stores.opened(DATABASE).store.verify() == []
    assert files_of(full.folder) == before


def test_out_of_a_database_it_goes_on_after_each_kill(stores, full, backend, disk):
    """The same into a folder of each kind."""
    drawn, lines = random.Random(backend), lines_of(full.dedup.store)
    moved(full.dedup, stores.opened(DATABASE))
    stores.close()

    def target():
        return ClaudeConversationDeduplicator(disk / "target", backend)

    def job():
        return moved(stores.opened(DATABASE), target()).copied

    killed_again_and_again(job, drawn, 0.8, lambda: is_beginning(target(), lines))
    assert lines_of(target().store) == lines
    assert target().store.verify() == []


@pytest.mark.usefixtures("small_parts")
def test_a_server_that_is_killed_costs_a_wait_or_a_named_error(stores, full, backend):
    """It comes back: the migration goes on by itself, or when it is run again."""
    drawn, lines = random.Random(backend), lines_of(full.dedup.store)
    server, _ = stores.server(DATABASE)
    stores.url(DATABASE)
    for _ in range(KILLS):
        pid, reading = start(lambda: moved(full.dedup, stores.opened(DATABASE)).copied.size)
        time.sleep(drawn.uniform(0.05, 0.6))
        server.kill()
        server.start()
        outcome = end(pid, reading)
        assert (outcome.signal, outcome.trace) == (0, "")
        assert not outcome.error or outcome.error.startswith(("Database", "StoreChanged"))
        assert is_beginning(stores.opened(DATABASE), lines)
        stores.close()
    moved(full.dedup, stores.opened(DATABASE))
    assert lines_of(stores.opened(DATABASE).store) == lines
    assert stores.opened(DATABASE).store.verify() == []
