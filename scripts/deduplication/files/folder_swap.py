"""A folder that takes the place of another one in one step: what repair does with sealed files and packs, rebuild with a store.

The new one is written beside the old one under ``NAME.new``, synced, and only then is the old one renamed away. From that
moment on the new one counts, under either name, so a process that is killed in between leaves nothing half done: whoever
reads looks for it with :func:`current`, whoever writes gives it its name with :func:`recover`.
"""

from __future__ import annotations

import contextlib
import os
import stat
from typing import TYPE_CHECKING, Final

from . import atomic, beneath

if TYPE_CHECKING:
    from collections.abc import Callable

NEW: Final = ".new"
OLD: Final = ".old"


def current(folder: str) -> str:
    """The folder that counts: ``folder``, or the one that was about to take its place when a process was killed."""
    if not os.path.lexists(folder) and os.path.isdir(folder + OLD) and os.path.isdir(folder + NEW):
        return folder + NEW
    return folder


def recover(folder: str) -> str:
    """``folder``, after what a killed process left to be done. Whoever calls this holds the lock of what is in it."""
    with atomic.write_errors(folder):
        if current(folder) != folder:
            beneath.rename(folder + NEW, folder)
            atomic.sync_directory(os.path.dirname(folder))
        for left in (folder + OLD, folder + NEW):
            if os.path.isdir(left) and not os.path.islink(left) and (os.path.isdir(folder) or left.endswith(NEW)):
                beneath.remove_tree(left)
    return folder


def replace(folder: str, fill: Callable[[str], None]) -> None:
    """Put in the place of ``folder`` what ``fill`` writes into an empty one, durably. Raises ``StoreNotWritable``.

    What ``fill`` raises goes up, and nothing has changed. Whatever of the old folder must be kept was copied before.
    """
    recover(folder)
    with atomic.write_errors(folder):
        atomic.make_private_directory(folder + NEW)
        fill(folder + NEW)
        atomic.sync_directory(folder + NEW)
        if not os.path.isdir(folder):
            atomic.make_private_directory(folder)  # so that the same step makes the new one count
        beneath.rename(folder, folder + OLD)
        beneath.rename(folder + NEW, folder)
        atomic.sync_directory(os.path.dirname(folder))
        beneath.remove_tree(folder + OLD)


def exchange(folder: str, new: str, aside: str) -> None:
    """Put the folder ``new`` in the place of ``folder``, which goes to ``aside``, durably. Raises ``StoreNotWritable``.

    Nobody can be kept from opening ``folder`` meanwhile: whoever finds it gone calls :func:`recover_exchange`.
    """
    with atomic.write_errors(folder):
        if os.path.lexists(folder + NEW):
            beneath.remove_tree(folder + NEW)  # of one who was killed before the old one went
        if os.path.lexists(folder + OLD):
            beneath.rename(folder + OLD, aside + OLD)  # of one who was killed before it went aside
        beneath.rename(new, folder + NEW)
        atomic.sync_directory(os.path.dirname(folder))
        beneath.rename(folder, folder + OLD)
        recover_exchange(folder)
        beneath.rename(folder + OLD, aside)
        atomic.sync_directory(os.path.dirname(folder))


def recover_exchange(folder: str) -> None:
    """Give a folder its name where a process was killed within :func:`exchange`. Several may do so at once."""
    if current(folder) != folder:
        with atomic.write_errors(folder), contextlib.suppress(FileNotFoundError):
            beneath.rename(folder + NEW, folder)
            atomic.sync_directory(os.path.dirname(folder))


def keep_copy(path: str, copy: str) -> None:
    """The same bytes under another name, durably: a link where the file system has them, else a copy."""
    with atomic.write_errors(copy):
        try:
            beneath.link(path, copy)
        except OSError:
            with contextlib.suppress(FileNotFoundError):
                beneath.unlink(copy)
            with atomic.open_regular(path) as file:
                status = os.fstat(file.fileno())
                with atomic.replacing(copy, mode=stat.S_IMODE(status.st_mode)) as descriptor:
                    while part := file.read(1 << 20):
                        atomic.write_all(descriptor, part)
            beneath.set_times(copy, status.st_mtime_ns)
