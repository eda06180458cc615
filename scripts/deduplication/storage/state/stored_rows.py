"""The rows of a conversation that an index has: who reads them, and columns that are read once somebody asks."""

from __future__ import annotations

from array import array
from typing import TYPE_CHECKING, Any, Final, Protocol

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from ...alignment.columns import Columns
    from ...alignment.fingerprint import Fingerprint
    from .conversation import ConversationState

    Row = tuple[Fingerprint, int]
    """What is kept of an occurrence, and the byte offset of its line in the log (-1 where it was lost)."""
    Rows = tuple[Columns, array[int]]
    """The same of many, a column a property: eight bytes an occurrence for each of them, where texts are shared."""

_DENSE: Final = 4
"""Numbers of a range for each that is asked for, up to which all of the range is read at once."""


class StoredRows(Protocol):
    """Reads the rows of a conversation that an index has."""

    def all(self) -> Rows:
        """All of them."""

    def one(self, number: int) -> Row:
        """One of them."""

    def some(self, first: int, end: int) -> Iterator[tuple[int, Fingerprint]]:
        """Number and fingerprint of each that the conversation did not adopt, from one number up to another."""

    def offsets(self, first: int, end: int) -> array[int]:
        """The byte offset of the line of each from one number up to another, -1 where it was lost."""

    def kinds(self) -> list[str]:
        """Their kinds."""


def offsets_of(numbers: Sequence[int], stored: int, rows: StoredRows | None, lines: array[int]) -> array[int]:
    """The byte offset of the line of each of these occurrences, -1 where it was lost.

    ``rows`` reads the first ``stored`` ones and ``lines`` are those of the others; where it is None, ``lines`` are all of them.
    """
    if rows is None:
        return array("q", map(lines.__getitem__, numbers))
    old = [number for number in numbers if number < stored]
    first, end = min(old, default=0), max(old, default=-1) + 1
    if end - first <= _DENSE * len(old):
        read = rows.offsets(first, end)
        return array("q", (read[n - first] if n < stored else lines[n - stored] for n in numbers))
    return array("q", (rows.one(n)[1] if n < stored else lines[n - stored] for n in numbers))


class UnreadColumns:
    """The columns of a conversation that are read once anything but kinds is asked of them."""

    def __init__(self, state: ConversationState) -> None:
        self._state = state

    def __len__(self) -> int:
        return len(self._state)

    @property
    def kinds(self) -> list[str]:
        """The kind of each."""
        return self._state.kinds

    def __getattr__(self, name: str) -> Any:
        return getattr(self._state.load(), name)
