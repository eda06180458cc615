"""The filters of a store that somebody works on: made, taken along, deleted."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from ...errors import StoreError
from ...files import atomic
from ...project.paths import WORDS
from .filter_file import FilterFile
from .making import bring_up

if TYPE_CHECKING:
    from ..indexed_log import IndexedLog
    from ..log.append_log import Log


def make(store: IndexedLog, seconds: float | None) -> bool:
    """Filters for blocks of the log that have none, for so long; True where some are left. Under the store's lock, for writing.

    Nobody misses them but a search, which reads what has none: where they cannot be written, that is a warning.
    """
    file = FilterFile(store.folder)
    try:
        return bring_up(file, store.log, store.state.size, store.state.bodies.offset, seconds)
    except StoreError as error:
        store.warnings.append(str(error))
        return False
    finally:
        file.close()


def take_along(log: Log, folder: str, size: int) -> list[str]:
    """Copy into ``folder`` the filters of what stands in the first ``size`` bytes of the log; the file's name if there are some."""
    file = FilterFile(os.path.dirname(log.path))
    file.load(log)
    kept = file.beginning(size)
    file.close()
    if kept:
        atomic.replace(os.path.join(folder, WORDS), kept)
    return [WORDS] if kept else []


def remove(folder: str) -> None:
    """Delete them."""
    FilterFile(folder).remove()
