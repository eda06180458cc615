"""A store and its archive looked at, and made whole: the archive first, because the log is taken from it.

Locks are taken in the order archive, then store, as every run does.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Optional

from ..archive import drop_folder
from ..archive import verify as checking
from ..archive.listed import Inventory
from . import missing_files
from .archive_access import has_archive, opened
from .archive_repair import give_up, mend_packs, put_back
from .lost_files import count_messages, mark_proven
from .outcome import Repaired
from .store_repair import mend_store

if TYPE_CHECKING:
    from ..project.paths import Project
    from ..storage.log_backed import FolderStore


def repair(store: FolderStore, project: Optional[Project], *, accept_lost: bool = False) -> Repaired:
    """Make whole what can be made whole, and name what cannot. Raises ``StoreError`` where the disk refuses.

    ``accept_lost``: what is gone for good afterwards is noted as such, and is no damage from then on.
    """
    done = Repaired()
    have = missing_files.listed_in(project) if project is not None else Inventory()
    if project is not None and (has_archive(project) or have.files):
        with drop_folder.opened(project):
            done.notes += missing_files.name_all(project)
            have = missing_files.listed_in(project)
            mend_packs(store, project, done)
            put_back(store, project, have, done)
    with opened(project) as shelf:
        mended = mend_store(store, project, shelf, have, done, accept_lost=accept_lost)
    if project is not None and have.files:
        with drop_folder.opened(project):
            put_back(store, project, have, done)  # what had to wait for a log that can be read
            if accept_lost:
                done.given_up = give_up(project)
    done.findings = mark_proven([count_messages(finding, mended, have) for finding in done.findings], have)
    done.remaining = store.verify()
    if project is not None:
        done.notes += checking.rebuild_project(project)
        checked = checking.check_project(project)
        done.remaining += checked.all_problems() if checked is not None else []
    return done
