"""Files of an archive that are too large for the database, in a folder that the team names: each whole, under its SHA-256."""

from __future__ import annotations

import contextlib
import hashlib
import os
from typing import TYPE_CHECKING, Final

from ..files import atomic, beneath

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

_READ: Final = 1024 * 1024
_MODE: Final = 0o640
"""The folder decides who gets in; its group may read what lies there."""


def put(folder: str, sha256: str, size: int, parts: Iterable[bytes]) -> int:
    """Have the bytes there, durably; how many were written. Raises ``StoreNotWritable``, and what ``parts`` raises."""
    path = _path(folder, sha256)
    if _size(path) == size and _digest(path) == sha256:
        return 0
    with atomic.replacing(path, mode=_MODE) as descriptor:
        for part in parts:
            atomic.write_all(descriptor, part)
    return size


def parts_of(folders: Sequence[str], sha256: str) -> Iterator[bytes]:
    """The bytes that have this name in the first of these folders in which there are any, unchecked; none where there are none."""
    for folder in folders:
        with contextlib.suppress(OSError), atomic.open_regular(_path(folder, sha256)) as file:
            while part := file.read(_READ):
                yield part
            return


def remove(folder: str, sha256: str) -> None:
    """What is not there, or cannot be removed, stays: nothing refers to it."""
    with contextlib.suppress(OSError):
        beneath.unlink(_path(folder, sha256))


def has(folder: str, sha256: str, size: int) -> bool:
    """Whether there is a file of this name and size."""
    return _size(_path(folder, sha256)) == size


def _path(folder: str, sha256: str) -> str:
    return os.path.join(folder, f"export-dedup-{sha256}")


def _size(path: str) -> int:
    try:
        return os.lstat(path).st_size
    except OSError:
        return -1


def _digest(path: str) -> str:
    digest = hashlib.sha256()
    with contextlib.suppress(OSError), atomic.open_regular(path) as file:
        while part := file.read(_READ):
            digest.update(part)
    return digest.hexdigest()
