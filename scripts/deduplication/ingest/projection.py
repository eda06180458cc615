"""A conversation as it will be once what is at hand is stored: its rows and bodies, with those that have no line in the log yet."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ..alignment.comparison import Comparison
from ..alignment.purged_places import PurgedPlaces
from ..alignment.reading_order import ranges
from ..alignment.seams import Beginning
from ..model import PURGED
from .occurrences import Joined

if TYPE_CHECKING:
    from collections.abc import Sequence

    from ..storage.contract import NewOccurrence, Same, Store
    from ..storage.conversation import Draft
    from .export_view import ExportView


class Projection:
    """The conversation ``conversation_id`` of ``store``, to be added to in memory. Inside a transaction of the store."""

    def __init__(self, store: Store, conversation_id: str) -> None:
        self._store = store
        self.whole: Draft = store.conversation(conversation_id).copy()
        self._parts: list[tuple[int, str]] = [(0, conversation_id)]
        """From which number on its messages are those of which conversation of the store."""
        self._fresh = Joined()

    def add(self, occurrences: Sequence[tuple[int, NewOccurrence]]) -> None:
        """Further occurrences, numbered from the next number on."""
        self._fresh.add(occurrences)
        for number, each in occurrences:
            self.whole.add(each.fingerprint)
            if each.extends is not None:
                self.whole.extends[number] = each.extends
            if each.purged is not None:
                self.whole.purged.add(number)

    def show(self, numbers: Sequence[int], begins: Beginning | None) -> None:
        """A window over what is there."""
        if numbers:
            self.whole.add_window(ranges(numbers))
            if begins is Beginning.COMPACTION:
                self.whole.add_continuation(numbers[0])

    def unite(self, pairs: Sequence[tuple[int, int]]) -> None:
        """Messages that turned out to be one."""
        for one, other in pairs:
            self.whole.unite(one, other)

    def adopt(self, same: Same) -> None:
        """Another conversation of the store, all of it."""
        self._parts.append((len(self.whole), same.conversation_id))
        self.whole.adopt(same.conversation_id, self._store.conversation(same.conversation_id).copy(), same.pairs)

    def purged_places(self, shown: ExportView) -> PurgedPlaces:
        """What shown messages are to those of these that were purged."""
        return PurgedPlaces(self.whole, shown, lambda number: self._body(number)["tombstone"])

    def compare(self, shown: ExportView, purged: PurgedPlaces | None = None) -> Comparison:
        """What shown messages are to these."""
        return Comparison(self._body, shown, purged)

    def _body(self, number: int) -> dict[str, Any]:
        fresh = self._fresh.find(number)
        if fresh is not None:
            if fresh.purged is not None:
                return {"kind": PURGED, "content": "", "tombstone": fresh.purged}
            message = fresh.message
            return {"kind": message.kind, "content": message.content, "fidelity": message.fidelity}
        at, name = next((at, name) for at, name in reversed(self._parts) if at <= number)
        return next(iter(self._store.bodies(name, [number - at])))
