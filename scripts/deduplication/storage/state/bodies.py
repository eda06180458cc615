"""Which line of the log carries each body, and what is known of it: found in a state that is in memory as a whole."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

from ...alignment.fingerprint import Fingerprint

if TYPE_CHECKING:
    from .conversation import ConversationState
    from .table import Table


class Bodies(Protocol):
    """Where the bodies are."""

    def offset(self, identity: str) -> int | None:
        """At which byte of the log does the line begin that carries the body with this content hash?"""

    def fingerprint(self, identity: str) -> Fingerprint | None:
        """What is known of it? Its role and its ids are not kept."""

    def add(self, identity: str, offset: int, item: Fingerprint) -> None:
        """Another line carries a body."""


class MemoryBodies:
    """The bodies of a state that is in memory as a whole, found when first asked for."""

    def __init__(self, conversations: Table[ConversationState]) -> None:
        self._conversations = conversations
        self._offsets: dict[str, int] | None = None
        self._prints: dict[str, Fingerprint] | None = None

    def offset(self, identity: str) -> int | None:
        """The byte offset of the line that carries the body."""
        return self._all().get(identity)

    def fingerprint(self, identity: str) -> Fingerprint | None:
        """What is known of the body."""
        if self._prints is None:
            self._prints = {}
            for state in self._conversations.values():
                c = state.columns
                for row in zip(c.hashes, c.keys, c.kinds, c.weights):
                    self._prints[row[0]] = Fingerprint(row[0], row[1], row[2], "", row[3])
        return self._prints.get(identity)

    def add(self, identity: str, offset: int, item: Fingerprint) -> None:
        """Another body."""
        self._all()[identity] = offset
        if self._prints is not None:
            self._prints[identity] = item

    def _all(self) -> dict[str, int]:
        if self._offsets is None:
            self._offsets = {}
            for state in self._conversations.values():
                # Backwards, so that of several occurrences the first one stays: its line has the body.
                rows = zip(reversed(state.columns.hashes), reversed(state.lines))
                numbers = range(len(state) - 1, -1, -1)
                own = dict(row for number, row in zip(numbers, rows) if not state.purged or number not in state.purged)
                for shared in own.keys() & self._offsets.keys():
                    own[shared] = min(own[shared], self._offsets[shared])
                self._offsets.update(own)
        return self._offsets
