"""What the database has and the folder has not: made beside the folder's log, with its index, while others go on storing there."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ..storage.heads import head_at
from ..storage.state.blobs import BlobLost
from .both_logs import Moved, look, runs_here, taken

if TYPE_CHECKING:
    from ..storage.database.database_store import DatabaseStore
    from ..storage.hybrid.hybrid_store import HybridStore
    from ..storage.hybrid.staged_log import StagedLog
    from .both_logs import Seen


def receive(store: HybridStore, database: DatabaseStore, seen: Seen, staged: StagedLog) -> int:
    """Have the log of the database, which has all that was ``seen`` in the folder, in the place of the folder's.

    Returns how many runs are new to it. ``staged`` is what was made of it so far: where something came into the folder meanwhile,
    :class:`Moved` is raised, and the next time only the rest of it is made. Raises the ``StoreError`` family.
    """
    with database.transaction(write=False):
        now, head = look(store, database), database.head
        if now[:2] != seen[:2]:
            raise Moved
        runs = 0
        if head != now.head:
            here = runs_here(store, now)
            runs = sum(here.conversation_of(run) is None for run in database.commits(now.base))
            _stage(store, database, now, staged)
    with store.transaction():
        if (store.log_size(), store.head) != now[:2] or not all(map(store.blobs.has, staged.blobs)):
            raise Moved
        if head != now.head:
            store.receive(staged)
        store.note_sent()
    return runs


def _stage(store: HybridStore, database: DatabaseStore, seen: Seen, staged: StagedLog) -> None:
    """Make the log of the database beside the folder's. The images and documents that it needs lie in the folder then."""
    if not staged.size or head_at(database, staged.size) != staged.head:
        with store.transaction():
            if not store.has(seen.size, seen.head):
                raise Moved
            staged.begin(store.log, seen.base)

    def missing(digest: str) -> bytes:
        if store.blobs.has(digest):
            staged.blobs.add(digest)
            raise BlobLost(digest)
        return database.blobs.read(digest)

    while staged.size < database.log_size():
        part = taken(database.lines(staged.size), missing)
        with store.transaction():
            store.blobs.keep(part.blobs)
        staged.blobs.update(part.blobs)
        staged.add(part.lines)
