"""An exchange is killed, its server is killed, its line is cut, its disk is full: the next one completes what is left, once."""

from __future__ import annotations

import contextlib
import errno
import itertools
import os
import random
import signal
import threading
import time

import pytest

import postgres_proxy
from deduplication.errors import DedupError
from exchange_scenes import Scene
from faults.children import Shim, end, run, start
from thorough import THOROUGH
from tmpfs import disk

pytestmark = [pytest.mark.faults, pytest.mark.slow, pytest.mark.unmeasured]
TIMES = 20 if THOROUGH else 4
STEP = 9 if THOROUGH else 31
"""Of so many calls one is where it ends: each kind and action begins at another of the first ones."""
KINDS = ("first", "send", "again", "receive", "purge")


@pytest.fixture(params=KINDS)
def kind(request):
    """What there is to be exchanged."""
    return request.param


@pytest.fixture
def scene(newest_postgres, tmp_path, kind):
    """A machine with that."""
    scene = Scene(newest_postgres, tmp_path, kind)
    yield scene
    newest_postgres.drop_database(scene.template)


def went_well(outcome):
    """Whether an exchange in a child ended by itself: well, or with an error that has a name."""
    assert outcome.trace == "", outcome.trace
    return not outcome.signal


def seconds_of(scene):
    """How long an exchange takes that nothing happens to."""
    machines = scene.copy()
    begun = time.monotonic()
    assert went_well(run(lambda: machines.exchange("a")))
    took = time.monotonic() - begun
    scene.remove(machines)
    return took


def test_an_exchange_that_is_killed_at_any_moment_is_completed_by_the_next_one(scene, kind):
    """SIGKILL to the process, at moments all over the time that it takes."""
    took, chance = seconds_of(scene), random.Random(kind)
    for number in range(TIMES):
        machines = scene.copy()
        child = start(lambda machines=machines: machines.exchange("a"))
        time.sleep(took * (number + chance.random()) / TIMES)
        with contextlib.suppress(ProcessLookupError):
            os.kill(child[0], signal.SIGKILL)
        went_well(end(*child))
        scene.judge(machines, kind)


@pytest.mark.parametrize("action", ["kill", "torn", errno.ENOSPC], ids=["killed", "torn", "no space"])
def test_an_exchange_that_ends_at_any_call_that_changes_a_file_is_completed_by_the_next_one(scene, kind, action):
    """Killed there, killed with half of it written, or refused: by its name then, and noted."""
    for at in itertools.count(random.Random(f"{kind} {action}").randrange(1, STEP), STEP):
        machines = scene.copy()

        def job(machines=machines, at=at):
            shim = Shim(at, action).install()
            with contextlib.suppress(DedupError):
                machines.exchange("a")
            return shim.count >= at

        outcome = run(job)
        ended = went_well(outcome)
        scene.judge(machines, kind)
        if ended and not outcome.value:
            break
    assert at > 30, "the shim does not see the calls"


@pytest.mark.parametrize("direction", [postgres_proxy.UP, postgres_proxy.DOWN])
def test_a_line_that_is_cut_anywhere_costs_nothing(scene, kind, direction):
    """After so many bytes, and for good: a named error, and the next exchange completes it."""
    with postgres_proxy.Proxy(scene.server.port) as proxy:
        port = f"port={scene.server.port}"

        def by_proxy(cut):
            machines = scene.copy()
            before, url = proxy.passed[direction], machines.url
            machines.url = url.replace(port, f"port={proxy.port}")
            if cut is not None:
                proxy.cut_after(cut, direction)
            outcome = run(lambda: machines.exchange("a"))
            machines.url = url
            assert went_well(outcome)
            return machines, proxy.passed[direction] - before

        machines, size = by_proxy(None)
        scene.remove(machines)
        for cut in random.Random(kind).sample(range(size), TIMES):
            machines, _ = by_proxy(cut)
            scene.judge(machines, kind)


def test_a_server_that_is_killed_at_any_moment_costs_nothing(scene, kind):
    """All of its processes at once; it is started again, sooner or later than the exchange gives up."""
    took, chance = seconds_of(scene), random.Random(kind)
    for number in range(TIMES):
        machines = scene.copy()
        child = start(lambda machines=machines: machines.exchange("a"))
        time.sleep(took * (number + chance.random()) / TIMES)
        scene.server.kill()
        later = threading.Timer(chance.random(), scene.server.start)
        later.start()
        assert went_well(end(*child))
        later.join()
        scene.judge(machines, kind)


def test_a_disk_without_room_is_named_and_costs_nothing(scene, kind):
    """The folder's disk is full; once there is room, the next exchange completes it."""
    refused = 0
    with disk("60m") as full:
        scene.copies = full.folder
        for number in range(TIMES // 4):
            machines = scene.copy()
            full.fill()
            with open(full.folder / "filler", "r+b") as filler:  # so much is left
                filler.truncate(max(filler.seek(0, os.SEEK_END) - number * 30_000, 0))
            outcome = run(lambda machines=machines: machines.exchange("a"))
            assert went_well(outcome)
            refused += bool(outcome.error)
            assert not outcome.error or outcome.error.startswith("StoreNotWritable"), outcome.error
            full.empty()
            scene.judge(machines, kind)
    assert refused or kind in ("first", "send")
