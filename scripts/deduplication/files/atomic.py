"""Every write goes through here: replace a file whole, append to a log, and know what has reached the disk.

The assumptions are SQLite's: a rename within one directory is atomic, and data is on the disk only once fsync has
returned. After an fsync that failed nothing about the file is believed: the error travels up and the run fails.
Where a call ends up is decided in ``files/anchored.py``: no link that is put on the way meanwhile leads it out of the project.
"""

from __future__ import annotations

import contextlib
import errno
import os
import stat
import time
from typing import TYPE_CHECKING, BinaryIO, Final

from ..errors import StoreNotWritable
from ..start.late_pattern import late_pattern
from . import anchored, beneath

if TYPE_CHECKING:
    from collections.abc import Container, Iterator

PRIVATE_FILE: Final = 0o600
PRIVATE_DIRECTORY: Final = 0o700
SHARED_FILE: Final = 0o644
MAX_NAME_BYTES: Final = 255
"""Of a file's name, on every file system that is in wide use."""

_BINARY: Final[int] = getattr(os, "O_BINARY", 0)
_NO_WAIT: Final[int] = getattr(os, "O_NONBLOCK", 0)
_PAUSES: Final = (0.001, 0.01, 0.05, 0.1, 0.2, 0.4)
"""Seconds between attempts."""
_TEMPORARY: Final = late_pattern(r"\.\d+\.tmp\Z")


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
    anchored.sync(path)


def make_private_directory(path: str) -> None:
    """Create ``path`` and its missing parents, durably, readable by their owner only, whatever the umask says."""
    with anchored.directory(path, make=PRIVATE_DIRECTORY) as folder:
        if folder is None:
            anchored.make_by_name(path, PRIVATE_DIRECTORY)
        if os.name != "nt" and stat.S_IMODE(os.stat(path if folder is None else folder).st_mode) & 0o077:
            os.chmod(path if folder is None else os.curdir, PRIVATE_DIRECTORY, dir_fd=folder)


def temporary_name(name: str) -> str:
    """The name under which a file is written that is to be ``name``: beside it, and never longer than a name may be."""
    ending = f".{os.getpid()}.tmp"
    while len(os.fsencode(name)) > MAX_NAME_BYTES - len(ending):
        name = name[:-1]  # between characters: some systems take no half ones
    return name + ending


def replace(path: str, data: bytes, *, mode: int = PRIVATE_FILE, durable: bool = True, whole: bool = False) -> None:
    """Put ``data`` under ``path`` as a whole: readers see the old file or the new one, never a part.

    ``durable=False`` is for files that can be made again from others: after a power cut they may be garbage, and
    their readers must notice. With ``whole`` they are the old file or the new one even then.
    """
    with write_errors(path), beneath.reached(path) as (name, folder):
        with _temporary(name, folder, os.O_WRONLY, mode) as (temporary, descriptor):
            try:
                write_all(descriptor, data)
                if durable or whole:
                    os.fsync(descriptor)
            finally:
                os.close(descriptor)
            _take_place(temporary, name, folder)
        if durable:
            _sync_beside(path, folder)


@contextlib.contextmanager
def replacing(path: str, *, mode: int = PRIVATE_FILE, fresh: bool = False) -> Iterator[int]:
    """A descriptor, for reading and writing, of a new file that takes the name ``path``, synced, when the block ends well.

    For files too large to be held whole. Where the block fails nothing is left and ``path`` is what it was. ``fresh``: it
    also fails where anything has that name by then.
    """
    with write_errors(path), beneath.reached(path) as (name, folder):
        with _temporary(name, folder, os.O_RDWR, mode) as (temporary, descriptor):
            try:
                yield descriptor
                os.fsync(descriptor)
            finally:
                os.close(descriptor)
            if fresh:
                _name_anew(temporary, name, folder)
            else:
                _take_place(temporary, name, folder)
        _sync_beside(path, folder)


@contextlib.contextmanager
def _temporary(name: str, folder: int | None, flags: int, mode: int) -> Iterator[tuple[str, int]]:
    """The name and a descriptor of a new file that is to be ``name``; the file goes where the block fails."""
    temporary = os.path.join(os.path.dirname(name), temporary_name(os.path.basename(name)))
    with contextlib.suppress(FileNotFoundError):
        os.unlink(temporary, dir_fd=folder)
    flags |= os.O_CREAT | os.O_EXCL | anchored.NO_FOLLOW | _BINARY | anchored.CLOSE_ON_EXEC
    descriptor = os.open(temporary, flags, mode, dir_fd=folder)
    try:
        if os.name != "nt":
            try:
                os.fchmod(descriptor, mode)
            except BaseException:
                os.close(descriptor)
                raise
        yield temporary, descriptor
    except BaseException:
        with contextlib.suppress(OSError):
            os.unlink(temporary, dir_fd=folder)
        raise


def _sync_beside(path: str, folder: int | None) -> None:
    """Have the name of a file on the disk, in the very folder in which it was given."""
    if folder is None:
        sync_directory(os.path.dirname(path) or ".")
    else:
        anchored.sync_descriptor(folder)


def _take_place(temporary: str, name: str, folder: int | None) -> None:
    """Give a file the name of another one, whose place it takes.

    On Windows that is refused for as long as anybody has one of both open, a reader or a scanner for viruses: it is tried again.
    """
    for pause in _PAUSES if os.name == "nt" else ():
        try:
            os.replace(temporary, name)
        except PermissionError:
            time.sleep(pause)
        else:
            return
    os.replace(temporary, name, src_dir_fd=folder, dst_dir_fd=folder)


def _name_anew(temporary: str, name: str, folder: int | None) -> None:
    """Give a file a name that nothing has; raises :class:`FileExistsError`."""
    if os.name == "nt":
        os.rename(temporary, name)  # which never replaces there
        return
    try:
        os.link(temporary, name, src_dir_fd=folder, dst_dir_fd=folder)
    except FileExistsError:
        raise
    except OSError:  # a file system without hard links
        with contextlib.suppress(FileNotFoundError):
            os.stat(name, dir_fd=folder, follow_symlinks=False)
            raise FileExistsError(errno.EEXIST, os.strerror(errno.EEXIST), name) from None
        os.rename(temporary, name, src_dir_fd=folder, dst_dir_fd=folder)
    else:
        os.unlink(temporary, dir_fd=folder)


def append(path: str, data: bytes, *, mode: int = PRIVATE_FILE, durable: bool = True) -> None:
    """Add ``data`` at the end of ``path``; durable means: on the disk when this returns.

    On an error the file is cut back to where it was, as far as the disk still allows.
    """
    with write_errors(path), beneath.reached(path) as (name, folder):
        flags = os.O_WRONLY | os.O_APPEND | anchored.NO_FOLLOW | _BINARY | anchored.CLOSE_ON_EXEC
        existed = True
        try:
            descriptor = os.open(name, flags, dir_fd=folder)
        except FileNotFoundError:
            existed = False
            descriptor = os.open(name, flags | os.O_CREAT, mode, dir_fd=folder)
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
            _sync_beside(path, folder)


def open_regular(path: str, *, follow: bool = False) -> BinaryIO:
    """Open a file of ours for reading. A link is not followed and a pipe not waited for: both are an OSError.

    ``follow`` is for what people write themselves and may link to, settings.
    """
    flags = os.O_RDONLY | _NO_WAIT | _BINARY | anchored.CLOSE_ON_EXEC
    descriptor = os.open(path, flags) if follow else beneath.open_file(path, flags)
    if not stat.S_ISREG(os.fstat(descriptor).st_mode):
        os.close(descriptor)
        raise OSError(errno.EINVAL, "Not a regular file")
    return os.fdopen(descriptor, "rb")


def is_temporary(name: str) -> bool:
    """Whether a file of this name is one that was about to take another's place."""
    return _TEMPORARY.search(name) is not None


def remove_temporaries(directory: str, of: Container[str] | None = None) -> None:
    """Delete what :func:`replace` left in ``directory`` when its process was killed; only who holds the lock may.

    ``of``: only what was about to take one of these names, in a folder that holds other people's files.
    """
    with contextlib.suppress(OSError):  # a leftover does no harm: the next run tries again
        for name in os.listdir(directory):
            ending = _TEMPORARY.search(name)
            if ending is not None and (of is None or name[: ending.start()] in of):
                beneath.unlink(os.path.join(directory, name))


def truncate(path: str, size: int) -> None:
    """Cut ``path`` to ``size`` bytes, durably (a torn tail after a crash; its bytes were put aside before)."""
    with write_errors(path):
        descriptor = beneath.open_file(path, os.O_WRONLY | _BINARY)
        try:
            os.ftruncate(descriptor, size)
            os.fsync(descriptor)
        finally:
            os.close(descriptor)


def sync_file(path: str) -> None:
    """Have what was written to ``path`` by other means on the disk when this returns."""
    with write_errors(path):
        descriptor = beneath.open_file(path, os.O_RDWR | _BINARY)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)
