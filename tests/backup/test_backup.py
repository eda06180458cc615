"""Snapshots of a store: what they have, what a second one costs, what a restore gives, when they go."""

from __future__ import annotations

import json
import os
import random
import shutil
import stat

import pytest

import backup_reader
from archive_scenes import texts
from backup_scenes import (
    DAY,
    FILES,
    LONG_AGO,
    NAME,
    STORY,
    age,
    dedup,
    ingest,
    made,
    messages,
    objects,
    restore,
    take,
    truth,
)
from deduplication.archive import restore as shelves
from deduplication.backup import (
    checking,
    copy_rounds,
    known,
    log_part,
    manifest,
    renewing,
    retention,
    selection,
    snapshot_copy,
    soundness,
    taking,
)
from deduplication.backup import folder as folders
from deduplication.backup import objects as parts
from deduplication.backup.restoring import Target
from deduplication.backup.restoring import restore as restore_to
from deduplication.backup.source import Source
from deduplication.errors import (
    BackupDamaged,
    BackupFailed,
    BackupMissing,
    BackupRefused,
    OutputNotWritable,
    RestoreRefused,
    StoreError,
    StoreLocked,
    StoreMissing,
    UnsafePath,
    UsageError,
)
from deduplication.files import clock
from deduplication.files.locking import exclusive
from deduplication.project.paths import Project
from deduplication.storage import indexed_log
from deduplication.storage.log import log_pack, sealed
from deduplication.storage.log_store import LogStore
from exports import kept
from faults import reader


@pytest.fixture(params=["json", "default"])
def backend(request):
    """Every law holds with each kind of index."""
    return request.param


@pytest.fixture(autouse=True)
def small(monkeypatch):
    """The log is sealed after each run, and a part is a kilobyte: small stores have several of each."""
    monkeypatch.setattr(indexed_log, "OPEN", 3000)
    monkeypatch.setattr(log_pack, "BLOCK", 4000)
    monkeypatch.setattr(sealed, "MOST", 9000)
    for room in ("copying", "objects"):
        monkeypatch.setattr(f"deduplication.backup.{room}.PART", 1024)


@pytest.fixture
def project(tmp_path):
    """A project with something of everything."""
    return made(tmp_path / "project")


@pytest.fixture
def backup(tmp_path):
    """Where the backup goes."""
    return tmp_path / "backup"


def check(backup):
    """What ``--verify`` finds."""
    with folders.opened(str(backup)) as folder:
        return checking.check(folder)


# --- what comes back ----------------------------------------------------------------------------------------------


def test_a_restore_gives_the_same_store(tmp_path, backup, backend):
    """Bytes, permissions, times, messages, numbers, archived exports, the kind of index: as they were, verified, with its head."""
    project = made(tmp_path / "project", backend)
    kept = dedup(project, backend).store.verified().chain.head
    before, said = truth(project.memory), messages(project, backend)
    taken = take(project, backup)
    assert taken.snapshot.problems == ()
    other = Project((tmp_path / "other").resolve())
    other.root.mkdir()
    done = restore(backup, other)
    assert (done.problems, done.lost, done.settings, done.left_out) == ([], [], "restored", 0)
    after = truth(other.memory)
    assert after.pop("dedup_state/backups.json")
    assert after == before
    assert any("/sealed/" in name for name in after) == (backend == "default")
    assert messages(other, backend) == said
    proven = dedup(other).store.verified(kept.digest)
    assert proven.problems == []
    assert (proven.chain.vouches(), proven.chain.head) == (True, kept)
    assert (other.state / "content_hashes.json").exists() == (backend == "json")
    assert (other.checkpoints / "empty").is_dir()
    assert stat.S_IMODE(other.state.stat().st_mode) == 0o700
    assert (other.root / ".coditect" / "config.json").read_text(encoding="utf-8") == '{"privacy_level": "public"}'
    assert not (other.memory / ".coditect").exists()
    with shelves.opened(other) as shelf:
        found = {entry.name: b"".join(shelf.parts(entry)) for entry in shelf.all()}
    assert found == {**texts(3), "plain.txt": b"plain\n"}
    assert sorted(path.name for path in other.root.iterdir()) == [".coditect", "MEMORY-CONTEXT"]


def test_a_reader_that_is_not_ours_restores_the_same(tmp_path, project, backup):
    """The reader that backup.md prints gives the same files, permissions and times, and a store that verifies."""
    take(project, backup)
    target = tmp_path / "restored"
    backup_reader.restore(backup, target)
    found = truth(target)
    assert found.pop(".coditect/config.json")[0] == b'{"privacy_level": "public"}'
    assert found == truth(project.memory)
    store = LogStore(str(target / "dedup_state"))
    with store.transaction():
        pass
    assert store.verify() == []


def test_a_restored_store_goes_on(tmp_path, project, backup):
    """Runs and backups go on in a restored store as in the one that was lost, in the same folder of the backup."""
    take(project, backup)
    shutil.rmtree(project.memory)
    restore(backup, project)
    ingest(project, 2)
    assert kept(dedup(project).get_full_conversation(NAME)) == STORY.truth(0, FILES[2].end)
    assert take(project, backup).snapshot.number == 2


def test_what_can_be_made_again_is_not_kept(project, backup):
    """No index, lock, marker of a hook or leftover is in a snapshot; what no version of today knows is."""
    for name in ("x.json.123.tmp", "sealed/.pending"):
        (project.state / name).write_bytes(b"0\n")
    (project.archive / ".incoming-7").write_bytes(b"half")
    taken = take(project, backup)
    names = set(taken.snapshot.files)
    assert not {name for name in names if "index" in name or name.endswith((".idx", ".lock", ".tmp", ".pending"))}
    assert not {name for name in names if "live" in name or "incoming" in name or "watermarks" in name}
    assert {"dedup_state/tombstones.jsonl", "exports/waiting.txt", "sessions/caf\u00e9 notes.md"} <= names
    assert ".coditect/config.json" in names


def test_links_and_pipes_are_named_and_not_followed(project, backup, tmp_path):
    """What lies behind a link is no part of the store; its absence is said."""
    (tmp_path / "secret").write_bytes(b"not ours")
    os.symlink(tmp_path / "secret", project.sessions / "link.md")
    os.mkfifo(project.sessions / "pipe")
    taken = take(project, backup)
    assert "sessions/link.md" not in taken.snapshot.files
    assert sorted(taken.notes) == [
        "sessions/link.md is a link or no file and was not taken",
        "sessions/pipe is a link or no file and was not taken",
    ]


def test_a_store_behind_a_link_is_kept(project, backup, tmp_path):
    """Store and archive are taken where they really are; an archive that leads out of the project is refused."""
    shutil.move(project.state, project.root / "elsewhere")
    os.symlink(project.root / "elsewhere", project.state)
    shutil.move(project.archive, project.root / "archive")
    os.symlink(project.root / "archive", project.archive)
    taken = take(project, backup)
    assert {"dedup_state/tombstones.jsonl", "exports-archive/plain.txt"} <= set(taken.snapshot.files)
    os.unlink(project.archive)
    (tmp_path / "outside").mkdir()
    os.symlink(tmp_path / "outside", project.archive)
    with pytest.raises(UnsafePath):
        take(project, backup)


def test_a_store_alone(tmp_path, project, backup):
    """A folder named as the store is kept alone, and restored alone; of a project's backup the store alone comes out as well."""
    taken = taking.take(Source.of_state(str(project.state)), str(backup))
    assert {name.split("/")[0] for name in taken.snapshot.files} == {"dedup_state"}
    for number, source in enumerate((backup, tmp_path / "whole")):
        if number:
            take(project, source)
        target = tmp_path / f"state-{number}"
        with folders.opened(str(source)) as folder:
            done = restore_to(folder, Target.of_state(str(target)))
        assert done.problems == []
        assert bool(done.left_out) == bool(number)
        assert LogStore(str(target)).verify() == []
        assert (target / "tombstones.jsonl").exists()
        assert not (target / "exports-archive").exists()


def test_another_folder(tmp_path, project, backup):
    """A folder gets what MEMORY-CONTEXT had, the project's settings among it; its missing parents are made."""
    take(project, backup)
    target = tmp_path / "a" / "b"
    with folders.opened(str(backup)) as folder:
        restore_to(folder, Target.of_folder(str(target)))
    assert (target / ".coditect" / "config.json").exists()
    assert truth(target).keys() - truth(project.memory).keys() == {".coditect/config.json"}


def test_a_run_that_did_not_finish_is_no_part_of_a_snapshot(project, backup, tmp_path):
    """What stands behind the last commit record is left out: the restored store has nothing to put aside."""
    sound = (project.state / "conversation_log.jsonl").read_bytes()
    with open(project.state / "conversation_log.jsonl", "ab") as log:
        log.write(b'{"conversation_id":"workshop","index":99,"timest')
    take(project, backup)
    other = Project(tmp_path / "other")
    other.root.mkdir()
    assert restore(backup, other).problems == []
    assert (other.state / "conversation_log.jsonl").read_bytes() == sound
    assert not (other.state / "quarantine").exists()


def test_lines_that_stand_twice_are_kept_once(project, backup, tmp_path, monkeypatch):
    """Killed between sealing and taking away: the snapshot has the lines once, and says what the store says."""
    said = messages(project)
    ingest(project, 2)
    with monkeypatch.context() as patch:
        patch.setattr(indexed_log.Log, "_drop", lambda *_: os._exit(9))
        patch.setattr(indexed_log, "OPEN", 1)
        pid = os.fork()
        if not pid:
            ingest(project, 3)
        os.waitpid(pid, 0)
    begins, waiting = reader.opened(project.state)
    assert reader.whole(project.state)[begins:].startswith(waiting[:1000])
    (project.state / "sealed" / "000000000000-000000000001-00000000.jsonl.xz").write_bytes(b"a shorter one")
    taken = take(project, backup)
    assert taken.snapshot.problems == ()
    other = Project(tmp_path / "other")
    other.root.mkdir()
    assert restore(backup, other).problems == []
    assert messages(other) == messages(project) != said


# --- what a backup costs ------------------------------------------------------------------------------------------


def test_a_second_backup_of_an_unchanged_store_writes_nothing(project, backup):
    """Nothing is written but the snapshot; of files that are older than the first backup nothing is read, the log aside."""
    age(project)
    first = take(project, backup, LONG_AGO + DAY)
    before = {path: path.stat().st_mtime_ns for path in objects(backup)}
    second = take(project, backup, LONG_AGO + 2 * DAY)
    assert (second.written, second.written_bytes) == (0, 0)
    assert second.read_bytes <= (project.state / "backups.json").stat().st_size
    assert {path: path.stat().st_mtime_ns for path in objects(backup)} == before
    assert second.snapshot.files == first.snapshot.files


def test_a_store_with_one_more_run_costs_what_is_new(tmp_path, backup):
    """One turn more in a store of hundreds of kilobytes: what is written is the end of the log, not the store."""
    project = made(tmp_path / "project")
    log = project.state / "conversation_log.jsonl"
    (project.archive / "large.bin").write_bytes(random.Random(1).getrandbits(8 * 300_000).to_bytes(300_000, "big"))
    first = take(project, backup)
    before = log.stat().st_size
    dedup(project).ingest("❯ One more?\n\n● Yes, one more turn.\n".encode(), name="x.txt", conversation_id="more")
    second = take(project, backup)
    assert first.written_bytes > 300_000
    assert 0 < second.written_bytes < before + 4_000
    assert second.written_bytes < first.written_bytes / 20


def test_of_a_file_that_grew_only_its_end_is_new(project, backup):
    """Parts before the end of a growing file are those of the last snapshot."""
    project.status_log.write_bytes(random.Random(2).getrandbits(8 * 20_480).to_bytes(20_480, "big"))
    take(project, backup)
    with project.status_log.open("ab") as log:
        log.write(b"more")
    assert take(project, backup).written_bytes == 4


def test_a_file_changed_without_another_time_is_noticed(project, backup):
    """Same size, same time, written within the seconds before the snapshot: it is read again, and kept as it is."""
    path = project.sessions / "x.md"
    path.write_bytes(b"one")
    os.utime(path, (LONG_AGO, LONG_AGO))
    take(project, backup, LONG_AGO + 1)
    path.write_bytes(b"two")
    os.utime(path, (LONG_AGO, LONG_AGO))
    snapshot = take(project, backup, LONG_AGO + 5).snapshot
    assert snapshot.files["sessions/x.md"].sha256 == __import__("hashlib").sha256(b"two").hexdigest()


def test_permissions_that_changed_cost_no_part(project, backup):
    """The mode is that of the moment, although the file itself is not read again."""
    age(project)
    take(project, backup, LONG_AGO + DAY)
    os.chmod(project.status_log, 0o600)
    second = take(project, backup, LONG_AGO + 2 * DAY)
    assert (second.written, second.snapshot.files["export-dedup-status.txt"].mode) == (0, 0o600)


def test_a_part_that_was_removed_is_written_again(project, backup):
    """The next backup looks whether the parts are there, and copies what is missing."""
    age(project)
    take(project, backup, LONG_AGO + DAY)
    objects(backup)[0].unlink()
    assert take(project, backup, LONG_AGO + 2 * DAY).written == 1
    assert check(backup).damaged == []


def test_full_writes_anew_what_is_damaged(project, backup):
    """A part with other bytes of the same length is trusted by a plain backup, and mended by a full one."""
    age(project)
    take(project, backup, LONG_AGO + DAY)
    path = max(objects(backup), key=lambda each: each.stat().st_size)
    path.write_bytes(bytes(path.stat().st_size))
    take(project, backup, LONG_AGO + 2 * DAY)
    found = check(backup)
    assert [path.name in text for text in found.damaged] == [True]
    assert [len(lost) for lost in found.costs.values()] == [1, 1]
    assert found.whole == []
    take(project, backup, LONG_AGO + 3 * DAY, full=True)
    assert check(backup).damaged == []


# --- what changes meanwhile ---------------------------------------------------------------------------------------


def test_what_comes_and_goes_while_files_are_copied(project, backup, monkeypatch):
    """Between the copying and the locks a file goes, one comes, one changes: the snapshot is that of the locks."""
    gone, changed, come = (project.sessions / name for name in ("gone.md", "changed.md", "come.md"))
    gone.write_bytes(b"gone")
    changed.write_bytes(b"old")
    real = Source.at_rest

    def at_rest(self):
        gone.unlink()
        changed.write_bytes(b"new!")
        come.write_bytes(b"come")
        return real(self)

    monkeypatch.setattr(Source, "at_rest", at_rest)
    take(project, backup)
    found, _ = backup_reader.read(backup, backup_reader.snapshots(backup)[0])
    assert "sessions/gone.md" not in found
    assert found["sessions/changed.md"][0] == b"new!"
    assert found["sessions/come.md"][0] == b"come"


def test_large_files_that_change_every_time_are_read_under_the_locks(project, backup, monkeypatch):
    """A file larger than what may be held in memory, new at the last look: copied all the same, bit by bit."""
    monkeypatch.setattr(copy_rounds, "_IN_MEMORY", 10)
    monkeypatch.setattr(copy_rounds, "_ENOUGH", -1)
    real, rounds = Source.at_rest, []
    select = selection.select

    def counted(source):
        rounds.append(1)
        return select(source)

    def at_rest(self):
        (project.sessions / "large.md").write_bytes(b"x" * 5000)
        (project.sessions / "tiny.md").write_bytes(b"x")
        return real(self)

    monkeypatch.setattr(copy_rounds, "select", counted)
    monkeypatch.setattr(snapshot_copy, "select", counted)
    monkeypatch.setattr(Source, "at_rest", at_rest)
    take(project, backup)
    found, _ = backup_reader.read(backup, backup_reader.snapshots(backup)[0])
    assert found["sessions/large.md"][0] == b"x" * 5000
    assert found["sessions/tiny.md"][0] == b"x"
    assert len(rounds) == 6, "copied without a lock until little is left, or five times"


def test_a_store_in_use_for_good(project, backup, monkeypatch):
    """A run that never gives its lock back: the backup gives up by name, and there is no snapshot."""
    monkeypatch.setattr("deduplication.backup.source.exclusive", lambda path: exclusive(path, 0.05))
    take(project, backup)
    with exclusive(str(project.state / ".lock")), pytest.raises(StoreLocked):
        take(project, backup)
    assert len(backup_reader.snapshots(backup)) == 1


# --- damage in the store ------------------------------------------------------------------------------------------


def test_damage_in_the_store_is_named_and_the_last_good_snapshot_stays(project, backup, tmp_path, monkeypatch):
    """A sealed file, a blob, a pack and a line that are not what was written; however old, the good snapshot is kept."""
    take(project, backup, LONG_AGO)
    ingest(project, 2)
    monkeypatch.setattr(indexed_log, "OPEN", 10**9)
    ingest(project, 3)  # before the damage: a conversation of which lines cannot be read takes nothing
    victims = [
        next(project.state.glob("sealed/*.pack")),
        next(path for path in project.state.glob("blobs/*/*")),
        next(project.archive.glob("packs/*.pack")),
    ]
    for path in victims:
        data = bytearray(path.read_bytes())
        data[len(data) // 2] ^= 1
        path.write_bytes(data)
    log = project.state / "conversation_log.jsonl"
    lines = log.read_bytes().splitlines(keepends=True)
    log.write_bytes(b"".join([lines[0], lines[1].replace(b'"index"', b'"Index"'), *lines[2:]]))
    taken = take(project, backup, LONG_AGO + 100 * DAY)
    named = {path for path, _ in taken.snapshot.problems}
    expected = {path.relative_to(project.memory).as_posix() for path in [*victims, log]}
    assert named == expected
    take(project, backup, LONG_AGO + 200 * DAY)
    assert [each.number for each in _names(backup)] == [1, 3]
    other = Project(tmp_path / "other")
    other.root.mkdir()
    done = restore(backup, other)
    assert done.problems
    assert done.snapshot.problems
    shutil.rmtree(other.memory)
    assert restore(backup, other, snapshot="1").problems == []


def _names(backup):
    with folders.opened(str(backup)) as folder:
        return folder.names()


def test_damage_is_named_in_every_later_snapshot(project, backup):
    """A damaged file with the size and time of before is no sound file: it is looked at again, and stays a problem."""
    next(project.state.glob("blobs/*/*")).write_bytes(b"other")
    age(project)
    for number in range(1, 4):
        taken = take(project, backup, LONG_AGO + number * DAY)
        assert [text for _, text in taken.snapshot.problems] == ["not the bytes that its name says"]


def test_a_damaged_header_of_a_pack_is_named(project, backup):
    """A pack of which nothing can be told is a problem of the snapshot, too."""
    next(project.archive.glob("packs/*.pack")).write_bytes(b"no pack")
    (problem,) = take(project, backup).snapshot.problems
    assert problem[0] == "exports-archive/packs/pack-0001.pack"


def test_a_file_that_cannot_be_read_is_a_problem_and_no_secret(project, backup, monkeypatch):
    """A file and a folder that the disk does not give out: named in the snapshot, everything else is kept."""
    from deduplication.files import atomic

    real = atomic.open_regular

    def refusing(path):
        if path.endswith(("plain.txt", "tombstones.jsonl")):
            raise OSError(5, "Input/output error")
        return real(path)

    monkeypatch.setattr(atomic, "open_regular", refusing)
    listing = os.listdir
    monkeypatch.setattr(
        os, "listdir", lambda path: listing(path) if not str(path).endswith("empty") else listing("/nowhere")
    )
    taken = take(project, backup)
    assert [path for path, _ in taken.snapshot.problems] == [
        "checkpoints/empty",
        "dedup_state/tombstones.jsonl",
        "exports-archive/plain.txt",
    ]
    assert "exports-archive/plain.txt" not in taken.snapshot.files
    assert "exports/waiting.txt" in taken.snapshot.files


def test_a_bit_flipped_in_the_last_line_is_kept(project, backup, monkeypatch):
    """The last commit record with one bit turned was a whole run: it is kept for 'rebuild', not cut off as unfinished."""
    monkeypatch.setattr(indexed_log, "OPEN", 10**9)
    ingest(project, 3)
    log = project.state / "conversation_log.jsonl"
    data = bytearray(log.read_bytes())
    data[-30] ^= 1
    log.write_bytes(data)
    cut = log_part.cut(str(project.state))
    assert cut.data == bytes(data)
    assert cut.faults == ["the last line is damaged"]


def test_what_no_name_tells_of_is_sound():
    """A file that says nothing of its bytes cannot be wrong."""
    assert soundness.fault("sessions/x.md", "", "", 0) == ""


# --- where a backup may be ----------------------------------------------------------------------------------------


def test_folders_that_cannot_take_a_backup(project, tmp_path):
    """Inside of what is kept, around it, full of other things, a file: refused, and nothing is written there."""
    (tmp_path / "full").mkdir()
    (tmp_path / "full" / "other").write_bytes(b"")
    (tmp_path / "file").write_bytes(b"")
    (tmp_path / "link").symlink_to(project.state)
    before = truth(tmp_path)
    for place in (
        project.memory / "backup",
        project.state,
        project.root,
        project.archive / "x",
        tmp_path / "full",
        tmp_path / "file",
        tmp_path / "link" / "x",
    ):
        with pytest.raises(BackupRefused):
            take(project, place)
    assert truth(tmp_path) == before


def test_each_store_has_its_own_folder(project, backup, tmp_path):
    """The backup of another store is refused by name; a store whose note is lost is known by its first line."""
    take(project, backup)
    with pytest.raises(BackupRefused, match="another store"):
        take(made(tmp_path / "other", runs=3), backup)
    (project.state / "backups.json").unlink()
    assert take(project, backup).snapshot.number == 2
    (backup / "backup.json").write_bytes(b"damaged")
    assert len(check(backup).damaged) == 1
    assert take(project, backup).snapshot.number == 3
    assert check(backup).damaged == []


def test_where_nothing_tells_whose_backup_it_is(project, backup):
    """Marker and snapshots damaged: no store may claim the folder."""
    take(project, backup)
    for path in (backup / "backup.json", backup_reader.snapshots(backup)[0]):
        path.write_bytes(b"damaged")
    with pytest.raises(BackupDamaged, match="whose"):
        take(project, backup)


def test_a_project_without_a_store(tmp_path, backup):
    """There is nothing to keep, and no folder is made."""
    with pytest.raises(StoreMissing):
        take(Project(tmp_path), backup)
    assert not backup.exists()


def test_a_store_without_a_line(tmp_path, backup):
    """An empty log has no first line: the store gets an id that is remembered."""
    project = Project((tmp_path / "project").resolve())
    project.state.mkdir(parents=True)
    (project.state / "conversation_log.jsonl").write_bytes(b"")
    first = take(project, backup).snapshot
    assert len(first.store) == 32
    assert take(project, backup).snapshot.store == first.store == known.store_id(str(project.state))
    assert not known.forget(str(project.state), "/somewhere/else")


def test_a_log_that_cannot_be_read_has_no_first_line(tmp_path):
    """The id is then one at random, and no error."""
    (tmp_path / "conversation_log.jsonl").mkdir()
    assert known.store_id(str(tmp_path)) != known.store_id(str(tmp_path))


def test_a_backup_is_private(project, backup):
    """Whatever the umask says: folders 0700, files 0600, and git ignores everything."""
    old = os.umask(0)
    try:
        take(project, backup)
    finally:
        os.umask(old)
    modes = {(path.is_dir(), stat.S_IMODE(path.stat().st_mode)) for path in [backup, *backup.rglob("*")]}
    assert modes == {(True, 0o700), (False, 0o600)}
    assert (backup / ".gitignore").read_text(encoding="utf-8").endswith("*\n")


def test_the_disk_refuses(project, backup, monkeypatch):
    """A folder that cannot be written is a named error of the backup, not of the store."""
    from deduplication.files import atomic

    def refuse(path, *_arguments, **_options):
        raise OSError(28, "No space left on device", path)

    monkeypatch.setattr(atomic, "make_private_directory", refuse)
    with pytest.raises(BackupFailed, match="No space"):
        take(project, backup)


def test_everything_is_on_the_disk_before_there_is_a_snapshot(project, backup, monkeypatch):
    """Each new part is synced, and its folder, before the snapshot's file is written: a power cut leaves none without parts."""
    from deduplication.files import atomic

    order = []
    for name in ("sync_file", "sync_directory", "replace"):
        real = getattr(atomic, name)

        def noted(path, *arguments, name=name, real=real, **options):
            order.append((name, path))
            return real(path, *arguments, **options)

        monkeypatch.setattr(atomic, name, noted)
    take(project, backup)
    written = next(at for at, (name, path) in enumerate(order) if name == "replace" and "/snapshots/" in path)
    before = set(order[:written])
    for path in objects(backup):
        assert ("sync_file", str(path)) in before
        assert ("sync_directory", str(path.parent)) in before
        assert order.index(("replace", str(path))) < order.index(("sync_file", str(path)))
    assert ("sync_directory", str(backup / "objects")) in before
    assert ("sync_directory", str(backup)) in before


def test_what_cannot_be_read_again_does_not_count(project, backup, monkeypatch):
    """A disk that gives back other bytes than it took: no snapshot, and the part is removed."""
    real = parts.Objects.read

    def lying(self, digest, *, from_disk=False):
        if from_disk:
            raise BackupDamaged("other bytes")
        return real(self, digest)

    monkeypatch.setattr(parts.Objects, "read", lying)
    with pytest.raises(BackupFailed, match="cannot be read again"):
        take(project, backup)
    assert backup_reader.snapshots(backup) == []


# --- restoring ----------------------------------------------------------------------------------------------------


def test_nothing_is_overwritten(project, backup, tmp_path):
    """A store, a single file, a file in the folder's place: refused by name, and left as it is."""
    take(project, backup)
    before = truth(project.memory)
    with pytest.raises(RestoreRefused) as refused:
        restore(backup, project)
    assert "--output" in refused.value.hint
    assert truth(project.memory) == before
    other = Project(tmp_path / "other")
    other.sessions.mkdir(parents=True)
    (other.sessions / "mine.md").write_bytes(b"mine")
    with pytest.raises(RestoreRefused):
        restore(backup, other)
    (other.sessions / "mine.md").unlink()
    os.symlink(tmp_path / "nowhere", other.sessions / "link")
    with pytest.raises(RestoreRefused):
        restore(backup, other)
    (other.sessions / "link").unlink()
    assert restore(backup, other).problems == []
    with pytest.raises(UsageError, match="in the backup"), folders.opened(str(backup)) as folder:
        restore_to(folder, Target.of_folder(str(backup / "inside")))


def test_a_store_that_begins_meanwhile_is_not_overwritten(project, backup, tmp_path, monkeypatch):
    """Somebody captures into the place while it is being restored: the last step is refused, and nothing is left."""
    from deduplication.backup import restoring

    take(project, backup)
    for moment in ("_set_modes", "rename"):
        other = Project(tmp_path / moment)
        other.root.mkdir()

        def begin(*arguments, other=other, moment=moment, **folders):
            other.state.mkdir(parents=True)
            (other.state / "conversation_log.jsonl").write_bytes(b"x")
            return os.replace(*arguments, **folders) if moment == "rename" else None

        with monkeypatch.context() as patch:
            patch.setattr(os if moment == "rename" else restoring, moment, begin)
            with pytest.raises(RestoreRefused):
                restore(backup, other)
        assert (other.state / "conversation_log.jsonl").read_bytes() == b"x"
        assert {path.name for path in other.root.iterdir()} <= {"MEMORY-CONTEXT", ".coditect"}


def test_settings_that_are_there_stay(project, backup, tmp_path):
    """A project's own settings are not replaced by those of the backup."""
    take(project, backup)
    other = Project(tmp_path / "other")
    (other.root / ".coditect").mkdir(parents=True)
    (other.root / ".coditect" / "config.json").write_text("{}", encoding="utf-8")
    assert restore(backup, other).settings == "kept"
    assert (other.root / ".coditect" / "config.json").read_text(encoding="utf-8") == "{}"


def test_which_snapshot(project, backup, tmp_path):
    """By number, by the beginning of its time in either spelling, the newest without a word; another one is a named error."""
    take(project, backup, LONG_AGO)
    take(project, backup, LONG_AGO + DAY)
    take(project, backup, LONG_AGO + 2 * DAY)
    with folders.opened(str(backup)) as folder:
        for asked, number in (
            ("", 3),
            ("1", 1),
            ("000002", 2),
            ("2023-11-15", 2),
            ("20231114", 1),
            ("2023-11-16T22:13:20.000Z", 3),
            ("000002-20231115T221320Z", 2),
        ):
            assert folder.find(asked).number == number, asked
        for asked in ("4", "2024-01-01", "x"):
            with pytest.raises(BackupMissing):
                folder.find(asked)
    with pytest.raises(BackupMissing), folders.opened(str(tmp_path)):
        pass
    (tmp_path / "empty").mkdir()
    with pytest.raises(BackupMissing, match="yet"):
        folders.Folder(str(tmp_path / "empty")).find("")


def test_a_damaged_part_stops_a_restore_unless_it_may_be_left_out(project, backup, tmp_path):
    """Nothing is put in its place; with --skip-damaged all that is whole comes back, and what is lost is named."""
    taken = take(project, backup)
    lost = "exports-archive/plain.txt"
    digest = taken.snapshot.files[lost].sha256
    (backup / "objects" / digest[:2] / digest).write_bytes(b"other")
    other = Project(tmp_path / "other")
    other.root.mkdir()
    with pytest.raises(BackupDamaged, match=lost):
        restore(backup, other)
    assert list(other.root.iterdir()) == []
    done = restore(backup, other, skip_damaged=True)
    assert [path for path, _ in done.lost] == [lost]
    assert truth(other.memory).keys() == truth(project.memory).keys() - {lost}


def test_a_folder_that_nobody_may_write_is_restored_as_it_was(project, backup, tmp_path):
    """Permissions are set last; and where the restore is refused then, the folder beside the place goes all the same."""
    (project.sessions / "old").mkdir()
    (project.sessions / "old" / "x.md").write_bytes(b"x")
    os.chmod(project.sessions / "old", 0o500)
    take(project, backup)
    other = Project(tmp_path / "other")
    other.root.mkdir()
    restore(backup, other)
    assert stat.S_IMODE((other.sessions / "old").stat().st_mode) == 0o500


def test_leftovers_of_a_killed_restore_go_and_those_at_work_stay(project, backup, tmp_path):
    """A folder beside the place whose lock nobody holds is removed; one that is locked is not."""
    take(project, backup)
    other = Project(tmp_path / "other")
    other.root.mkdir()
    for number in (1, 2):
        (other.root / f".MEMORY-CONTEXT.restoring-{number}").mkdir()
    with exclusive(str(other.root / ".MEMORY-CONTEXT.restoring-1" / ".lock")):
        restore(backup, other)
    assert sorted(path.name for path in other.root.iterdir() if "restoring" in path.name) == [
        ".MEMORY-CONTEXT.restoring-1"
    ]


def test_a_place_that_cannot_be_written(project, backup, tmp_path, monkeypatch):
    """The disk refuses, before or while files are written: a named error, and nothing is left."""
    take(project, backup)
    other = Project(tmp_path / "other")
    other.root.mkdir()
    from deduplication.backup import restoring, staging

    for room, name, error in (
        (restoring, "_verified", OSError(28, "No space")),
        (staging, "occupied", OSError(13, "Permission denied")),
    ):
        other.memory.mkdir(exist_ok=True)
        with monkeypatch.context() as patch:
            patch.setattr(room, name, lambda *_, error=error, **__: (_ for _ in ()).throw(error))
            with pytest.raises(OutputNotWritable):
                restore(backup, other)
    other.memory.rmdir()
    with monkeypatch.context() as patch:
        patch.setattr(indexed_log.IndexedLog, "save", lambda self, _audit: self.warnings.append("no index"))
        with pytest.raises(OutputNotWritable, match="no index"):
            restore(backup, other)
    with monkeypatch.context() as patch:
        patch.setattr(os, "rename", lambda *_, **__: (_ for _ in ()).throw(OSError(16, "Device or resource busy")))
        with pytest.raises(OutputNotWritable, match="busy"):
            restore(backup, other)
    assert [path.name for path in other.root.iterdir()] in ([], [".coditect"])


# --- damaged and hostile snapshots --------------------------------------------------------------------------------


HEAD = {
    "format": "export-dedup-backup",
    "version": 1,
    "store": "x",
    "number": 1,
    "time": "t",
    "index": "json",
    "problems": [],
}


@pytest.mark.parametrize(
    "lines",
    [
        [{**HEAD, "version": 2}],
        [{**HEAD, "format": "x"}],
        [{"format": HEAD["format"], "version": 1}],
        [HEAD, {"folder": "..", "mode": "0700"}],
        [HEAD, {"folder": "a", "mode": "x"}],
        [HEAD, {"file": "/etc/passwd", "size": 0, "mode": "0600", "mtime_ns": 0, "sha256": "", "parts": []}],
        [HEAD, {"file": "a/../../b", "size": 0, "mode": "0600", "mtime_ns": 0, "sha256": "", "parts": []}],
        [HEAD, {"file": "a\\b", "size": 0, "mode": "0600", "mtime_ns": 0, "sha256": "", "parts": []}],
        [HEAD, {"file": "a", "mode": "0600"}],
        [],
        [1],
    ],
    ids=lambda lines: json.dumps(lines)[-60:],
)
def test_a_snapshot_that_says_anything_else_is_refused(lines):
    """Another version, a path that leads elsewhere, members that are missing: BackupDamaged, whatever the checksum says."""
    with pytest.raises(BackupDamaged):
        manifest.decode(manifest.seal(lines), "x")


def test_a_snapshot_with_a_right_checksum_and_no_json_is_refused():
    """Whatever was written there, it was not by us."""
    import hashlib

    body = b"no json\n"
    with pytest.raises(BackupDamaged):
        manifest.unseal(body + b'{"sha256":"%s"}\n' % hashlib.sha256(body).hexdigest().encode(), "x")


def test_any_snapshot_reads_back():
    """Names that are no UTF-8, empty files, files of many parts: what is encoded is decoded."""
    file = manifest.File(os.fsdecode(b"exports/\xff\xe9 \xc3\xa9"), 0, 0o600, -1, "e3", ())
    many = manifest.File("a/b", 5, 0o644, 10**18, "x", ("1", "2"))
    one = manifest.Snapshot(3, "t", "s", "json", {file.path: file, "a/b": many}, {".": 0o755}, (("a", "b"),))
    assert manifest.decode(manifest.encode(one), "x") == one


def test_a_snapshot_under_another_name_is_refused(project, backup):
    """A file that was renamed by hand is not taken for another snapshot."""
    take(project, backup)
    (path,) = backup_reader.snapshots(backup)
    path.rename(path.with_name(path.name.replace("000001", "000007")))
    with pytest.raises(BackupDamaged, match="another name"), folders.opened(str(backup)) as folder:
        folder.find("")


def test_snapshots_that_cannot_be_listed_are_damage(project, backup):
    """A file in the place of their folder is no empty backup."""
    take(project, backup)
    shutil.rmtree(backup / "snapshots")
    (backup / "snapshots").write_bytes(b"")
    with pytest.raises(BackupDamaged), folders.opened(str(backup)) as folder:
        folder.names()


def test_a_file_whose_parts_do_not_make_it_is_refused(project, backup, tmp_path):
    """Parts that are each right and together another file: nothing is restored."""
    take(project, backup)
    (path,) = backup_reader.snapshots(backup)
    lines = [json.loads(line) for line in path.read_bytes().splitlines()[:-1]]
    log = next(line for line in lines if "/sealed/" in line.get("file", ""))
    log["parts"].reverse()
    path.write_bytes(manifest.seal(lines))
    other = Project(tmp_path / "other")
    other.root.mkdir()
    with pytest.raises(BackupDamaged, match="do not make"):
        restore(backup, other)


def test_parts_with_names_that_are_none(backup):
    """A digest is never a path."""
    with pytest.raises(BackupDamaged):
        parts.Objects(str(backup)).read("../../etc/passwd")


# --- retention ----------------------------------------------------------------------------------------------------


def numbers(backup):
    """The snapshots that are there."""
    return [int(path.name.split("-")[0]) for path in backup_reader.snapshots(backup)]


def test_old_snapshots_go_with_what_only_they_needed(project, backup):
    """On a clock of the test's own: after 30 days the old one goes, with its parts, and every other one is whole."""
    (project.sessions / "x.md").write_bytes(b"only in the first")
    take(project, backup, LONG_AGO)
    (project.sessions / "x.md").write_bytes(b"in the later ones")
    take(project, backup, LONG_AGO + 10 * DAY)
    assert take(project, backup, LONG_AGO + 30 * DAY).removed == retention.NOTHING
    assert numbers(backup) == [1, 2, 3]
    removed = take(project, backup, LONG_AGO + 30 * DAY + 1).removed
    assert (removed.snapshots, removed.objects >= 1, removed.kept) == (1, True, False)
    assert numbers(backup) == [2, 3, 4]
    assert b"only in the first" not in {path.read_bytes() for path in objects(backup)}
    assert check(backup).damaged == []
    needed = {
        part
        for path in backup_reader.snapshots(backup)
        for line in path.read_bytes().splitlines()[1:-1]
        for part in json.loads(line).get("parts", [json.loads(line).get("sha256")])
    }
    assert {path.name for path in objects(backup)} == needed - {None}


@pytest.mark.parametrize(("days", "left"), [(-1, [1, 2, 3]), (0, [3]), (1.5, [2, 3])])
def test_days(project, backup, days, left):
    """Below 0 nothing goes; at 0 the newest stays."""
    for number in range(3):
        take(project, backup, LONG_AGO + number * DAY, retention_days=days)
    assert numbers(backup) == left


def test_the_newest_is_never_removed_whatever_the_clock_says(project, backup):
    """A clock that went back, or far ahead: the snapshot that was just taken stays, and is the newest."""
    take(project, backup, LONG_AGO + 1000 * DAY, retention_days=1)
    take(project, backup, LONG_AGO, retention_days=1)
    assert numbers(backup) == [1, 2]
    with folders.opened(str(backup)) as folder:
        assert folder.find("").number == 2
    take(project, backup, LONG_AGO + 2000 * DAY, retention_days=1)
    assert numbers(backup) == [3]


def test_a_snapshot_that_cannot_be_read_costs_no_part(project, backup):
    """Nobody knows what it needs: nothing is removed while it is there; once it is old, it goes, and the parts with it."""
    take(project, backup, LONG_AGO)
    (project.sessions / "x.md").write_bytes(b"changed")
    take(project, backup, LONG_AGO + DAY)
    (project.sessions / "x.md").unlink()
    backup_reader.snapshots(backup)[1].write_bytes(b"damaged")
    before = len(objects(backup))
    removed = take(project, backup, LONG_AGO + 30.5 * DAY).removed
    assert removed == retention.Removed(1, 0, kept=True)
    assert len(objects(backup)) >= before
    removed = take(project, backup, LONG_AGO + 32 * DAY).removed
    assert (removed.snapshots, removed.kept) == (1, False)
    assert check(backup).damaged == []


def test_the_last_good_snapshot_is_looked_for_behind_damaged_ones(project, backup):
    """The newest was taken of a damaged store, the one before cannot be read: the third last is the good one."""
    take(project, backup, LONG_AGO)
    take(project, backup, LONG_AGO + 1)
    take(project, backup, LONG_AGO + 2)
    backup_reader.snapshots(backup)[-1].write_bytes(b"damaged")
    next(project.state.glob("blobs/*/*")).write_bytes(b"other")
    take(project, backup, LONG_AGO + 100 * DAY)
    assert numbers(backup) == [2, 4]


def test_a_snapshot_without_a_time_is_not_known_to_be_old():
    """A name that is no date is left alone, and before a time that is none every file is read again."""
    assert clock.seconds("99999999T999999Z") == float("inf")
    assert clock.nanoseconds("yesterday") == 0


def test_leftovers_are_removed_by_the_next_backup(project, backup):
    """Parts that nobody needs, temporary files, strange files among the parts: gone after the next backup, if one was killed."""
    take(project, backup)
    first = {path.name for path in objects(backup)}
    (backup / ".running").write_bytes(b"")
    strange = [
        backup / "objects" / "ab" / ("ab" + "0" * 62),
        backup / "objects" / "ab" / "x.123.tmp",
        backup / "objects" / "file",
        backup / "snapshots" / "000009-x.jsonl.7.tmp",
    ]
    for path in strange:
        path.parent.mkdir(exist_ok=True)
        path.write_bytes(b"x")
    assert [text for text in check(backup).damaged if "no part of a snapshot" in text]
    take(project, backup)
    assert not any(path.exists() for path in strange)
    assert first <= {path.name for path in objects(backup)}
    assert not (backup / ".running").exists()


# --- known backups, and a purge -----------------------------------------------------------------------------------


def test_backups_are_known(project, tmp_path):
    """Each folder once, in the order of their beginnings; deleting the indexes costs nothing of it; a folder can be forgotten."""
    one, two = tmp_path / "one", tmp_path / "two"
    for path in (one, two, one):
        take(project, path)
    state = str(project.state)
    assert known.known(state) == [str(one), str(two)]
    (project.state / "watermarks.json").unlink()
    dedup(project).store.rebuild()
    assert known.known(state) == [str(one), str(two)]
    assert known.forget(state, str(one))
    assert known.known(state) == [str(two)]
    for content in (b"", b"[]", b'{"folders":3,"store":1}', b'{"folders":[{"path":3}],"store":"x"}'):
        (project.state / "backups.json").write_bytes(content)
        assert known.known(state) == []


def test_a_note_that_cannot_be_read_is_not_written_anew(project, backup, monkeypatch, tmp_path):
    """A read error is no empty list: a backup that is known stays known, and the error is named."""
    from deduplication.files import atomic

    take(project, backup)
    real = atomic.open_regular

    def refusing(path):
        if path.endswith("backups.json"):
            raise OSError(5, "Input/output error")
        return real(path)

    with monkeypatch.context() as patch:
        patch.setattr(atomic, "open_regular", refusing)
        with pytest.raises(StoreError, match=r"backups\.json"):
            take(project, tmp_path / "another")
    assert known.known(str(project.state)) == [str(backup)]


def test_a_store_that_cannot_note_it_says_so(project, backup, monkeypatch):
    """A read-only store is kept all the same, with a word that a purge will not find this backup."""
    from deduplication.errors import StoreNotWritable

    def refuse(*_):
        raise StoreNotWritable("read-only")

    monkeypatch.setattr(known, "remember", refuse)
    assert "purge will not reach it" in take(project, backup).notes[0]


def test_after_a_purge_a_backup_has_nothing_of_what_is_gone(project, tmp_path):
    """Renewing makes a fresh snapshot and removes every earlier one with its parts, in each folder that can be reached."""
    reached, gone = tmp_path / "reached", tmp_path / "gone"
    (project.sessions / "x.md").write_bytes(b"a secret that is purged")
    for path in (reached, gone):
        take(project, path)
    take(project, reached)
    backup_reader.snapshots(reached)[0].write_bytes(b"damaged")
    shutil.rmtree(gone)
    (project.sessions / "x.md").unlink()
    (unreached,) = renewing.renew(Source.of_project(project))
    assert unreached.folder == str(gone)
    assert "no backup" in unreached.why
    assert not gone.exists()
    assert numbers(reached) == [3]
    assert all(b"a secret" not in path.read_bytes() for path in reached.rglob("*") if path.is_file())
    assert check(reached).damaged == []
    assert renewing.renew(Source.of_project(project))[0].folder == str(gone)


def test_a_fresh_backup_after_a_purge_is_cleaned_of_leftovers_too(project, backup):
    """Where there is no earlier snapshot, what a killed backup left is removed all the same."""
    take(project, backup)
    with folders.claimed(str(backup), known.store_id(str(project.state))) as folder:
        retention.remove(folder, folder.names())
    stray = backup / "objects" / "ab" / "secret"
    stray.parent.mkdir(parents=True, exist_ok=True)
    stray.write_bytes(b"left by a killed run")
    assert renewing.renew(Source.of_project(project)) == []
    assert not stray.exists()


def test_a_damaged_store_does_not_cost_its_good_snapshots(project, backup):
    """Renewing after damage keeps what was whole, and says that this backup was not renewed."""
    take(project, backup)
    next(project.state.glob("blobs/*/*")).write_bytes(b"other")
    ((_, why),) = renewing.renew(Source.of_project(project))
    assert "damaged" in why
    assert numbers(backup) == [1, 2]


def test_a_backup_that_cannot_be_renewed_is_named(project, backup, monkeypatch):
    """A disk that refuses: the reason is told, for the purge to say."""
    from deduplication.errors import StoreNotWritable

    take(project, backup)

    def refuse(*_):
        raise StoreNotWritable("no space")

    monkeypatch.setattr(retention, "remove", refuse)
    assert renewing.renew(Source.of_project(project)) == [renewing.Unreached(str(backup), "no space")]
