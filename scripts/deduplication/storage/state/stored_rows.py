"""The rows of a conversation that an index has: who reads them, and columns that are read once somebody asks."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Protocol

if TYPE_CHECKING:
    from array import array
    from collections.abc import Iterator

    from ...alignment.columns import Columns
    from ...alignment.fingerprint import Fingerprint
    from .conversation import ConversationState

    Row = tuple[Fingerprint, int]
    """What is kept of an occurrence, and the byte offset of its line in the log (-1 where it was lost)."""
    Rows = tuple[Columns, array[int]]
    """The same of many, a column a property: eight bytes an occurrence for each of them, where texts are shared."""


class StoredRows(Protocol):
    """Reads the rows of a conversation that an index has."""

    def all(self) -> Rows:
        """All of them."""

    def one(self, number: int) -> Row:
        """One of them."""

    def some(self, first: int, end: int) -> Iterator[tuple[int, Fingerprint]]:
        """Number and fingerprint of each that the conversation did not adopt, from one number up to another."""

    def kinds(self) -> list[str]:
        """Their kinds."""


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
