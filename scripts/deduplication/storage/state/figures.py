"""What can be counted of one conversation: from its rows, and from what its runs added up."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ...model import counts
from ..contract import ConversationFigures

if TYPE_CHECKING:
    from ..log.lines import Record
    from .conversation import ConversationState


def add_run(figures: dict[str, Any], record: Record, size: int, stored: int, *, captures: bool) -> None:
    """Add a run to the figures that an index keeps: its commit record of ``size`` bytes, ``stored`` messages that it brought."""
    kind = "captures" if captures else "exports"
    total = record["export"]["total"]
    figures[kind] = figures.get(kind, 0) + 1
    figures["messages_seen"] = figures.get("messages_seen", 0) + total
    figures["duplicates"] = figures.get("duplicates", 0) + total - stored
    figures["stored_bytes"] = figures.get("stored_bytes", 0) + size
    figures.setdefault("created_at", record["timestamp"])
    figures["updated_at"] = record["timestamp"]


def figures_of(state: ConversationState) -> ConversationFigures:
    """The counts of one conversation."""
    kinds = state.columns.kinds
    gone = state.purged
    aside = gone | state.redrawn.keys()
    counted = {h for n, (h, kind) in enumerate(zip(state.columns.hashes, kinds)) if counts(kind) and n not in aside}
    purged = sum(counts(kinds[number]) and number not in state.extends for number in gone)
    bookkeeping = sum(not counts(kind) for kind in kinds)
    f = state.figures
    return ConversationFigures(
        watermark=len(kinds) - 1,
        occurrences=sum(counts(kind) and n not in state.extends for n, kind in enumerate(kinds)) - purged,
        unique=len(counted),
        bookkeeping=bookkeeping,
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
