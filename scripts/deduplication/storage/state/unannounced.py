"""Which numbers of a conversation captures brought and no export showed since: their bodies alone can wait to be announced."""

from __future__ import annotations

from bisect import bisect_right
from typing import TYPE_CHECKING

from ...alignment.reading_order import ranges

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from .conversation import ConversationState


def captured(conversation: ConversationState, numbers: Iterable[int]) -> None:
    """These numbers, higher than all before, were captured."""
    conversation.unannounced += ranges(numbers)


def may_wait(conversation: ConversationState, window: Iterable[Sequence[int]]) -> list[int]:
    """The numbers that a window shows of which the bodies may wait to be announced."""
    begins = [first for first, _ in conversation.unannounced]
    found: dict[int, None] = {}
    for first, last in window if begins else ():
        for number in map(conversation.standing, range(first, last + 1)):
            at = bisect_right(begins, number) - 1
            if at >= 0 and number <= conversation.unannounced[at][1]:
                found[number] = None
    return [*found]


def announced(conversation: ConversationState, numbers: list[int]) -> None:
    """These do not wait any more."""
    if numbers:
        gone = set(numbers)
        left = (number for first, last in conversation.unannounced for number in range(first, last + 1))
        conversation.unannounced = ranges([number for number in left if number not in gone])
