"""What a shown message is to a stored one, told from both bodies: what alignment asks where hashes do not agree."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ..model import LAYOUT, LOST, PURGED, Content, Message
from . import same_source
from .cross_source import relation_across

if TYPE_CHECKING:
    from collections.abc import Callable

    from ..ingest.export_view import ExportView
    from .purged_places import PurgedPlaces


class Comparison:
    """Answers for the messages of ``shown`` (see :class:`.alignment.Compare`).

    ``stored`` gives the message of a sequence number, as ``Store.bodies`` does; it is asked at most once for each. ``purged``
    tells what is a purged one; without it nothing is.
    """

    def __init__(
        self, stored: Callable[[int], dict[str, Any]], shown: ExportView, purged: PurgedPlaces | None = None
    ) -> None:
        self._ask, self._shown, self._purged = stored, shown, purged
        self._relations: dict[tuple[int, int], str] = {}
        self._bodies: dict[int, dict[str, Any]] = {}

    def _stored(self, number: int) -> dict[str, Any]:
        if number not in self._bodies:
            self._bodies[number] = self._ask(number)
        return self._bodies[number]

    def relation(self, position: int, number: int) -> str:
        """How the body shown at ``position`` relates to the one stored under ``number``."""
        pair = (position, number)
        if pair not in self._relations:
            message, stored = self._shown.messages[position], self._stored(number)
            if stored["kind"] == PURGED:
                found = self._purged.relation(position, number) if self._purged is not None else same_source.DIFFERENT
            else:
                found = _relation(message, stored["content"], stored.get("fidelity", message.fidelity))
            self._relations[pair] = found
        return self._relations[pair]

    def wins(self, position: int, number: int) -> bool:
        """Does it take the place of the stored one? Never that of a message that was purged."""
        message, stored = self._shown.messages[position], self._stored(number)
        if stored["kind"] in (PURGED, LOST):
            return False
        fidelity = stored.get("fidelity", message.fidelity)
        return same_source.wins(stored["content"], fidelity, message.content, message.fidelity)

    def grew(self, position: int, number: int) -> bool:
        """Does it go on where the stored one ended, in the same kind of source?"""
        same_kind = self._stored(number).get("fidelity") == self._shown.messages[position].fidelity
        return same_kind and self.relation(position, number) == same_source.GROWN


def _relation(shown: Message, stored: Content, fidelity: str) -> str:
    """What the message shown is to a stored body: of the same kind of source, or of the other one."""
    if shown.fidelity == fidelity:
        return same_source.relation(shown.kind, stored, shown.content)
    if shown.fidelity == LAYOUT:
        return relation_across(shown.kind, stored, shown.content)
    across = relation_across(shown.kind, shown.content, stored)
    # What was written takes the place of what a screen showed of it.
    return across if across == same_source.DIFFERENT else same_source.GROWN
