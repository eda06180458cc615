"""An occurrence accounted for in a state: which body it stands for."""

from __future__ import annotations

from typing import TYPE_CHECKING

from . import standing

if TYPE_CHECKING:
    from .conversation import ConversationState
    from .log_state import State


def stand(state: State, conversation: ConversationState, identity: str, *, brings: bool) -> None:
    """The next occurrence stands for this body, which it brings or which was there; another one may stand for nothing any more."""
    standing.gone(state, conversation)
    standing.came(state, conversation, identity, before=not brings)
