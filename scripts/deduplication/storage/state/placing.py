"""An occurrence accounted for in a state: where it can be found, and which body it stands for."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ...model import TURNS
from . import standing
from .places import body_prefix, turn_prefix, uuid_prefix

if TYPE_CHECKING:
    from ...alignment.fingerprint import Fingerprint
    from .conversation import ConversationState
    from .log_state import State


def stand(state: State, conversation: ConversationState, identity: str, *, brings: bool) -> None:
    """The next occurrence stands for this body, which it brings or which was there; another one may stand for nothing any more."""
    standing.gone(state, conversation)
    standing.came(state, conversation, identity, before=not brings)


def place(
    state: State, conversation: ConversationState, item: Fingerprint, number: int, offset: int, *, brings: bool
) -> None:
    """Note where an occurrence can be found: its body once in each conversation, its id, and the key of a turn.

    ``brings``: no line before it has the body.
    """
    chunk = state.chunks.note(conversation.number, number, offset)
    own = conversation.chunks
    if own and own[-1][1] >= chunk - 1:
        own[-1][1] = chunk
    else:
        own.append([chunk, chunk])
    if number not in conversation.purged:
        prefix = body_prefix(item.content_hash)
        if brings or all(state.chunks[each].owner != conversation.number for each in state.places.of(prefix)):
            state.places.add(prefix, chunk)
    if item.uuid:
        state.places.add(uuid_prefix(item.uuid), chunk)
    if item.kind in TURNS:
        state.places.add(turn_prefix(item.key), chunk)
