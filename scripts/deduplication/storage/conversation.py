"""What the engine asks of one conversation of a store."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Protocol

from ..start.late_tuple import NamedTuple

if TYPE_CHECKING:
    from collections.abc import Sequence
    from typing import TypeVar

    from ..alignment.columns import Columns
    from ..alignment.fingerprint import Fingerprint
    from ..alignment.reading_order import ReadingOrder

    Kind = TypeVar("Kind", bound="Draft")


class Adopted(NamedTuple):
    """Messages that came from another conversation: ``length`` of them from number ``at`` on were ``first`` and on there."""

    at: int
    length: int
    conversation_id: str
    first: int


class Conversation(Protocol):
    """One conversation as the store knows it; stable while the transaction that gave it is open."""

    @property
    def columns(self) -> Columns:
        """Which messages does it hold, by sequence number?"""

    extends: dict[int, int]
    """Which of them are further versions, and of which earlier number?"""

    adopted: list[Adopted]
    """Which of them came from other conversations?"""

    continuations: list[int]
    """Which of them did an export begin with, right after a compaction?"""

    purged: set[int]
    """Which of them were purged? Their place is left, and what they are known by."""

    windows: list[list[list[int]]]
    """What did each export show of it, as ranges of sequence numbers in the order shown?"""

    figures: dict[str, Any]
    """What do its runs add up to?"""

    def reading(self) -> ReadingOrder:
        """In which order are they read?"""

    def origin(self, number: int) -> tuple[str, int] | None:
        """Under which id and number was it stored, where it came from another conversation? None for one of its own."""

    def __len__(self) -> int:
        """How many sequence numbers does it have?"""

    def copy(self) -> Draft:
        """What would it be with something more? A copy in memory, to be tried out."""


class Draft(Conversation, Protocol):
    """A conversation as it would be with something more. Nothing of that is stored."""

    def add(self, item: Fingerprint, /) -> None:
        """One occurrence more, under the next number."""

    def add_window(self, window: list[list[int]], /) -> int:
        """What an export would show, as ranges of numbers in the order shown; its position among all windows."""

    def add_continuation(self, number: int, /) -> None:
        """An export would begin with this number, right after a compaction."""

    def unite(self, one: int, other: int, /) -> bool:
        """Two numbers would be one message; False where they are."""

    def adopt(self: Kind, name: str, other: Kind, same: Sequence[tuple[int, int, bool]], /) -> None:  # noqa: PYI019 - 3.9
        """All of another conversation would be part of it, see :class:`~.contract.Same`."""
