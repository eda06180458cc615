"""Folders reached from an anchor, each from the one before, so that no link swapped in meanwhile leads the way out of a project.

A path that is checked and then used by name leads elsewhere when another process puts a link in the place of one of its
folders in between. So below an *anchor* (a project's folder, a backup's) no path is given to the system as a whole: the
anchor is opened, and each folder on the way from the one before it (``openat`` with ``O_NOFOLLOW``). A link on the way is
read and walked in the same manner, so one that stays below the anchor goes on to work, and one that leads out is refused:
:class:`LeadsOut`. What lies above the anchor is the user's, links and all; a path below no anchor was named by the user and
goes to the system as it is.

Where the system has no such calls (Windows) the real path is looked at before and after.
"""

from __future__ import annotations

import contextlib
import errno
import os
from typing import TYPE_CHECKING, Final, Optional

if TYPE_CHECKING:
    from collections.abc import Iterator

NO_FOLLOW: Final[int] = getattr(os, "O_NOFOLLOW", 0)
CLOSE_ON_EXEC: Final[int] = getattr(os, "O_CLOEXEC", 0)
FOLDER: Final[int] = getattr(os, "O_DIRECTORY", 0) | CLOSE_ON_EXEC
WAY: Final[int] = FOLDER | getattr(os, "O_PATH", os.O_RDONLY)
"""To go through a folder takes no right to list it."""
_MOST_LINKS: Final = 40
"""As many as Linux follows on one way."""
BY_DESCRIPTOR: Final = bool(NO_FOLLOW) and {os.open, os.mkdir, os.unlink, os.rename, os.readlink} <= os.supports_dir_fd
_IS_LINK: Final = (errno.ELOOP, errno.ENOTDIR, errno.EMLINK)
"""What the systems say of a link that must not be followed."""
_anchors: set[str] = set()


class LeadsOut(OSError):
    """A link on the way leads out of the folder in which everything has to stay."""


def anchor(folder: str | os.PathLike[str], *, new: bool = True) -> None:
    """From now on nothing below ``folder`` (absolute, without links) is reached by a way that leads out of it.

    ``new=False``: unless it lies below an anchor already, which then holds for the way to it as well.
    """
    folder = os.path.abspath(folder)
    if new or _anchor_of(folder) is None:
        _anchors.add(folder.rstrip(os.sep))


def guards(path: str) -> bool:
    """Whether calls for ``path`` go from folder to folder."""
    return BY_DESCRIPTOR and _anchor_of(os.path.dirname(os.path.abspath(path))) is not None


@contextlib.contextmanager
def directory(path: str, *, make: int | None = None) -> Iterator[Optional[int]]:
    """A descriptor to start from in the folder ``path``; None where its name is to be used, as it lies below no anchor.

    ``make``: the mode of folders that are missing on the way; they are made, durably. It may be a descriptor that only
    serves as ``dir_fd``.
    """
    path = os.path.abspath(path)
    found = _anchor_of(path)
    if found is None:
        yield None
    elif not BY_DESCRIPTOR:
        _check_by_name(path, found)
        if make is not None:
            make_by_name(path, make)
        yield None
        _check_by_name(path, found)
    else:
        descriptor = _walk(path, found, make)
        try:
            yield descriptor
        finally:
            os.close(descriptor)


def make_by_name(path: str, mode: int) -> None:
    """Make the folder ``path`` where it is missing, with its parents, durably; ``os.makedirs`` gives these the umask's mode."""
    if os.path.isdir(path):
        return
    parent = os.path.dirname(os.path.abspath(path))
    make_by_name(parent, mode)
    with contextlib.suppress(FileExistsError):
        os.mkdir(path, mode)
    sync(parent)


def sync(path: str) -> None:
    """Have the names in the folder ``path`` on the disk. Windows has no such call and needs none."""
    if os.name != "nt":
        with directory(path) as folder:
            if folder is not None:
                sync_descriptor(folder)
                return
            descriptor = os.open(path, os.O_RDONLY | CLOSE_ON_EXEC)
            try:
                os.fsync(descriptor)
            finally:
                os.close(descriptor)


def sync_descriptor(folder: int) -> None:
    """The same of the folder that :func:`directory` or :func:`reached` gave a descriptor of."""
    descriptor = os.open(os.curdir, os.O_RDONLY | FOLDER, dir_fd=folder)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _anchor_of(path: str) -> int | None:
    """How long the name of the nearest anchor on the way to ``path`` is; None where there is none."""
    end = len(path.rstrip(os.sep))
    while end >= 0:
        if path[:end] in _anchors:
            return end
        end = path.rfind(os.sep, 0, end)
    return None


def _walk(path: str, end: int, make: int | None) -> int:
    """A descriptor of the folder ``path``, reached from its anchor (its first ``end`` characters) without leaving it."""
    base = path[:end] or os.sep
    if make is not None:
        make_by_name(base, make)
    held = [os.open(base, WAY)]
    waiting = path[end:].split(os.sep)[::-1]
    links, ours = 0, len(waiting)
    try:
        while waiting:
            part = waiting.pop()
            named = len(waiting) < ours  # by the path, and not by a link on it
            if part in ("", os.curdir):
                continue
            if part == os.pardir:
                if len(held) > 1:
                    os.close(held.pop())
                    continue
                beside = os.path.join(
                    base, os.pardir, *waiting[ours:][::-1]
                )  # a link may leave the anchor and come back
                waiting[ours:] = _below_anchor(path, beside, base).split(os.sep)[::-1]
                continue
            try:
                held.append(os.open(part, WAY | NO_FOLLOW, dir_fd=held[-1]))
            except FileNotFoundError:
                if make is None or not named:  # nothing is made where a link leads to nothing
                    raise
                _make(part, make, held[-1])
                waiting.append(part)
            except OSError as error:
                target = _target(part, held[-1]) if error.errno in _IS_LINK else None
                if target is None:
                    raise
                links += 1
                if links > _MOST_LINKS:
                    raise OSError(errno.ELOOP, os.strerror(errno.ELOOP)) from None
                ours = min(ours, len(waiting))
                if os.path.isabs(target):
                    target = _below_anchor(path, target, base)
                    while len(held) > 1:
                        os.close(held.pop())
                waiting += target.split(os.sep)[::-1]
        return held.pop()
    except OSError as error:
        error.filename = path
        raise
    finally:
        for each in held:
            os.close(each)


def _make(name: str, mode: int, folder: int) -> None:
    with contextlib.suppress(FileExistsError):
        os.mkdir(name, mode, dir_fd=folder)
    sync_descriptor(folder)  # else a power cut takes the folder, and with it what was synced in it


def _target(name: str, folder: int) -> str | None:
    """What a link says; None where the name is that of something else."""
    try:
        return os.readlink(name, dir_fd=folder)
    except OSError:
        return None


def _below_anchor(path: str, target: str, base: str) -> str:
    """The absolute ``target`` of a link as a way from the anchor ``base``, which is then walked like any other."""
    real, base_real = os.path.realpath(target), os.path.realpath(base)
    if os.path.join(real, "").startswith(os.path.join(base_real, "")):
        return real[len(base_real) :].lstrip(os.sep)
    raise LeadsOut(errno.ELOOP, f"a link on the way leads out of {base}", path)


def _check_by_name(path: str, end: int) -> None:
    """Where there are no descriptors of folders: the way as it is at this moment."""
    _below_anchor(path, path, path[:end] or os.sep)
