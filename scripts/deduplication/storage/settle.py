"""What was archived a moment ago left out of the store: open lines sealed, sealed ones written anew, images let go; filters made.

Under the store's lock.
"""

from __future__ import annotations

import contextlib
import time
from typing import TYPE_CHECKING, Final

from ..files import clock
from .log.better_files import improved, pays
from .log.column_format import Wanted
from .log.lines import COMMIT, Damaged, decode_line, is_commit

if TYPE_CHECKING:
    from .indexed_log import IndexedLog
    from .log.append_log import Log
    from .log.column_format import Archived
    from .log.lines import Record

_PAYS: Final = 16 * 1024
"""Bytes of open lines from which on they are sealed behind their export: fewer are compressed badly, and are read most."""
_SOON: Final = 120 * 1_000_000_000
"""Nanoseconds in which whoever stored an export has archived it; twice as long as anybody waits for a lock."""


def settle(store: IndexedLog) -> None:
    """Leave out of the store what the archive has by now, quickly. Raises ``StoreNotWritable``."""
    sealed = store.log.sealed
    if store.log.open_size() >= _PAYS and not (store.is_plain or store.state.unreadable):
        end = settled(store.log, store.state.size)
        if end - sealed.end >= _PAYS:
            store.log.seal(end)
            store.written()
    for segment in [each for each in sealed.segments if pays(sealed, each)]:
        better = improved(sealed, segment, thorough=False)
        if better is not None:
            sealed.exchange(segment, *better)
    store.blobs.let_go()


def make_filters(store: IndexedLog, seconds: float, *, anew: bool = False) -> bool:
    """Filters for blocks of the log that have none, for so long; True where some are left. ``anew``: those there are go first."""
    from .word_filters import of_store

    if anew:
        of_store.remove(store.folder)
    return of_store.make(store, seconds)


def settled(log: Log, size: int) -> int:
    """Up to which byte no run of the open lines has an export that another process is about to archive.

    Sealed now, it would be sealed with its bodies, and once more without them: every run of many at once would write the lines of
    all the others anew.
    """
    end = log.sealed.end
    for line in log.lines(end, size):
        if COMMIT in line.data:
            with contextlib.suppress(Damaged):
                record = decode_line(line.data)
                if is_commit(record):
                    if _is_on_its_way(record, log.sealed.archive):
                        break
                    end = line.end
    return end


def _is_on_its_way(record: Record, archive: Archived) -> bool:
    age = time.time_ns() - clock.nanoseconds(str(record.get("timestamp")))
    sha256 = record["export"]["sha256"]
    is_export = record.get("cursor") is None and bool(sha256)
    return is_export and 0 <= age < _SOON and archive.find(Wanted(sha256)) is None
