"""Conversations that turned out to be others: where their messages are read."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ..storage.log.records import same_of
from .hits import Place

if TYPE_CHECKING:
    from collections.abc import Collection, Sequence

    from ..storage.log.lines import Record
    from .hits import Wanted


class United:
    """What was said of conversations so far."""

    def __init__(self) -> None:
        self._into: dict[str, tuple[str, int]] = {}
        self._passed: set[tuple[str, int]] = set()

    def take(self, record: Record) -> None:
        """Take notice of a ``same`` record."""
        same, name = same_of(record), record["conversation_id"]
        self._into[same.conversation_id] = name, same.at
        self._passed.update((name, here if better else same.at + there) for here, there, better in same.pairs)

    def names_of(self, conversation: str) -> set[str]:
        """The conversations whose messages are read in this one, itself among them."""
        names = {conversation}
        while more := {name for name, (into, _) in self._into.items() if into in names} - names:
            names |= more
        return names

    def places(self, places: Sequence[Place], superseded: Collection[tuple[str, int]], wanted: Wanted) -> list[Place]:
        """Those that are read, each where it is read, and only those that are asked for."""
        found: dict[tuple[str, int], Place] = {}
        for place in places:
            name, number = place.conversation, place.number
            gone = (name, number) in superseded
            while name in self._into and not gone:
                into, at = self._into[name]
                name, number = into, at + number
                gone = (name, number) in self._passed
            asked = wanted.conversation in (None, name) and wanted.time_fits(place.timestamp)
            if not gone and (name, number) not in self._passed and asked:
                found.setdefault((name, number), Place(name, number, place.timestamp))
        return list(found.values())
