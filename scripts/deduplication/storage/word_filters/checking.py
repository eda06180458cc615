"""The filters held against their checksums, and those of the last block against the log."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Final

from ...errors import StoreError
from ...project.paths import WORDS
from ..log.lines import Damaged
from . import making
from .block import PARTS
from .filter_file import FilterFile

if TYPE_CHECKING:
    from collections.abc import Callable

    from ..log.append_log import Log
    from .block import Block

_ANEW: Final = "(of no use to a search; 'rebuild' makes it again)"


def problems(folder: str, log: Log, carrier: Callable[[str], int | None]) -> list[str]:
    """A line where the file is not what was written, or not what the log says; it may be missing, or end early."""
    file = FilterFile(folder)
    try:
        if not os.path.lexists(file.path):
            return []
        blocks = file.load(log)
        if not file.is_torn():
            return [f"{WORDS}: is not what was written, or of another log {_ANEW}"]
        unsound = file.unsound()
        if unsound is not None:
            return [f"{WORDS}: the filter of block {unsound} is not what was written {_ANEW}"]
        if not blocks:
            return []
        last = blocks[-1]
        ends = [block.end for block in blocks[:-1]]
        lines = list(log.lines(last.start, last.end))
        said, keys = making.told(lines, ends, carrier)
        if said.encode() != last.said or keys != _keys_of(last):
            return [f"{WORDS}: the filter of block {last.number} does not say what the log says {_ANEW}"]
    except (OSError, StoreError, Damaged):
        return []  # of the log, and named there
    finally:
        file.close()
    return []


def _keys_of(last: Block) -> dict[bytes, list[int]]:
    """The keys of the last block of a record, with its parts."""
    first = last.shift
    found = {}
    for key, parts in last.table.all_keys().items():
        own = [part - first for part in parts if first <= part < first + PARTS]
        if own:
            found[key] = own
    return found
