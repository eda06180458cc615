"""One exchange of a hybrid store with its database: what waits is sent, what others stored is received, in order, each once.

Nobody waits for the network: the folder's lock is held to look and to write, and never while the database is asked. What happens in
the folder meanwhile is seen then, and the exchange goes on. Killed anywhere, the next one finds out what was done: by the head of
the log, and by the names of the runs.
"""

from __future__ import annotations

import contextlib
import os
from typing import TYPE_CHECKING, Final

from ..files import locking
from ..ingest import taken_over
from ..start.late_tuple import NamedTuple
from ..storage import sent_mark
from ..storage.database.database_store import DatabaseStore
from ..storage.log.lines import BEGINNING, COMMIT, PREVIOUS, Damaged, decode_line, is_commit
from ..storage.log.records import blobs_of
from ..storage.state.blobs import BlobLost

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from ..storage.hybrid_store import HybridStore
    from ..storage.log.lines import Line

LOCK: Final = "exchange.lock"
_AT_ONCE: Final = 16 * 1024 * 1024
"""Bytes of lines that are held in memory."""
_ROUNDS: Final = 100
"""Times that something new may come into the folder while one exchange is under way."""


class Exchanged(NamedTuple):
    """Runs that were sent as they are, that were done again behind those of others, and that were received."""

    sent: int = 0
    again: int = 0
    received: int = 0


class _Local(NamedTuple):
    """What the folder was seen to have."""

    size: int
    head: str
    mark: sent_mark.SentMark


def exchange(store: HybridStore) -> Exchanged:
    """Bring both together. Raises ``DatabaseError``, which is noted in the folder, and the ``StoreError`` family."""
    with locking.exclusive(os.path.join(store.folder, LOCK)):
        try:
            return _exchange(store, DatabaseStore(store.database))
        except Exception as error:
            with contextlib.suppress(Exception):
                sent_mark.failed(store.folder, str(error))
            raise


def _exchange(store: HybridStore, database: DatabaseStore) -> Exchanged:
    done = Exchanged()
    for _ in range(_ROUNDS):
        local = _look(store)
        with database.transaction():
            base = _common(store, database, local)
            if base == database.log_size():
                done = done._replace(sent=done.sent + _send(store, database, base, local.size))
            elif local.size > base:
                done = done._replace(again=done.again + _again(store, database, base))
        received = _receive(store, database, local, base)
        if received is not None:
            done = done._replace(received=done.received + received)
            if _look(store).size == sent_mark.read(store.folder).size:
                break
    return done


def _look(store: HybridStore) -> _Local:
    with store.transaction(write=False):
        return _Local(store.log_size(), store.head, sent_mark.read(store.folder))


def _common(store: HybridStore, database: DatabaseStore, local: _Local) -> int:
    """Up to which byte both logs are known to be the same: all of one of them, what the mark says, or nothing."""
    size = database.log_size()
    with store.transaction(write=False):
        if size <= local.size and head_at(store, size) == database.head:
            return size
    if local.size < size and head_at(database, local.size) == local.head:
        return local.size
    mark = local.mark
    return mark.size if mark.size <= size and head_at(database, mark.size) == mark.head else 0


def head_at(store: HybridStore | DatabaseStore, at: int) -> str:
    """The head of the log before byte ``at``, as the run that begins there names it, else nothing. Inside a transaction."""
    if at in (0, store.log_size()):
        return store.head if at else BEGINNING
    for line in store.lines(at):
        try:
            record = decode_line(line.data)
        except Damaged:
            break
        if is_commit(record):
            return str(record.get(PREVIOUS, ""))
    return ""


def _send(store: HybridStore, database: DatabaseStore, start: int, end: int) -> int:
    """Lines as they are, some megabytes at a time; how many runs that were."""
    runs, at = 0, start
    while at < end:
        with store.transaction(write=False):
            lines, blobs = _taken(store.lines(at, end), store.blobs.read)
        *_, at = database.load(lines, blobs.__getitem__)
        runs += sum(_is_commit(line) for line in lines)
    return runs


def _again(store: HybridStore, database: DatabaseStore, base: int) -> int:
    """Runs of the folder behind those that somebody else stored; how many that were."""
    known = taken_over.names_of_runs(database, base)
    with store.transaction(write=False):
        runs = list(taken_over.runs_of(store, base, known))
    return taken_over.take_over(database, runs)


def _receive(store: HybridStore, database: DatabaseStore, local: _Local, base: int) -> int | None:
    """What the database has from byte ``base`` on, in the place of what the folder has there; how many runs are new to it.

    None where something came into the folder meanwhile.
    """
    runs = 0
    while True:
        with database.transaction(write=False):
            size, head = database.log_size(), database.head
            most = _AT_ONCE if base == local.size else None  # what takes the place of lines comes in one piece
            lines, blobs = _taken(database.lines(base), database.blobs.read, most)
            end = base + sum(map(len, lines))
            if end < size:
                head = head_at(database, end)
        with store.transaction():
            if store.log_size() != local.size:
                return None
            if (end, head) != (local.size, store.head):
                runs += sum(map(_is_commit, lines))
                store.blobs.keep({digest: data for digest, data in blobs.items() if not store.blobs.has(digest)})
                store.receive(base, lines)
            sent_mark.sent(store.folder, end, head)
        if end == size:
            return runs
        base, local = end, local._replace(size=end, head=head)


def _taken(
    lines: Iterator[Line], blob: Callable[[str], bytes], most: int | None = _AT_ONCE
) -> tuple[list[bytes], dict[str, bytes]]:
    """The lines of whole runs, ``most`` bytes of them, and the blobs that they refer to, those that can be read."""
    found: list[bytes] = []
    blobs: dict[str, bytes] = {}
    size = 0
    for line in lines:
        record = decode_line(line.data)
        for digest in blobs_of(record):
            with contextlib.suppress(BlobLost):
                blobs[digest] = blob(digest)
        found.append(line.data)
        size += line.size
        if most is not None and size >= most and is_commit(record):
            break
    return found, blobs


def _is_commit(line: bytes) -> bool:
    return COMMIT in line and is_commit(decode_line(line))
