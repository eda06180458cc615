"""The power goes at any instant: what was reported as done is there, and what was not is done by the next run (I6).

See :mod:`faults.power` for what may have become of what was written. Each job is recorded once; each state is judged in the
place where it was recorded, with the reader that shares no code with the product and with the product itself.
"""

from __future__ import annotations

import contextlib
import io
import os
import random
import shutil

import pytest

import archive_reader
import transcript_lines as lines
from archive_scenes import added, texts, transcripts
from deduplication.archive import drop_folder, pack_files
from deduplication.archive import restore as restoring
from deduplication.archive import verify as checking
from deduplication.commands import export_dedup
from deduplication.errors import StoreError
from deduplication.files import atomic
from deduplication.ingest.transcript_capture import capture_file
from deduplication.packs import merge_policy
from deduplication.project.paths import Project
from deduplication.storage import indexed_log
from deduplication.storage.log import log_pack, sealed
from exports import kept
from faults import power, reader
from faults.scenes import FILES, NAME, dedup, truth
from faults.test_blob_faults import FIRST, SECOND, picture

pytestmark = pytest.mark.faults
BACKEND = "EXPORT_DEDUP_FAULTS_BACKEND"


class Imports:
    """The whole command, export after export: stored, archived, removed from its place."""

    def __init__(self, root):
        self.root = root
        self.memory = root / "MEMORY-CONTEXT"
        (self.memory / "exports").mkdir(parents=True)

    def command(self):
        """What it says where it fails."""
        arguments = ["--project", str(self.root), "--session-id", NAME, "--yes", "--no-checkpoint", "--json"]
        said = io.StringIO()
        with contextlib.redirect_stdout(said), contextlib.redirect_stderr(said):
            code = export_dedup.main([*arguments, "--backend", os.environ[BACKEND]])
        return said.getvalue() if code else ""

    def job(self, recorder):
        """What is recorded."""
        for file in FILES[:4]:
            recorder.given(self.memory / "exports" / file.name, file.data)
            assert self.command() == ""
            recorder.report(file.name)

    def copies(self, folder, file):
        """How many files in a folder have the bytes of an export."""
        plain = [p.read_bytes() for p in folder.iterdir() if p.is_file()] if folder.is_dir() else []
        return [*plain, *archive_reader.read(folder / "packs").values()].count(file.data)

    def judge(self, told, given):
        """Every export under one name at least, those that were reported in the archive, their messages in the store."""
        state, archive, drop = self.memory / "dedup_state", self.memory / "exports-archive", self.memory / "exports"
        for number, file in enumerate(FILES[: len(given)]):
            assert self.copies(archive, file) or (number >= len(told) and self.copies(drop, file))
        stored = dedup(state).get_full_conversation(NAME)
        done = len(reader.read(reader.whole(state)).exports)
        assert done in (len(told), len(given))
        assert kept(stored) == truth(done) == reader.read(reader.whole(state)).conversation(NAME)
        assert self.command() == ""
        assert kept(dedup(state).get_full_conversation(NAME)) == truth(len(given))
        with dedup(state).store.transaction():
            pass  # where no export was left, nobody has written: whoever does brings the indexes up to the log
        assert dedup(state).store.verify() == []
        log = reader.read(reader.whole(state))
        assert (log.problems, log.unfinished) == ([], 0)
        if given:
            with restoring.opened(Project(self.root)) as shelf:
                found = sorted(b"".join(shelf.parts(entry)) for entry in shelf.all())
            assert found == sorted(given.values())
            assert [file.name for file in FILES if self.copies(drop, file)] == []


class Captures:
    """A transcript with images that grows and is captured after each growth."""

    def __init__(self, root):
        self.root, self.state, self.file = root, root / "state", root / "s.jsonl"
        more = [
            lines.day(2),
            picture("e", bytes([9]) * 1500),
            lines.prompt("yes", "again") + lines.answer("Good.", "g"),
        ]
        parts = [FIRST, SECOND]
        for each in more:
            parts.append(parts[-1] + each)
        self.parts = parts
        self.contents = []
        elsewhere = root.with_name("expected")
        shutil.rmtree(elsewhere, ignore_errors=True)
        for part in parts:
            elsewhere.mkdir(exist_ok=True)
            (elsewhere / "s.jsonl").write_bytes(part)
            capture_file(dedup(elsewhere / "state"), elsewhere / "s.jsonl")
            self.contents.append(self.read(elsewhere / "state"))

    @staticmethod
    def read(state):
        """What the store gives out."""
        return [(m["role"], m["kind"], m["content"]) for m in dedup(state).get_full_conversation(lines.SESSION)]

    def job(self, recorder):
        """What is recorded."""
        for part in self.parts:
            recorder.given(self.file, part)
            capture_file(dedup(self.state), self.file)
            recorder.report(len(part))

    def judge(self, told, given):
        """All that was reported, and once the file is captured again all of it, each line once."""
        size = len(given.get("s.jsonl", b""))
        expected = [[], *self.contents]
        done = expected.index(self.read(self.state))
        assert done >= len(told)
        assert reader.read(reader.whole(self.state), self.state / "blobs").problems == [] or done == len(told)
        if size:
            capture_file(dedup(self.state), self.file)
            assert self.read(self.state) == expected[[len(part) for part in self.parts].index(size) + 1]
            with dedup(self.state).store.transaction():
                pass
            assert dedup(self.state).store.verify() == []
            found = reader.read(reader.whole(self.state), self.state / "blobs")
            assert (found.problems, found.unfinished) == ([], 0)


class Seals:
    """Runs that seal the log's open part each time."""

    def __init__(self, root):
        self.root, self.state = root, root / "state"

    def job(self, recorder):
        """What is recorded."""
        for file in FILES[:4]:
            dedup(self.state).ingest(file.data, name=file.name, conversation_id=NAME)
            recorder.report(file.name)

    def judge(self, told, _given):
        """Every completed run, once; the rest can be run again."""
        log = reader.read(reader.whole(self.state))
        assert [problem for problem in log.problems if not problem.endswith("is damaged")] == []
        done = len(log.exports)
        assert done in (len(told), len(told) + 1)
        assert kept(dedup(self.state).get_full_conversation(NAME)) == truth(done) == log.conversation(NAME)
        for number, file in enumerate(FILES[:4]):
            again = dedup(self.state).ingest(file.data, name=file.name, conversation_id=NAME)
            assert (again.new == 0) == (number < done)
        assert kept(dedup(self.state).get_full_conversation(NAME)) == truth(4)
        assert dedup(self.state).store.verify() == []
        log = reader.read(reader.whole(self.state))
        assert (log.problems, log.unfinished) == ([], 0)


class Packs:
    """Plain files become packs: all at once, thoroughly."""

    all = {**texts(3), **transcripts(3)}

    def __init__(self, root):
        self.project = Project(root)
        self.archive = self.project.archive
        self.packs = self.archive / "packs"
        self.archive.mkdir(parents=True)
        with drop_folder.opened(self.project):
            for name, data in self.before().items():
                added(self.packs, {name: data})
        for name, data in self.plain().items():
            (self.archive / name).write_bytes(data)

    def before(self):
        """What lies in packs already."""
        return dict(list(self.all.items())[::2])

    def plain(self):
        """What lies there as plain files."""
        return dict(list(self.all.items())[1::2])

    def job(self, recorder):
        """What is recorded."""
        recorder.report(pack_files.pack(self.project, 0).names)

    def files(self, given):
        """What must be there."""
        return {**self.before(), **self.plain(), **given}

    def judge(self, _told, given):
        """Every file, plain or packed, by a reader that is not ours and by ours; the next run completes the work."""
        expected = self.files(given)
        plain = {p.name: p.read_bytes() for p in self.archive.iterdir() if p.is_file() and p.name in self.all}
        assert {**archive_reader.read(self.packs), **plain} == expected
        with restoring.opened(self.project) as shelf:
            assert {entry.name: b"".join(shelf.parts(entry)) for entry in shelf.all()} == expected
        pack_files.pack(self.project, 0)
        assert archive_reader.read(self.packs) == expected
        assert checking.check(str(self.packs)).all_problems() == []
        with drop_folder.opened(self.project):
            assert {p.name for p in self.archive.iterdir()} <= {".archived.jsonl", ".gitignore", ".lock", "packs"}
        assert [path.name for path in self.packs.glob("*") if path.suffix not in (".pack", ".idx")] == []


class RollUps(Packs):
    """Files come one after the other and are packed at the end of a run each; packs are taken in by the next ones."""

    def before(self):
        """Nothing is packed yet: the folder of packs is made by the first run."""
        return {}

    def plain(self):
        """And nothing is plain."""
        return {}

    def job(self, recorder):
        """What is recorded."""
        for name, data in self.all.items():
            recorder.given(self.archive / name, data)
            recorder.report(pack_files.pack(self.project, 0, thorough=False).names)


BOTH = [(job, backend) for job in (Imports, Captures, Seals) for backend in ("json", "default")]
JOBS = [*BOTH, (Packs, "json"), (RollUps, "json")]
each_job = pytest.mark.parametrize(("make", "backend"), JOBS, indirect=["backend"])


@pytest.fixture
def small(monkeypatch):
    """Sealing, taking in and so on happen with little data."""

    def shrink(make):
        if make is Seals:
            monkeypatch.setattr(indexed_log, "OPEN", 600)
            monkeypatch.setattr(log_pack, "BLOCK", 1500)
            monkeypatch.setattr(sealed, "MOST", 5000)
        if make is RollUps:
            monkeypatch.setattr(merge_policy, "TIERS", ((10, 0), (20_000, 1), (10**6, 2)))

    return shrink


def judged(scene, recording, states):
    """Judge each of these states; how many there were."""
    count = 0
    for cut, tree in states:
        power.put(recording.root, tree)
        try:
            scene.judge(recording.told(cut), recording.given(cut))
        except BaseException as error:
            raise AssertionError(
                f"the power went before step {cut} of {len(recording.steps)}: {sorted(tree)}"
            ) from error
        count += 1
    return count


@each_job
def test_after_a_power_cut_everything_that_was_reported_is_there(disk, full, make, small):
    """Any prefix of the job, with what was not synced dropped or kept at will: 0 lost, and the next run completes it."""
    small(make)
    root = (disk / "root").resolve()
    root.mkdir(mode=0o700)
    scene = make(root)
    recording = power.recorded(root, scene.job)
    count = 2_500 if full else 65
    assert judged(scene, recording, power.states(recording, count, random.Random(make.__name__))) == count
    print(f"{make.__name__}: {count} states of {len(recording.steps)} steps")


@each_job
def test_the_rig_bites_where_nothing_is_synced(disk, make, small):
    """The same jobs with fsync that does nothing: something that was reported is lost, and the judge sees it."""
    small(make)
    root = (disk / "root").resolve()
    root.mkdir(mode=0o700)
    scene = make(root)
    recording = power.recorded(root, scene.job, syncing=False)
    with pytest.raises((AssertionError, StoreError)):
        judged(scene, recording, power.states(recording, 200, random.Random(1)))


def test_a_folder_that_was_made_is_on_the_disk(disk, monkeypatch):
    """The name of each new folder is synced in its parent: what lies in it is as durable as it says."""
    synced = []
    real = os.fsync
    monkeypatch.setattr(os, "fsync", lambda fd: (synced.append(os.readlink(f"/proc/self/fd/{fd}")), real(fd)))
    atomic.make_private_directory(str(disk / "a" / "b"))
    assert synced == [str(disk), str(disk / "a")]
    atomic.make_private_directory(str(disk / "a" / "b"))
    assert len(synced) == 2
