"""What a run would come to, before it is in the log: messages that it brings, and those that it announces."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ...model import counts
from ..carriers import Carriers
from .announcements import Bodies
from .unannounced import may_wait

if TYPE_CHECKING:
    from collections.abc import Container, Iterable, Sequence

    from ..contract import Counts, NewOccurrence
    from .conversation import ConversationState
    from .log_state import State


def count_run(
    state: State,
    conversation_id: str,
    occurrences: Sequence[tuple[int, NewOccurrence]],
    window: Iterable[Sequence[int]],
    *,
    captures: bool,
    besides: Container[str] = (),
) -> Counts:
    """What a run that is not in the log yet would come to; the bodies ``besides`` count as stored and announced."""
    conversation = state.conversation(conversation_id)
    carriers = Carriers(state.has_body)
    brought: list[str] = []
    again: list[str] = []
    redrawn: list[tuple[str, str]] = []
    fresh: dict[int, str] = {}
    drawn_again = {new.extends for _, new in occurrences if new.redrawn}
    for number, new in occurrences:
        identity = new.fingerprint.content_hash
        if new.purged is not None or not counts(new.fingerprint.kind):
            continue
        if identity in besides:
            continue
        (brought if carriers.carries(identity) else again).append(identity)
        if number in drawn_again:
            fresh[number] = identity
        if new.redrawn and new.extends is not None:
            drawn = fresh.get(new.extends) or conversation.stands_for(new.extends)
            redrawn += [(identity, drawn)] if drawn else []
    shown = [] if captures else bodies_of(conversation, may_wait(conversation, window))
    shown = [each for each in shown if each not in besides]
    return state.announced.count(Bodies(brought, again, redrawn, shown), captures=captures)


def count_at_hand(state: State, conversation_id: str, window: Iterable[Sequence[int]], *, captures: bool) -> Counts:
    """What the run comes to of which the occurrences were applied, and the commit record was not."""
    conversation = state.conversation(conversation_id)
    shown = bodies_of(conversation, may_wait(conversation, window))
    return state.announced.count(state.at_hand.bodies._replace(shown=shown), captures=captures)


def bodies_of(state: ConversationState, numbers: list[int]) -> list[str]:
    """The bodies that stand for these numbers."""
    if len(numbers) > len(state) // 4:
        state.lines  # noqa: B018 - most of them: all rows at once cost less than each by itself
    return list(filter(None, map(state.stands_for, numbers)))
