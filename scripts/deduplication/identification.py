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


def session_of(export: Export) -> str:
    """The session that the source itself names, as an id of ours; empty where it names none."""
    return session_id_from_name(export.conversation_id) if export.conversation_id else ""


def conversation_of(store: Store, export: Export, shown: Shown, name: str) -> str:
    """The conversation of an export that nobody named one for; call it inside a transaction of ``store``.

    In this order: the session that the source itself names, where it is known; a conversation that shares a run of at
    least three distinctive turns, or of turns that say as much together; the one conversation that holds all that is
    shown, or whose end an export made after a compaction begins with; the name of the session, or what the file's
    ``name`` says. A file name is a hint: the same session gets many names, and many sessions one.

    A session that is new joins only what text exports alone have brought in: forks and branches share their beginning
    with another session and are conversations of their own.
    """
    session = session_of(export)
    if session:
        return store.session(session) or _by_content(store, shown, whole=False, new_session=True) or session
    return _by_content(store, shown, whole=True, new_session=False) or session_id_from_name(name)


def _by_content(store: Store, shown: Shown, *, whole: bool, new_session: bool) -> str:
    best, most = "", 0
    only: list[str] = []
    if new_session and not any(shown.rows.uuids):
        return ""  # an id that somebody put beside messages without ids says all there is to say
    compacted = any(kind == COMPACTION and before == 0 for kind, before in shown.marks)
    for candidate in list(store.candidates(shown.rows))[:MOST_CANDIDATES]:
        if new_session and store.has_session(candidate):
            continue
        conversation = store.conversation(candidate)
        order = conversation.reading().order
        run = overlap.shared_run(conversation.columns, order, shown.rows)
        if run < overlap.RUN and overlap.shared_turns(conversation.columns, order, shown.rows):
            run = overlap.RUN
        if run > most:
            best, most = candidate, run
        if whole and (
            overlap.contains(conversation.columns, order, shown.rows)
            or (compacted and overlap.tail_overlap(conversation.columns, order, shown.rows))
        ):
            only.append(candidate)
    if most >= overlap.RUN:
        return best
    return only[0] if len(only) == 1 else ""
