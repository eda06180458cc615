"""After a purge, holding no lock: everything is recounted, and backups that still have it are renewed."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ..archive import verify as checking
from ..backup import known
from ..backup import renewing as renewing_backups
from ..backup.source import Source
from ..errors import PurgeIncomplete
from ..figures.counted import counted
from ..storage.log_backed import require_folder
from . import proof

if TYPE_CHECKING:
    from ..backup.renewing import Renewed
    from ..project.paths import Project
    from ..storage.contract import Store
    from ..storage.log_backed import FolderStore
    from .outcome import Purged


def verify(store: Store, project: Project | None, done: Purged) -> None:
    """Recount everything afterwards, into ``done.problems``. Raises :class:`PurgeIncomplete` where something is still there."""

    def check(of: Project) -> list[str]:
        found = checking.check_project(of)
        return found.all_problems() if found is not None else []

    kept = require_folder(store, "a purge")
    with kept.transaction():
        kept.blobs.let_go()  # which were made files while packs were made anew
    done.problems += proof.verify_all(store, project, check)
    if done.proof is not None and done.proof.remaining:
        more = f" and {counted(len(done.proof.remaining) - 1, 'more place')}" if len(done.proof.remaining) > 1 else ""
        raise PurgeIncomplete(f"{done.proof.remaining[0]}{more}")


def renew_backups(store: Store, project: Project | None, done: Purged) -> None:
    """Replace the snapshots of every known backup, holding no lock; those that may still have it go to ``done.unreached``."""
    if done.backups and done.proof is not None and not done.proof.remaining:
        done.unreached = renewing_backups.renew(_source(require_folder(store, "a purge"), project))
        left = {each.folder for each in done.unreached}
        done.backups = [folder for folder in done.backups if folder not in left]


def catch_up(store: Store, project: Project | None, *, dry_run: bool) -> Renewed:
    """Where there is nothing to purge: go on with the backups that earlier purges did not reach; with ``dry_run`` name them.

    Holding no lock. Nothing in it where every purge reached every backup.
    """
    store = require_folder(store, "a purge")
    if dry_run:
        return renewing_backups.Renewed(tuple(each.path for each in known.owed(store.folder)))
    return renewing_backups.catch_up(_source(store, project))


def _source(store: FolderStore, project: Project | None) -> Source:
    return Source.of_state(store.folder) if project is None else Source.of_project(project)
