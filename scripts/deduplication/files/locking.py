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
from .atomic import PRIVATE_FILE, write_errors

if TYPE_CHECKING:
    from collections.abc import Iterator

DEFAULT_TIMEOUT: Final = 60.0
"""Seconds that a run waits for another one before it gives up."""
_POLL: Final = 0.02
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
        import errno

        if error.errno in (errno.EACCES, errno.EAGAIN, errno.EWOULDBLOCK, errno.EDEADLK):
            return False
        raise
    return True


def _try(path: str) -> int | None:
    """The descriptor of the locked file, or None where somebody else holds it."""
    with beneath.reached(path) as (name, folder):
        descriptor = os.open(name, _FLAGS, PRIVATE_FILE, dir_fd=folder)
        try:
            if _lock(descriptor):
                # Somebody may have unlinked the file between open and lock: a lock on a file without a name excludes nobody.
                with contextlib.suppress(FileNotFoundError):
                    if os.path.samestat(os.fstat(descriptor), os.stat(name, dir_fd=folder)):
                        return descriptor
        except BaseException:
            os.close(descriptor)
            raise
        os.close(descriptor)
        return None


@contextlib.contextmanager
def _native(path: str, timeout: float) -> Iterator[None]:
    deadline = time.monotonic() + timeout
    with write_errors(path):
        descriptor = _try(path)
        while descriptor is None:
            if time.monotonic() >= deadline:
                raise StoreLocked(f"{path} (waited {timeout:g} s)")
            time.sleep(_POLL)
            descriptor = _try(path)
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
