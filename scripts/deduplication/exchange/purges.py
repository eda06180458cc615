"""What was purged in one of two logs, and is in the other one still: it goes there as well, and does not come back.

Where the folder was purged, its log takes the place of the database's: with what others stored there meanwhile done once more in
the folder, and without what others purged there meanwhile. A log of the database that somebody else purged is received as it is.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from ..ingest import taken_over
from ..storage.log.lines import Damaged
from .both_logs import Moved, Seen, lines_of, unreadable
from .purged_elsewhere import PurgedElsewhere, purge_as

if TYPE_CHECKING:
    from ..ingest.run_names import Runs
    from ..storage.database.database_store import DatabaseStore
    from ..storage.hybrid.hybrid_store import HybridStore


def send(store: HybridStore, database: DatabaseStore, seen: Seen, here: Runs, there: Runs) -> None:
    """Have the folder's log, which was purged, in the place of the database's; killed anywhere, this is done again.

    ``here`` and ``there``: their runs behind the byte up to which they are the same. Inside a transaction of the database. Raises
    :class:`Moved`, the ``StoreError`` family.
    """
    if there.purges - here.purges:
        purge_as(store, PurgedElsewhere(database.records(seen.base)))
        raise Moved
    _take_over(store, database, seen, here)
    with store.transaction():
        now = Seen(store.log_size(), store.head, 0)

    def blob(digest: str) -> bytes:
        with store.transaction(write=False):  # asked for when many more lines were read
            return store.blobs.read(digest)

    lines = (line for part in lines_of(store, now, 0) for line in part.lines)
    try:
        database.replace(database.head, lines, blob)
    except Damaged as error:
        raise unreadable(error) from error


def _take_over(store: HybridStore, database: DatabaseStore, seen: Seen, here: Runs) -> None:
    into: dict[str, str] = {}
    at = seen.base
    while at < database.log_size():
        part = taken_over.part_of(database, at, here, placed=True)
        into.update(part.into)
        with store.transaction():
            taken_over.take_over(store, part.runs, into)
        at = part.end
