"""Calls that open and change files; below an anchor they are made in the last folder of the way, which :mod:`.anchored` reached.

So whoever swaps a folder for a link meanwhile cannot lead them out of a project.
"""

from __future__ import annotations

import contextlib
import os
import stat
from typing import TYPE_CHECKING, Optional

from . import anchored
from .anchored import CLOSE_ON_EXEC, FOLDER, NO_FOLLOW, WAY, directory

if TYPE_CHECKING:
    from collections.abc import Iterator


@contextlib.contextmanager
def reached(path: str | os.PathLike[str]) -> Iterator[tuple[str, Optional[int]]]:
    """The name and the ``dir_fd`` with which a call means ``path``; an error of the call gets the whole path."""
    path = os.fspath(path)
    with directory(os.path.dirname(path) or ".") as folder:
        name = path if folder is None else os.path.basename(path)
        try:
            yield name, folder
        except OSError as error:
            if folder is not None and error.filename == name:
                error.filename = path
            raise


def open_file(path: str | os.PathLike[str], flags: int, mode: int = 0o600) -> int:
    """``os.open``, never through a link that the file itself is."""
    with reached(path) as (name, folder):
        return os.open(name, flags | NO_FOLLOW | CLOSE_ON_EXEC, mode, dir_fd=folder)


def status(path: str | os.PathLike[str]) -> os.stat_result:
    """``os.lstat``."""
    with reached(path) as (name, folder):
        return os.stat(name, dir_fd=folder, follow_symlinks=False)


def unlink(path: str | os.PathLike[str]) -> None:
    """``os.unlink``."""
    with reached(path) as (name, folder):
        os.unlink(name, dir_fd=folder)


def mkdir(path: str | os.PathLike[str], mode: int = 0o777) -> None:
    """``os.mkdir``."""
    with reached(path) as (name, folder):
        os.mkdir(name, mode, dir_fd=folder)


def rmdir(path: str | os.PathLike[str]) -> None:
    """``os.rmdir``."""
    with reached(path) as (name, folder):
        os.rmdir(name, dir_fd=folder)


def rename(old: str | os.PathLike[str], new: str | os.PathLike[str]) -> None:
    """``os.rename``."""
    with reached(old) as (name, folder), reached(new) as (other, other_folder):
        os.rename(name, other, src_dir_fd=folder, dst_dir_fd=other_folder)


def replace(old: str | os.PathLike[str], new: str | os.PathLike[str]) -> None:
    """``os.replace``."""
    with reached(old) as (name, folder), reached(new) as (other, other_folder):
        os.replace(name, other, src_dir_fd=folder, dst_dir_fd=other_folder)


def link(old: str | os.PathLike[str], new: str | os.PathLike[str]) -> None:
    """``os.link``, of a link itself and not of what it leads to."""
    with reached(old) as (name, folder), reached(new) as (other, other_folder):
        os.link(name, other, src_dir_fd=folder, dst_dir_fd=other_folder, follow_symlinks=False)


def set_times(path: str | os.PathLike[str], mtime_ns: int) -> None:
    """``os.utime``, of a link itself; where it cannot (Windows), of what is there."""
    with reached(path) as (name, folder):
        follow = os.utime not in os.supports_follow_symlinks
        os.utime(name, ns=(mtime_ns, mtime_ns), dir_fd=folder, follow_symlinks=follow)


def chmod(path: str | os.PathLike[str], mode: int) -> None:
    """``os.chmod`` of a file or folder, never of what a link leads to."""
    with reached(path) as (name, folder):
        if not anchored.BY_DESCRIPTOR:
            os.chmod(path, mode)
            return
        if stat.S_ISDIR(os.stat(name, dir_fd=folder, follow_symlinks=False).st_mode):
            way = os.open(name, WAY | NO_FOLLOW, dir_fd=folder)
            try:
                os.chmod(".", mode, dir_fd=way)
            finally:
                os.close(way)
            return
        descriptor = os.open(name, os.O_RDONLY | os.O_NONBLOCK | NO_FOLLOW | CLOSE_ON_EXEC, dir_fd=folder)
        try:
            os.fchmod(descriptor, mode)
        finally:
            os.close(descriptor)


def make_folders(path: str | os.PathLike[str], mode: int = 0o777) -> None:
    """``os.makedirs`` where it need not be the first to make them; all that is made gets ``mode``."""
    with directory(os.fspath(path), make=mode) as folder:
        if folder is None:
            os.makedirs(path, mode, exist_ok=True)


def remove_tree(path: str | os.PathLike[str], *, ignore_errors: bool = False) -> None:
    """``shutil.rmtree``; of a link nothing is removed, it is an error as there."""
    with contextlib.suppress(*((OSError,) if ignore_errors else ())), reached(path) as (name, folder):
        if folder is None:
            import shutil

            shutil.rmtree(path)
            return
        _empty(name, folder)
        os.rmdir(name, dir_fd=folder)


def _empty(name: str, folder: int) -> None:
    """Remove all that is in a folder."""
    descriptor = os.open(name, os.O_RDONLY | FOLDER | NO_FOLLOW, dir_fd=folder)
    try:
        for inner in os.listdir(descriptor):
            if stat.S_ISDIR(os.stat(inner, dir_fd=descriptor, follow_symlinks=False).st_mode):
                _empty(inner, descriptor)
                os.rmdir(inner, dir_fd=descriptor)
            else:
                os.unlink(inner, dir_fd=descriptor)
    finally:
        os.close(descriptor)
