"""A conversation that turned out to be part of another one: all that is known of it under the numbers that it has there."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ...alignment.reading_order import BREAK, root_of
from ..conversation import Adopted

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from .conversation import ConversationState


def adopt(
    taking: ConversationState, name: str, other: ConversationState, same: Sequence[tuple[int, int, bool]]
) -> None:
    """See :meth:`~.conversation.ConversationState.adopt`."""
    at = len(taking)
    for item, line in list(other.rows_from(0)):
        taking.add(item, line)
    own = _own_ranges(name, other)
    taking.adopted += sorted(each._replace(at=at + each.at) for each in own)
    taking.growing += [len(taking.windows) + position for position in other.growing]
    taking.windows += [
        [[first + at, last + at] if first >= 0 else BREAK for first, last in window] for window in other.windows
    ]
    taking.extends.update({number + at: earlier + at for number, earlier in other.extends.items()})
    taking.purged.update(number + at for number in other.purged)
    taking.unannounced += [[first + at, last + at] for first, last in other.unannounced]
    taking.redrawn.update({number + at: later + at for number, later in other.redrawn.items()})
    taking.passed.update(number + at for number in other.passed)
    taking.continuations += [number + at for number in other.continuations]
    groups: dict[int, set[int]] = {}
    for number in other.extends:
        groups.setdefault(root_of(number, other.extends) + at, set()).add(number + at)
    for here, there, better in same:
        first, second = root_of(here, taking.extends), root_of(there + at, taking.extends)
        if second < at:
            continue  # it is one of ours already
        taking.extends[second] = first
        taking.stand(*((there + at, here) if better else (here, there + at)))
        if not better:
            taking.passed.update(groups.get(second, ()), (second,))
    taking.has_session = taking.has_session or other.has_session
    taking.changed()


def _own_ranges(name: str, other: ConversationState) -> list[Adopted]:
    """All of ``other`` as ranges of numbers of the log: what it adopted itself, and what lies between."""
    found, at = [], 0
    for each in (*other.adopted, Adopted(len(other), 0, "", 0)):
        if each.at > at:
            found.append(Adopted(at, each.at - at, name, at))
        if each.length:
            found.append(each)
        at = each.at + each.length
    return found


def origins(name: str, conversation: ConversationState, count: int) -> Iterator[tuple[int, str, int, int]]:
    """Ranges of a conversation: first number here, under which id the log has them, first number there, how many."""
    at = 0
    for each in (*conversation.adopted, Adopted(count, 0, "", 0)):
        own, theirs = min(each.at, count) - at, min(each.length, count - each.at)
        if own > 0:
            yield at, name, at, own
        if theirs > 0:
            yield each.at, each.conversation_id, each.first, theirs
        at = each.at + each.length
