"""A store and its archive looked at, and made whole: the archive first, because the log is taken from it.

Locks are taken in the order archive, then store, as every run does.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Optional

from ..archive import drop_folder
from ..archive import verify as checking
from ..errors import ArchiveDamaged, StoreDamaged
from ..united import archives
from . import missing_files, shared_copies
from .archive_access import has_archive, opened
from .archive_repair import give_up, mend_packs, put_back
from .lost_files import count_messages, mark_proven
from .outcome import Repaired
from .store_repair import mend_store

if TYPE_CHECKING:
    from ..project.paths import Project
    from ..storage.log_backed import LogBackedStore
    from .shared_copies import SharedCopies


def repair(store: LogBackedStore, project: Optional[Project], *, accept_lost: bool = False) -> Repaired:
    """Make whole what can be made whole, and name what cannot. Raises ``StoreError`` where the disk refuses.

    Of a store that lies in a database altogether it is the archive alone. ``accept_lost``: what is gone for good afterwards is
    noted as such, and is no damage from then on; nothing is where a database that may have it could not be asked.
    """
    with shared_copies.opened(project, store.place, keep=True) as shared:
        done = _repaired(store, project, shared, accept_lost=accept_lost)
        done.notes += shared.notes()
    return done


def _repaired(
    store: LogBackedStore, project: Optional[Project], shared: SharedCopies, *, accept_lost: bool
) -> Repaired:
    done = Repaired()
    have = missing_files.listed_in(project)
    was_taken_in = True
    if project is not None and (has_archive(project) or have.files):
        was_taken_in = _copies_taken_in(store, project)
        with drop_folder.opened(project):
            done.notes += missing_files.name_all(project)
            have = missing_files.listed_in(project)
            mend_packs(store, project, done, shared)
        was_taken_in = was_taken_in or _copies_taken_in(store, project)
        with drop_folder.opened(project):
            have = missing_files.listed_in(project)
            put_back(store, project, have, done, shared)
    folder = store.in_folder()
    accepted = accept_lost and not shared.failure
    if folder is not None:
        if project is not None and not was_taken_in:  # what copies have had to wait for a log that can be read
            with opened(project) as shelf:
                mend_store(folder, project, shelf, have, done, shared, accept_lost=False)
            was_taken_in = _copies_taken_in(store, project)
            done.findings = [each for each in done.findings if each.repaired]
        with opened(project) as shelf:
            mended = mend_store(folder, project, shelf, have, done, shared, accept_lost=accepted and was_taken_in)
    if project is not None and have.files:
        with drop_folder.opened(project):
            put_back(store, project, have, done, shared)  # what had to wait for a log that can be read
            if accepted and was_taken_in:
                done.given_up = give_up(project)
    if folder is not None:
        done.findings = [count_messages(finding, mended, have) for finding in done.findings]
    done.findings = mark_proven(done.findings, have)
    done.remaining = store.verify()
    if project is not None:
        done.notes += checking.rebuild_project(project)
        checked = checking.check_project(project)
        done.remaining += checked.all_problems() if checked is not None else []
    return done


def _copies_taken_in(store: LogBackedStore, project: Project) -> bool:
    """Have what copies of packs have, which another machine left; False where the archive, or the log, has to be mended first."""
    try:
        archives.take_in(store, project)
    except (ArchiveDamaged, StoreDamaged):
        return False
    return True
