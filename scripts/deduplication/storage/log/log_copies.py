"""Copies of a log that something left beside it which synchronises folders: two machines had gone on with it.

Such programs keep both files, and name one of them after the machine, the moment, or a number.
"""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from ...files import atomic
from ...project.paths import LOG_NAME
from .lines import Damaged, decode_line
from .opening import LONGEST, read_opening
from .strays import lines_before, strays_of

if TYPE_CHECKING:
    from .append_log import Log


def copies_in(folder: str) -> list[str]:
    """The names of copies of the log of the store in ``folder``; nothing is read of a file but its first line."""
    stem, ending = os.path.splitext(LOG_NAME)
    names = sorted(os.listdir(folder)) if os.path.isdir(folder) else []
    return [
        name
        for name in names
        if name.startswith(stem) and name.endswith(ending) and name != LOG_NAME and _is_log(os.path.join(folder, name))
    ]


def _is_log(path: str) -> bool:
    try:
        with atomic.open_regular(path) as file:
            decode_line(file.readline())
    except (OSError, Damaged):
        return False
    return True


def have(log: Log, size: int, proof: bytes) -> bool:
    """Whether a copy of a log, or a sealed file that is another machine's, has these bytes before byte ``size``."""
    if not proof:
        return False
    folder = os.path.dirname(log.path)
    for name in copies_in(folder):
        with atomic.open_regular(os.path.join(folder, name)) as file:
            opening = read_opening(file.read(LONGEST))
            file.seek(max(size - (opening.begins or 0) + opening.size - len(proof), 0))
            if file.read(len(proof)) == proof:
                return True
    return any(proof == lines_before(log.sealed, size, each)[-len(proof) :] for each in strays_of(log.sealed))
