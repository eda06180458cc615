"""Backup and restore under faults: killed, refused, damaged, beside writers. No snapshot is lost, and none is wrong."""

from __future__ import annotations

import errno
import itertools
import os
import random
import shutil

import pytest

import backup_reader
from backup_scenes import DAY, FILES, LONG_AGO, NAME, STORY, dedup, ingest, made, objects, restore, take, truth
from deduplication.archive import pack_files
from deduplication.backup import checking
from deduplication.backup import folder as folders
from deduplication.errors import BackupDamaged, DedupError
from deduplication.files.locking import exclusive
from deduplication.project.paths import Project
from deduplication.storage import indexed_log
from deduplication.storage.log import log_pack, sealed
from exports import Story, kept
from faults import reader
from faults.children import Shim, end, run, start
from faults.test_kill import every_call

pytestmark = pytest.mark.faults


@pytest.fixture(autouse=True)
def small(monkeypatch):
    """The log is sealed after each run, and a part is some kilobytes: small stores have several of each."""
    monkeypatch.setattr(indexed_log, "OPEN", 3000)
    monkeypatch.setattr(log_pack, "BLOCK", 4000)
    monkeypatch.setattr(sealed, "MOST", 9000)
    for room in ("copying", "objects"):
        monkeypatch.setattr(f"deduplication.backup.{room}.PART", 4096)


def check(backup):
    """What ``--verify`` finds."""
    with folders.opened(str(backup)) as folder:
        return checking.check(folder)


class Taking:
    """A store with one run more than its backup, in which a snapshot is old; the job is to take the next one."""

    def __init__(self, disk, backend):
        self.project, self.backup = Project(disk / "project"), disk / "backup"
        made(self.project.root, backend)
        take(self.project, self.backup, LONG_AGO)
        (self.project.sessions / "x.md").write_bytes(b"x")
        take(self.project, self.backup, LONG_AGO + 29 * DAY)
        self.earlier = {path: backup_reader.read(self.backup, path) for path in backup_reader.snapshots(self.backup)}
        ingest(self.project, 2, backend)
        self.right = truth(self.project.memory)
        self._template = disk / "template"
        shutil.copytree(self.backup, self._template)

    def reset(self):
        """Begin again: two snapshots."""
        shutil.rmtree(self.backup)
        shutil.copytree(self._template, self.backup)

    def job(self):
        """What a child does; the first snapshot is old by then."""
        return take(self.project, self.backup, LONG_AGO + 31 * DAY).snapshot.number

    def whole(self):
        """Every snapshot that is there is whole, by a reader that is not ours; how many there are."""
        found = backup_reader.snapshots(self.backup)
        for path in found:
            files, folders_ = backup_reader.read(self.backup, path)
            if path in self.earlier:
                assert (files, folders_) == self.earlier[path]
            else:
                files.pop(".coditect/config.json", None)
                missing = self.right.items() - files.items()
                named = {name for name, _ in backup_reader.head(path)["problems"]}
                assert {name for name, _ in missing} <= named
                assert files.items() <= self.right.items()
        assert [int(path.name[:6]) for path in found] in ([1, 2], [1, 2, 3], [2, 3])
        return found

    def recovers(self):
        """Nothing is lost, and the same run again completes the work, with nothing left over."""
        self.whole()
        take(self.project, self.backup, LONG_AGO + 31 * DAY)
        assert check(self.backup).damaged == []
        needed = set()
        for path in backup_reader.snapshots(self.backup):
            with folders.opened(str(self.backup)) as folder:
                needed |= folder.find(path.name[:-6]).objects()
        assert {path.name for path in objects(self.backup)} == needed
        assert sorted(path.name for path in self.backup.iterdir()) == [
            ".gitignore",
            ".lock",
            "backup.json",
            "objects",
            "snapshots",
        ]


class Restoring:
    """A backup, and a project without a store, that has an empty folder; the job is to restore."""

    def __init__(self, disk, backend):
        source = made(disk / "source", backend)
        self.backup, self.project = disk / "backup", Project(disk / "project")
        take(source, self.backup)
        self.right = truth(source.memory)

    def reset(self):
        """Begin again."""
        shutil.rmtree(self.project.root, ignore_errors=True)
        self.project.exports.mkdir(parents=True)

    def job(self):
        """What a child does."""
        done = restore(self.backup, self.project)
        return done.files, done.problems

    def complete(self):
        """Nothing half done: the place has no file, or everything; whether it has."""
        found = truth(self.project.memory)
        assert found in ({}, self.right)
        return bool(found)

    def recovers(self):
        """Half of nothing is there, and the same again completes it, with nothing left over."""
        if not self.complete():
            assert restore(self.backup, self.project).problems == []
        assert truth(self.project.memory) == self.right
        assert dedup(self.project).store.verify() == []
        other = Project(self.project.root.parent / "other")
        shutil.rmtree(other.root, ignore_errors=True)
        assert check(self.backup).damaged == []


SCENES = [Taking, Restoring]


@pytest.fixture(params=SCENES, ids=["taking", "restoring"])
def scene(request, disk, backend):
    """Both directions."""
    made_ = request.param(disk, backend)
    made_.reset()
    return made_


def test_killed_at_any_system_call(scene, calls):
    """I6: whatever call is its last, earlier snapshots are whole, a place has all or nothing, and the next run completes it."""
    every_call(scene.job, scene.reset, scene.recovers, calls, least=25)


def test_a_first_backup_killed_at_any_system_call(disk, backend, calls):
    """Before the first snapshot is there is none; what was begun is taken up by the same command."""
    project, backup = made(disk / "project", backend), disk / "backup"

    def judge():
        for path in backup_reader.snapshots(backup):
            backup_reader.read(backup, path)
        if backup.exists():
            assert take(project, backup).snapshot.problems == ()
            assert check(backup).damaged == []
            assert not (backup / ".running").exists()

    def reset():
        shutil.rmtree(backup, ignore_errors=True)

    every_call(lambda: take(project, backup).snapshot.number, reset, judge, calls, least=25, actions=("kill",))


@pytest.mark.parametrize(
    ("action", "options"),
    [
        (errno.ENOSPC, {}),
        (errno.EIO, {}),
        (errno.EACCES, {}),
        (errno.EROFS, {"forever": True}),
        ("short", {"only": ("write",)}),
        ("short-then-full", {"only": ("write",)}),
        (errno.EIO, {"only": ("fsync",)}),
        (errno.EIO, {"only": ("fsync",), "forever": True}),
    ],
    ids=["ENOSPC", "EIO", "EACCES", "EROFS from then on", "short write", "then full", "fsync", "every fsync"],
)
def test_a_failing_system_call_is_a_named_error_or_no_harm(scene, action, options, calls):
    """Each call fails in turn: a named error, or a result that is right or says what it lacks; nothing is lost."""
    for at in calls(2 if "only" in options else 11):
        scene.reset()

        def job(at=at):
            shim = Shim(at, action, **options).install()
            try:
                if isinstance(scene, Taking):
                    return (
                        take(scene.project, scene.backup, LONG_AGO + 31 * DAY).snapshot.problems,
                        "",
                        shim.count >= at,
                    )
                return scene.job()[1], "", shim.count >= at
            except DedupError as error:
                return None, str(error), shim.count >= at

        outcome = run(job)
        assert (outcome.signal, outcome.trace) == (0, ""), outcome.trace
        problems, said, reached = outcome.value
        assert problems is not None or said
        if isinstance(scene, Restoring):
            assert scene.complete() == (problems is not None) or said
            if problems:
                # A read error while it was verified: said, and gone with it.
                dedup(scene.project).store.rebuild()
        elif problems is not None:
            # Where the disk did not give out a file of the store, the snapshot says so, and the good one before stays.
            newest = backup_reader.head(backup_reader.snapshots(scene.backup)[-1])
            assert newest["problems"] == [list(problem) for problem in problems]
        scene.recovers()
        if not reached:
            break
    assert at > 2, "the shim does not see the calls"


def test_one_flipped_bit_anywhere_in_a_backup_is_named(disk, backend, full):
    """In any file: --verify names the file; a restore gives the right bytes or refuses, never others."""
    project, backup = made(disk / "project", backend), disk / "backup"
    take(project, backup, LONG_AGO)
    ingest(project, 2, backend)
    take(project, backup, LONG_AGO + DAY)
    right = truth(project.memory)
    chance = random.Random(5)
    bits = 0
    for path in sorted(path for path in backup.rglob("*") if path.is_file() and path.stat().st_size):
        sound = path.read_bytes()
        for bit in {0, 8 * len(sound) - 1, *(chance.randrange(8 * len(sound)) for _ in range(200 if full else 4))}:
            bits += 1
            wrong = bytearray(sound)
            wrong[bit // 8] ^= 1 << bit % 8
            path.write_bytes(wrong)
            found = check(backup)
            assert any(path.name in text for text in found.damaged), (path, bit)
            if path.parent.name in ("objects", "snapshots"):
                assert len(found.whole) < 2
            other = Project(disk / "other")
            other.root.mkdir()
            try:
                restore(backup, other)
            except BackupDamaged:
                assert list(other.root.iterdir()) == []
            else:
                assert truth(other.memory) == right
            shutil.rmtree(other.root)
        path.write_bytes(sound)
    assert check(backup).damaged == []
    assert bits > 60


def test_a_backup_beside_writers_is_one_moment(disk, backend, full):
    """While others store, seal, archive and pack without end, every snapshot opens, verifies, and has each run completed before."""
    for turn in range(10 if full else 1):
        _beside_writers(disk / f"{turn}", backend, 6 if full else 4)
        shutil.rmtree(disk / f"{turn}")


def _beside_writers(disk, backend, backups):
    disk.mkdir()
    project = made(disk / "project", backend, runs=0)
    stories = [Story(20 + number, exchanges=8) for number in range(3)]
    states = [[[], *(story.truth(0, file.end) for file in story.exports(1))] for story in stories]
    enough = disk / "enough"

    def store(number):
        def write():
            for again in itertools.count():
                for file in stories[number].exports(1):
                    name = f"{number}-{again}"
                    dedup(project, backend).ingest(file.data, name=file.name, conversation_id=name)
                    if enough.exists():
                        return

        return write

    def pack():
        for count in itertools.count():
            (project.archive / f"{count}.txt").write_bytes(FILES[count % len(FILES)].data + b"%d\n" % count)
            pack_files.pack(project, 0, thorough=False)
            if enough.exists():
                return

    children = [start(job) for job in (store(0), store(1), store(2), pack)]
    try:
        for turn in range(backups):
            with exclusive(str(project.state / ".lock")):
                before = set(reader.read(reader.whole(project.state), project.state / "blobs").exports)
            backup = disk / f"backup-{turn % 3}"
            assert take(project, backup).snapshot.problems == ()
            other = Project(disk / f"restored-{turn}")
            other.root.mkdir()
            done = restore(backup, other)
            assert (done.problems, done.lost) == ([], [])
            log = reader.read(reader.whole(other.state), other.state / "blobs")
            assert (log.problems, log.unfinished) == ([], 0)
            assert before <= set(log.exports)
            restored = dedup(other, backend)
            for name in restored.conversations():
                if name != "pictures":
                    assert kept(restored.get_full_conversation(name)) in states[int(name[0])]
            shutil.rmtree(other.root)
    finally:
        enough.touch()
        outcomes = [end(*child) for child in children]
    assert [outcome.error or outcome.trace for outcome in outcomes] == [""] * 4
    last = Project(disk / "last")
    last.root.mkdir()
    take(project, disk / "backup-0")
    assert restore(disk / "backup-0", last).problems == []
    assert truth(last.memory) == truth(project.memory)


def test_two_backups_at_once_are_as_one_after_the_other(disk, backend):
    """Four processes take a snapshot into one folder, one is killed: numbers without a double, every one whole."""
    project, backup = made(disk / "project", backend), disk / "backup"
    children = [start(lambda: take(project, backup).snapshot.number) for _ in range(4)]
    os.kill(children[0][0], 9)
    outcomes = [end(*child) for child in children]
    assert [outcome.trace or outcome.error for outcome in outcomes] == [""] * 4
    given = [outcome.value for outcome in outcomes if not outcome.signal]
    assert len(set(given)) == len(given) >= 3
    assert check(backup).damaged == []
    assert set(given) <= {int(path.name[:6]) for path in backup_reader.snapshots(backup)}


def test_what_was_lost_comes_back(disk, backend):
    """The store is gone, and so are the indexes of the backup's copy: every message is there after the restore, in order."""
    project, backup = made(disk / "project", backend, runs=4), disk / "backup"
    take(project, backup)
    shutil.rmtree(project.memory)
    restore(backup, project)
    for path in (*project.state.glob("*.json"), *project.state.glob("index.*")):
        path.unlink()
    assert kept(dedup(project, backend).get_full_conversation(NAME)) == STORY.truth(0, FILES[3].end)
    dedup(project, backend).store.rebuild()
    assert dedup(project, backend).store.verify() == []
