"""The log of a folder and that of its database, looked at together: up to where they are the same, and lines on their way."""

from __future__ import annotations

import contextlib
from typing import TYPE_CHECKING, Final

from ..errors import StoreDamaged
from ..ingest.run_names import Runs
from ..start.late_tuple import NamedTuple
from ..storage.heads import head_at
from ..storage.hybrid import sent_mark
from ..storage.log.lines import COMMIT, Damaged, decode_line, is_commit
from ..storage.log.records import blobs_of
from ..storage.run_records import commits_in
from ..storage.state.blobs import BlobLost

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from ..storage.database.database_store import DatabaseStore
    from ..storage.hybrid.hybrid_store import HybridStore
    from ..storage.log.lines import Line

_AT_ONCE: Final = 4 * 1024 * 1024
"""Bytes of lines and images that are held in memory, and read while the folder is locked."""
BLOBS: Final = b'"blobs":'
"""In every line that refers to an image or a document."""
_REPAIR: Final = "Run: deduplicate_export.py verify, then repair. What stands before it was sent."


class Moved(Exception):
    """The folder's log does not go on any more as it was seen to: to be looked at anew."""


class Seen(NamedTuple):
    """The folder's log as it was found, and up to which byte that of the database is known to be the same."""

    size: int
    head: str
    base: int


def look(store: HybridStore, database: DatabaseStore) -> Seen:
    """Both logs, in a transaction of the database. What is the same is all of one of them, what the mark says, or nothing."""
    size, head = database.log_size(), database.head
    with store.transaction():
        found = Seen(store.log_size(), store.head, 0)
        mark = sent_mark.read(store.folder)
        begins, is_marked = store.has(size, head), store.has(mark.size, mark.head)
    if begins:
        return found._replace(base=size)
    if head_at(database, found.size) == found.head:
        return found._replace(base=found.size)
    both = is_marked and head_at(database, mark.size) == mark.head
    return found._replace(base=mark.size) if both else found


class Taken(NamedTuple):
    """Lines of whole runs, and the images and documents that they refer to, those that can be read."""

    lines: list[bytes]
    blobs: dict[str, bytes]
    runs: int
    size: int

    def blob(self, digest: str) -> bytes:
        """The bytes of a blob. Raises ``BlobLost``."""
        try:
            return self.blobs[digest]
        except KeyError:
            raise BlobLost(digest) from None


def taken(lines: Iterator[Line], blob: Callable[[str], bytes]) -> Taken:
    """Some megabytes of lines. Raises ``StoreDamaged``."""
    found: list[bytes] = []
    blobs: dict[str, bytes] = {}
    size = held = runs = 0
    for line in lines:
        found.append(line.data)
        size += line.size
        if COMMIT not in line.data and BLOBS not in line.data and not line.lost > 1:
            continue
        try:
            record = decode_line(line.data)
        except Damaged as error:
            raise unreadable(error) from error
        for digest in blobs_of(record):
            with contextlib.suppress(BlobLost):
                blobs[digest] = blob(digest)
                held += len(blobs[digest])
        if is_commit(record):
            runs += 1
            if size + held >= _AT_ONCE:
                break
    return Taken(found, blobs, runs, size)


def unreadable(error: Damaged) -> StoreDamaged:
    """What is said where a line of a log cannot be read."""
    return StoreDamaged(f"a line of its log: {error}", hint=_REPAIR)


def lines_of(store: HybridStore, seen: Seen, start: int, *, blobs: bool = True) -> Iterator[Taken]:
    """The folder's lines from byte ``start`` on as they were seen, some megabytes at a time; its lock is not held in between.

    Raises :class:`Moved`, ``StoreDamaged``.
    """
    while start < seen.size:
        with store.transaction():
            if not store.has(seen.size, seen.head):
                raise Moved
            part = taken(store.lines(start, seen.size), store.blobs.read if blobs else _none)
        start += part.size
        yield part


def _none(digest: str) -> bytes:
    raise BlobLost(digest)


def runs_here(store: HybridStore, seen: Seen) -> Runs:
    """The runs of the folder behind what both logs have. Raises :class:`Moved`."""
    parts = lines_of(store, seen, seen.base, blobs=False)
    return Runs(run for part in parts for run in commits_in(part.lines))
