"""What can be counted of one conversation: from its rows, and from what its runs added up."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ...model import counts
from ..contract import ConversationFigures
from .standing import UNIQUE

if TYPE_CHECKING:
    from ..log.lines import Record
    from .conversation import ConversationState
    from .log_state import State


def add_run(state: State, conversation: ConversationState, record: Record, size: int, *, captures: bool) -> None:
    """Add the run at hand, with a commit record of ``size`` bytes, to the figures that an index keeps of its conversation and of
    the store.

    Those of a conversation go into another one's once it turned out to be that one: in the store's they are already.
    """
    total = record["export"]["total"]
    counted = {
        "captures" if captures else "exports": 1,
        "messages_seen": total,
        "duplicates": total - state.run.stored,
    }
    figures: dict[str, Any] = conversation.figures
    figures.update({name: figures.get(name, 0) + count for name, count in counted.items()})
    if conversation.adopted_by is None:
        state.figures = state.figures.plus(**counted)
    figures["stored_bytes"] = figures.get("stored_bytes", 0) + size
    figures.setdefault("created_at", record["timestamp"])
    figures["updated_at"] = record["timestamp"]


def figures_of(state: ConversationState) -> ConversationFigures:
    """The counts of one conversation."""
    kinds = state.kinds
    counted = sum(map(counts, kinds))
    of_others = sum(counts(kinds[number]) for number in state.extends)
    purged = sum(counts(kinds[number]) and number not in state.extends for number in state.purged)
    f = state.figures
    return ConversationFigures(
        watermark=len(kinds) - 1,
        occurrences=counted - of_others - purged,
        unique=f.get(UNIQUE, 0),
        bookkeeping=len(kinds) - counted,
        exports=f.get("exports", 0),
        captures=f.get("captures", 0),
        messages_seen=f.get("messages_seen", 0),
        duplicates=f.get("duplicates", 0),
        raw_bytes=f.get("raw_bytes", 0),
        stored_bytes=f.get("stored_bytes", 0),
        created_at=f.get("created_at", ""),
        updated_at=f.get("updated_at", ""),
        purged=purged,
    )
