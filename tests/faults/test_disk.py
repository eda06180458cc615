"""The disk refuses: each call fails once, writes stop half way, fsync fails, the disk is full, the folder read-only."""

from __future__ import annotations

import contextlib
import errno
import os
import shutil
import stat
import subprocess

import pytest

from deduplication.errors import StoreDamaged, StoreError, StoreNotWritable
from exports import kept
from faults.children import Shim, run
from faults.scenes import EACH_INDEX, FILES, LOG, NAME, NEW, Scene, dedup, indexes, truth

pytestmark = pytest.mark.faults


def failing(scene, at, action, **options):
    """Run the scene's job in a child whose ``at``-th call fails; how it ended, and whether the call was reached."""

    def job():
        shim = Shim(at, action, **options).install()
        try:
            value = scene.job()
        except StoreError as error:
            return None, f"{type(error).__name__}: {error}", shim.count >= at
        return value, "", shim.count >= at

    outcome = run(job)
    assert (outcome.signal, outcome.trace) == (0, ""), outcome.trace
    return outcome.value


@pytest.mark.parametrize("done", [0, 2], ids=["first run", "third run"])
@pytest.mark.parametrize(
    ("action", "options"),
    [
        (errno.ENOSPC, {}),
        (errno.EIO, {}),
        (errno.EACCES, {}),
        (errno.EROFS, {"forever": True}),
        ("short", {}),
        ("short-then-full", {}),
        (errno.EIO, {"only": ("fsync",)}),
        (errno.EIO, {"only": ("fsync",), "forever": True}),
    ],
    ids=[
        "ENOSPC",
        "EIO",
        "EACCES",
        "EROFS from then on",
        "short write",
        "short write, then full",
        "fsync",
        "every fsync",
    ],
)
def test_a_failing_system_call_is_a_named_error_or_no_harm(disk, done, action, options, calls):
    """Each call of an import fails in turn: what is reported as stored is stored, what is not is a named error."""
    scene = Scene(disk / "state", done)
    only = ("write",) if action in ("short", "short-then-full") else ()
    failures = 0
    for at in calls(2 if only or "only" in options else 5):
        scene.reset()
        value, error, reached = failing(scene, at, action, **{"only": only, **options})
        complete = scene.completed()
        if value is None:
            failures += 1
            assert error
        else:
            assert value["new"] == NEW[done]
            assert complete == done + 1
        scene.recovers()
        if not reached:
            break
    assert at > 2, "the shim does not see the calls"
    assert (failures == 0) == (action == "short")


def test_an_fsync_that_fails_is_never_followed_by_success(disk):
    """After a failed fsync of the log the run fails, and no commit record of it is left in the log."""
    scene = Scene(disk / "state", 1)
    for at in (1, 2):
        scene.reset()
        value, error, _ = failing(scene, at, errno.EIO, only=("fsync",))
        assert value is None
        assert error.startswith("StoreNotWritable")
        assert (scene.folder / LOG).read_bytes() == (scene.template / LOG).read_bytes()


def fill(path, leave):
    """Fill the file system of ``path`` except for ``leave`` bytes."""
    with open(path, "wb", buffering=0) as filler, contextlib.suppress(OSError):
        while True:
            filler.write(b"\0" * 4096)
    size = os.stat(path).st_size
    os.truncate(path, max(size - leave, 0))


def test_a_full_disk_fails_with_a_name_and_the_next_run_completes(tiny):
    """With any number of free pages: earlier runs stay, the run succeeds or says why not, and works once there is room."""
    failures = successes = 0
    for pages in (*range(16), 24, 32, 48, 64, 96):
        scene = Scene(tiny / "state", 1)
        scene.reset()
        fill(tiny / "filler", pages * 4096)
        outcome = run(scene.job)
        assert outcome.trace == "", outcome.trace
        complete = scene.completed()
        if outcome.error:
            failures += 1
            assert outcome.error.startswith("StoreNotWritable")
        else:
            successes += 1
            assert complete == 2
        assert kept(dedup(scene.folder).get_full_conversation(NAME)) == truth(complete)  # readable while it is full
        (tiny / "filler").unlink()
        scene.recovers()
    assert failures
    assert successes


def test_a_read_only_store_can_be_read_and_verified_but_not_written(tiny):
    """On a read-only file system reading works and creates nothing; writing is a named error."""
    scene = Scene(tiny / "state", 2)
    scene.reset()
    before = sorted(os.listdir(scene.folder))
    remount = ["mount", "-o", "remount,ro", str(tiny)]
    subprocess.run(remount, check=True, capture_output=True)
    store = dedup(scene.folder)
    assert kept(store.get_full_conversation(NAME)) == truth(2)
    assert store.get_statistics(NAME)["exports_processed"] == 2
    assert store.store.verify() == []
    with pytest.raises(StoreNotWritable, match="Read-only"):
        scene.job()
    with pytest.raises(StoreNotWritable):
        dedup(tiny / "fresh").ingest(FILES[0].data, name="x.txt")
    assert sorted(os.listdir(scene.folder)) == before


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write everywhere")
def test_a_folder_without_write_permission_is_a_named_error(disk):
    """A state folder of mode 0500: reading works, writing says why not."""
    scene = Scene(disk / "state", 1)
    scene.reset()
    scene.folder.chmod(0o500)
    try:
        assert kept(dedup(scene.folder).get_full_conversation(NAME)) == truth(1)
        with pytest.raises(StoreError):
            scene.job()
    finally:
        scene.folder.chmod(0o700)
    scene.recovers()


def test_a_last_record_torn_at_any_byte_is_put_aside_and_the_run_can_be_repeated(disk, backend, full):
    """The log cut at every byte of its last run's end: the run before stays whole, what was torn is in quarantine.

    What is cut does not depend on the index: each byte has its turn with one of both, every line end with each.
    """
    scene = Scene(disk / "state", 1)
    scene.reset()
    whole_before = (scene.folder / LOG).read_bytes()
    scene.job()
    whole = (scene.folder / LOG).read_bytes()
    last = whole.rindex(b"\n", 0, -1) + 1
    # every byte of the commit record, and every line end before it
    ends = [n + 1 for n in range(len(whole_before), last) if whole[n : n + 1] == b"\n"]
    first, step = (last, 1) if full else (last + (backend == "json"), 2)
    cuts = [*range(first, len(whole), step), *ends]
    for cut in cuts:
        scene.reset()
        (scene.folder / LOG).write_bytes(whole[:cut])
        store = dedup(scene.folder)
        assert kept(store.get_full_conversation(NAME)) == truth(1)
        assert (scene.folder / LOG).stat().st_size == cut  # a reader moves nothing
        again = store.ingest(scene.next.data, name=scene.next.name, conversation_id=NAME)
        assert again.new == NEW[1]
        aside = list((scene.folder / "quarantine").iterdir())
        assert [path.read_bytes() for path in aside] == [whole[len(whole_before) : cut]]
        assert any(aside[0].name in warning for warning in again.warnings)
    scene.whole()


@pytest.mark.parametrize("there", [True, False], ids=["with indexes", "without indexes"])
def test_a_tail_of_zeros_is_put_aside(disk, there):
    """What a power cut leaves of an append (zeros instead of data, at the end or in the middle of a run) is cut off."""
    scene = Scene(disk / "state", 2)
    scene.reset()
    sound = (scene.folder / LOG).read_bytes()
    scene.job()
    run_bytes = (scene.folder / LOG).read_bytes()[len(sound) :]
    rows = run_bytes[: run_bytes.rindex(b"\n", 0, -1) + 1]  # the commit record is written after these are on the disk
    middle = rows[: len(rows) // 3] + b"\0" * (len(rows) // 3) + rows[2 * (len(rows) // 3) :]
    for tail in (b"\0" * 4096, rows[:300] + b"\0" * 512, b"\0" * 512 + rows[512:], middle, rows):
        scene.reset()
        (scene.folder / LOG).write_bytes(sound + tail)
        if not there:
            for name in indexes():
                (scene.folder / name).unlink()
        scene.recovers()


def test_the_commit_record_is_written_only_after_its_run_is_on_the_disk(disk):
    """The order write, fsync, write, fsync on the log: a power cut can leave no commit record behind a hole."""
    scene = Scene(disk / "state", 1)
    scene.reset()

    def job():
        shim = Shim(0, "").install()
        scene.job()
        return [name for name in shim.seen if name in ("write", "fsync")]

    assert run(job).value[:4] == ["write", "fsync", "write", "fsync"]


def test_a_rebuild_leaves_no_torn_tail_that_the_next_run_would_be_glued_to(disk):
    """Rebuilt over a torn tail, the log ends with a complete run, and the next run can be read from the log alone."""
    scene = Scene(disk / "state", 1)
    scene.reset()
    with open(scene.folder / LOG, "ab") as log:
        log.write((scene.folder / LOG).read_bytes()[:1000])
    problems = dedup(scene.folder).store.rebuild()
    assert any("quarantine" in problem for problem in problems)
    assert dedup(scene.folder).store.verify() == []
    scene.recovers()
    for name in indexes():
        (scene.folder / name).unlink()
    assert kept(dedup(scene.folder).get_full_conversation(NAME)) == truth(2)


# -- files deleted, emptied, replaced -----------------------------------------------------------------------------


def _folder(path):
    path.unlink()
    path.mkdir()


def _link(path):
    target = path.parent.parent / "outside"
    target.write_bytes(path.read_bytes())
    path.unlink()
    path.symlink_to(target)


def _pipe(path):
    path.unlink()
    os.mkfifo(path)


REPLACED = {
    "deleted": lambda path: path.unlink(),
    "emptied": lambda path: path.write_bytes(b""),
    "truncated": lambda path: os.truncate(path, path.stat().st_size // 2),
    "zeros": lambda path: path.write_bytes(b"\0" * path.stat().st_size),
    "a folder": _folder,
    "a link": _link,
    "a pipe": _pipe,
}


@pytest.mark.parametrize(("backend", "name"), EACH_INDEX, indirect=["backend"])
@pytest.mark.parametrize("how", REPLACED)
def test_an_index_that_is_gone_or_something_else_is_made_again(disk, name, how):
    """Whatever became of an index: the answer is right, verify names it, the next run works, a link is not followed."""
    scene = Scene(disk / "state", 2)
    scene.reset()
    path = scene.folder / name
    sound = path.read_bytes()
    REPLACED[how](path)
    assert kept(dedup(scene.folder).get_full_conversation(NAME)) == truth(2)
    assert [problem for problem in dedup(scene.folder).store.verify() if name in problem]
    result = scene.job()
    assert result["new"] == NEW[2]
    assert kept(dedup(scene.folder).get_full_conversation(NAME)) == truth(3)
    if how == "a folder":
        with pytest.raises(StoreError, match="is a folder"):
            dedup(scene.folder).store.rebuild()
        path.rmdir()
    if how == "a folder":
        dedup(scene.folder).store.rebuild()
    scene.whole()
    assert stat.S_ISREG(path.lstat().st_mode)
    if how == "a link":
        assert (disk / "outside").read_bytes() == sound


@pytest.mark.parametrize("how", REPLACED)
def test_a_log_that_is_gone_or_something_else_is_a_named_error(disk, how):
    """The log cannot be made again: nothing is answered, nothing is written over it, no link is followed."""
    scene = Scene(disk / "state", 2)
    scene.reset()
    path = scene.folder / LOG
    sound = path.read_bytes()
    REPLACED[how](path)
    before = sorted(p.name for p in scene.folder.iterdir())
    if how != "zeros":
        for attempt in (scene.job, lambda: dedup(scene.folder).get_full_conversation(NAME)):
            with pytest.raises(StoreError):
                attempt()
    else:  # of the same length: what is read is checked line by line
        with pytest.raises(StoreDamaged):
            dedup(scene.folder).get_full_conversation(NAME)
    if how not in ("a folder", "a link", "a pipe"):
        assert dedup(scene.folder).store.verify()
    assert sorted(p.name for p in scene.folder.iterdir()) == before
    if how == "a link":
        assert (disk / "outside").read_bytes() == sound
    if path.is_dir():
        path.rmdir()
    else:
        path.unlink(missing_ok=True)
    path.write_bytes(sound)  # a copy is put back
    scene.recovers()


@pytest.mark.parametrize("how", ["a folder", "a link", "a pipe"])
def test_a_lock_file_that_is_something_else_is_refused_or_harmless(disk, how):
    """The lock's place is taken: reading works, writing works or is a named error, and nothing outside is touched."""
    scene = Scene(disk / "state", 1)
    scene.reset()
    (scene.folder / ".lock").touch()
    REPLACED[how](scene.folder / ".lock")
    assert kept(dedup(scene.folder).get_full_conversation(NAME)) == truth(1)
    if how == "a pipe":
        scene.job()
    else:
        with pytest.raises(StoreNotWritable, match=r"\.lock"):
            scene.job()
        assert scene.completed() == 1


def test_a_quarantine_that_leads_outside_is_refused(disk):
    """A link in the place of the quarantine folder: nothing is written behind it, no mode is changed."""
    scene = Scene(disk / "state", 1)
    scene.reset()
    outside = disk / "elsewhere"
    outside.mkdir()
    outside.chmod(0o755)
    (scene.folder / "quarantine").symlink_to(outside)
    with open(scene.folder / LOG, "ab") as log:
        log.write(b"torn")
    with pytest.raises(StoreNotWritable, match="is a link"):
        scene.job()
    assert list(outside.iterdir()) == []
    assert stat.S_IMODE(outside.stat().st_mode) == 0o755
    (scene.folder / "quarantine").unlink()
    scene.recovers()


@pytest.mark.parametrize("umask", [0o000, 0o022, 0o077], ids=["000", "022", "077"])
def test_everything_in_the_store_is_private_whatever_the_umask(disk, umask):
    """I10: folders 0700 and files 0600, those of recovery and rebuild included, under any umask."""
    folder = disk / "a" / "b" / "state"

    def job():
        os.umask(umask)
        for file in FILES[:2]:
            dedup(folder).ingest(file.data, name=file.name, conversation_id=NAME)
        with open(folder / LOG, "ab") as log:
            log.write(b"torn")
        dedup(folder).ingest(FILES[2].data, name=FILES[2].name, conversation_id=NAME)
        data = bytearray((folder / LOG).read_bytes())
        data[100] ^= 1
        (folder / LOG).write_bytes(data)
        dedup(folder).store.rebuild()

    assert run(job).trace == ""
    seen = {path: stat.S_IMODE(path.lstat().st_mode) for path in [disk / "a", *(disk / "a").rglob("*")]}
    assert len(seen) > 9
    assert {oct(mode) for path, mode in seen.items() if path.is_dir()} == {"0o700"}
    assert {oct(mode) for path, mode in seen.items() if not path.is_dir()} == {"0o600"}


def test_a_store_that_others_may_read_is_closed_again(disk):
    """A state folder and a log that were made readable for everybody are private again after the next run."""
    scene = Scene(disk / "state", 1)
    scene.reset()
    scene.folder.chmod(0o777)
    for path in scene.folder.iterdir():
        path.chmod(0o666)
    scene.job()
    assert stat.S_IMODE(scene.folder.stat().st_mode) == 0o700
    for name in (LOG, *indexes()):
        assert stat.S_IMODE((scene.folder / name).stat().st_mode) == 0o600


def test_an_export_stays_where_it_is_when_its_run_fails(disk):
    """The engine reads an export and nothing else: bytes, time and place are as before, whatever failed."""
    source = disk / "export.txt"
    source.write_bytes(FILES[0].data)
    before = source.stat()
    scene = Scene(disk / "state", 1)
    scene.reset()
    shutil.rmtree(scene.folder)
    scene.folder.write_bytes(b"a file where the store should be")
    with pytest.raises(StoreError):
        dedup(scene.folder).process_export(NAME, source)
    after = source.stat()
    assert (after.st_ino, after.st_mtime_ns, after.st_size) == (before.st_ino, before.st_mtime_ns, before.st_size)
    assert source.read_bytes() == FILES[0].data
