"""How many different messages each conversation has: the bodies that a message of it stands for.

One whose place another drawing took, and one that was purged, stand for nothing.
"""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

from ...alignment.fingerprint import encoded
from ...model import counts

if TYPE_CHECKING:
    from .conversation import ConversationState
    from .log_state import State

UNIQUE = "unique"
"""The figure of a conversation."""


def came(state: State, conversation: ConversationState, identity: str, *, before: bool) -> None:
    """An occurrence stands for this body; ``before``: the conversation may have had one."""
    if before:
        _set(state, conversation, identity, 1)
    else:
        conversation.figures[UNIQUE] = conversation.figures.get(UNIQUE, 0) + 1


def gone(state: State, conversation: ConversationState) -> None:
    """Take account of those that stand for nothing any more since this was called last."""
    for identity in conversation.taken():
        _set(state, conversation, identity, -1)


def united(state: State, conversation: ConversationState, other: ConversationState) -> None:
    """All of ``other`` is about to become part of the conversation."""
    found: Counter[str] = Counter()
    for number, (item, _) in enumerate(other.rows_from(0)):
        if counts(item.kind) and number not in other.purged:
            found[item.content_hash] += number not in other.redrawn
    for identity, count in found.items():
        _set(state, conversation, identity, count)


def _set(state: State, conversation: ConversationState, identity: str, more: int) -> None:
    """So many more stand for a body. That it is one is noted only where it was another number before."""
    key = _key(conversation, identity)
    noted = state.standing.get(key)
    before = noted
    if before is None:
        before = int(state.whereabouts.stands_in(identity, _numbers(state, conversation)))
    after = before + more
    conversation.figures[UNIQUE] = conversation.figures.get(UNIQUE, 0) + (after > 0) - (before > 0)
    if noted is not None or after != 1:
        state.standing[key] = after


def _numbers(state: State, conversation: ConversationState) -> set[int]:
    """The number of the conversation, and those of the ones that became part of it."""
    return {conversation.number, *(state.conversation(each.conversation_id).number for each in conversation.adopted)}


def _key(conversation: ConversationState, identity: str) -> str:
    """Eight bytes of the content hash are enough to count by."""
    return f"{conversation.number:08x}" + (identity[:16] if len(identity) == 64 else encoded(identity).hex())
