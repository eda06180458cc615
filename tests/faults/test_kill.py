"""kill -9: at random moments, and before and in the middle of every system call that changes something."""

from __future__ import annotations

import os
import random
import shutil
import signal
import time

import pytest

import archive_reader
from deduplication.commands import export_dedup
from exports import kept
from faults import reader
from faults.children import Shim, end, run, start
from faults.scenes import FILES, LOG, NAME, NEW, STORY, Scene, dedup, indexes, truth

pytestmark = pytest.mark.faults


def killed_at(job, at, action="kill"):
    """Run ``job`` in a child that is killed at its ``at``-th call; how it ended."""

    def shimmed():
        Shim(at, action).install()
        return job()

    return run(shimmed)


def every_call(job, reset, judge, calls, *, least, actions=("kill", "torn")):
    """Kill ``job`` at each of its calls in turn, or at every third one, and judge what is left."""
    for action in actions:
        for at in calls(4):
            reset()
            outcome = killed_at(job, at, action)
            assert (outcome.error, outcome.trace) == ("", ""), f"call {at}"
            judge()
            if not outcome.signal:
                break
        assert at > least, "the shim does not see the calls"


@pytest.mark.parametrize("done", [0, 1, 2], ids=["the first run", "the second run", "after a compaction"])
def test_a_run_killed_before_or_within_any_system_call_leaves_a_store_that_opens_and_completes(disk, done, calls):
    """I6: whatever call of an import is its last, earlier runs are whole and the same import afterwards is right."""
    scene = Scene(disk / "state", done + (done == 2))
    every_call(scene.job, scene.reset, scene.recovers, calls, least=10)


def test_a_recovery_that_is_killed_itself_is_taken_up_again(disk, calls):
    """A torn tail and no indexes: the run that repairs this may be killed at any of its calls as well."""
    scene = Scene(disk / "state", 2)

    def reset():
        scene.reset()
        with open(scene.folder / LOG, "ab") as log:
            log.write(b'{"conversation_id":"workshop","index":99,"timest')
        (scene.folder / indexes()[0]).unlink()
        (scene.folder / indexes()[-1]).unlink()

    every_call(scene.job, reset, scene.recovers, calls, least=15, actions=("kill",))


def test_a_rebuild_that_is_killed_loses_nothing(disk, calls):
    """Killed at any call, a rebuild that heals a line leaves the damaged log or the healed one, and can be run again."""
    scene = Scene(disk / "state", 2)
    sound = (scene.template / LOG).read_bytes()
    bad = bytearray(sound)
    bad[len(bad) // 2] ^= 4

    def reset():
        scene.reset()
        (scene.folder / LOG).write_bytes(bad)
        (scene.folder / indexes()[0]).unlink()

    def judge():
        assert (scene.folder / LOG).read_bytes() in (bytes(bad), sound)
        dedup(scene.folder).store.rebuild()
        assert (scene.folder / LOG).read_bytes() == sound
        scene.recovers()

    every_call(lambda: dedup(scene.folder).store.rebuild() and None, reset, judge, calls, least=10)


def test_a_command_killed_at_any_call_has_the_export_in_its_place_or_in_the_archive(disk, backend, calls):
    """The whole command: the bytes of an export exist under one name at least, and the next command completes the job."""
    project = disk / "project"
    memory = project / "MEMORY-CONTEXT"
    file = FILES[0]
    arguments = [
        "--project",
        str(project),
        "--session-id",
        NAME,
        "--yes",
        "--no-checkpoint",
        "--json",
        "--backend",
        backend,
    ]

    def command():
        null = os.open(os.devnull, os.O_WRONLY)
        os.dup2(null, 1)
        return export_dedup.main(arguments)

    def reset():
        shutil.rmtree(project, ignore_errors=True)
        (memory / "exports").mkdir(parents=True)
        (memory / "exports" / file.name).write_bytes(file.data)

    def copies(folder):
        plain = [p.read_bytes() for p in folder.glob("2026*") if p.is_file()] if folder.is_dir() else []
        return [*plain, *archive_reader.read(folder / "packs").values()].count(file.data)

    def judge():
        place, archive = copies(memory / "exports"), copies(memory / "exports-archive")
        assert place or archive
        if archive and not place:
            assert reader.read(reader.whole(memory / "dedup_state")).conversation(NAME) == truth(1)
        assert run(command).value == 0
        assert copies(memory / "exports") == 0
        assert copies(memory / "exports-archive") in (
            1,
            2,
        )  # plain beside its pack: the next run that packs takes it away
        store = dedup(memory / "dedup_state")
        assert kept(store.get_full_conversation(NAME)) == truth(1)
        assert store.store.verify() == []

    every_call(command, reset, judge, calls, least=15, actions=("kill",))


def test_kills_at_random_moments_lose_nothing(disk, full):
    """Processes are killed at moments drawn over a run's length, one after another on one store: 0 runs lost."""
    chance = random.Random(20251117)
    rounds = 10_000 if full else 200
    folder = disk / "state"
    kills = at = epoch = 0
    length = 0.05
    while kills < rounds:
        file = FILES[at]

        def job(file=file):
            return dedup(folder).ingest(file.data, name=file.name, conversation_id=NAME).new

        pid, reading = start(job)
        began = time.monotonic()
        time.sleep(chance.uniform(0, length))
        os.kill(pid, signal.SIGKILL)
        outcome = end(pid, reading)
        assert outcome.trace == outcome.error == ""
        kills += outcome.signal == signal.SIGKILL
        if not outcome.signal:
            length = max(0.002, min(length, time.monotonic() - began))
            assert outcome.value in (0, NEW[at])  # 0: a killed run before it had become durable
        log = reader.read(reader.whole(folder))
        complete = at + (file.sha in log.exports)
        assert [problem for problem in log.problems if not problem.endswith("is damaged")] == []
        assert log.conversation(NAME) == truth(complete)
        store = dedup(folder)
        assert kept(store.get_full_conversation(NAME)) == truth(complete)
        if kills % 10 == 0:
            store.ingest(file.data, name=file.name, conversation_id=NAME)
            assert store.store.verify() == []
            assert kept(store.get_full_conversation(NAME)) == truth(at + 1)
            at += 1
        elif complete > at:
            at += 1
        if at == len(FILES):
            assert kept(dedup(folder).get_full_conversation(NAME)) == STORY.truth()
            shutil.rmtree(folder)
            at, epoch = 0, epoch + 1
    assert epoch > rounds // 100
