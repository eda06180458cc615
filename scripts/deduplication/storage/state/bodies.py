"""Which line of the log carries each body, and what is known of it.

What came since the index was written is in memory. Of the others it is asked for, and what was answered is remembered for a while.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from ...alignment.fingerprint import Fingerprint

if TYPE_CHECKING:
    from collections.abc import Iterable

    from .whereabouts import Found, Whereabouts

_REMEMBERED: Final = 4_096


class Bodies:
    """``whereabouts`` says which line carries a body that is not in memory."""

    def __init__(self, whereabouts: Whereabouts) -> None:
        self._whereabouts = whereabouts
        self._fresh: dict[str, Found] = {}
        self._proved: dict[str, Found] = {}
        self._missed: set[str] = set()
        """What was asked for and is nowhere; a run asks for each of its bodies several times."""

    def offset(self, identity: str) -> int | None:
        """At which byte of the log the line begins that carries the body with this content hash."""
        found = self.find(identity)
        return found[0] if found is not None else None

    def fingerprint(self, identity: str) -> Fingerprint | None:
        """What is known of it; its role and its ids are not kept."""
        found = self.find(identity)
        return found[1] if found is not None else None

    def find(self, identity: str) -> Found | None:
        """Both; None where no line carries it."""
        found = self._fresh.get(identity) or self._proved.get(identity)
        if found is not None or identity in self._missed:
            return found
        self.find_all((identity,))
        return self._proved.get(identity)

    def find_all(self, identities: Iterable[str]) -> None:
        """Find those that are asked for next, many at a time."""
        unsettled = [each for each in dict.fromkeys(identities) if not self._is_settled(each)]
        for identity, found in self._whereabouts.carriers(unsettled):
            if found is None:
                self._missed.add(identity)
                continue
            if len(self._proved) >= _REMEMBERED:
                self._proved.clear()
            self._proved[identity] = found

    def _is_settled(self, identity: str) -> bool:
        return identity in self._fresh or identity in self._proved or identity in self._missed

    def add(self, identity: str, offset: int, item: Fingerprint) -> None:
        """Another line carries a body."""
        self._fresh[identity] = offset, Fingerprint(item.content_hash, item.key, item.kind, "", item.weight)

    def came_again(self, identity: str) -> None:
        """A body that is there came once more."""
        found = self.find(identity)
        if found is not None:
            self._whereabouts.came_again(identity, found)

    def fresh(self) -> Iterable[tuple[str, Found]]:
        """Those that came since :meth:`saved`."""
        return self._fresh.items()

    def saved(self) -> None:
        """An index has them all now."""
        self._fresh.clear()
        self._missed.clear()

    def let_go(self) -> None:
        """Keep nothing in memory that an index has."""
        self._proved.clear()
