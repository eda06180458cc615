"""What is shown as a list: the conversations with the most messages, the last runs, the backups."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Any, Final

from ..backup.folder import Folder, is_backup
from ..backup.known import backups as known_backups
from ..errors import DedupError
from ..files.clock import seconds
from .drawing import moment
from .subject import key_of

if TYPE_CHECKING:
    from collections.abc import Iterable

    from ..backup.known import Known
    from .figures import Figures

MOST: Final = 20
"""Conversations that are shown."""


def conversations(figures: Figures) -> dict[str, Any]:
    """Those with the most messages."""
    figures.stored()
    known = figures.conversations
    names = sorted(known, key=lambda name: (-known[name].occurrences, name))[:MOST]
    titles = _titles(figures, names)
    rows = [
        {
            "key": key_of(name),
            "title": titles[name],
            "id": name,
            "messages": known[name].occurrences,
            "unique": known[name].unique,
            "exports": known[name].exports,
            "captures": known[name].captures,
            "bytes": known[name].raw_bytes,
            "updated": known[name].updated_at,
        }
        for name in names
    ]
    return {"rows": rows, "most": max((known[name].occurrences for name in names), default=0), "all": len(known)}


def runs(figures: Figures) -> dict[str, Any]:
    """The last runs, the newest first."""
    figures.stored()
    recent = list(figures.history.recent)[::-1][:MOST]
    with figures.subject.stores.lent() as store, store.transaction(write=False):
        names = {each.run.conversation: store.canonical(each.run.conversation) for each in recent}
    titles = _titles(figures, names.values())
    rows = [
        {
            "moment": each.run.moment,
            "kind": "capture" if each.run.captures else "export",
            "name": os.path.basename(each.name) or each.name,
            "key": key_of(names[each.run.conversation]),
            "title": titles.get(names[each.run.conversation], each.run.conversation),
            "total": each.run.total,
            "new": each.run.told,
            "duplicates": each.run.duplicates,
            "took": each.run.milliseconds,
        }
        for each in recent
    ]
    return {"rows": rows}


def _titles(figures: Figures, names: Iterable[str]) -> dict[str, str]:
    known = figures.conversations
    wanted = [(name, known[name].updated_at) for name in dict.fromkeys(names) if name in known]
    with figures.subject.stores.lent() as store:
        return {name: figures.subject.naming(store, name, updated).shown for name, updated in wanted}


def backups(figures: Figures) -> dict[str, Any]:
    """Every backup that the store knows of, with the snapshots that lie there now."""
    return {"rows": [_backup(each) for each in known_backups(figures.subject.state)]}


def _backup(known: Known) -> dict[str, Any]:
    """One backup; nothing in it is read but the names of its snapshots."""
    row: dict[str, Any] = {
        "path": known.path,
        "since": known.since,
        "snapshots": 0,
        "last": "",
        "owed": len(known.owed),
        "problem": "",
    }
    try:
        names = Folder(known.path).names() if is_backup(known.path) else None
    except (DedupError, OSError) as error:
        return {**row, "problem": str(error)}
    if names is None:
        return {**row, "problem": "The folder is not there."}
    return {**row, "snapshots": len(names), "last": moment(seconds(names[-1].time)) if names else ""}
