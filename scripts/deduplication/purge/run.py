"""Purge: planned, staged, decided in one step, done, and looked for afterwards.

The locks are taken in the one order that all of the product keeps: archive, session files, store. They are held from the plan to
the proof, so that nobody adds what would be missed. Killed before the decision nothing has changed; killed after it, the next who
opens store, archive or session files finishes it.
"""

from __future__ import annotations

import contextlib
import os
from typing import TYPE_CHECKING

from ..backup import known
from ..sessions import folder as session_folder
from ..sessions import renewing
from ..storage.log_backed import require_folder
from . import archive_packs, reach
from .affected_files import Search
from .carry_out import carry_out
from .database import in_database_too
from .outcome import Purged
from .plan import plan as planned

if TYPE_CHECKING:
    from ..packs.pack_set import Packs
    from ..project.paths import Project
    from ..storage.contract import Store
    from ..storage.log_backed import FolderStore
    from .scope import Scope


def purge(
    store: Store, project: Project | None, scope: Scope, *, forget: bool = False, dry_run: bool = False
) -> Purged:
    """Remove for good what ``scope`` means; ``project`` None: from a store alone. With ``dry_run`` no byte is changed.

    Raises :class:`NothingToPurge`, :class:`PurgeIncomplete` where something is still there afterwards, ``ConversationUnclear``,
    ``UsageError`` and the ``StoreError`` family; :class:`PurgeRefused` where a database has the log as well that cannot be reached,
    or be changed, and where a copy of the log waits, which may have the same messages.
    """
    store = require_folder(store, "a purge")
    if not dry_run:
        reach.require_no_copies(store.folder)

    def purged() -> Purged:
        return _purge_folder(store, project, scope, forget=forget, dry_run=dry_run)

    return purged() if dry_run else in_database_too(store, project, purged)


def _purge_folder(store: FolderStore, project: Project | None, scope: Scope, *, forget: bool, dry_run: bool) -> Purged:
    """The store in its folder, with its archive and its session files."""
    renewal = None if project is None or dry_run else _clean_session_files(store, project, scope, forget=forget)
    with contextlib.ExitStack() as stack:
        packs = archive_packs.opened(stack, project, dry_run=dry_run)
        if project is not None and not dry_run:
            stack.enter_context(session_folder.held(project))
            session_folder.finish_purge(project, store)
        with store.transaction(write=not dry_run):
            return _purge(store, project, packs, scope, renewal, forget=forget, dry_run=dry_run)


def _clean_session_files(
    store: FolderStore, project: Project, scope: Scope, *, forget: bool
) -> renewing.Renewal | None:
    """What the session files will say, clean before any lock is taken: secrets are not looked for under the locks of a purge.

    Nor those of a purge that was stopped, which is finished first.
    """
    with session_folder.held(project):
        session_folder.finish_purge(project, store)
    with store.transaction(write=False):
        sessions = set(planned(store, scope, forget=forget).conversations)
    return renewing.clean_beforehand(project, store, sessions)


def _purge(
    store: FolderStore,
    project: Project | None,
    packs: Packs | None,
    scope: Scope,
    renewal: renewing.Renewal | None,
    *,
    forget: bool,
    dry_run: bool,
) -> Purged:
    """The purge under its locks."""
    plan = planned(store, scope, forget=forget)
    search = Search(store, project, packs, plan)
    affected = search.archived()
    notes, names = ({}, []) if project is None else renewing.notes_of(str(project.sessions), set(plan.conversations))
    quarantine = search.quarantine()
    affected.quarantine = search.archive_quarantine()
    done = Purged(plan, dry_run, sessions=names, quarantine=list(quarantine), renamed=len(affected.renamed))
    done.quarantine += [os.path.basename(name) for name in affected.quarantine]
    done.backups = known.known(store.folder)
    for entry, form in affected.forms:
        if form.data is None:
            done.removed.append((entry.name, entry.size, form.why))
        elif form.messages:
            done.blanked.append((entry.name, form.messages))
    done.packs_renewed = affected.packed
    done.elsewhere = reach.other_places(project, store, plan, names)
    if not dry_run:
        carry_out(store, project, packs, affected, quarantine, notes, renewal, done)
    return done
