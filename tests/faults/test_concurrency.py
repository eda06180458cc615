"""Many processes at once: as if they had run one after the other (I7)."""

from __future__ import annotations

import json
import os
import random
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from archive_scenes import archived
from deduplication.archive import drop_folder, pack_files
from deduplication.archive import restore as restoring
from deduplication.commands import export_dedup
from deduplication.errors import StoreLocked
from deduplication.files.locking import exclusive
from deduplication.project.paths import Project
from deduplication.storage.log_store import LogStore
from deduplication.workflow import shared_run, steps
from exports import Story, kept
from faults import reader
from faults.children import end, run, start
from faults.scenes import LOG, dedup

pytestmark = pytest.mark.faults


def ingest(folder, file, name):
    """A job that stores one export."""
    return lambda: vars(dedup(folder).ingest(file.data, name=file.name, conversation_id=name))["new"]


def together(jobs):
    """Run all jobs at once; the sum of what they return."""
    outcomes = [end(*child) for child in [start(job) for job in jobs]]
    assert [outcome.trace or outcome.error for outcome in outcomes] == [""] * len(jobs)
    return sum(outcome.value for outcome in outcomes)


def serial(folder, work):
    """The same work, one after the other: what is new in all, and every conversation."""
    new = sum(ingest(folder, file, name)() for file, name in work)
    return new, {name: kept(dedup(folder).get_full_conversation(name)) for name in dedup(folder).conversations()}


def agrees(folder, expected):
    """The store says what the serial one says, and the log agrees."""
    assert {name: kept(dedup(folder).get_full_conversation(name)) for name in dedup(folder).conversations()} == expected
    assert dedup(folder).store.verify() == []
    log = reader.read(reader.whole(folder))
    assert (log.problems, log.unfinished) == ([], 0)
    assert {name: sorted(rows) for name, rows in log.all().items()} == {n: sorted(rows) for n, rows in expected.items()}
    return log


@pytest.mark.parametrize("many", [8])
def test_the_same_conversation_by_many_processes_at_once_is_stored_once(disk, many, full):
    """Eight processes store cumulative exports of one conversation: nothing is lost, nothing twice, numbers add up."""
    story = Story(11, exchanges=16)
    files = story.exports(2)
    assert len(files) == many
    for turn in range(40 if full else 3):
        folder = disk / f"state-{turn}"
        new = together([ingest(folder, file, "one") for file in files])
        expected_new, expected = serial(disk / f"serial-{turn}", [(file, "one") for file in files])
        assert expected["one"] == story.truth()
        assert new == expected_new
        assert len(agrees(folder, expected).exports) == many


def test_different_conversations_by_many_processes_at_once(disk, full):
    """Eight processes with eight conversations: each is whole, and their bodies are counted once."""
    stories = [Story(20 + n, exchanges=4) for n in range(8)]
    for turn in range(40 if full else 3):
        folder = disk / f"state-{turn}"
        work = [(story.exports(4)[0], f"c{n}") for n, story in enumerate(stories)]
        new = together([ingest(folder, file, name) for file, name in work])
        expected_new, expected = serial(disk / f"serial-{turn}", work)
        assert expected == {f"c{n}": story.truth() for n, story in enumerate(stories)}
        assert new == expected_new == dedup(folder).global_unique_count()
        agrees(folder, expected)


def test_kills_among_many_writers_cost_only_the_killed(disk, full):
    """Of eight processes at once some are killed: the others complete, and the killed ones' exports can be run again."""
    chance = random.Random(3)
    story = Story(12, exchanges=16)
    files = story.exports(2)
    killed = 0
    for turn in range(60 if full else 200):
        if killed and turn >= 6 and not full:
            break  # on a fast machine a few rounds may end before anybody is killed
        folder = disk / f"state-{turn}"
        children = [(start(ingest(folder, file, "one")), file) for file in files]
        time.sleep(chance.uniform(0.0, 0.08))
        for (pid, _), _ in chance.sample(children, 3):
            os.kill(pid, signal.SIGKILL)
        again = []
        for child, file in children:
            outcome = end(*child)
            assert outcome.trace == outcome.error == ""
            if outcome.signal:
                killed += 1
                again.append(file)
        for file in again:
            ingest(folder, file, "one")()
        agrees(folder, {"one": story.truth()})
    assert killed


def test_thirty_two_writers_with_kills_among_them(disk, full):
    """Thirty-two processes on four conversations, eight of them killed: nobody waits in vain, and it is as if in turns."""
    chance = random.Random(32)
    stories = [Story(40 + n, exchanges=8) for n in range(4)]
    work = [(file, f"c{n}") for n, story in enumerate(stories) for file in story.exports(1)]
    assert len(work) == 32
    expected = {f"c{n}": story.truth() for n, story in enumerate(stories)}
    began, turn = time.monotonic(), 0
    while turn < 1 or (full and time.monotonic() - began < 600):
        folder = disk / f"state-{turn}"
        children = [(start(ingest(folder, *each)), each) for each in work]
        time.sleep(chance.uniform(0.0, 0.3))
        for (pid, _), _ in chance.sample(children, 8):
            os.kill(pid, signal.SIGKILL)
        outcomes = [(end(*child), each) for child, each in children]
        assert [outcome.trace or outcome.error for outcome, _ in outcomes] == [""] * 32
        for outcome, each in outcomes:
            if outcome.signal:
                ingest(folder, *each)()
        agrees(folder, expected)
        turn += 1
    print(f"{turn} rounds of 32")


def test_readers_beside_a_writer_see_whole_runs_only(disk):
    """While one process stores export after export, others read: each answer is the conversation after some run."""
    story = Story(13, exchanges=16)
    files = story.exports(2)
    states = [[], *(story.truth(0, file.end) for file in files)]
    folder = disk / "state"

    def write():
        for file in files:
            ingest(folder, file, "one")()

    def read():
        seen = 0
        while seen < len(files):
            got = kept(dedup(folder).get_full_conversation("one"))
            assert got in states[seen:], "a reader saw a part of a run, or went back in time"
            seen = states.index(got)

    outcomes = [end(*child) for child in [start(write), start(read), start(read)]]
    assert [outcome.trace for outcome in outcomes] == [""] * 3


@pytest.mark.parametrize("named", [False, True], ids=["found", "named"])
@pytest.mark.parametrize("moment", ["before it is read", "before it is archived", "before it is archived, and packed"])
def test_an_export_that_another_run_takes_meanwhile_costs_nothing(disk, backend, monkeypatch, named, moment):
    """A whole run, which does not wait for this one, goes by while it stands still: both end well, everything is there once."""
    project = Project((disk / "project").resolve())
    project.exports.mkdir(parents=True)
    story = Story(16, exchanges=4)
    file = story.exports(4)[0]
    (project.exports / file.name).write_bytes(file.data)
    arguments = [
        "--project",
        str(project.root),
        "--session-id",
        "one",
        "--yes",
        "--no-checkpoint",
        "--backend",
        backend,
    ]
    arguments += [str(project.exports / file.name)] * named

    def other():
        monkeypatch.undo()
        monkeypatch.setenv("EXPORT_DEDUP_FAULTS_BACKEND", backend)

        def job():
            shared_run._may_share = lambda *_: False
            return export_dedup.main(arguments), "packed" in moment and pack_files.pack(project, 0)

        outcome = run(lambda: job()[0])
        assert (outcome.trace, outcome.value) == ("", 0)

    if moment == "before it is read":
        real = steps.process
        monkeypatch.setattr(steps, "process", lambda *given: (other(), real(*given))[1])
    else:
        opened = drop_folder.opened
        monkeypatch.setattr(drop_folder, "opened", lambda given: (other(), opened(given))[1])
    assert export_dedup.main(arguments) == 0
    agrees(project.state, {"one": story.truth(0, file.end)})
    with restoring.opened(project) as shelf:
        assert [(entry.name, entry.size) for entry in shelf.all()] == [(file.name, len(file.data))]
    assert list(project.exports.iterdir()) == []


def test_a_named_export_that_is_gone_and_in_no_archive_is_a_failure(disk, backend, monkeypatch):
    """Somebody deleted it: that is said, and the run has failed."""
    project = Project((disk / "project").resolve())
    project.exports.mkdir(parents=True)
    export = project.exports / "2026-03-07-EXPORT-X.txt"
    export.write_bytes(Story(17, exchanges=2).exports(2)[0].data)
    real = steps.process
    monkeypatch.setattr(steps, "process", lambda *given: (export.unlink(), real(*given))[1])
    arguments = ["--project", str(project.root), "--yes", "--no-checkpoint", "--backend", backend, str(export)]
    assert export_dedup.main(arguments) == 1


@pytest.mark.parametrize("many", [2, 8])
def test_runs_at_once_on_one_waiting_export_all_end_well(disk, backend, many):
    """One of them processes it; a hook's sweep among them makes no difference."""
    project = Project((disk / "project").resolve())
    project.exports.mkdir(parents=True)
    story = Story(18, exchanges=12)
    file = story.exports(12)[0]
    (project.exports / file.name).write_bytes(file.data)
    arguments = [
        "--project",
        str(project.root),
        "--session-id",
        "one",
        "--yes",
        "--no-checkpoint",
        "--backend",
        backend,
    ]
    event = json.dumps({"session_id": "none", "cwd": str(project.root), "hook_event_name": "Stop"}).encode()
    script = Path(export_dedup.__file__).parents[2] / "export-dedup.py"
    hook = Path(export_dedup.__file__).parents[3] / "hooks" / "run.py"
    runs = [
        subprocess.Popen([sys.executable, str(script), *arguments], stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
        for _ in range(many)
    ]
    done = subprocess.run([sys.executable, str(hook), "Stop"], input=event, capture_output=True, check=False)
    said = [(each.communicate()[0].decode(), each.returncode) for each in runs]
    assert (done.returncode, [code for _, code in said]) == (0, [0] * many), [text for text, code in said if code]
    store = dedup(project.state)
    assert [kept(store.get_full_conversation(name)) for name in store.conversations()] == [story.truth(0, file.end)]
    assert [*archived(project).values()] == [file.data]


def test_waiting_for_another_run_is_bounded_and_named(disk, backend):
    """A store that another process holds for good: the run gives up after its time with StoreLocked, and changes nothing."""
    folder = disk / "state"
    ingest(folder, Story(14, exchanges=2).exports(2)[0], "one")()
    before = (folder / LOG).read_bytes()
    with exclusive(str(folder / ".lock")):

        def job():
            store = dedup(folder)
            store.store = LogStore(str(folder), plain=backend == "json", timeout=0.1)
            store.ingest(Story(15, exchanges=2).exports(2)[0].data, name="x")

        outcome = run(job)
    assert outcome.error.startswith("StoreLocked")
    assert (folder / LOG).read_bytes() == before
    with pytest.raises(StoreLocked), exclusive(str(folder / ".lock")):
        run(lambda: None)
        with LogStore(str(folder), plain=backend == "json", timeout=0.05).transaction():
            pass
