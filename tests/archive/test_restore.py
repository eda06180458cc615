"""Any archived file, by name, session, date or hash, packed or plain, to where it is wanted."""

from __future__ import annotations

import hashlib
import os
import sys
from pathlib import Path

import pytest

from archive_scenes import added, texts, without_parity
from deduplication.archive import restore as restoring
from deduplication.archive.entry import Entry
from deduplication.archive.entry import names as names_of
from deduplication.archive.pack_files import pack
from deduplication.errors import ArchiveDamaged, NotInArchive, OutputNotWritable
from deduplication.packs import merge_policy
from deduplication.project.paths import Project

FILES = {
    "2026-03-02-EXPORT-TIDE-CLOCK.txt": b"> hello\n",
    "2026-03-03-EXPORT-TIDE-CLOCK.txt": b"> hello\n\n> again\n",
    "2026-03-03-EXPORT-LETTERS.txt": b"> a letter\n",
}
TIME = 1_772_000_000_123_456_789


@pytest.fixture
def project(tmp_path):
    """A project with two packed exports and a plain one."""
    made = Project((tmp_path / "project").resolve())
    made.archive.mkdir(parents=True)
    for name, data in FILES.items():
        (made.archive / name).write_bytes(data)
        os.utime(made.archive / name, ns=(TIME, TIME))
        if name == "2026-03-03-EXPORT-TIDE-CLOCK.txt":
            pack(made, 0)
    return made


def found(project, wanted):
    """Names of what is found."""
    with restoring.opened(project) as shelf:
        return [entry.name for entry in shelf.find(wanted)]


TIDE = [name for name in FILES if "TIDE" in name]
THIRD = [name for name in FILES if "03-03" in name]


@pytest.mark.parametrize(
    ("wanted", "names"),
    [
        (TIDE[0], TIDE[:1]),
        ("tide-clock", TIDE),
        ("2026-03-03", THIRD),
        (hashlib.sha256(b"> hello\n").hexdigest()[:8], TIDE[:1]),
        (hashlib.sha256(b"> a letter\n").hexdigest().upper(), THIRD[1:]),
        ("letters", THIRD[1:]),
    ],
    ids=["a name", "a session", "a date", "a hash of a packed one", "a hash of a plain one", "a plain one's session"],
)
def test_a_file_is_found(project, wanted, names):
    """By its name, its session, its date, the beginning of its SHA-256; packed and plain ones alike."""
    assert found(project, wanted) == names


@pytest.mark.parametrize("wanted", ["nothing", "2026-01-01", "deadbeef", "TIDE", "2026-03"])
def test_what_is_not_there_is_said(project, wanted):
    """What fits nothing is NotInArchive, with its name."""
    with pytest.raises(NotInArchive, match=wanted):
        found(project, wanted)


def test_a_session_of_the_store_comes_before_the_name(tmp_path):
    """The conversation that the store knows for a file is the one under which it is found."""
    project = Project(tmp_path.resolve())
    project.archive.mkdir(parents=True)
    (project.archive / "notes.txt").write_bytes(b"> hi\n")
    pack(project, 0, session_of=lambda _sha256: "reading-group")
    assert found(project, "reading-group") == ["notes.txt"]


def test_files_are_written_with_their_time_and_for_their_owner_only(project, tmp_path):
    """The bytes, the modification time to the nanosecond, mode 0600."""
    with restoring.opened(project) as shelf:
        for entry in shelf.all():
            path = tmp_path / entry.name
            assert shelf.write(entry, str(path)) is True
            assert path.read_bytes() == FILES[entry.name]
            assert path.stat().st_mtime_ns == TIME
            assert path.stat().st_mode & 0o777 == 0o600
            assert shelf.write(entry, str(path)) is False, "it is there already"


@pytest.mark.parametrize("there", ["file", "folder", "link"])
def test_nothing_is_overwritten(project, tmp_path, there):
    """A file with other bytes, a folder, a link (to the very bytes even) in the way: a named error, and it stays."""
    path = tmp_path / "there"
    same = tmp_path / "same"
    same.write_bytes(FILES[TIDE[0]])
    {"file": lambda: path.write_bytes(b"mine"), "folder": path.mkdir, "link": lambda: path.symlink_to(same)}[there]()
    with restoring.opened(project) as shelf, pytest.raises(OutputNotWritable, match="exists"):
        shelf.write(shelf.find(TIDE[0])[0], str(path))
    assert path.is_symlink() == (there == "link")


def test_a_place_that_cannot_be_written_is_named(project, tmp_path):
    """A folder that does not exist is OutputNotWritable, not a store's failure."""
    with restoring.opened(project) as shelf, pytest.raises(OutputNotWritable, match="missing"):
        shelf.write(shelf.all()[0], str(tmp_path / "missing" / "file"))


def test_damage_writes_nothing(project, tmp_path):
    """What is not what was archived is never put under the name that was asked for."""
    without_parity(project.archive / "packs")
    (pack_file,) = (project.archive / "packs").glob("*.pack")
    data = bytearray(pack_file.read_bytes())
    data[150] ^= 1
    pack_file.write_bytes(data)
    with restoring.opened(project) as shelf:
        entry = shelf.find(TIDE[0])[0]
        with pytest.raises(ArchiveDamaged):
            shelf.write(entry, str(tmp_path / "out"))
    assert not (tmp_path / "out").exists()


def test_no_archive_is_an_empty_one(tmp_path):
    """A project without an archive has nothing to restore, and gets no folder by asking."""
    with restoring.opened(Project(tmp_path.resolve())) as shelf:
        assert shelf.all() == []
    assert list(tmp_path.iterdir()) == []


def test_an_archive_without_the_right_to_lock_it_is_read(project, monkeypatch):
    """A medium that cannot be written has nobody who writes to it: reading goes on without the lock."""
    from deduplication.errors import StoreNotWritable

    def refused(_path):
        raise StoreNotWritable("read-only")

    monkeypatch.setattr(restoring.locking, "exclusive", refused)
    assert found(project, TIDE[0]) == TIDE[:1]


def test_files_of_one_name_all_come_back(project):
    """Two files of one name with other bytes are two; a plain file beside its own packed bytes is one."""
    (project.archive / TIDE[0]).write_bytes(b"> other\n")
    assert found(project, TIDE[0]) == [TIDE[0], TIDE[0]]
    (project.archive / TIDE[0]).write_bytes(FILES[TIDE[0]])
    assert found(project, TIDE[0]) == [TIDE[0]]


def test_names_lead_nowhere_and_are_told_apart():
    """However files were called, each gets a name of its own in the folder that was asked for."""
    entries = [Entry(name, "", 0, 0, "") for name in ("a.txt", "a.txt", "A.TXT", "../x", "..", "", "a\\b", "a-2.txt")]
    names = names_of(entries)
    assert names == ["a.txt", "a-2.txt", "A-3.TXT", "..-x", "file", "file-2", "a-b", "a-2-2.txt"]


def test_records_that_are_lost_are_counted(project):
    """Where even the names cannot be read, that is said; plain files are still there."""
    without_parity(project.archive / "packs")
    (pack_file,) = (project.archive / "packs").glob("*.pack")
    data = bytearray(pack_file.read_bytes())
    data[-120] ^= 1
    pack_file.write_bytes(data)
    with restoring.opened(project) as shelf:
        assert [entry.name for entry in shelf.all()] == THIRD[1:]
        assert len(shelf.lost) == 2


def test_every_state_of_a_conversation_comes_back(tmp_path):
    """All exports of a growing conversation, restored in the reverse order of their packing."""
    project = Project(tmp_path.resolve())
    project.archive.mkdir(parents=True)
    for name, data in texts().items():
        (project.archive / name).write_bytes(data)
    pack(project, 0)
    with restoring.opened(project) as shelf:
        for name, data in reversed(texts().items()):
            (entry,) = shelf.find(name)
            assert b"".join(shelf.parts(entry)) == data


@pytest.mark.parametrize("which", ["unreadable", "first missing", "last missing"])
def test_files_of_a_pack_that_cannot_be_read_are_not_passed_over(tmp_path, monkeypatch, which):
    """Whoever restores everything is told of what is not in it, wherever the pack stands."""
    monkeypatch.setattr(merge_policy, "TIERS", ((10, 0),))
    project = Project(tmp_path.resolve())
    project.archive.mkdir(parents=True)
    folder = project.archive / "packs"
    for name in ("a.txt", "b.txt"):
        added(folder, {name: name.encode() * 2000})
    first, last = sorted(folder.glob("*.pack"))
    if which == "unreadable":
        last.write_bytes(b"no pack")
    else:
        (first if which == "first missing" else last).unlink()
    with restoring.opened(project) as shelf:
        assert len(shelf.all()) == 1
        assert len(shelf.lost) == 1


@pytest.mark.skipif(sys.platform != "linux", reason="names are bytes on Linux alone")
@pytest.mark.parametrize("packed", [False, True], ids=["plain", "packed"])
@pytest.mark.parametrize(
    "name",
    [
        b"n" * 251 + b".txt",
        b"n" * 242 + b".txt",
        "é".encode() * 125 + b".txt",
        b"\xffx\xe9" * 80 + b".txt",
        b"a\nb" * 80 + b".txt",
    ],
    ids=["255 bytes", "246 bytes", "two bytes a character", "no UTF-8", "line breaks"],
)
def test_files_with_the_longest_and_strangest_names_come_back(tmp_path, name, packed):
    """Every length and every byte that a file system takes, one by one and all together, a second file of the name as well."""
    made = Project((tmp_path / "project").resolve())
    made.archive.mkdir(parents=True)
    path = made.archive / os.fsdecode(name)
    for data in (b"> one\n", b"> another\n"):
        path.write_bytes(data)
        if packed:
            pack(made, 0)
    with restoring.opened(made) as shelf:
        entries = shelf.all()
        chosen = names_of(entries)
        assert len(set(chosen)) == len(entries) == (2 if packed else 1)
        for entry, given in zip(entries, chosen):
            place = os.path.join(str(tmp_path), given)
            assert shelf.write(entry, place)
            assert hashlib.sha256(Path(place).read_bytes()).hexdigest() == shelf.sha256(entry)
        assert os.fsdecode(name) in chosen
