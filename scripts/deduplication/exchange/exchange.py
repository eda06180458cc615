"""One exchange of a hybrid store with its database: what waits is sent, what others stored is received, in order, each once.

Nobody waits for the network: the folder's lock is held to look and to write, and never while the database is asked. What happens in
the folder meanwhile is seen then, and the exchange goes on. Killed anywhere, the next one finds out what was done: by the head of
the log, and by the names of the runs.
"""

from __future__ import annotations

import contextlib
import os
from typing import TYPE_CHECKING, Final

from ..files import lock_names, locking
from ..ingest import taken_over
from ..ingest.run_names import Runs
from ..start.late_tuple import NamedTuple
from ..storage.database.database_store import DatabaseStore
from ..storage.hybrid import sent_mark
from ..storage.hybrid.staged_log import StagedLog
from ..storage.log.lines import Damaged
from . import purges
from .both_logs import Moved, Seen, lines_of, look, runs_here, unreadable
from .receiving import receive

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from ..storage.hybrid.hybrid_store import HybridStore

_ROUNDS: Final = 100
"""Times that something new may come into the folder while one exchange is under way."""


class Exchanged(NamedTuple):
    """Runs that were sent as they are, that were done again behind those of others, and that were received."""

    sent: int = 0
    again: int = 0
    received: int = 0


def exchange(store: HybridStore) -> Exchanged:
    """Bring both together. Raises ``DatabaseError``, which is noted in the folder, and the ``StoreError`` family."""
    with alone(store) as bring_together:
        return bring_together()


@contextlib.contextmanager
def alone(store: HybridStore) -> Iterator[Callable[[], Exchanged]]:
    """What does one exchange, for who does more than one and lets nobody else do any meanwhile. Raises ``StoreLocked``."""
    with store.transaction():  # so that there is a folder
        pass
    with locking.exclusive(os.path.join(store.folder, lock_names.EXCHANGE_LOCK)):
        yield lambda: _noted(store)


def require_purge(store: HybridStore) -> None:
    """Raise ``DatabaseNotAllowed`` where what is purged here could not be purged in the database. Raises ``DatabaseError``."""
    with contextlib.closing(DatabaseStore(store.database)) as database:
        database.require_purge()


def _noted(store: HybridStore) -> Exchanged:
    try:
        with contextlib.closing(DatabaseStore(store.database)) as database:
            return _exchange(store, database)
    except Exception as error:
        with contextlib.suppress(Exception):
            sent_mark.failed(store.folder, str(error))
        raise


def _exchange(store: HybridStore, database: DatabaseStore) -> Exchanged:
    done = Exchanged()
    staged = StagedLog(store.folder)
    staged.discard()
    try:
        for _ in range(_ROUNDS):
            with contextlib.suppress(Moved):
                with database.transaction():
                    seen, sent, again = _give(store, database)
                done = done._replace(sent=done.sent + sent, again=done.again + again)
                received = receive(store, database, seen, staged)
                return done._replace(received=received)
    finally:
        staged.discard()
    return done


def _give(store: HybridStore, database: DatabaseStore) -> tuple[Seen, int, int]:
    """Have all in the database that the folder has; as what the folder was seen, and the runs sent, and done again."""
    seen = look(store, database)
    if seen.base == database.log_size():
        return seen, _send(store, database, seen), 0
    if seen.base == seen.size:
        return seen, 0, 0
    here, there = runs_here(store, seen), Runs(database.commits(seen.base))
    if here.purges - there.purges:
        purges.send(store, database, seen, here, there)
        return look(store, database), 0, 0
    return seen, 0, _again(store, database, seen, there, placed=bool(there.purges - here.purges))


def _send(store: HybridStore, database: DatabaseStore, seen: Seen) -> int:
    """Lines as they are; how many runs that were."""
    runs = 0
    for part in lines_of(store, seen, seen.base):
        try:
            for _ in database.load(part.lines, part.blob):
                pass
        except Damaged as error:
            raise unreadable(error) from error
        runs += part.runs
    return runs


def _again(store: HybridStore, database: DatabaseStore, seen: Seen, there: Runs, *, placed: bool) -> int:
    """Runs of the folder behind those that somebody else stored; how many that were."""
    into: dict[str, str] = {}
    at, runs = seen.base, 0
    while at < seen.size:
        with store.transaction():
            if not store.has(seen.size, seen.head):
                raise Moved
            part = taken_over.part_of(store, at, there, placed=placed)
        into.update(part.into)
        runs += taken_over.take_over(database, part.runs, into)
        at = part.end
    return runs
