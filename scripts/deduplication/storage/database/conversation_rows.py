"""The rows of one conversation, read from the database when they are asked for."""

from __future__ import annotations

from array import array
from typing import TYPE_CHECKING, Final

from ...alignment.columns import Columns
from ...alignment.fingerprint import Fingerprint
from ...model import LOST
from ..state.adopting import origins
from .read_ahead import NearRows

if TYPE_CHECKING:
    from collections.abc import Iterator

    from ..state.conversation import ConversationState
    from ..state.stored_rows import Row, Rows
    from .row_places import RowPlaces

_LOST: Final = Fingerprint("", "", LOST, "", 0)


class ConversationRows:
    """The rows of one conversation (see ``state.stored_rows.StoredRows``)."""

    def __init__(self, places: RowPlaces, name: str) -> None:
        self._places, self._name = places, name
        self._near = NearRows(self._between)
        self.conversation: ConversationState

    def all(self) -> Rows:
        """Read in one go."""
        columns, lines = Columns(), array("q")
        for item, line in self._every():
            columns.append(item)
            lines.append(line)
        return columns, lines

    def one(self, number: int) -> Row:
        """Those near it are read, too."""
        origin = self.conversation.origin(number)
        if origin is None:
            return self._near.row(number) or (_LOST, -1)
        whose, at = origin
        return next(((item, line) for _, item, line in self._places.between(whose, at, at + 1)), (_LOST, -1))

    def _between(self, first: int, end: int) -> Iterator[tuple[int, Row]]:
        return ((number, (item, line)) for number, item, line in self._places.between(self._name, first, end))

    def some(self, first: int, end: int) -> Iterator[tuple[int, Fingerprint]]:
        """Read in one go."""
        return ((number, item) for number, item, _ in self._places.between(self._name, first, end))

    def offsets(self, first: int, end: int) -> array[int]:
        """A question for each conversation that it adopted."""
        lines = array("q", [-1]) * (end - first)
        for start, whose, origin, length in origins(self._name, self.conversation, self.conversation.stored):
            low, high = max(start, first), min(start + length, end)
            for number, _, line in self._places.between(whose, origin + low - start, origin + high - start):
                lines[start + number - origin - first] = line
        return lines

    def kinds(self) -> list[str]:
        """Of all."""
        return [item.kind for item, _ in self._every()]

    def _every(self) -> Iterator[Row]:
        """Each from number 0 on, those that were lost included."""
        at = 0
        for start, whose, first, length in origins(self._name, self.conversation, self.conversation.stored):
            for number, item, line in self._places.between(whose, first, first + length):
                while at < start + number - first:
                    yield _LOST, -1
                    at += 1
                yield item, line
                at += 1
        while at < self.conversation.stored:
            yield _LOST, -1
            at += 1
