"""locking: one at a time, with filelock and without it, and a lock dies with its holder."""

from __future__ import annotations

import importlib.util
import os
import signal
import stat
import subprocess
import sys
import time
from pathlib import Path

import pytest

from deduplication.errors import StoreLocked, StoreNotWritable
from deduplication.files import locking
from deduplication.files.locking import exclusive

SCRIPTS = str(Path(locking.__file__).resolve().parents[2])
WITHOUT = "import sys; sys.modules['filelock'] = None\n"
OURS = f"import sys; sys.path.insert(0, {SCRIPTS!r})\nfrom deduplication.files.locking import exclusive, StoreLocked\n"
HOLD = {
    "filelock": (
        "import filelock, sys\nlock = filelock.FileLock(sys.argv[1])\nlock.acquire()\n"
        "print('held', flush=True); input()\nlock.release()\n"
    ),
    "ours": OURS + "with exclusive(sys.argv[1]):\n    print('held', flush=True); input()\n",
    "ours without filelock": WITHOUT + OURS + "with exclusive(sys.argv[1]):\n    print('held', flush=True); input()\n",
}
TRY = {
    "filelock": (
        "import filelock, sys\n"
        "try:\n    filelock.FileLock(sys.argv[1], timeout=float(sys.argv[2])).acquire()\n    print('got it')\n"
        "except filelock.Timeout: print('locked')\n"
    ),
    "ours": (
        OURS + "try:\n    with exclusive(sys.argv[1], float(sys.argv[2])): print('got it')\n"
        "except StoreLocked: print('locked')\n"
    ),
}
TRY["ours without filelock"] = WITHOUT + TRY["ours"]
KINDS = list(HOLD)
needs_filelock = pytest.mark.skipif(importlib.util.find_spec("filelock") is None, reason="filelock is not installed")


def holder(kind, path):
    """A process of its own that holds the lock until it reads a line."""
    process = subprocess.Popen(
        [sys.executable, "-c", HOLD[kind], path], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )
    assert process.stdout.readline() == "held\n"
    return process


def attempt(kind, path, timeout=0.1):
    """What a process of its own says that tries to take the lock."""
    done = subprocess.run(
        [sys.executable, "-c", TRY[kind], path, str(timeout)], capture_output=True, text=True, check=True, timeout=60
    )
    return done.stdout.strip()


@pytest.mark.unmeasured
@needs_filelock
@pytest.mark.parametrize("second", KINDS)
@pytest.mark.parametrize("first", KINDS)
def test_every_kind_of_holder_excludes_every_kind_of_taker(tmp_path, first, second):
    """filelock, ours with it and ours without it lock the same file with the same call: all exclude each other."""
    path = str(tmp_path / "lock")
    with holder(first, path) as process:
        assert attempt(second, path) == "locked"
        process.communicate("\n")
    assert attempt(second, path) == "got it"


@pytest.mark.parametrize("kind", ["ours", "ours without filelock"])
def test_a_lock_dies_with_its_holder(tmp_path, kind):
    """kill -9 of the holder frees the lock at once; the file that stays behind is no obstacle."""
    path = str(tmp_path / "lock")
    with holder(kind, path) as process:
        assert attempt(kind, path) == "locked"
        os.kill(process.pid, signal.SIGKILL)
        process.wait()
        assert attempt(kind, path, 5) == "got it"
    assert os.path.exists(path)


@pytest.mark.parametrize("kind", ["ours", "ours without filelock"])
def test_a_waiting_process_gets_the_lock_when_it_is_let_go(tmp_path, kind):
    """Somebody who waits gets the lock as soon as its holder lets go, well before the time is over."""
    path = str(tmp_path / "lock")
    with holder("ours", path) as process:
        waiting = subprocess.Popen(
            [sys.executable, "-c", TRY[kind], path, "60"], stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, text=True
        )
        with pytest.raises(subprocess.TimeoutExpired):
            waiting.wait(0.3)
        process.communicate("\n")
        assert waiting.communicate(timeout=30)[0] == "got it\n"


@pytest.mark.parametrize("without", [False, True], ids=["with filelock", "without filelock"])
def test_waiting_is_bounded_and_says_for_what(tmp_path, monkeypatch, without):
    """Within one process, too, a held lock is refused after the given time, by the lock file's name."""
    path = str(tmp_path / "lock")
    if without:
        monkeypatch.setitem(sys.modules, "filelock", None)
    with exclusive(path):
        began = time.monotonic()
        with pytest.raises(StoreLocked, match=r"lock \(waited 0.1 s\)"), exclusive(path, 0.1):
            pass
        assert time.monotonic() - began >= 0.1
    with exclusive(path, 0):
        pass


def test_without_filelock_no_more_than_the_given_time_is_slept(tmp_path, monkeypatch):
    """The waiting loop, by a clock of the test's own: it ends within one step of the time it was given."""
    path = str(tmp_path / "lock")
    monkeypatch.setitem(sys.modules, "filelock", None)
    slept = []
    monkeypatch.setattr(time, "monotonic", lambda: sum(slept))
    monkeypatch.setattr(time, "sleep", slept.append)
    with exclusive(path), pytest.raises(StoreLocked, match="waited 60 s"), exclusive(path):
        pass
    assert 60 <= sum(slept) < 61


@pytest.mark.parametrize("without", [False, True], ids=["with filelock", "without filelock"])
def test_a_lock_is_given_back_when_the_block_fails_after_waiting(tmp_path, monkeypatch, without):
    """An exception inside the block frees the lock, whichever way it was taken."""
    path = str(tmp_path / "lock")
    if without:
        monkeypatch.setitem(sys.modules, "filelock", None)
    attempts = []
    real = locking._lock

    def first_time_busy(descriptor):
        attempts.append(descriptor)
        return len(attempts) > 1 and real(descriptor)

    monkeypatch.setattr(locking, "_lock", first_time_busy)
    with pytest.raises(ZeroDivisionError), exclusive(path, 5):
        raise ZeroDivisionError
    with exclusive(path, 0):
        pass
    assert len(attempts) > 1


def test_the_lock_file_is_private_and_stays(tmp_path):
    """The lock file has mode 0600 and is not removed: a lock on a removed file would exclude nobody."""
    path = tmp_path / "lock"
    with exclusive(str(path)):
        inode = path.stat().st_ino
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    with exclusive(str(path)):
        assert path.stat().st_ino == inode


def test_a_lock_file_that_was_replaced_between_open_and_lock_is_not_believed(tmp_path, monkeypatch):
    """Another file under the same name: the lock on the old one is given up and the new one is locked."""
    path = tmp_path / "lock"
    path.touch()
    real = locking._lock
    descriptors = []

    def replaced(descriptor):
        if not descriptors:
            path.unlink()
            path.touch()
        descriptors.append(descriptor)
        return real(descriptor)

    monkeypatch.setattr(locking, "_lock", replaced)
    with exclusive(str(path), 5):
        assert len(descriptors) == (2 if importlib.util.find_spec("filelock") is None else 1)
        monkeypatch.setattr(locking, "_lock", real)
        with pytest.raises(StoreLocked), exclusive(str(path), 0):
            pass


def test_a_lock_that_was_removed_between_open_and_lock_is_not_believed(tmp_path, monkeypatch):
    """The name is gone when the lock is there: it is not taken for a lock."""
    path = tmp_path / "lock"
    real = locking._lock
    monkeypatch.setattr(locking, "_lock", lambda descriptor: path.unlink() or real(descriptor))
    assert locking._try(str(path)) is None


def test_a_link_in_the_lock_s_place_is_not_followed(tmp_path):
    """A symbolic link is refused with a named error and its target is not created."""
    (tmp_path / "lock").symlink_to(tmp_path / "target")
    with pytest.raises(StoreNotWritable, match="lock"), exclusive(str(tmp_path / "lock")):
        pass
    assert not (tmp_path / "target").exists()


def test_a_folder_that_is_not_there_is_a_named_error(tmp_path):
    """A lock in a missing folder: StoreNotWritable with the path."""
    with pytest.raises(StoreNotWritable, match="missing"), exclusive(str(tmp_path / "missing" / "lock")):
        pass


def test_a_file_system_without_locks_is_a_named_error(tmp_path, monkeypatch):
    """flock that fails for another reason than contention is said, and never waited for."""
    fcntl = pytest.importorskip("fcntl")

    def unsupported(*_arguments):
        raise OSError(95, "Operation not supported")

    monkeypatch.setattr(fcntl, "flock", unsupported)
    with pytest.raises(StoreNotWritable, match="not supported"), exclusive(str(tmp_path / "lock")):
        pass


def test_a_folder_without_other_writers(tmp_path):
    """Of those who write into it only one who is alone is told so, and nothing is put into it; one that is gone tells nobody."""
    told = []
    with locking.among_writers(str(tmp_path), lambda: told.append("first")):
        with locking.among_writers(str(tmp_path), lambda: told.append("second")):
            pass
        assert os.listdir(tmp_path) == []
    with locking.among_writers(str(tmp_path), lambda: told.append("third")):
        pass
    with locking.among_writers(str(tmp_path / "gone"), lambda: told.append("fourth")):
        pass
    assert told == (["first", "third"] if locking.SHARED else ["first", "second", "third", "fourth"])
