"""Every write goes through here: replace a file whole, append to a log, and know what has reached the disk.

The assumptions are SQLite's: a rename within one directory is atomic, and data is on the disk only once fsync has
returned. After an fsync that failed nothing about the file is believed: the error travels up and the run fails.
"""

from __future__ import annotations

import contextlib
import errno
import os
import re
import stat
from typing import TYPE_CHECKING, BinaryIO, Final

from .errors import StoreNotWritable

if TYPE_CHECKING:
    from collections.abc import Iterator

PRIVATE_FILE: Final = 0o600
PRIVATE_DIRECTORY: Final = 0o700
SHARED_FILE: Final = 0o644

_NO_FOLLOW: Final[int] = getattr(os, "O_NOFOLLOW", 0)
_BINARY: Final[int] = getattr(os, "O_BINARY", 0)
_CLOSE_ON_EXEC: Final[int] = getattr(os, "O_CLOEXEC", 0)
_NO_WAIT: Final[int] = getattr(os, "O_NONBLOCK", 0)
_TEMPORARY: Final = re.compile(r"\.\d+\.tmp\Z")


@contextlib.contextmanager
def write_errors(path: str) -> Iterator[None]:
    """Turn the operating system's refusals into one named error with the file's name in it."""
    try:
        yield
    except OSError as error:
        raise StoreNotWritable(f"{path}: {error.strerror or error}") from error


def write_all(descriptor: int, data: bytes | memoryview) -> None:
    """Write every byte; a short write is continued, an interrupted call is repeated by Python itself (PEP 475)."""
    view = memoryview(data)
    while view:
        written = os.write(descriptor, view)
        if written == 0:
            raise OSError(errno.EIO, "the file system accepted no bytes")
        view = view[written:]


def sync_directory(path: str) -> None:
    """Make a rename or a creation in ``path`` durable. Windows has no such call and needs none."""
    if os.name == "nt":
        return
    descriptor = os.open(path, os.O_RDONLY | _CLOSE_ON_EXEC)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def make_private_directory(path: str) -> None:
    """Create ``path`` and its missing parents readable by their owner only, whatever the umask says."""
    if not os.path.isdir(path):
        parent = os.path.dirname(os.path.abspath(path))
        if not os.path.isdir(parent):  # os.makedirs would give the parents the umask's mode
            make_private_directory(parent)
        with contextlib.suppress(FileExistsError):
            os.mkdir(path, PRIVATE_DIRECTORY)
    if os.name != "nt" and stat.S_IMODE(os.stat(path).st_mode) & 0o077:
        os.chmod(path, PRIVATE_DIRECTORY)


def replace(path: str, data: bytes, *, mode: int = PRIVATE_FILE, durable: bool = True) -> None:
    """Put ``data`` under ``path`` as a whole: readers see the old file or the new one, never a part.

    ``durable=False`` is for files that can be made again from others: after a power cut they may be garbage, and
    their readers must notice.
    """
    directory = os.path.dirname(path) or "."
    temporary = f"{path}.{os.getpid()}.tmp"
    with write_errors(path):
        with contextlib.suppress(FileNotFoundError):
            os.unlink(temporary)
        flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | _NO_FOLLOW | _BINARY | _CLOSE_ON_EXEC
        descriptor = os.open(temporary, flags, mode)
        try:
            try:
                if os.name != "nt":
                    os.fchmod(descriptor, mode)
                write_all(descriptor, data)
                if durable:
                    os.fsync(descriptor)
            finally:
                os.close(descriptor)
            os.replace(temporary, path)
        except BaseException:
            with contextlib.suppress(OSError):
                os.unlink(temporary)
            raise
        if durable:
            sync_directory(directory)


@contextlib.contextmanager
def replacing(path: str, *, mode: int = PRIVATE_FILE, fresh: bool = False) -> Iterator[int]:
    """A descriptor, for reading and writing, of a new file that takes the name ``path``, synced, when the block ends well.

    For files too large to be held whole. Where the block fails nothing is left and ``path`` is what it was. ``fresh``: it
    also fails where anything has that name by then.
    """
    temporary = f"{path}.{os.getpid()}.tmp"
    with write_errors(path):
        with contextlib.suppress(FileNotFoundError):
            os.unlink(temporary)
        flags = os.O_RDWR | os.O_CREAT | os.O_EXCL | _NO_FOLLOW | _BINARY | _CLOSE_ON_EXEC
        descriptor = os.open(temporary, flags, mode)
        try:
            try:
                if os.name != "nt":
                    os.fchmod(descriptor, mode)
                yield descriptor
                os.fsync(descriptor)
            finally:
                os.close(descriptor)
            if fresh:
                _name_anew(temporary, path)
            else:
                os.replace(temporary, path)
        except BaseException:
            with contextlib.suppress(OSError):
                os.unlink(temporary)
            raise
        sync_directory(os.path.dirname(path) or ".")


def _name_anew(temporary: str, path: str) -> None:
    """Give a file a name that nothing has; raises :class:`FileExistsError`."""
    if os.name == "nt":
        os.rename(temporary, path)  # which never replaces there
        return
    try:
        os.link(temporary, path)
    except FileExistsError:
        raise
    except OSError:  # a file system without hard links
        if os.path.lexists(path):
            raise FileExistsError(17, "File exists", path) from None
        os.rename(temporary, path)
    else:
        os.unlink(temporary)


def append(path: str, data: bytes, *, mode: int = PRIVATE_FILE, durable: bool = True) -> None:
    """Add ``data`` at the end of ``path``; durable means: on the disk when this returns.

    On an error the file is cut back to where it was, as far as the disk still allows.
    """
    with write_errors(path):
        existed = os.path.lexists(path)
        flags = os.O_WRONLY | os.O_APPEND | os.O_CREAT | _NO_FOLLOW | _BINARY | _CLOSE_ON_EXEC
        descriptor = os.open(path, flags, mode)
        try:
            if os.name != "nt" and stat.S_IMODE(os.fstat(descriptor).st_mode) != mode:
                os.fchmod(descriptor, mode)
            size = os.fstat(descriptor).st_size
            try:
                write_all(descriptor, data)
                if durable:
                    os.fsync(descriptor)
            except BaseException:
                with contextlib.suppress(OSError):
                    os.ftruncate(descriptor, size)
                raise
        finally:
            os.close(descriptor)
        if durable and not existed:
            sync_directory(os.path.dirname(path) or ".")


def open_regular(path: str) -> BinaryIO:
    """Open a file of ours for reading. A link is not followed and a pipe not waited for: both are an OSError."""
    descriptor = os.open(path, os.O_RDONLY | _NO_FOLLOW | _NO_WAIT | _BINARY | _CLOSE_ON_EXEC)
    if not stat.S_ISREG(os.fstat(descriptor).st_mode):
        os.close(descriptor)
        raise OSError(errno.EINVAL, "Not a regular file")
    return os.fdopen(descriptor, "rb")


def remove_temporaries(directory: str) -> None:
    """Delete what :func:`replace` left in ``directory`` when its process was killed; only who holds the lock may."""
    with contextlib.suppress(OSError):  # a leftover does no harm: the next run tries again
        for name in os.listdir(directory):
            if _TEMPORARY.search(name):
                os.unlink(os.path.join(directory, name))


def truncate(path: str, size: int) -> None:
    """Cut ``path`` to ``size`` bytes, durably (a torn tail after a crash; its bytes were put aside before)."""
    with write_errors(path):
        descriptor = os.open(path, os.O_WRONLY | _NO_FOLLOW | _BINARY | _CLOSE_ON_EXEC)
        try:
            os.ftruncate(descriptor, size)
            os.fsync(descriptor)
        finally:
            os.close(descriptor)


def sync_file(path: str) -> None:
    """Have what was written to ``path`` by other means on the disk when this returns."""
    with write_errors(path):
        descriptor = os.open(path, os.O_RDWR | _NO_FOLLOW | _BINARY | _CLOSE_ON_EXEC)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)
