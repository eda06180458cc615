"""A copy of the folder of a store, made before a migration and kept: as it lies there, byte for byte, private."""

from __future__ import annotations

import filecmp
import os
import time
from typing import TYPE_CHECKING, Final

from ..files import atomic, beneath, clock
from ..project.own_place import hide

if TYPE_CHECKING:
    from collections.abc import Iterator

MARK: Final = ".before-migration-"
"""In the name of a copy, behind that of the folder and before the time."""
_NOT_COPIED: Final = (".lock", ".tmp")


def keep(folder: str) -> tuple[str, bool]:
    """Where the copy is, beside the folder, and whether it was made now: after a migration that was stopped it is there.

    Nothing may change in the folder meanwhile. Raises ``StoreNotWritable``.
    """
    folder = os.path.realpath(folder)
    files = list(_files(folder))
    parent, name = os.path.split(folder)
    for other in sorted(os.listdir(parent)):
        copy = os.path.join(parent, other)
        if other.startswith(name + MARK) and not atomic.is_temporary(other) and _is_copy(folder, copy, files):
            return copy, False
    copy = f"{folder}{MARK}{clock.compact(time.time())}"
    while os.path.lexists(copy):
        copy += "-2"
    _make(folder, copy, files)
    return copy, True


def _make(folder: str, copy: str, files: list[str]) -> None:
    """Under another name until it is whole."""
    unfinished = atomic.temporary_name(copy)
    with atomic.write_errors(copy):
        beneath.remove_tree(unfinished, ignore_errors=True)
        atomic.make_private_directory(unfinished)
        for name in files:
            path = os.path.join(unfinished, name)
            atomic.make_private_directory(os.path.dirname(path))
            with atomic.open_regular(os.path.join(folder, name)) as file, atomic.replacing(path) as descriptor:
                while part := file.read(1 << 20):
                    atomic.write_all(descriptor, part)
        hide(unfinished)
        beneath.rename(unfinished, copy)
        atomic.sync_directory(os.path.dirname(copy))


def _is_copy(folder: str, copy: str, files: list[str]) -> bool:
    there = [name for name in _files(copy) if name in files or name != ".gitignore"]
    return there == files and all(
        filecmp.cmp(os.path.join(folder, name), os.path.join(copy, name), shallow=False) for name in files
    )


def _files(folder: str) -> Iterator[str]:
    """The regular files below a folder, relative to it, locks and unfinished ones left out."""
    for where, folders, names in os.walk(folder):
        folders.sort()
        for name in sorted(names):
            path = os.path.join(where, name)
            if not name.endswith(_NOT_COPIED) and os.path.isfile(path) and not os.path.islink(path):
                yield os.path.relpath(path, folder)
