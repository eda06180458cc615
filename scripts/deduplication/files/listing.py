"""What lies in a folder, and how many bytes: no link is followed, and what vanishes meanwhile is not counted."""

from __future__ import annotations

import contextlib
import os
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator


def size_of(entry: os.DirEntry[str]) -> int:
    """The bytes of a file, or of all files below a folder. A link counts as itself."""
    try:
        if not entry.is_dir(follow_symlinks=False):
            return os.lstat(entry.path).st_size  # what Windows says of an entry may be older than the file
    except FileNotFoundError:
        return 0
    return sum(size_of(inner) for inner in entries_of(entry.path))


def entries_of(folder: str) -> Iterator[os.DirEntry[str]]:
    """What lies in a folder; nothing where there is none."""
    with contextlib.suppress(FileNotFoundError, NotADirectoryError), os.scandir(folder) as found:
        yield from found
