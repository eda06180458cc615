"""What a large export brings, a few bytes an occurrence: each is made when it is asked for."""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, cast, overload

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator, Mapping

    from ..alignment.fingerprint import Fingerprint
    from ..alignment.tombstone import Tombstone
    from ..model import Message
    from ..storage.contract import NewOccurrence


class Occurrences(Sequence["tuple[int, NewOccurrence]"]):
    """Messages to be stored, each with its sequence number, from ``first`` on without a gap.

    ``positions`` are those of the new ones among ``messages`` and their ``prints``; what is rare is told by position: ``extends``
    (the number whose place it takes), ``redrawn``, ``purged``.
    """

    def __init__(
        self,
        first: int,
        positions: Sequence[int],
        prints: Sequence[Fingerprint],
        messages: Sequence[Message],
        moment: str,
        extends: Mapping[int, int],
        redrawn: Collection[int],
        purged: Mapping[int, Tombstone],
    ) -> None:
        self._first, self._positions, self._prints, self._messages = first, positions, prints, messages
        self._moment, self._extends, self._redrawn, self._purged = moment, extends, redrawn, purged

    def __len__(self) -> int:
        return len(self._positions)

    def __iter__(self) -> Iterator[tuple[int, NewOccurrence]]:
        plain = not (self._extends or self._redrawn or self._purged)
        prints, messages, moment = self._prints, self._messages, self._moment
        for number, position in enumerate(self._positions, self._first):
            if plain:
                yield number, cast("NewOccurrence", _Occurrence(prints[position], messages, position, moment))
            else:
                yield number, self._at(position)

    @overload
    def __getitem__(self, at: int) -> tuple[int, NewOccurrence]: ...

    @overload
    def __getitem__(self, at: slice) -> Sequence[tuple[int, NewOccurrence]]: ...

    def __getitem__(self, at: int | slice) -> tuple[int, NewOccurrence] | Sequence[tuple[int, NewOccurrence]]:
        if isinstance(at, slice):
            return [self[each] for each in range(len(self))[at]]
        return self._first + range(len(self))[at], self._at(self._positions[at])

    def _at(self, position: int) -> NewOccurrence:
        found = _Occurrence(self._prints[position], self._messages, position, self._moment)
        found.extends = self._extends.get(position)
        found.redrawn = position in self._redrawn
        found.purged = self._purged.get(position)
        return cast("NewOccurrence", found)


class _Occurrence:
    """A :class:`~.storage.base.NewOccurrence` whose message is made when it is asked for."""

    __slots__ = ("_messages", "_position", "extends", "fingerprint", "purged", "redrawn", "timestamp")

    clock = "capture"

    def __init__(self, fingerprint: Fingerprint, messages: Sequence[Message], position: int, moment: str) -> None:
        self.fingerprint, self._messages, self._position, self.timestamp = fingerprint, messages, position, moment
        self.extends: Any = None
        self.redrawn = False
        self.purged: Any = None

    @property
    def message(self) -> Message:
        return self._messages[self._position]


class Joined(Sequence["tuple[int, NewOccurrence]"]):
    """Occurrences of windows that stand one after another, their numbers ascending."""

    def __init__(self) -> None:
        self._parts: list[Sequence[tuple[int, NewOccurrence]]] = []

    def add(self, part: Sequence[tuple[int, NewOccurrence]]) -> None:
        """Those of one more window."""
        if part:
            self._parts.append(part)

    def find(self, number: int) -> NewOccurrence | None:
        """The one with this sequence number."""
        for part in self._parts:
            at = number - part[0][0]
            if 0 <= at < len(part):
                return part[at][1]
        return None

    def __len__(self) -> int:
        return sum(map(len, self._parts))

    def __iter__(self) -> Iterator[tuple[int, NewOccurrence]]:
        return itertools.chain.from_iterable(self._parts)

    @overload
    def __getitem__(self, at: int) -> tuple[int, NewOccurrence]: ...

    @overload
    def __getitem__(self, at: slice) -> Sequence[tuple[int, NewOccurrence]]: ...

    def __getitem__(self, at: int | slice) -> tuple[int, NewOccurrence] | Sequence[tuple[int, NewOccurrence]]:
        if isinstance(at, slice):
            return list(itertools.islice(self, *at.indices(len(self))))
        at = range(len(self))[at]
        for part in self._parts:
            if at < len(part):
                return part[at]
            at -= len(part)
        raise IndexError(at)
