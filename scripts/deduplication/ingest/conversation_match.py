"""Which conversation an export belongs to, and which conversations it shows to be one."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from ..alignment import overlap
from ..alignment.seams import Beginning, meets
from ..project.export_names import session_id_from_name
from ..start.late_tuple import NamedTuple

if TYPE_CHECKING:
    from collections.abc import Sequence

    from ..model import Export
    from ..storage.contract import Store
    from .export_view import ExportView

MOST_CANDIDATES: Final = 8
"""Conversations that are looked at closely, those that share most first."""


class Belonging(NamedTuple):
    """``conversation`` is where an export belongs; ``others`` share as much with it and so are the same conversation.

    ``alone``: it was sought by content, and no other conversation shares a telling turn or a stretch at a seam with it.
    """

    conversation: str
    others: tuple[str, ...] = ()
    alone: bool = False


def session_of(export: Export) -> str:
    """The session that the source itself names, as an id of ours; empty where it names none."""
    return session_id_from_name(export.conversation_id) if export.conversation_id else ""


def conversation_of(store: Store, export: Export, shown: ExportView, name: str) -> Belonging:
    """The conversation of an export that nobody named one for; call it inside a transaction of ``store``.

    In this order: the session that the source itself names, where it is known; a conversation that shares a run of at
    least three distinctive turns, or of turns that say as much together; the one conversation that holds all that is
    shown or that is shown whole, or that meets it at a seam: with the end that an export made after a compaction begins with, or
    with the same beginning; the name of the session, or what the file's ``name`` says. A file name is a hint: the same session
    gets many names, and many sessions one.

    A session that is new joins only what text exports alone have brought in: forks and branches share their beginning
    with another session and are conversations of their own.
    """
    session = session_of(export)
    if session:
        known = store.session(session)
        if known:
            return Belonging(known)
        if not any(shown.rows.uuids):  # an id that somebody put beside messages without ids says all there is to say
            return Belonging(store.canonical(session))
        found = _by_content(store, shown, store.candidates(shown.rows), new_session=True)
        return found or Belonging(store.canonical(session))
    candidates = store.candidates(shown.rows)
    found = _by_content(store, shown, candidates, new_session=False)
    found = found or Belonging(store.canonical(session_id_from_name(name)))
    return found._replace(alone=all(each == found.conversation for each in candidates))


def _by_content(store: Store, shown: ExportView, candidates: Sequence[str], *, new_session: bool) -> Belonging | None:
    """The conversation that what is shown proves, and the others that it proves as well."""
    proven: list[tuple[int, str]] = []
    likely: list[tuple[range, str]] = []
    for candidate in list(candidates)[:MOST_CANDIDATES]:
        if new_session and store.has_session(candidate):
            continue
        run = _shared(store, candidate, shown)
        if run >= overlap.RUN:
            proven.append((run, candidate))
        else:
            met = _meets(store, candidate, shown, whole=not new_session)
            likely += [(met, candidate)] if met is not None else []
    same = [name for _, name in proven] + _apart(likely)
    if not same:
        return None
    best = max(proven, key=lambda each: each[0])[1] if proven else same[0]
    return _united(store, best, same, new_session=new_session)


def _apart(likely: list[tuple[range, str]]) -> list[str]:
    """Those whose stretch no other one has: what stands in several conversations shows none of them to be this one."""
    return [
        name
        for stretch, name in likely
        if all(other is stretch or other.stop <= stretch.start or stretch.stop <= other.start for other, _ in likely)
    ]


def _shared(store: Store, candidate: str, shown: ExportView) -> int:
    """Distinctive turns in a row that the conversation shares with what is shown."""
    conversation = store.conversation(candidate)
    order = conversation.reading().order
    run = overlap.shared_run(conversation.columns, order, shown.rows)
    if run < overlap.RUN and overlap.shared_turns(conversation.columns, order, shown.rows):
        return overlap.RUN
    return run


def _meets(store: Store, candidate: str, shown: ExportView, *, whole: bool) -> range | None:
    """The shown positions of evidence that is enough where only one conversation has it."""
    conversation = store.conversation(candidate)
    reading = conversation.reading()
    known, order = conversation.columns, reading.order
    held = overlap.one_holds_the_other(known, order, shown.rows) if whole else None
    if held is not None:
        return held
    continuations = set(conversation.continuations)
    compacted = shown.begins is Beginning.COMPACTION
    for run in reading.runs():
        continued = run[0] in continuations
        met = overlap.meet(known, run, shown.rows, compacted=compacted, continued=continued) if whole else None
        if met is None:
            met = meets(shown.rows, known.take(run), shown.begins, continued=continued)
        if met is not None:
            return met
    return None


def _united(store: Store, best: str, same: list[str], *, new_session: bool) -> Belonging:
    """The oldest of the conversations that are one, and the others.

    Two that each have a session of the client are two, whatever they share: one is a fork or a branch of the other.
    """
    with_session = [name for name in same if store.has_session(name)]
    if len(with_session) > 1 or (new_session and with_session):
        kept = best if best in with_session or new_session else with_session[0]
        same = [name for name in same if name not in with_session or name == kept]
    if len(same) == 1:
        return Belonging(same[0])
    age = {name: position for position, name in enumerate(store.conversations())}
    first, *others = sorted(same, key=lambda name: age.get(name, len(age)))
    return Belonging(first, tuple(others))
