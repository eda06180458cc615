"""Which conversation an export belongs to."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from . import overlap
from .model import COMPACTION
from .naming import session_id_from_name

if TYPE_CHECKING:
    from .model import Export
    from .shown import Shown
    from .storage.base import Store

MOST_CANDIDATES: Final = 8
"""Conversations that are looked at closely, those that share most first."""


def conversation_of(store: Store, export: Export, shown: Shown, name: str) -> str:
    """The conversation of an export that nobody named one for; call it inside a transaction of ``store``.

    In this order: the session that the source itself names; a conversation that shares a run of at least three
    distinctive messages; the one conversation whose end an export made after a compaction begins with; what the
    file's ``name`` says. A file name is a hint: the same session gets many names, and many sessions one.
    """
    if export.conversation_id:
        return session_id_from_name(export.conversation_id)
    best, most = "", 0
    tails: list[str] = []
    compacted = any(kind == COMPACTION and before == 0 for kind, before in shown.marks)
    for candidate in list(store.candidates(shown.rows))[:MOST_CANDIDATES]:
        conversation = store.conversation(candidate)
        order = conversation.reading().order
        run = overlap.shared_run(conversation.columns, order, shown.rows)
        if run > most:
            best, most = candidate, run
        if compacted and overlap.tail_overlap(conversation.columns, order, shown.rows):
            tails.append(candidate)
    if most >= overlap.RUN:
        return best
    if len(tails) == 1:
        return tails[0]
    return session_id_from_name(name)
