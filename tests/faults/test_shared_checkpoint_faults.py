"""Runs that share a checkpoint, and the one that makes it killed at any call: nobody is left out, nobody is in two of them."""

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
from deduplication.workflow import checkpoint_step, five_steps
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

    def is_right(self, *, without=()):
        """Everything is stored; each run that ended by itself is in one commit, with its session file; nothing is left over."""
        told = self.sessions()
        assert len(set(told)) == len(told), "a run is in two checkpoints"
        assert set(NAMES) - set(without) <= set(told)
        dedup = ClaudeConversationDeduplicator(self.scratch.project.state)
        for name in NAMES:
            assert kept(dedup.get_full_conversation(name)) == self.stories[name].truth(0, self.exports[name].end)
        files = set(self.scratch.git("ls-tree", "-r", "--name-only", "HEAD", "MEMORY-CONTEXT/sessions/").split("\n"))
        assert {f"MEMORY-CONTEXT/sessions/{name}.md" for name in told} <= files
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


def together(scene, shim):
    """One run has the turn until the two others wait; from the making of the checkpoint on ``shim`` watches it."""

    def first():
        made = checkpoint_step.CheckpointStep._made
        installed = []

        def watched(step, *arguments):
            installed.append(shim.install())
            return made(step, *arguments)

        checkpoint_step.CheckpointStep._made = watched
        checkpoint_step.CheckpointStep._are_others_storing = lambda _step: scene.wishes() < 2
        checkpoint_step.IDLE = checkpoint_step.PATIENCE = 60.0
        code, text = scene.job("one")
        return code, text, installed[0].count

    children = [start(first)]
    until(lambda: locking.is_held(str(scene.scratch.project.state / "turn.lock")))
    children += [start(lambda name=name: scene.job(name)) for name in NAMES[1:]]
    return [end(*child) for child in children]


def test_waiting_runs_have_one_checkpoint(scene):
    """Three runs make one commit, which has all of them; each says what it would have said alone, with that commit."""
    outcomes = together(scene, Shim(0, "kill"))
    assert [outcome.trace for outcome in outcomes] == [""] * 3
    head = scene.scratch.git("rev-parse", "HEAD")
    for name, outcome in zip(NAMES, outcomes):
        assert outcome.value[0] == 0
        assert f"Session file: MEMORY-CONTEXT/sessions/{name}.md\n" in outcome.value[1]
        assert f"Committed: {head[:10]}" in outcome.value[1]
        assert outcome.value[1].count("Step 4") == outcome.value[1].count("Export and deduplication complete") == 1
    assert scene.scratch.git("rev-list", "--count", "HEAD") == "2"
    assert scene.sessions() == sorted(NAMES)
    (document,) = scene.scratch.project.checkpoints.iterdir()
    text = document.read_text(encoding="utf-8")
    assert all(f"`{name}.txt`" in text for name in NAMES)
    total = sum(len(scene.stories[name].truth(0, scene.exports[name].end)) for name in NAMES)
    assert f"- Total messages: {total}\n" in text
    scene.is_right()


def test_a_run_that_is_still_storing_is_waited_for(scene):
    """Whoever has the turn sees that another run is not so far yet: they make one commit."""

    def first():
        checkpoint_step.IDLE = checkpoint_step.PATIENCE = 60.0
        return scene.job("one")

    def second():
        store = five_steps._Run.deduplicate
        written = (scene.scratch.project.sessions / "one.md").exists  # by the first one, in its turn
        five_steps._Run.deduplicate = lambda steps: (until(written), store(steps))[1]
        return scene.job("two")

    other = start(second)
    until(lambda: locking.is_held(str(scene.scratch.project.state / locking.RUNS)))
    child = start(first)
    assert (end(*child).value[0], end(*other).value[0]) == (0, 0)
    assert scene.scratch.git("rev-list", "--count", "HEAD") == "2"
    assert scene.sessions() == ["one", "two"]


def test_a_run_that_does_not_come_is_not_waited_for_without_end(scene):
    """One that stores for a long time has a checkpoint of its own: after a while without anybody the others' is made."""

    def first():
        checkpoint_step.IDLE = 0.05
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


@pytest.mark.parametrize("action", ["kill", "torn"])
def test_the_one_that_makes_it_is_killed(scene, action, calls):
    """Killed at any call from the checkpoint's beginning to its own end: the others end well, each in one checkpoint."""
    for at in calls(7 if action == "kill" else 17):
        scene.reset()
        outcomes = together(scene, Shim(at, action))
        assert [outcome.trace for outcome in outcomes] == [""] * 3, f"call {at}"
        assert [outcome.value[0] for outcome in outcomes[1:]] == [0, 0], f"call {at}: {outcomes[1].value[1]}"
        killed = outcomes[0].signal == signal.SIGKILL
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
def test_a_call_of_the_one_that_makes_it_fails(scene, action, calls):
    """What fails, fails for it; the others end as they would have alone."""
    for at in calls(13):
        scene.reset()
        outcomes = together(scene, Shim(at, action))
        assert [outcome.trace for outcome in outcomes] == [""] * 3, f"call {at}"
        assert [outcome.value[0] for outcome in outcomes[1:]] == [0, 0], f"call {at}"
        told = scene.sessions()
        assert len(set(told)) == len(told)
        if outcomes[0].error:
            continue  # it was told so by name
        if outcomes[0].value[2] < at:
            assert at > 20
            return
    raise AssertionError("no end")


@pytest.mark.parametrize("moment", ["waiting", "answered"])
def test_one_that_waits_is_killed(scene, moment):
    """Its messages are stored and its export is archived; the others do not wait for it."""

    def first():
        checkpoint_step.CheckpointStep._are_others_storing = lambda _step: scene.wishes() < 2
        checkpoint_step.IDLE = checkpoint_step.PATIENCE = 60.0
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
    scene.is_right(without=() if moment == "answered" else ("two",))


@pytest.mark.parametrize(
    "change",
    [
        {"description": "Other"},
        {"session_files": "other"},
        {"under": "other"},
        {"sessions": "one"},
        {"sessions": [1]},
        {"sessions": ["nobody"]},
        {"sessions": ["../../outside"]},
        {"figures": []},
        {"figures": {"exports": 1}},
        {"figures": {"exports": [], "new_messages": float("inf")}},
        {"figures": {"exports": [{"total_messages": float("nan")}]}},
    ],
)
def test_what_a_wish_says_is_not_believed(scene, change):
    """Of another title, setting or environment, or of no known conversation: it is left to itself, and costs nobody anything."""
    assert run(lambda: scene.job("one")).value[0] == 0
    project = scene.scratch.project
    wanted = checkpoint_step.Wanted("Automated export and deduplication", "on", ["one"], {"exports": []})
    wish = {**wanted._asdict(), "under": checkpoint_step._circumstances(), **change}
    scene.waiting.mkdir(exist_ok=True)
    held = locking.attempt(str(scene.waiting / "1-1.wish"))
    (scene.waiting / "1-1.wish").write_text(json.dumps(wish), encoding="utf-8")
    assert run(lambda: scene.job("two")).value[0] == 0
    assert scene.sessions() == ["one", "two"]
    assert [path.name for path in scene.waiting.iterdir()] == ["1-1.wish"]
    assert not (project.root.parent / "outside.md").exists()
    os.close(held)
    assert run(lambda: scene.job("three")).value[0] == 0
    scene.is_right()
