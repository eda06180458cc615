"""The records in the tables of a state that have more than one value."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ...start.late_tuple import NamedTuple

if TYPE_CHECKING:
    from ..contract import Cursor


class ReadTo(NamedTuple):
    """How far a growing file was read: into which conversation, and which number was the next one then.

    ``window`` is the position of its window among those of the conversation, -1 where it showed nothing.
    """

    conversation_id: str
    cursor: Cursor
    tip: int
    window: int


class ShownIn(NamedTuple):
    """An export that was processed: what it came to in a conversation, and the position of its window there."""

    conversation_id: str
    parser: int
    format: str
    total: int
    window: int
    name: str
