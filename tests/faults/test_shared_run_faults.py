"""Runs that one does for all, and that one killed at any call: nobody is left out, nothing is announced or committed twice."""

from __future__ import annotations

import errno
import io
import json
import os
import shutil
import signal
import sys
import time

import pytest

from deduplication.commands import export_dedup
from deduplication.files import locking
from deduplication.ingest.deduplicator import ClaudeConversationDeduplicator
from deduplication.titles.slug import short
from deduplication.workflow import other_runs, shared_run
from deduplication.workflow.checkpoint_step import CheckpointStep
from deduplication.workflow.options import Options
from deduplication.workflow.other_runs import OtherRuns
from exports import Story, kept
from faults.children import Shim, end, run, start
from scratch_repository import Scratch

pytestmark = [
    pytest.mark.faults,
    pytest.mark.skipif(not locking.SHARED, reason="without shared locks nobody works for another"),
]
NAMES = ("one", "two", "three")
TRAILER = "Export-Dedup-Session: "


@pytest.fixture(autouse=True)
def once(backend):
    """The index plays no part in a checkpoint: one backend is enough."""
    if backend != "json":
        pytest.skip("a checkpoint does not depend on the index")


class Scene:
    """A repository in which three exports wait, each of a conversation of its own."""

    def __init__(self, folder):
        self.scratch = Scratch(folder / "project", new=False)
        self._template = folder / "template"
        made = Scratch(self._template)
        made.commit("README.md", "# Tides\n")
        made.write("a.txt", "staged\n")
        made.git("add", "a.txt")
        self.stories = {name: Story(number, exchanges=3) for number, name in enumerate(NAMES, 60)}
        self.exports = {name: story.exports(3)[0] for name, story in self.stories.items()}
        for name in NAMES:
            made.write(f"{name}.txt", self.exports[name].data)
        self.reset()
        self.waiting = self.scratch.project.state / "waiting"

    def reset(self):
        """Begin again."""
        shutil.rmtree(self.scratch.top, ignore_errors=True)
        shutil.copytree(self._template, self.scratch.top)

    def job(self, name, *more):
        """The command with one export; its exit code and what it said."""
        sys.stdout = sys.stderr = out = io.StringIO()
        top = str(self.scratch.top)
        code = export_dedup.main([f"{top}/{name}.txt", "--session-id", name, "--yes", "--project", top, *more])
        return code, out.getvalue()

    def wishes(self):
        """How many runs wait."""
        return len(list(self.waiting.glob("*.wish")))

    def sessions(self):
        """The conversations that commits tell of, each as often as they do."""
        text = self.scratch.git("log", "--format=%B")
        return sorted(line[len(TRAILER) :] for line in text.splitlines() if line.startswith(TRAILER))

    def next_one(self):
        """A run of another export, later."""
        self.scratch.write("four.txt", Story(70, exchanges=2).exports(2)[0].data)
        assert run(lambda: self.job("four")).value[0] == 0

    def is_right(self, *, without=(), stored=NAMES):
        """Everything is stored; each run that ended by itself is in one commit, with its session file; nothing is left over."""
        told = self.sessions()
        assert len(set(told)) == len(told), "a run is in two checkpoints"
        assert set(NAMES) - set(without) <= set(told)
        dedup = ClaudeConversationDeduplicator(self.scratch.project.state)
        for name in stored:
            assert kept(dedup.get_full_conversation(name)) == self.stories[name].truth(0, self.exports[name].end)
        files = set(self.scratch.git("ls-tree", "-r", "--name-only", "HEAD", "MEMORY-CONTEXT/sessions/").split("\n"))
        assert {short(name) for name in told} <= {file[-11:-3] for file in files}
        assert list(self.waiting.iterdir()) == []
        assert not (self.scratch.project.state / "checkpoint.pending").exists()
        assert [line for line in self.scratch.status() if "MEMORY-CONTEXT/checkpoints" in line] == []
        assert self.scratch.git("diff", "--cached", "--name-only") == "a.txt"


@pytest.fixture
def scene(disk):
    """What is interrupted."""
    return Scene(disk)


def until(condition):
    """Wait for something that has to come."""
    deadline = time.monotonic() + 60
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.005)


def patient(scene, others=2):
    """In a child: whoever has the turn waits until so many others wait for it."""
    OtherRuns._is_somebody_coming = lambda _runs: scene.wishes() < others
    other_runs.IDLE = other_runs.MOST_SECONDS = 60.0


def together(scene, shim, *, late=False):
    """One run has the turn until the two others wait; from then on, ``late`` from its checkpoint on, ``shim`` watches it."""

    def first():
        place, name = (CheckpointStep, "run") if late else (OtherRuns, "_take")
        real = getattr(place, name)
        installed = []

        def watched(self, *arguments):
            if not installed:
                installed.append(shim.install())
            return real(self, *arguments)

        setattr(place, name, watched)
        patient(scene)
        code, text = scene.job("one")
        return code, text, installed[0].count

    children = [start(first)]
    until(lambda: locking.is_held(str(scene.scratch.project.state / "turn.lock")))
    children += [start(lambda name=name: scene.job(name)) for name in NAMES[1:]]
    return [end(*child) for child in children]


def is_told(scene, name, text):
    """What a run says is what it would have said alone: its own export, its own counts, its session file."""
    count = len(scene.stories[name].truth(0, scene.exports[name].end))
    assert f"  Total messages: {count}\n  New unique: " in text
    assert "  Duplicates filtered: " in text
    assert f"-{short(name)}.md\n" in text
    steps = [text.count(f"Step {number}") for number in (1, 2, 3, 4)]
    assert (steps, text.count("Export and deduplication complete")) == ([1, 1, 1, 1], 1)
    assert f"{name}.txt" in text
    assert not any(f"{other}.txt" in text for other in set(NAMES) - {name})
    return int(text.partition("  New unique: ")[2].partition("\n")[0])


def test_waiting_runs_are_done_by_one(scene):
    """Three runs are stored, archived and committed by one of them; each says what it would have said alone, with that commit."""
    outcomes = together(scene, Shim(0, "kill"))
    assert [outcome.trace for outcome in outcomes] == [""] * 3
    head = scene.scratch.git("rev-parse", "HEAD")
    for name, outcome in zip(NAMES, outcomes):
        code, text = outcome.value[:2]
        assert code == 0
        assert f"Committed: {head[:10]}" in text
        assert "Packed: 1 file" in text
        assert is_told(scene, name, text) > 0
    assert sum(is_told(scene, *each) for each in zip(NAMES, (outcome.value[1] for outcome in outcomes))) == unique(
        scene
    )
    assert scene.scratch.git("rev-list", "--count", "HEAD") == "2"
    assert scene.sessions() == sorted(NAMES)
    (document,) = scene.scratch.project.checkpoints.iterdir()
    text = document.read_text(encoding="utf-8")
    assert all(f"`{name}.txt`" in text for name in NAMES)
    total = sum(len(scene.stories[name].truth(0, scene.exports[name].end)) for name in NAMES)
    assert f"- Total messages: {total}\n" in text
    assert len(list((scene.scratch.project.archive / "packs").glob("*.pack"))) == 1
    scene.is_right()


def unique(scene):
    """Different messages in the store."""
    return ClaudeConversationDeduplicator(scene.scratch.project.state).global_unique_count()


def test_one_that_is_on_its_way_is_waited_for(scene):
    """Whoever has the turn sees that another run has begun and is not so far yet: they make one commit."""

    def first():
        other_runs.IDLE = 60.0
        return scene.job("one")

    def second():
        enter = shared_run._enter
        stored = (scene.scratch.project.state / "conversation_log.jsonl").exists  # by the first one, in its turn

        def slowly(project, turn, held, wish):
            with locking.present(str(project.state / locking.RUNS)):
                until(stored)
            enter(project, turn, held, wish)

        shared_run._enter = slowly
        return scene.job("two")

    scene.scratch.project.state.mkdir(parents=True, mode=0o700)
    other = start(second)
    until(lambda: locking.is_held(str(scene.scratch.project.state / locking.RUNS)))
    child = start(first)
    assert (end(*child).value[0], end(*other).value[0]) == (0, 0)
    assert scene.sessions() == ["one", "two"]


def test_one_that_does_not_come_is_not_waited_for_without_end(scene):
    """Whoever has begun and stands still does not keep the others: after a while without anybody they go on."""

    def first():
        other_runs.IDLE = 0.05
        return scene.job("one")

    def stays():
        with locking.present(str(scene.scratch.project.state / locking.RUNS)):
            time.sleep(600)

    pid, reading = start(stays)
    until(lambda: locking.is_held(str(scene.scratch.project.state / locking.RUNS)))
    assert run(first).value[0] == 0
    assert locking.is_held(str(scene.scratch.project.state / locking.RUNS))
    os.kill(pid, signal.SIGKILL)
    end(pid, reading)
    assert scene.sessions() == ["one"]


@pytest.mark.parametrize("late", [False, True], ids=["from the first one taken on", "in the checkpoint"])
@pytest.mark.parametrize("action", ["kill", "torn"])
def test_the_one_at_work_is_killed(scene, action, late, calls):
    """Killed at any call while it works for others: they end well, each in one checkpoint, and each message is announced once."""
    for at in calls((7 if action == "kill" else 17) if late else 31):
        scene.reset()
        outcomes = together(scene, Shim(at, action), late=late)
        assert [outcome.trace for outcome in outcomes] == [""] * 3, f"call {at}"
        assert [outcome.value[0] for outcome in outcomes[1:]] == [0, 0], f"call {at}: {outcomes[1].value[1]}"
        killed = outcomes[0].signal == signal.SIGKILL
        announced = sum(is_told(scene, name, outcome.value[1]) for name, outcome in zip(NAMES[1:], outcomes[1:]))
        alone = sum(len(set(scene.stories[name].truth(0, scene.exports[name].end))) for name in NAMES[1:])
        assert announced <= alone
        if (
            scene.scratch.project.state / "checkpoint.pending"
        ).exists():  # killed when all were told: the next one settles it
            scene.next_one()
        scene.is_right(without=("one",) if killed else ())
        if not killed and outcomes[0].value[2] < at:
            assert at > 20
            return
    raise AssertionError("no end")


@pytest.mark.parametrize("action", [errno.ENOSPC, errno.EACCES])
def test_a_call_of_the_one_at_work_fails(scene, action, calls):
    """What fails, fails for it; the others end as they would have alone."""
    for at in calls(31):
        scene.reset()
        outcomes = together(scene, Shim(at, action))
        assert [outcome.trace for outcome in outcomes] == [""] * 3, f"call {at}"
        assert outcomes[0].error or outcomes[0].value[2] < at or outcomes[0].value[0] in (0, 1)
        told = scene.sessions()
        assert len(set(told)) == len(told)
        dedup = ClaudeConversationDeduplicator(scene.scratch.project.state)
        for name, outcome in zip(NAMES[1:], outcomes[1:]):
            if outcome.value is not None and outcome.value[0] == 0:
                assert kept(dedup.get_full_conversation(name)) == scene.stories[name].truth(0, scene.exports[name].end)
            else:
                assert "ERROR" in outcome.value[1], f"call {at}"
        if not outcomes[0].error and outcomes[0].value[2] < at:
            assert at > 20
            return
    raise AssertionError("no end")


@pytest.mark.parametrize("moment", ["waiting", "answered"])
def test_one_that_waits_is_killed(scene, moment):
    """Before it is looked at, its export stays where it is; behind that all of it is done. The others do not wait for it."""

    def first():
        patient(scene)
        return scene.job("one")

    children = [start(first)]
    until(lambda: locking.is_held(str(scene.scratch.project.state / "turn.lock")))
    pid, reading = start(lambda: scene.job("two"))
    until(lambda: scene.wishes() == 1)
    os.kill(pid, signal.SIGSTOP if moment == "answered" else signal.SIGKILL)
    if moment == "waiting":
        assert end(pid, reading).signal == signal.SIGKILL
        scene.waiting.joinpath("1-1.wish").touch()  # in the place of the one that is gone, for ``first``
    children.append(start(lambda: scene.job("three")))
    assert [end(*child).value[0] for child in children] == [0, 0]
    if moment == "answered":
        assert len(list(scene.waiting.glob("*.answer"))) == 1
        os.kill(pid, signal.SIGKILL)
        assert end(pid, reading).signal == signal.SIGKILL
        scene.next_one()
    elif (scene.scratch.top / "two.txt").exists():
        assert run(lambda: scene.job("two")).value[0] == 0
    scene.is_right()


def test_one_that_stands_still_is_not_waited_for_without_end(scene, monkeypatch):
    """Whoever has the turn and shows no sign of life: those who wait do their work themselves, without a turn."""
    monkeypatch.setattr(shared_run, "PATIENCE", 0.2)

    def stays():
        with shared_run.Turn(str(scene.scratch.project.state)).taken({}):
            time.sleep(600)

    scene.scratch.project.state.mkdir(parents=True, mode=0o700)
    pid, reading = start(stays)
    until(lambda: locking.is_held(str(scene.scratch.project.state / "turn.lock")))
    assert run(lambda: scene.job("one")).value[0] == 0
    assert locking.is_held(str(scene.scratch.project.state / "turn.lock"))
    os.kill(pid, signal.SIGKILL)
    end(pid, reading)
    scene.is_right(without=("two", "three"), stored=("one",))


def wishing(scene, wish):
    """A wish of somebody who waits, beside a run of ``two``; what that one left in the folder of those who wait."""
    scene.waiting.mkdir(parents=True, exist_ok=True, mode=0o700)
    scene.scratch.project.state.chmod(0o700)
    held = locking.attempt(str(scene.waiting / "1-1.wish"))
    (scene.waiting / "1-1.wish").write_text(json.dumps(wish), encoding="utf-8")
    assert run(lambda: scene.job("two")).value[0] == 0
    found = sorted(path.name for path in scene.waiting.iterdir())
    os.close(held)
    return found


def common(scene):
    """What a run of :meth:`Scene.job` has in common with others."""
    return shared_run._common(Options(session_files="session"), (None, None))


@pytest.mark.parametrize(
    "change",
    [
        {"common": "other"},
        {"common": None},
        {"paths": "one.txt"},
        {"paths": ["one.txt"]},
        {"paths": [1]},
        {"paths": ["/tmp/\0"]},
        {"session_id": 1},
        {"began": None},
        {"began": "now"},
    ],
)
def test_what_a_wish_says_is_not_believed(scene, change):
    """Of other options or another environment, or of another form: it is left to itself, and costs nobody anything."""
    wish = {"common": common(scene), "paths": [f"{scene.scratch.top}/one.txt"], "session_id": "one", "began": 0.0}
    assert wishing(scene, {**wish, **change}) == ["1-1.wish"]
    assert scene.sessions() == ["two"]
    assert (scene.scratch.top / "one.txt").exists()


@pytest.mark.parametrize("began", [0.0, -1e308, 1e308, float("nan"), float("inf")])
def test_a_wish_is_granted_whatever_its_clock_says(scene, began):
    """The same wish as it should be is granted: its export is stored, archived and committed, and it is answered."""
    wish = {"common": common(scene), "paths": [f"{scene.scratch.top}/one.txt"], "session_id": "one", "began": began}
    assert wishing(scene, wish) == ["1-1.answer", "1-1.begun", "1-1.wish"]
    assert scene.sessions() == ["one", "two"]
    assert not (scene.scratch.top / "one.txt").exists()


@pytest.mark.parametrize(
    "paths",
    [
        ["{top}/gone.txt"],
        ["{top}"],
        ["{top}/README.md"],
        ["/etc/passwd"],
        ["{top}/link.txt"],
        ["{top}/MEMORY-CONTEXT/dedup_state/conversation_log.jsonl"],
        ["{top}/one.txt"] * 3,
        ["{top}/one.txt", "{top}/gone.txt"],
    ],
)
def test_no_export_of_another_costs_the_one_at_work_anything(scene, paths):
    """What is no export fails for the run that names it, with its exit code and its words; the others know nothing of it."""
    os.symlink("/etc/passwd", scene.scratch.top / "link.txt")
    wish = {"common": common(scene), "paths": [path.format(top=scene.scratch.top) for path in paths]}
    assert "1-1.answer" in wishing(scene, {**wish, "session_id": None, "began": 0.0})
    assert "two" in scene.sessions()
    assert not (scene.scratch.top / "two.txt").exists()
    assert (scene.scratch.top / "link.txt").is_symlink()


def test_each_is_told_its_own_end(scene):
    """One that fails ends with 1 and its error, one that waits for a second look at the same export has nothing new."""
    scene.scratch.write("bad.txt", b"no export at all, only words\n" * 40)

    def first():
        patient(scene, 3)
        return scene.job("one")

    children = [start(first)]
    until(lambda: locking.is_held(str(scene.scratch.project.state / "turn.lock")))
    for name, wishes in (("two", 1), ("two", 2), ("bad", 3)):
        children.append(start(lambda name=name: scene.job(name, "--json") if name == "bad" else scene.job(name)))
        until(lambda wishes=wishes: scene.wishes() == wishes)
    (one, two, again, bad) = [end(*child).value for child in children]
    assert [each[0] for each in (one, two, again, bad)] == [0, 0, 0, 1]
    assert is_told(scene, "two", two[1]) > 0
    assert is_told(scene, "two", again[1]) == 0
    said = json.loads(bad[1].partition("\n")[0])
    assert said["exports"][0]["error"].startswith("This file is not a conversation export")
    assert "ERROR: This file is not a conversation export" in bad[1].partition("\n")[2]
    assert (scene.scratch.top / "bad.txt").exists()
    scene.is_right(without=("three",), stored=("one", "two"))


def test_what_is_wanted_differently_is_done_by_itself(scene):
    """Another title, no archive, no checkpoint, another environment: each run has its own turn, and nobody is refused."""

    def first():
        patient(scene)
        return scene.job("one")

    def third():
        os.environ["EXPORT_DEDUP_PRIVACY_LEVEL"] = "public"
        return scene.job("three")

    children = [start(first)]
    until(lambda: locking.is_held(str(scene.scratch.project.state / "turn.lock")))
    children += [start(lambda: scene.job("two", "--description", "Tides", "--no-archive")), start(third)]
    assert [end(*child).value[0] for child in children] == [0, 0, 0]
    assert scene.scratch.git("rev-list", "--count", "HEAD") == "4"
    assert (scene.scratch.top / "two.txt").exists()
    scene.is_right()


def test_one_run_takes_no_more_than_its_bounds(scene):
    """Those who wait longest are taken; the others have the turn next, and are all done."""

    def first():
        other_runs.MOST_RUNS = 1
        real = OtherRuns.take
        OtherRuns.take = lambda runs, besides: (until(lambda: scene.wishes() == 2), real(runs, besides))[1]
        return scene.job("one")

    children = [start(first)]
    until(lambda: locking.is_held(str(scene.scratch.project.state / "turn.lock")))
    children.append(start(lambda: scene.job("two")))
    until(lambda: scene.wishes() == 1)
    children.append(start(lambda: scene.job("three")))
    outcomes = [end(*child).value for child in children]
    assert [each[0] for each in outcomes] == [0, 0, 0]
    commits = [each[1].partition("Committed: ")[2][:10] for each in outcomes]
    assert commits[0] == commits[1] != commits[2]
    scene.is_right()
