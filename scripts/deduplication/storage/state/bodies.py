"""Which line of the log carries each body, and what is known of it.

What came since the index was written is in memory. A body that the index has is found by the beginning of its hash, and believed
once the line was read that has all of it. Of one that came again the index has the line and the fingerprint.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from ...alignment.fingerprint import Fingerprint
from .places import body_prefix

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

    from .chunks import Chunks
    from .places import Places
    from .table import Table

    Found = tuple[int, Fingerprint]
    """The byte offset of the line that carries a body, and what is known of the body."""
    Prove = Callable[[str, Sequence[int]], "Found | None"]

_REMEMBERED: Final = 4_096


class Bodies:
    """``again`` has what came more than once, ``prove`` reads stretches of the log for the line that carries a body."""

    def __init__(self, again: Table[Found], places: Places, chunks: Chunks, prove: Prove) -> None:
        self._again, self._places, self._chunks, self._prove = again, places, chunks, prove
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
        return self._look_up(identity, self._places.of(body_prefix(identity)))

    def find_all(self, identities: Iterable[str]) -> None:
        """Find those that are asked for next in the order of the log: each block of it is unpacked once."""
        places: dict[str, list[int]] = {}
        for identity in identities:
            if identity not in places and not self._is_settled(identity):
                chunks = self._places.of(body_prefix(identity))
                if chunks and len(places) < _REMEMBERED:
                    places[identity] = chunks
                elif not chunks:
                    self._missed.add(identity)
        for identity in sorted(places, key=places.__getitem__):
            self._look_up(identity, places[identity])

    def _is_settled(self, identity: str) -> bool:
        return identity in self._fresh or identity in self._proved or identity in self._missed

    def _look_up(self, identity: str, chunks: Sequence[int]) -> Found | None:
        """It, if one of these stretches of the log has it."""
        found = (self._again.get(identity) or self._prove(identity, chunks)) if chunks else None
        if found is None:
            self._missed.add(identity)
        else:
            if len(self._proved) >= _REMEMBERED:
                self._proved.clear()
            self._proved[identity] = found
        return found

    def add(self, identity: str, offset: int, item: Fingerprint) -> None:
        """Another line carries a body."""
        self._fresh[identity] = offset, Fingerprint(item.content_hash, item.key, item.kind, "", item.weight)

    def came_again(self, identity: str) -> None:
        """A body that is there came once more."""
        if self._again.get(identity) is None:
            found = self.find(identity)
            if found is not None:
                self._again[identity] = found

    def owners(self, identity: str) -> set[int]:
        """In which conversations it stands, by their numbers."""
        return {self._chunks[each].owner for each in self._places.of(body_prefix(identity))}

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
