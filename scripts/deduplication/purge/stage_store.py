"""The store without what a purge removes, staged: the new log beside the old one, and the list of what takes whose place.

Nothing that is there is touched. Whoever calls this holds the locks of archive, session files and store.
"""

from __future__ import annotations

import os
import secrets
from typing import TYPE_CHECKING, Final

from ..accounting import last_run
from ..backup import known
from ..files import atomic, beneath
from ..files.journal import STAGE, Changes
from ..project.paths import ALERTS, QUARANTINE, REPORTS, SESSION_ROWS, STATUS_LOG
from ..storage.log.records import purge_record
from ..storage.log_rewrite import Instead
from ..titles.slug import short
from .united import ids_of

if TYPE_CHECKING:
    from collections.abc import Sequence

    from ..storage.log_backed import FolderStore
    from .plan import Plan

_DOCUMENTS: Final = (os.path.join("..", "checkpoints"),)
_STATUS_LOG: Final = os.path.join("..", STATUS_LOG)


def _documents(folder: str) -> list[str]:
    """Documents beside a store that name sessions by their titles, relative to its folder."""
    found: list[str] = []
    for inner in _DOCUMENTS:
        path = os.path.join(folder, inner)
        if os.path.isdir(path):
            found += [os.path.join(inner, name) for name in sorted(os.listdir(path)) if name.endswith(".md")]
    return found


def stage_store(
    store: FolderStore, plan: Plan, moment: str, quarantine: list[str], waiting: Sequence[str] = ()
) -> Changes:
    """The new log beside the old one. ``waiting``: files (SHA-256) that show it and wait. Raises the ``StoreError`` family."""
    folder = store.folder
    stage = os.path.join(folder, STAGE)
    beneath.remove_tree(stage, ignore_errors=True)
    last = []
    for name, messages in plan.conversations.items():
        figures = {
            "scope": plan.scope.kinds,
            "messages": messages,
            "occurrences": sum(each == name for each, _ in plan.tombstones),
            "forgotten": plan.forget,
        }
        last.append(purge_record(name, moment, figures))
    untitled = sorted({each for name in plan.conversations for each in ids_of(store, store.canonical(name))})
    instead = Instead(
        plan.tombstones,
        last,
        moment,
        plan.forget,
        lambda name: plan.names.get(name, name),
        lambda digest: plan.hashes.get(digest, digest),
        untitled=untitled,
    )
    made = store.rewrite_log(stage, instead)
    changes = Changes(replace=[[os.path.join(STAGE, name), name] for name in made.files])
    changes.remove = [SESSION_ROWS, *made.superseded, *(os.path.join(QUARANTINE, name) for name in quarantine)]
    # With the new log it is on the disk which backups still have what went, whoever comes next and wherever they are then.
    backups = os.path.join(STAGE, known.NAME)
    said = known.after_purge(store, secrets.token_hex(8), waiting, hashes=not plan.forget)
    atomic.replace(os.path.join(folder, backups), said)
    changes.replace.append([backups, known.NAME])
    changes.untitled = sorted(map(short, untitled))
    changes.texts = [_STATUS_LOG, REPORTS, last_run.NAME, ALERTS, *_documents(folder)]
    changes.names = [[old, new] for old, new in plan.names.items()]
    return changes
