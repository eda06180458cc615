"""Where the open part of a log follows on what is sealed: what stands in both, and which sealed files are another machine's.

A process that is killed while it seals leaves lines in both. So does something that synchronises the folder, where another machine
sealed them; but that machine may have gone on otherwise, and its lines are none of this log's then.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from ...files import atomic
from . import former_files
from .lines import BEGINNING, COMMIT, PREVIOUS, Damaged, decode_line, is_commit
from .opening import ENDING, ending_of

if TYPE_CHECKING:
    from .append_log import Log


def settle(log: Log, skip: int, *, write: bool) -> int:
    """Have those sealed files count that the open part follows on; how many bytes of it are sealed as well.

    ``skip``: bytes of the file before its first line. With ``write`` a file that is gone is made of a longer one with its lines:
    another machine sealed more, and deleted it. Raises ``StoreNotWritable``.
    """
    sealed, begins = log.sealed, log.opening.begins
    if begins is None:
        begins = former_files.pending(sealed.folder)
    if sealed.end > begins and _ends_so(log, skip, sealed.end - begins):
        return sealed.end - begins
    if log.opening.begins is not None or _is_first(log, skip):
        sealed.refresh(begins, log.opening.ends)
        if write and sealed.end < begins and log.opening.ends:
            from .strays import cut_off

            cut_off(sealed, begins, log.opening.ends)
    return 0


def _ends_so(log: Log, skip: int, size: int) -> bool:
    """Do the first ``size`` bytes of the open part end as what is sealed? The last run there names all before it."""
    try:
        with atomic.open_regular(log.path) as file:
            file.seek(skip + max(size - ENDING, 0))
            lines = file.read(min(size, ENDING))
    except OSError:
        return False
    return len(lines) == min(size, ENDING) and ending_of(lines) == log.sealed.ends(log.sealed.segments[-1])


def _is_first(log: Log, skip: int) -> bool:
    """Where no line says at which byte the open part begins: does its first run say that nothing stands before it?"""
    if not log.sealed.segments:
        return False
    try:
        with atomic.open_regular(log.path) as file:
            file.seek(skip)
            for line in file:
                if COMMIT in line and is_commit(record := decode_line(line)):
                    return record.get(PREVIOUS) == BEGINNING
    except (OSError, Damaged):
        pass
    return False
