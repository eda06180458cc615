"""The window of a run accounted for in a state, with its session and its compactions."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ...alignment.reading_order import with_breaks
from ...model import COMPACTION
from .table_records import ReadTo

if TYPE_CHECKING:
    from ..contract import Cursor
    from ..log.lines import Record
    from .conversation import ConversationState
    from .log_state import State


def show(state: State, conversation: ConversationState, record: Record, cursor: Cursor | None, follows: int) -> int:
    """Account for the window of a run, its session and its compactions; the position of the window."""
    conversation_id, window = record["conversation_id"], record["window"]
    if cursor is None:
        position = conversation.add_window(with_breaks(window, record.get("breaks", ())))
    else:
        before = state.cursors.get(cursor.source)
        position = before.window if before is not None and before.conversation_id == conversation_id else -1
        if window:
            position = conversation.go_on(position, follows, window)
        state.cursors[cursor.source] = ReadTo(conversation_id, cursor, len(conversation), position)
    if record.get("session") and state.sessions.get(record["session"]) is None:
        state.sessions[record["session"]] = conversation_id
        conversation.has_session = True
    for at in (0, *record.get("breaks", ())) if window else ():
        if [COMPACTION, window[at][0]] in record.get("marks", []):
            conversation.add_continuation(window[at][0])
    return position
