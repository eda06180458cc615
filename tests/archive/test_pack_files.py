"""From plain files to packs: what goes when, and that a plain file goes only after its bytes came back from the pack."""

from __future__ import annotations

import os
import time

import pytest

from archive_scenes import read_back, texts, without_parity
from deduplication.archive import drop_folder, pack_files, places
from deduplication.archive.pack_files import pack, pack_due
from deduplication.errors import ArchiveDamaged, ExportChanged, StoreNotWritable, UnsafePath
from deduplication.packs import pack_and_verify, pack_set
from deduplication.project.paths import Project

DAY = 86_400


@pytest.fixture
def project(tmp_path):
    """A project whose archive has five plain exports, a day old."""
    made = Project(tmp_path.resolve())
    made.archive.mkdir(parents=True, mode=0o700)
    with drop_folder.opened(made):
        pass
    for number, (name, data) in enumerate(texts().items()):
        put(made, name, data, age=1 + number / 100)
    return made


def put(project, name, data, *, age=0.0):
    """A plain file in the archive, ``age`` days old."""
    path = project.archive / name
    path.write_bytes(data)
    moment = time.time() - age * DAY
    os.utime(path, (moment, moment))
    return path


def plain(project):
    """The names of the plain files."""
    return [path.name for path, _ in places.plain_files(project)]


def packed(project):
    """What the packs give back."""
    return read_back(project.archive / "packs")


def test_everything_is_packed_at_once(project):
    """0 days: every plain file goes into packs, comes back byte for byte, with its time, and only ours is left beside them."""
    times = {path.name: status.st_mtime_ns for path, status in places.plain_files(project)}
    done = pack(project, 0)
    assert sorted(done.names) == sorted(texts())
    assert done.raw_bytes == sum(map(len, texts().values()))
    assert (done.packs, done.failures) == (1, [])
    assert done.pack_bytes == sum(path.stat().st_size for path in (project.archive / "packs").iterdir())
    assert packed(project) == texts()
    assert plain(project) == []
    assert sorted(path.name for path in project.archive.iterdir()) == [
        ".archived.jsonl",
        ".gitignore",
        ".lock",
        "packs",
    ]
    with pack_set.opened_packs(str(project.archive / "packs")) as opened:
        assert {opened.record(n).name: opened.record(n).mtime_ns for n in opened.numbers()} == times


def test_only_what_is_old_enough_is_packed(project):
    """Files younger than so many days stay plain; a time in the future is young, and 0 days takes even that."""
    old = put(project, "old.txt", b"old", age=8)
    put(project, "future.txt", b"future", age=-400)
    assert pack(project, 7).names == [old.name]
    assert pack(project, 1.5).names == []
    assert "future.txt" in pack(project, 0).names
    assert plain(project) == []


def test_nothing_is_made_where_there_is_no_archive(tmp_path):
    """A project without an archive gets none by packing it."""
    assert pack(Project(tmp_path.resolve()), 0) == pack_files.Packed()
    assert pack_due(Project(tmp_path.resolve()), {}) is None
    assert list(tmp_path.iterdir()) == []


def test_again_changes_nothing(project):
    """Packing twice is packing once."""
    pack(project, 0)
    before = {path: path.read_bytes() for path in (project.archive / "packs").iterdir()}
    assert pack(project, 0).names == []
    assert {path: path.read_bytes() for path in (project.archive / "packs").iterdir()} == before


def test_a_file_that_was_packed_and_not_removed_is_removed(project, monkeypatch):
    """Killed between pack and removal: the same file again is no second one, and the plain file goes."""
    monkeypatch.setattr(pack_files, "_remove", lambda plain, done: None)
    pack(project, 0)
    monkeypatch.undo()
    assert len(plain(project)) == 5
    assert len(pack(project, 0).names) == 5
    assert plain(project) == []
    with pack_set.opened_packs(str(project.archive / "packs")) as opened:
        assert len(list(opened.numbers())) == 5


def test_batches_are_packed_one_after_the_other(project, monkeypatch):
    """More than fits under one lock is packed in several runs, and told to whoever watches."""
    monkeypatch.setattr(pack_files, "BATCH_FILES", 2)
    seen = []
    pack(project, 0, advance=seen.append)
    assert packed(project) == texts()
    assert len(seen) == 2
    put(project, "a", b"a" * 50)
    put(project, "b", b"b" * 50)
    monkeypatch.setattr(pack_files, "BATCH_BYTES", 60)
    pack(project, 0)
    assert packed(project) == {**texts(), "a": b"a" * 50, "b": b"b" * 50}


def test_a_file_that_changes_meanwhile_stays(project, monkeypatch):
    """A plain file that is not the one that was read is left alone, and named; what was read is in the pack."""
    real = pack_and_verify._checked

    def changing(batch, folder):
        (project.archive / "002.txt").write_bytes(b"something new")
        return real(batch, folder)

    monkeypatch.setattr(pack_and_verify, "_checked", changing)
    done = pack(project, 0)
    ((name, error),) = done.failures
    assert (name, type(error)) == ("002.txt", ExportChanged)
    assert (project.archive / "002.txt").read_bytes() == b"something new"
    assert packed(project) == texts()
    monkeypatch.undo()
    pack(project, 0)
    assert packed(project)["002.txt"] == b"something new"


def test_a_link_among_the_files_is_not_followed(project, tmp_path):
    """A symbolic link in the archive is no plain file: it stays, and so does what it points to."""
    outside = tmp_path / "outside"
    outside.write_bytes(b"outside")
    (project.archive / "link.txt").symlink_to(outside)
    pack(project, 0)
    assert "link.txt" not in packed(project)
    assert (project.archive / "link.txt").is_symlink()
    assert outside.exists()


def test_a_link_in_the_place_of_the_packs_is_refused(project, tmp_path):
    """Packs never go where a link leads; every plain file stays."""
    (tmp_path / "elsewhere").mkdir()
    (project.archive / "packs").symlink_to(tmp_path / "elsewhere")
    with pytest.raises(UnsafePath, match="symbolic link"):
        pack(project, 0)
    assert len(plain(project)) == 5
    assert list((tmp_path / "elsewhere").iterdir()) == []


@pytest.mark.skipif(os.geteuid() == 0, reason="root may read everything")
def test_a_file_that_cannot_be_read_stays_and_is_named(project):
    """One file without permission costs only itself."""
    (project.archive / "001.txt").chmod(0)
    done = pack(project, 0)
    assert [name for name, _ in done.failures] == ["001.txt"]
    assert len(done.names) == 4


def test_a_file_that_goes_meanwhile_is_named(project, monkeypatch):
    """A file that is gone when it is read is a failure of its own; the others are packed."""
    real = pack_files.read

    def reading(path):
        if path.name == "001.txt":
            path.unlink()
        return real(path)

    monkeypatch.setattr(pack_files, "read", reading)
    done = pack(project, 0)
    assert [name for name, _ in done.failures] == ["001.txt"]
    assert len(done.names) == 4


def damage_a_segment(project):
    """Flip a bit in the first frame of the first pack, which has no parity, and whose index still knows the segments."""
    without_parity(project.archive / "packs")
    path = project.archive / "packs" / "pack-0001.pack"
    data = bytearray(path.read_bytes())
    data[200] ^= 1
    path.write_bytes(data)


def test_what_is_shared_with_damage_is_stored_anew(project):
    """A known segment turns out damaged: a new export that has it too is stored whole, restored, and only then removed."""
    pack(project, 0)
    damage_a_segment(project)
    last = list(texts().values())[-1]
    put(project, "later.txt", last + b"\nmore\n")
    done = pack(project, 0)
    assert (done.names, done.failures) == (["later.txt"], [])
    with pack_set.opened_packs(str(project.archive / "packs")) as opened:
        number = opened.file(__import__("hashlib").sha256(last + b"\nmore\n").digest())
        assert b"".join(opened.restore(number)) == last + b"\nmore\n"
        with pytest.raises(ArchiveDamaged):
            b"".join(opened.restore(0))


def test_a_file_that_does_not_come_back_stays_plain(project, monkeypatch):
    """Where the bytes that come back are never the right ones, the plain file stays, and the failure is named."""
    real = pack_set.Packs.restore

    def wrong(self, number):
        if self.record(number).name == "003.txt":
            raise ArchiveDamaged("for the test")
        return real(self, number)

    monkeypatch.setattr(pack_set.Packs, "restore", wrong)
    done = pack(project, 0)
    assert [name for name, _ in done.failures] == ["003.txt"]
    assert plain(project) == ["003.txt"]


def test_the_conversation_is_kept(project):
    """What the store says a file belongs to is kept beside it."""
    pack(project, 0, session_of=lambda sha256: f"session-{len(sha256)}")
    with pack_set.opened_packs(str(project.archive / "packs")) as opened:
        assert {opened.record(number).session for number in opened.numbers()} == {"session-64"}


@pytest.mark.parametrize(
    ("setting", "count"),
    [(0, 5), (0.5, 5), (7, 0), (-1, 0), ("never", 0), (True, 0), (None, 0)],
    ids=["at once", "half a day", "a week", "never", "a word", "true", "null"],
)
def test_what_is_due_at_the_end_of_a_run(project, setting, count):
    """The setting says how old; a negative number or what is no number means never."""
    done = pack_due(project, {"pack_older_than_days": setting})
    assert (len(done.names) if done is not None else 0) == count
    assert len(plain(project)) == 5 - count


def test_a_run_packs_one_batch_at_its_end(project, monkeypatch):
    """However much is due, a run packs one batch of the oldest files and leaves the rest to the next one."""
    monkeypatch.setattr(pack_files, "BATCH_FILES", 2)
    left = []
    for _ in range(3):
        assert pack_due(project, {"pack_older_than_days": 0}) is not None
        left.append(plain(project))
    assert left == [["000.txt", "001.txt", "002.txt"], ["000.txt"], []]
    assert pack_due(project, {"pack_older_than_days": 0}) is None
    assert packed(project) == texts()


def test_leftovers_of_a_killed_run_are_removed(project):
    """Temporary files of a run that was killed go with the next one."""
    folder = project.archive / "packs"
    folder.mkdir(mode=0o700)
    (folder / "pack-0001.pack.4711.tmp").write_bytes(b"half a pack")
    pack(project, 0)
    assert sorted(path.name for path in folder.iterdir()) == ["pack-0001.idx", "pack-0001.pack"]


def test_a_pack_that_cannot_be_written_leaves_every_plain_file(project):
    """A folder in a pack's place: a named error, and all files where they were."""
    (project.archive / "packs" / "pack-0001.pack").mkdir(parents=True)
    with pytest.raises((StoreNotWritable, ArchiveDamaged)):
        pack(project, 0)
    assert len(plain(project)) == 5
