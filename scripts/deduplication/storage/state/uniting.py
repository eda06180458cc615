"""Messages, and whole conversations, that a run shows to be one: accounted for in a state."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ..log.lines import Damaged
from ..log.records import same_of
from . import standing, titled
from .conversation import AdoptedBy

if TYPE_CHECKING:
    from ..log.lines import Extent, Line, Record
    from .conversation import ConversationState
    from .log_state import State


def unite_messages(state: State, conversation: ConversationState, record: Record) -> None:
    """Account for messages that the run showed to be one."""
    for one, other in record.get("one", ()):
        if not 0 <= one < other < len(conversation):
            raise Damaged("messages that cannot be one")
        pair = conversation.stands_for(one), conversation.stands_for(other)
        if conversation.unite(one, other) and all(pair):
            state.announced.merge([pair])
    standing.gone(state, conversation)


def adopt(state: State, record: Record, line: Line | Extent) -> None:
    """Account for a line that says that another conversation turned out to be this one."""
    same = same_of(record)
    taking, other = state.entered(record["conversation_id"]), state.entered(same.conversation_id)
    missing = state.missing
    if taking.adopted_by or other.adopted_by or not 0 <= same.at - len(taking) <= missing:
        raise Damaged("two conversations that cannot be one")
    if not 0 <= same.count - len(other) <= missing:
        raise Damaged(f"a conversation of {same.count} messages, and there are {len(other)}")
    taking.keep_lost(same.at)
    other.keep_lost(same.count)
    merged = []
    for here, there, better in same.pairs:
        pair = taking.stands_for(here), other.stands_for(there)
        merged += [pair[::-1] if better else pair] if all(pair) else []
    standing.united(state, taking, other)
    taking.adopt(same.conversation_id, other, same.pairs)
    standing.gone(state, taking)
    state.announced.merge(merged)
    other.adopted_by = AdoptedBy(record["conversation_id"], same.at)
    state.figures = state.figures.plus(conversations=-1)
    f, g = taking.figures, other.figures
    for name, value in g.items():
        if isinstance(value, int) and name != standing.UNIQUE:
            f[name] = f.get(name, 0) + value
    titled.unite(f, g)
    f["stored_bytes"] = f.get("stored_bytes", 0) + line.size
    f["created_at"] = min(filter(None, (f.get("created_at"), g.get("created_at"))), default="")
