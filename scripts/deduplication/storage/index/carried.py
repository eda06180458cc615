"""The bodies that were told to an index since it was begun, in memory: a log that is read from its first line on is read once.

Some thirty bytes a body: sixteen of its hash, where its line begins, and what is known of it.
"""

from __future__ import annotations

import hashlib
from bisect import bisect_right
from typing import TYPE_CHECKING, Final

from ...alignment.fingerprint import Fingerprint, encoded
from .sorted_runs import SortedRuns, run_of
from .table_entries import FORMS

if TYPE_CHECKING:
    from collections.abc import Iterable

    Found = tuple[int, Fingerprint]

_DIGEST: Final = 16


class Carried:
    """Each body with the line that carries it."""

    def __init__(self) -> None:
        self._parts: dict[int, bytes] = {}
        self._end = 0
        self._runs = SortedRuns(self._read, [], anew=True)
        self._waiting: list[tuple[str, Found]] = []
        """What was added last: a process that stores one run asks for none of it."""

    def add(self, bodies: Iterable[tuple[str, Found]]) -> None:
        """More of them."""
        waiting, self._waiting = self._waiting, list(bodies)
        self._take(waiting)

    def _take(self, bodies: list[tuple[str, Found]]) -> None:
        entries = {_digest(identity): FORMS["again"].write(found) for identity, found in bodies}
        stay, joined = self._runs.joined(entries)
        data, run = run_of(joined, self._end, 0)
        self._runs.added(stay, run, entries)
        starts = {each.start for each in self._runs.runs}
        self._parts = {start: part for start, part in (*self._parts.items(), (self._end, data)) if start in starts}
        self._end += len(data)

    def get(self, identity: str) -> Found | None:
        """The byte offset of the line that carries a body, and what is known of the body; None where none does."""
        waiting, self._waiting = self._waiting, []
        if waiting:
            self._take(waiting)
        data = self._runs.get(_digest(identity))
        if data is None:
            return None
        offset, item = FORMS["again"].read(data)
        return offset, item._replace(content_hash=identity)

    def _read(self, start: int, size: int) -> bytes:
        starts = [*self._parts]
        part = starts[bisect_right(starts, start) - 1]
        return self._parts[part][start - part : start - part + size]


def _digest(identity: str) -> bytes:
    """Half of a content hash; of what is none its own hash."""
    try:
        return bytes.fromhex(identity)[:_DIGEST].ljust(_DIGEST)
    except ValueError:
        return hashlib.sha256(encoded(identity)).digest()[:_DIGEST]
