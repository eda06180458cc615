"""A purge that was stopped after it was decided, finished by whoever comes next: log, archive, session files, figures.

All that opens a store, an archive or session files calls ``journal.recover``, and that calls it through the package's front door.
"""

from __future__ import annotations

import contextlib
import os
from typing import TYPE_CHECKING, Any, Final

from ..accounting import last_run
from ..accounting.storage_account import project_of
from ..archive import drop_folder
from ..errors import DedupError
from ..files import journal
from ..files.locking import exclusive
from ..project.paths import LOCK
from ..sessions import folder as session_folder
from ..storage import open_in_folder

if TYPE_CHECKING:
    from ..project.paths import Project
    from ..storage.contract import Store

PLAIN: Final = "plain"
"""Note of a purge: the store was one of plain files."""
FIGURES: Final = "figures"
"""Note of a purge: what the last run said before it (:func:`last_run.before_purge`)."""


def recover(state: str) -> None:
    """Do what is left to be done of a purge of the store in ``state``, each place by itself. Raises nothing but ``StoreDamaged``.

    A lock that another process holds is not waited for: whoever holds it has finished the place, or does it now. And who calls
    this may hold a lock that comes later in the order of locks, so that waiting could be for ever.
    """
    notes = (journal.pending(state) or {}).get("notes", {})
    waiting = journal.places(state)
    with contextlib.suppress(DedupError):
        if journal.STORE in waiting:
            with exclusive(os.path.join(state, LOCK), 0):
                journal.apply(state, journal.STORE, state)
    project = project_of(state)
    if project is None:
        return
    with contextlib.suppress(DedupError):
        if journal.ARCHIVE in waiting and os.path.isdir(project.archive):
            with exclusive(drop_folder.lock_path(str(project.archive)), 0):
                drop_folder.recover(project)
    store = open_in_folder(state, plain=bool(notes.get(PLAIN)))
    with contextlib.suppress(DedupError):
        if journal.SESSIONS in waiting:
            with session_folder.held(project, 0):
                session_folder.finish_purge(project, store)
    with contextlib.suppress(DedupError):
        if journal.LAST_RUN in waiting:
            with store.transaction():
                recover_last_run(project, store, notes)


def recover_last_run(project: Project, store: Store, notes: dict[str, Any]) -> None:
    """The figures of the last run, without what was purged. Inside a transaction."""
    state = str(project.state)
    if journal.waits(state, journal.LAST_RUN):
        if notes.get(FIGURES):
            last_run.lower(project, notes[FIGURES], store.unique_count())
        journal.apply(state, journal.LAST_RUN, str(project.memory))
