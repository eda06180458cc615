"""Sealing the log: killed, refused and damaged, no line of it is lost, and none is read twice."""

from __future__ import annotations

import contextlib
import errno
import os
import random
import shutil

import pytest

from deduplication.errors import StoreDamaged
from deduplication.storage import indexed_log, settle
from deduplication.storage.log import log_pack, sealed
from exports import Story, kept
from faults import reader, test_concurrency, test_disk, test_kill
from faults.scenes import NAME, NEW, STORY, Scene, dedup, indexes, truth

pytestmark = pytest.mark.faults


@pytest.fixture(params=["default"], autouse=True)
def backend(request, monkeypatch):
    """Nothing is sealed in a store of plain files."""
    monkeypatch.setenv("EXPORT_DEDUP_FAULTS_BACKEND", request.param)
    return request.param


@pytest.fixture(autouse=True)
def small(monkeypatch):
    """The open part is sealed after each run, in blocks of a few lines, a few blocks to a file."""
    monkeypatch.setattr(indexed_log, "OPEN", 600)
    monkeypatch.setattr(settle, "_SOON", 0)  # nothing is archived in a moment
    monkeypatch.setattr(log_pack, "BLOCK", 1500)
    monkeypatch.setattr(log_pack, "TOGETHER", 3500)
    monkeypatch.setattr(sealed, "MOST", 5000)


def files(folder):
    """The sealed files."""
    return sorted(folder.glob("sealed/*.pack"))


@pytest.mark.parametrize("done", [0, 1, 3], ids=["the first run", "the second run", "the last run"])
def test_a_run_that_seals_may_be_killed_at_any_call(disk, done, calls):
    """I6: before, within and after each call of sealing the store opens with every completed run, once."""
    scene = Scene(disk / "state", done)
    assert not done or files(scene.template)
    test_kill.every_call(scene.job, scene.reset, scene.recovers, calls, least=20)


class Idle(Scene):
    """The job is to condense a store with three runs in it; afterwards there is nothing more in it than before."""

    def job(self):
        """What ``pack`` does with the store."""
        dedup(self.folder).store.condense()
        return {"new": 0, "total": 0}

    def recovers(self):
        """Every line is there, once, and a run goes on."""
        assert reader.read(reader.whole(self.folder)).conversation(NAME) == truth(self.done)
        assert kept(dedup(self.folder).get_full_conversation(NAME)) == truth(self.done)
        self.job()
        assert len({path.name[:25] for path in files(self.folder)}) == len(files(self.folder))
        again = dedup(self.folder).ingest(self.next.data, name=self.next.name, conversation_id=NAME)
        assert again.new == NEW[self.done]
        self.whole()


def test_condensing_may_be_killed_at_any_call(disk, calls):
    """I6: whatever call is the last one, every line is there once, and both files are not kept side by side for ever."""
    scene = Idle(disk / "state", 2)
    test_kill.every_call(scene.job, scene.reset, scene.recovers, calls, least=10)


@pytest.mark.parametrize("action", [errno.ENOSPC, errno.EIO, "short-then-full"], ids=str)
def test_condensing_that_is_refused_costs_nothing(disk, action, calls):
    """A full disk or an error at any call leaves every line where it was."""
    scene = Idle(disk / "state", 2)
    only = ("write",) if action == "short-then-full" else ()
    for at in calls(2 if only else 6):
        scene.reset()
        _, _, reached = test_disk.failing(scene, at, action, only=only)
        scene.recovers()
        if not reached:
            break
    assert at > 3


def test_runs_go_on_while_it_is_condensed(disk):
    """Eight processes add and condense at once: as if they had run one after the other."""
    story = Story(12, exchanges=16)
    work = story.exports(2)
    folder = disk / "state"
    jobs = [test_concurrency.ingest(folder, file, "one") for file in work]
    idle = [lambda: [dedup(folder).store.condense() for _ in range(6)] and 0 for _ in range(2)]
    test_concurrency.together([*jobs, *idle])
    test_concurrency.agrees(folder, {"one": story.truth()})


@pytest.mark.parametrize("action", [errno.ENOSPC, errno.EIO, "short-then-full"], ids=str)
def test_sealing_that_is_refused_costs_nothing(disk, action, calls):
    """A full disk or an error at any call: what was reported as stored is there, and read in its order."""
    scene = Scene(disk / "state", 1)
    only = ("write",) if action == "short-then-full" else ()
    for at in calls(2 if only else 6):
        scene.reset()
        value, _, reached = test_disk.failing(scene, at, action, only=only)
        assert scene.completed() == 2 or value is None
        assert kept(dedup(scene.folder).get_full_conversation(NAME)) == truth(scene.completed())
        scene.recovers()
        if not reached:
            break
    assert at > 5


def test_many_writers_seal_in_turns(disk):
    """Eight processes at once on one conversation, kills among them: as if they had run one after the other."""
    story = Story(11, exchanges=16)
    work = story.exports(2)
    folder = disk / "state"
    new = test_concurrency.together([test_concurrency.ingest(folder, file, "one") for file in work])
    assert new == test_concurrency.serial(disk / "serial", [(file, "one") for file in work])[0]
    assert files(folder)
    test_concurrency.agrees(folder, {"one": story.truth()})


def test_a_flipped_bit_in_a_sealed_file_is_named_and_turned_back(disk, full):
    """Never a wrong answer; verify names the file, rebuild gives its bytes back."""
    scene = Scene(disk / "state", 3)
    scene.reset()
    chance = random.Random("sealed")
    for path in files(scene.folder):
        sound = path.read_bytes()
        for bit in chance.sample(range(8 * len(sound)), 2_000 if full else 25):
            damaged = bytearray(sound)
            damaged[bit // 8] ^= 1 << bit % 8
            path.write_bytes(damaged)
            with contextlib.suppress(StoreDamaged):
                assert kept(dedup(scene.folder).get_full_conversation(NAME)) == truth(3)
            assert any(path.name in problem for problem in dedup(scene.folder).store.verify()), f"bit {bit}"
            problems = dedup(scene.folder).store.rebuild()
            assert any(path.name in problem and "set right" in problem for problem in problems)
            assert path.read_bytes() == sound
            assert dedup(scene.folder).store.verify() == []


@pytest.mark.parametrize("there", [True, False], ids=["with indexes", "without indexes"])
def test_a_sealed_file_beyond_repair_costs_its_own_messages(disk, there):
    """Verify says how much cannot be read, everything else is read in its place, and a run goes on after it."""
    scene = Scene(disk / "state", 3)
    scene.reset()
    path = files(scene.folder)[0]
    path.write_bytes(os.urandom(path.stat().st_size))
    if not there:
        for name in indexes():
            (scene.folder / name).unlink()
    with pytest.raises(StoreDamaged):
        dedup(scene.folder).get_full_conversation(NAME)
    assert any("sealed bytes cannot be read" in problem for problem in dedup(scene.folder).store.verify())
    dedup(scene.folder).store.rebuild()
    got = kept(dedup(scene.folder).get_full_conversation(NAME))
    assert [row for row in got if row[1] != "lost"]
    assert [row for row in got if row[1] != "lost" and row not in truth(3)] == []
    result = scene.job()
    assert result["total"] > 0
    assert [row for row in STORY.truth()[-5:] if row not in kept(dedup(scene.folder).get_full_conversation(NAME))] == []


def test_the_sealed_part_can_be_read_by_anybody(disk):
    """Sealed files in the order of their names, then the open part: the log, line by line."""
    scene = Scene(disk / "state", 3)
    scene.reset()
    whole = reader.whole(scene.folder)
    log = reader.read(whole)
    assert (log.problems, log.unfinished) == ([], 0)
    assert log.conversation(NAME) == truth(3)
    assert len(files(scene.folder)) > 1
    names = [path.name for path in files(scene.folder)]
    assert [name[13:25] for name in names[:-1]] == [name[:12] for name in names[1:]]


def test_what_was_sealed_and_not_taken_away_is_read_once(disk, monkeypatch):
    """Between both steps the same lines stand in two places: a reader sees them once, the next writer clears up."""
    scene = Scene(disk / "state", 2)
    scene.reset()
    with monkeypatch.context() as patch:
        patch.setattr(indexed_log.Log, "_drop", lambda *_: os._exit(9))
        pid = os.fork()
        if not pid:
            scene.job()
        os.waitpid(pid, 0)
    assert reader.opened(scene.folder)[0] < len(reader.reader_of("storage").sealed(scene.folder))
    copy = disk / "copy"
    shutil.copytree(scene.folder, copy)
    assert kept(dedup(scene.folder).get_full_conversation(NAME)) == truth(3)
    assert {p.name: p.read_bytes() for p in copy.rglob("*.pack")} == {
        p.name: p.read_bytes() for p in files(scene.folder)
    }
    assert dedup(scene.folder).ingest(scene.next.data, name="x", conversation_id=NAME).new == 0
    assert reader.opened(scene.folder)[0] == len(reader.reader_of("storage").sealed(scene.folder))
    assert NEW[2]
    scene.whole()
