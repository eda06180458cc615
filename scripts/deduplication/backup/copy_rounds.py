"""What a snapshot lacks, copied: round after round without a lock, and what is left then under the locks."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Final

from ..files import atomic
from ..project.paths import LOG_NAME
from .selection import select
from .soundness import SEALED
from .source import STATE

if TYPE_CHECKING:
    from collections.abc import Callable

    from . import log_part
    from .copying import Copying
    from .manifest import File
    from .selection import Found, Selection
    from .source import Source

LOG: Final = f"{STATE}/{LOG_NAME}"
_ROUNDS: Final = 5
_ENOUGH: Final = 4_000_000
"""Bytes that may be left for the time under the locks; after so many rounds, whatever is left."""
_IN_MEMORY: Final = 32_000_000


def copy_ahead(source: Source, copying: Copying, advance: Callable[[int], None]) -> None:
    """Copy without a lock, again and again, until little is left."""
    for _ in range(_ROUNDS):
        missing = [each for each in copying.missing(select(source).files) if each.path != LOG]
        for each in missing:
            copying.copy(each, advance)  # gone or changed: the next round sees it
        if sum(each.identity.size for each in missing) <= _ENOUGH:
            return


def copy_rest(
    found: Selection, cut: log_part.Cut, copying: Copying, advance: Callable[[int], None]
) -> tuple[dict[str, bytes], list[tuple[str, str]]]:
    """What is left, read under the locks: small files into memory, the others into the backup. And what cannot be read."""
    in_memory: dict[str, bytes] = {}
    problems: list[tuple[str, str]] = []
    room = _IN_MEMORY
    for each in copying.missing(_counting(found, cut)):
        if each.identity.size > room:
            fault = copying.copy(each, advance)
        else:
            fault = ""
            try:
                with atomic.open_regular(each.place) as file:
                    in_memory[each.path] = file.read(each.identity.size)
                room -= each.identity.size
            except OSError as error:
                fault = str(error.strerror or error)
        if fault:
            problems.append((each.path, fault))
    return in_memory, problems


def _counting(found: Selection, cut: log_part.Cut) -> list[Found]:
    """The files without the log, which is cut, and without sealed files that another one has taken the place of."""
    return [
        each
        for each in found.files
        if each.path != LOG and not (SEALED.fullmatch(each.path) and os.path.basename(each.path) not in cut.sealed)
    ]


def files_of(
    found: Selection, cut: log_part.Cut, copying: Copying, in_memory: dict[str, bytes], lost: set[str]
) -> dict[str, File]:
    """The files of the snapshot, by path: what was copied, what is ``in_memory``, the log as it was cut; not the ``lost`` ones."""
    files = {}
    for each in _counting(found, cut):
        if each.path in in_memory:
            files[each.path] = copying.put(each, in_memory[each.path])
        elif each.path not in lost:
            files[each.path] = copying.file(each)
    log = next((each for each in found.files if each.path == LOG), None)
    if log is not None:
        files[LOG] = copying.put(log, cut.data)
    return files
