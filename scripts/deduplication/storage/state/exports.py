"""The files that were processed as a whole: their bytes, each content once, and into which conversations they went."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ...alignment.reading_order import BREAK
from ..contract import SeenExport
from .prefixes import add_prefix
from .table_records import ShownIn

if TYPE_CHECKING:
    from ..log.lines import Record
    from .conversation import ConversationState
    from .log_state import State


def add_export(state: State, conversation: ConversationState, record: Record, position: int, known: int) -> None:
    """Account for a file that was processed as a whole: its bytes, once, and what became of it."""
    conversation_id, export = record["conversation_id"], record["export"]
    doubled = state.at_hand.doubled()
    seen = state.exports.get(export["sha256"]) or []
    if not seen:
        state.seen_bytes = state.seen_bytes.plus(distinct=export["bytes"], known=known, doubled=doubled)
    elif all(each.name != export["name"] for each in seen):
        state.seen_bytes = state.seen_bytes.plus(identical=export["bytes"])
    if all(each.conversation_id != conversation_id for each in seen):
        conversation.figures["raw_bytes"] = conversation.figures.get("raw_bytes", 0) + export["bytes"]
    shown = ShownIn(conversation_id, export["parser"], export["format"], export["total"], position, export["name"])
    if shown not in seen:
        state.exports[export["sha256"]] = [*seen, shown]
    add_prefix(state, conversation, record, position)


def seen_in(state: State, sha256: str) -> list[SeenExport]:
    """Into which conversations a file with this hash went."""
    found = []
    for each in state.exports.get(sha256) or []:
        root, at = state.canonical(each.conversation_id)
        window: list[list[int]] = []
        breaks: list[int] = []
        conversation = state.conversation(each.conversation_id)
        for first, last in conversation.windows[each.window]:
            if [first, last] == BREAK:
                breaks.append(len(window))
            else:
                window.append([first + at, last + at])
        lost = bool(conversation.figures.get("lost"))
        found.append(SeenExport(root, each.parser, each.format, each.total, window, breaks, lost))
    return found
