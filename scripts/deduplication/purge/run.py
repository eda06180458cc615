"""Purge: planned, staged, decided in one step, done, and looked for afterwards.

The locks are taken in the one order that all of the product keeps: archive, session files, store. They are held from the plan to
the proof, so that nobody adds what would be missed. Killed before the decision nothing has changed; killed after it, the next who
opens store, archive or session files finishes it.
"""

from __future__ import annotations

import contextlib
import json
import os
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any, Final

from ..accounting import last_run
from ..archive import drop_folder, gc, inventory
from ..archive import restore as restoring
from ..archive import verify as checking
from ..archive.packs.pack_set import Packs
from ..archive.places import packs_folder
from ..backup import known
from ..backup import renewing as renewing_backups
from ..backup.source import Source
from ..errors import PurgeIncomplete, StoreDamaged
from ..files import atomic, journal
from ..files.clock import timestamp
from ..files.locking import exclusive
from ..project.paths import QUARANTINE
from ..sessions import folder as session_folder
from ..sessions import renewing
from ..storage.log_backed import require_log
from . import finish, proof, reach, staging
from .archived import Form, digest, form_of, of_plan
from .plan import neutral, tells
from .plan import plan as planned

if TYPE_CHECKING:
    from ..backup.renewing import Renewed, Unreached
    from ..project.paths import Project
    from ..storage.contract import Store
    from ..storage.log_backed import LogBackedStore
    from .plan import Plan
    from .proof import Proof
    from .reach import Elsewhere
    from .scope import Scope
    from .staging import Shown

_COMPRESSED: Final = (".xz", ".pack", ".idx")
"""Endings of damaged files that cannot be looked into."""


@dataclass
class Purged:
    """What went, or with ``dry_run`` would go. Bytes are bytes on disk."""

    plan: Plan
    dry_run: bool
    blanked: list[tuple[str, int]] = field(default_factory=list)
    """Archived files that stay without some messages, and how many."""
    removed: list[tuple[str, int, str]] = field(default_factory=list)
    """Archived files that go as a whole: name, bytes, and why, where they show anything else."""
    renamed: int = 0
    sessions: list[str] = field(default_factory=list)
    quarantine: list[str] = field(default_factory=list)
    backups: list[str] = field(default_factory=list)
    """Folders with backups of the store: each gets a fresh snapshot and loses the earlier ones."""
    unreached: list[Unreached] = field(default_factory=list)
    """Those of them that may still have it."""
    elsewhere: list[Elsewhere] = field(default_factory=list)
    packs_renewed: bool = False
    proof: Proof | None = None
    problems: list[str] = field(default_factory=list)


def purge(
    store: Store, project: Project | None, scope: Scope, *, forget: bool = False, dry_run: bool = False
) -> Purged:
    """Remove for good what ``scope`` means; ``project`` None: from a store alone. With ``dry_run`` no byte is changed.

    Raises :class:`NothingToPurge`, :class:`PurgeIncomplete` where something is still there afterwards, ``ConversationUnclear``,
    ``UsageError`` and the ``StoreError`` family.
    """
    store = require_log(store, "a purge")
    renewal = None if project is None or dry_run else _cleaned(store, project, scope, forget=forget)
    with contextlib.ExitStack() as stack:
        packs = _opened(stack, project, dry_run=dry_run)
        if project is not None and not dry_run:
            stack.enter_context(session_folder.held(project))
            session_folder.finish_purge(project, store)
        with store.transaction(write=not dry_run):
            return _Purge(store, project, packs, scope, renewal, forget=forget).run(dry_run=dry_run)


def verified(store: Store, project: Project | None, done: Purged) -> None:
    """Recount everything afterwards, into ``done.problems``. Raises :class:`PurgeIncomplete` where something is still there."""

    def check(of: Project) -> list[str]:
        found = checking.check_project(of)
        return found.all_problems() if found is not None else []

    done.problems = proof.whole(store, project, check)
    if done.proof is not None and done.proof.remaining:
        more = f" and {len(done.proof.remaining) - 1:,} more place(s)" if len(done.proof.remaining) > 1 else ""
        raise PurgeIncomplete(f"{done.proof.remaining[0]}{more}")


def renewed(store: Store, project: Project | None, done: Purged) -> None:
    """Replace the snapshots of every known backup, holding no lock; those that may still have it go to ``done.unreached``."""
    if done.backups and done.proof is not None and not done.proof.remaining:
        done.unreached = renewing_backups.renew(_source(require_log(store, "a purge"), project))
        left = {each.folder for each in done.unreached}
        done.backups = [folder for folder in done.backups if folder not in left]


def caught_up(store: Store, project: Project | None, *, dry_run: bool) -> Renewed:
    """Where there is nothing to purge: go on with the backups that earlier purges did not reach; with ``dry_run`` name them.

    Holding no lock. Nothing in it where every purge reached every backup.
    """
    store = require_log(store, "a purge")
    if dry_run:
        return renewing_backups.Renewed(tuple(each.path for each in known.owed(store.folder)))
    return renewing_backups.catch_up(_source(store, project))


def _source(store: LogBackedStore, project: Project | None) -> Source:
    return Source.of_state(store.folder) if project is None else Source.of_project(project)


def _cleaned(store: LogBackedStore, project: Project, scope: Scope, *, forget: bool) -> renewing.Renewal | None:
    """What the session files will say, clean before any lock is taken: secrets are not looked for under the locks of a purge.

    Nor those of a purge that was stopped, which is finished first.
    """
    with session_folder.held(project):
        session_folder.finish_purge(project, store)
    with store.transaction(write=False):
        sessions = set(planned(store, scope, forget=forget).conversations)
    return renewing.clean_beforehand(project, store, sessions)


def _opened(stack: contextlib.ExitStack, project: Project | None, *, dry_run: bool) -> Packs | None:
    """The packs of the project's archive under its lock; None where there is no archive."""
    if project is None or not os.path.isdir(project.archive):
        return None
    if dry_run:
        if os.path.lexists(project.archive / ".lock"):
            stack.enter_context(exclusive(str(project.archive / ".lock")))
        if journal.waits(str(project.state), journal.ARCHIVE):
            raise StoreDamaged(
                "a purge was stopped half way",
                hint="Run it again, or any other command that writes: it is finished then.",
            )
    else:
        stack.enter_context(drop_folder.opened(project))
    packs = Packs(packs_folder(project))
    stack.callback(packs.close)
    return packs


class _Purge:
    """One purge under its locks."""

    def __init__(
        self,
        store: LogBackedStore,
        project: Project | None,
        packs: Packs | None,
        scope: Scope,
        renewal: renewing.Renewal | None,
        *,
        forget: bool,
    ) -> None:
        self._renewal = renewal
        self._store, self._project, self._packs = store, project, packs
        self._plan = planned(store, scope, forget=forget)

    def run(self, *, dry_run: bool) -> Purged:
        plan, project = self._plan, self._project
        shown = self._archived()
        notes, names = ({}, []) if project is None else self._session_files(project)
        done = Purged(plan, dry_run, sessions=names, quarantine=self._quarantine(), renamed=len(shown.renamed))
        shown.quarantine = self._archive_quarantine()
        done.quarantine += [os.path.basename(name) for name in shown.quarantine]
        done.backups = known.known(self._store.folder)
        for entry, form in shown.forms:
            if form.data is None:
                done.removed.append((entry.name, entry.size, form.why))
            elif form.messages:
                done.blanked.append((entry.name, form.messages))
        done.packs_renewed = shown.packed
        done.elsewhere = reach.elsewhere(project, self._store, plan, names)
        if not dry_run:
            self._do(shown, notes, done)
        return done

    def _do(self, shown: Shown, notes: dict[str, Any], done: Purged) -> None:
        store, project, plan = self._store, self._project, self._plan
        state = store.folder
        waiting = [each.sha256 for each in done.elsewhere if each.sha256]
        changes = {journal.STORE: staging.stage_store(store, plan, timestamp(), self._quarantine(), waiting)}
        notes = {**notes, finish.SQLITE: store.has_sqlite}
        if (shown.forms or shown.quarantine) and project is not None and self._packs is not None:
            changes[journal.ARCHIVE] = staging.stage_archive(project, self._packs, shown)
        if project is not None:
            staging.stage_list(project, shown, changes)
        if project is not None and done.sessions:
            changes[journal.SESSIONS] = journal.Changes()
        if project is not None:
            changes[journal.LAST_RUN] = journal.Changes()
            notes[finish.FIGURES] = last_run.before_purge(project, store.unique_count())
        if self._packs is not None:
            self._packs.close()
        journal.begin(state, changes, notes)
        journal.finish(state, journal.STORE, state)
        store.reopen()
        if project is not None:
            if journal.ARCHIVE in changes:
                journal.finish(state, journal.ARCHIVE, str(project.archive))
            if journal.SESSIONS in changes:
                renewal = self._renewal or renewing.prepared_for(project)
                renewal.redact.at_once = True  # what is left are headings, which change with the purge
                renewing.renew(project, store, notes, renewal)
                journal.finish(state, journal.SESSIONS, str(project.memory))
            finish.finish_last_run(project, store, notes)
        packs = Packs(packs_folder(project)) if project is not None and os.path.isdir(project.archive) else None
        try:
            done.proof = proof.prove(store, project, packs, plan, done.sessions)
        finally:
            if packs is not None:
                packs.close()

    # -- what shows it -------------------------------------------------------------------------------------------

    def _archived(self) -> Shown:
        """Archived files that show something of it."""
        shown = staging.Shown()
        if self._packs is None or self._project is None:
            return shown
        plan = self._plan
        gone = of_plan(plan)
        gc.require_whole(self._packs)
        shelf = restoring.Shelf(self._project, self._packs)
        if shelf.lost:
            raise shelf.lost[0]
        for entry in shelf.entries:
            data = b"".join(shelf.parts(entry))
            owner = (self._store.session(entry.session) or entry.session) if entry.transcript else ""
            form = form_of(self._store, data, entry.name, gone, lambda part: bool(plan.probes.found_in(part)), owner)
            if not entry.transcript and (entry.name in plan.names or tells(entry.name, plan.prompts)):
                shown.renamed[entry.name] = plan.names.setdefault(entry.name, neutral(entry.name))
                form = form or Form(data, 0)
            if form is not None:
                shown.forms.append((replace(entry, sha256=digest(data)), form))
        for listed in inventory.load(self._store.folder, str(self._project.archive)).files.values():
            # What is gone has a name as well.
            if not listed.session and (listed.name in plan.names or tells(listed.name, plan.prompts)):
                shown.renamed[listed.name] = plan.names.setdefault(listed.name, neutral(listed.name))
        return shown

    def _session_files(self, project: Project) -> tuple[dict[str, Any], list[str]]:
        return renewing.notes_of(str(project.sessions), set(self._plan.conversations))

    def _quarantine(self) -> list[str]:
        """What runs that did not finish left, or repair put aside, and that holds something of it."""
        return self._put_aside(os.path.join(self._store.folder, QUARANTINE))

    def _archive_quarantine(self) -> list[str]:
        """The same of the archive, below its folder."""
        if self._project is None or self._packs is None:
            return []
        found = self._put_aside(os.path.join(self._project.archive, QUARANTINE))
        return [os.path.join(QUARANTINE, name) for name in found]

    def _put_aside(self, folder: str) -> list[str]:
        """The files in a quarantine that hold something of it, and those that nobody can look into."""
        found = []
        for name in sorted(os.listdir(folder)) if os.path.isdir(folder) else ():
            try:
                with atomic.open_regular(os.path.join(folder, name)) as file:
                    data = file.read()
            except OSError:
                data = b""
            if (
                not data
                or name.endswith(_COMPRESSED)
                or any(each in name for each in self._plan.blobs)
                or self._holds(data)
            ):
                found.append(name)
        return found

    def _holds(self, data: bytes) -> bool:
        plan = self._plan
        if any(f'"content_hash":"{identity}"'.encode() in data for identity in plan.identities):
            return True
        return bool(plan.probes.found_in(data)) or any(_line_of(name) in data for name in plan.whole)


def _line_of(conversation_id: str) -> bytes:
    """How a line of the log begins that belongs to a conversation."""
    return f'{{"conversation_id":{json.dumps(conversation_id, ensure_ascii=False)},'.encode("utf-8", "backslashreplace")
