"""A purge carried out: staged, decided in the journal, done in every place, and looked for afterwards."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Any

from ..accounting import last_run
from ..files import journal
from ..files.clock import timestamp
from ..sessions import renewing
from ..sessions.overview.folder import has_index
from . import archive_packs, proof, recovery, stage_archive, stage_store

if TYPE_CHECKING:
    from ..packs.pack_set import Packs
    from ..project.paths import Project
    from ..storage.log_backed import FolderStore
    from .affected_files import AffectedFiles
    from .outcome import Purged


def carry_out(
    store: FolderStore,
    project: Project | None,
    packs: Packs | None,
    affected: AffectedFiles,
    quarantine: list[str],
    notes: dict[str, Any],
    renewal: renewing.Renewal | None,
    done: Purged,
) -> None:
    """Remove for good what ``done`` says will go, and put the proof into it; ``quarantine`` are files of the store's.

    Under the locks of archive, session files and store. Closes ``packs``, which are others afterwards.
    """
    plan = done.plan
    state = store.folder
    waiting = [each.sha256 for each in done.elsewhere if each.sha256]
    changes = {journal.STORE: stage_store.stage_store(store, plan, timestamp(), quarantine, waiting)}
    notes = {**notes, recovery.PLAIN: store.is_plain}
    if (affected.forms or affected.quarantine) and project is not None and packs is not None:
        changes[journal.ARCHIVE] = stage_archive.stage_archive(project, packs, affected)
        if affected.packed:  # killed on the way, half of the packs are others: no image may be looked for in them
            store.blobs.keep_own(sorted(plan.kept_blobs))
    if project is not None:
        stage_archive.stage_list(project, affected, changes)
        if done.sessions or has_index(project):
            changes[journal.SESSIONS] = journal.Changes()
        changes[journal.LAST_RUN] = journal.Changes()
        notes[recovery.FIGURES] = last_run.before_purge(project, store.unique_count())
    if packs is not None:
        packs.close()
    journal.begin(state, changes, notes)
    journal.apply(state, journal.STORE, state)
    store.reopen()
    if project is not None:
        if journal.ARCHIVE in changes:
            journal.apply(state, journal.ARCHIVE, str(project.archive))
        if journal.SESSIONS in changes:
            renewal = renewal or renewing.prepared_for(project)
            renewal.redact.at_once = True  # what is left are headings, which change with the purge
            written = renewing.renew(project, store, notes, renewal)
            done.sessions = [*{*done.sessions, *map(os.path.basename, written)}]
            journal.apply(state, journal.SESSIONS, str(project.memory))
        recovery.recover_last_run(project, store, notes)
    reopened = archive_packs.reopened(project)
    try:
        done.proof = proof.prove(store, project, reopened, plan, done.sessions)
    finally:
        if reopened is not None:
            reopened.close()
