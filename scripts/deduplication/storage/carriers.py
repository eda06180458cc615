"""Which line carries a body: of all occurrences with its content hash the first one that was not purged. Decided here alone."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable


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
