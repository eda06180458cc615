"""What another conversation of the store has of one: a fork copies its origin, an export may show a session under another name."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, Optional

from ..alignment import plan as alignment
from ..ingest.projection import Projection
from ..ingest.unite import as_shown

if TYPE_CHECKING:
    from collections.abc import Sequence

    from .sequences import Stored

_MOST: Final = 4
"""Other conversations that are held against one."""


class Other:
    """Another conversation, and which of its messages those of the first one are."""

    def __init__(self, of: Stored, name: str) -> None:
        """Align both. Inside a transaction."""
        store, self.name = of.store, name
        self._conversation = store.conversation(name)
        self._store = store
        reading = self._conversation.reading()
        self._place = {number: place for place, number in enumerate(reading.order)}
        known = Projection(store, name)
        continuations = set(of.conversation.continuations)
        self.is_there: dict[int, int] = {}
        """Sequence number here -> there."""
        for run in of.conversation.reading().runs():
            shown, kept = as_shown(store, of.conversation_id, run, continued=run[0] in continuations)
            plan = alignment.plan(
                self._conversation.columns,
                reading,
                shown.rows,
                known.compare(shown),
                self._conversation.extends,
                begins=shown.begins,
                continuations=self._conversation.continuations,
            )
            self.is_there.update((kept[at], there) for at, there in enumerate(plan.matches) if there is not None)

    def follows_something(self, number: int) -> bool:
        """Whether this message has another one before it there."""
        there = self.is_there.get(number)
        return there is not None and self._place.get(there, 0) > 0

    def ties(self, before: int, after: int) -> bool:
        """Whether both are there, in this order, in one run that is shown as a whole."""
        one, other = self.is_there.get(before), self.is_there.get(after)
        if one is None or other is None or not self._place.get(one, -1) < self._place.get(other, -1):
            return False
        component = self._conversation.reading().component
        return component[one] == component[other]

    def content(self, number: int) -> Optional[dict[str, object]]:
        """The message there that this one is; None where there is none."""
        there = self.is_there.get(number)
        return None if there is None else next(iter(self._store.bodies(self.name, [there])))


def others(of: Stored) -> Sequence[Other]:
    """The conversations that share telling messages with this one, and which these are. It reads all of it."""
    names = [name for name in of.store.candidates(of.conversation.columns) if name != of.conversation_id]
    return [other for other in (Other(of, name) for name in names[:_MOST]) if other.is_there]
