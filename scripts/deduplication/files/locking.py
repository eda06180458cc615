"""One writer at a time: a lock that dies with its holder.

The lock is the kernel's (``flock``, on Windows ``msvcrt.locking``) on a file that stays in place. The first attempt
is the system call itself, which costs a microsecond; only where somebody else holds the lock is ``filelock`` imported
(some 80 ms) to do the waiting. Where it is not installed, and in a project, where the file is opened from folder to folder, a
small loop over the same call on the same file takes its place, so that both exclude each other.
"""

from __future__ import annotations

import contextlib
import os
import time
from typing import TYPE_CHECKING, Final

from ..errors import StoreLocked
from . import anchored, beneath
from .atomic import PRIVATE_FILE, make_private_directory, write_errors

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

DEFAULT_TIMEOUT: Final = 60.0
"""Seconds that a run waits for another one before it gives up."""
RUNS: Final = "runs.lock"
"""In a store's folder: shared by all runs whose exports are not stored and archived yet."""
SHARED: Final = os.name != "nt"
"""Whether a lock can be held by several processes at once, and its file be read by the others."""
_POLL: Final = 0.02
_TRIES: Final = 20
_BLINK: Final = 0.001
_FLAGS: Final[int] = os.O_RDWR | os.O_CREAT | getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_CLOEXEC", 0)


def _lock(descriptor: int) -> bool:
    """One attempt that never waits."""
    try:
        if os.name == "nt":
            import msvcrt

            msvcrt.locking(descriptor, msvcrt.LK_NBLCK, 1)  # type: ignore[attr-defined,unused-ignore]
        else:
            import fcntl

            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError as error:
        return not _is_taken(error)
    return True


def _lock_shared(descriptor: int) -> bool:
    """The same for a lock that others may have as well."""
    import fcntl

    try:
        fcntl.flock(descriptor, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except OSError as error:
        return not _is_taken(error)
    return True


def _is_taken(error: OSError) -> bool:
    """Whether a lock was refused because somebody else holds it; raises ``error`` where it was not."""
    import errno

    if error.errno in (errno.EACCES, errno.EAGAIN, errno.EWOULDBLOCK, errno.EDEADLK):
        return True
    raise error


def _try(path: str, *, shared: bool = False, until: float = 0.0) -> int | None:
    """The descriptor of the locked file, or None where somebody else holds it, also at the moment ``until``.

    Who waits opens the file once: many may wait, and on a way from folder to folder opening takes ten calls.
    """
    lock = _lock_shared if shared else _lock
    while True:
        with beneath.reached(path) as (name, folder):
            descriptor = os.open(name, _FLAGS, PRIVATE_FILE, dir_fd=folder)
            try:
                locked = lock(descriptor)
                while not locked and time.monotonic() < until:
                    time.sleep(_POLL)
                    locked = lock(descriptor)
                # Somebody may have unlinked the file between open and lock: a lock on a file without a name excludes nobody.
                with contextlib.suppress(FileNotFoundError):
                    if locked and os.path.samestat(os.fstat(descriptor), os.stat(name, dir_fd=folder)):
                        return descriptor
            except BaseException:
                os.close(descriptor)
                raise
            os.close(descriptor)
            if time.monotonic() >= until:
                return None


@contextlib.contextmanager
def _native(path: str, timeout: float) -> Iterator[None]:
    with write_errors(path):
        descriptor = _try(path, until=time.monotonic() + timeout)
    if descriptor is None:
        raise StoreLocked(f"{path} (waited {timeout:g} s)")
    try:
        yield
    finally:
        os.close(descriptor)  # closing gives the lock back, on every system


@contextlib.contextmanager
def exclusive(path: str, timeout: float = DEFAULT_TIMEOUT) -> Iterator[None]:
    """Hold the lock at ``path`` (a file, created where missing), waiting at most ``timeout`` seconds.

    Raises :class:`StoreLocked` when another process does not let go in time.
    """
    with write_errors(path):
        descriptor = _try(path)
    if descriptor is not None:
        try:
            yield
        finally:
            os.close(descriptor)
        return
    if anchored.guards(path):  # filelock opens the path as a whole, wherever it leads by then
        with _native(path, timeout):
            yield
        return
    try:
        import filelock
    except ImportError:
        with _native(path, timeout):
            yield
        return
    lock = filelock.FileLock(path, timeout=timeout, mode=PRIVATE_FILE)
    try:
        lock.acquire(poll_interval=_POLL)
    except filelock.Timeout as error:
        raise StoreLocked(f"{path} (waited {timeout:g} s)") from error
    try:
        yield
    finally:
        lock.release()


def attempt(path: str) -> int | None:
    """The lock at ``path`` without waiting: its descriptor, which holds it until it is closed; None where it is held."""
    with write_errors(path):
        return _try(path)


def is_held(path: str, *, unknown: bool = False) -> bool:
    """Whether a process holds the lock at ``path``, or is :func:`present` there; ``unknown`` where nobody can tell.

    Nothing is created: a file that is not there is held by nobody.
    """
    try:
        descriptor = beneath.open_file(path, os.O_RDWR | getattr(os, "O_NONBLOCK", 0))
    except FileNotFoundError:
        return False
    except OSError:
        return unknown
    try:
        return not _lock(descriptor)
    finally:
        os.close(descriptor)


@contextlib.contextmanager
def present(path: str) -> Iterator[Callable[[], None]]:
    """Be seen by :func:`is_held` until the block ends or calls what it is given; one of any number of processes. It never waits.

    The lock's folder is made, private, where it is missing.

    Nobody relies on it: where it cannot be had (on Windows there are no shared locks) the process is not seen.
    """
    held: list[int] = []
    if SHARED:
        with contextlib.suppress(OSError):
            make_private_directory(os.path.dirname(path))
            for _ in range(_TRIES):
                descriptor = _try(path, shared=True)
                if descriptor is not None:
                    held.append(descriptor)
                    break
                time.sleep(_BLINK)  # somebody is looking at this very moment

    def leave() -> None:
        while held:
            os.close(held.pop())

    try:
        yield leave
    finally:
        leave()


@contextlib.contextmanager
def among_writers(folder: str, first: Callable[[], None]) -> Iterator[None]:
    """Be one of any number of processes that write into ``folder``; ``first`` is called where no other one is yet.

    The folder itself is locked, so that nothing of ours lies in it. Nobody relies on it: where it cannot be locked (some network
    file systems) ``first`` is not called. On Windows it always is: nothing is removed there that a process has open.
    """
    held: list[int] = []
    try:
        with contextlib.suppress(OSError):
            if SHARED:
                held.append(beneath.open_file(folder, os.O_RDONLY | os.O_DIRECTORY))
            if not held or _lock(held[0]):
                first()
            for _ in range(_TRIES if held else 0):
                if _lock_shared(held[0]):
                    break
                time.sleep(_BLINK)  # another one is looking at this very moment
        yield
    finally:
        for descriptor in held:
            os.close(descriptor)
