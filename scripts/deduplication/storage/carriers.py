"""Which line carries a body: of all occurrences with its content hash the first one that was not purged. Decided here alone.

And where that body stands in its file.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from ..alignment.byte_coverage import covered

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from .log.lines import Record


class Carriers:
    """The bodies of a run, asked for in the order in which its occurrences are stored.

    ``is_stored`` tells whether a line before the run carries a body; ``besides`` are bodies that count as if one did.
    """

    def __init__(self, is_stored: Callable[[str], bool], besides: Iterable[str] = ()) -> None:
        self._is_stored = is_stored
        self._carried = set(besides)

    def carries(self, content_hash: str) -> bool:
        """Does the next occurrence, which has this body, carry it? Do not ask for one that was purged: it has none."""
        if self.has(content_hash):
            return False
        self._carried.add(content_hash)
        return True

    def has(self, content_hash: str) -> bool:
        """Does a line before the next one carry this body?"""
        return content_hash in self._carried or self._is_stored(content_hash)


def spans_of(record: Record) -> list[tuple[int, int]]:
    """Where in its file the body stands that an occurrence carries; nothing where it has none, or nobody knows the place."""
    if "message" not in record or "span" not in record["source"]:
        return []
    first, last = record["source"]["span"]
    return [(first, last)]


def brought(records: Iterable[Record]) -> int:
    """How many bytes of its file the bodies stand on that these lines of one run carry."""
    return covered(span for record in records for span in spans_of(record))
