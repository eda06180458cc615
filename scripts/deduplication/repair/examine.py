"""A store and its archive looked at, and nothing changed: what is damaged or gone, and what that costs."""

from __future__ import annotations

from typing import TYPE_CHECKING, Optional

from ..storage.log.salvage import salvage
from . import blanked_files, blob_repair, damage, log_repair, missing_files, pack_repair, plain_file_repair
from .archive_access import has_archive, held, opened
from .archived_copies import copies_of, looked_for
from .lost_files import count_messages, mark_proven
from .raw_sources import Sources

if TYPE_CHECKING:
    from ..project.paths import Project
    from ..storage.log_backed import LogBackedStore
    from .damage import Finding
    from .shared_copies import SharedCopies


def examine(store: LogBackedStore, project: Optional[Project], shared: Optional[SharedCopies] = None) -> list[Finding]:
    """Everything that is damaged or gone, and what it costs; nothing is changed. ``project`` None: there is no archive.

    Of a store that lies in a database altogether it is the archive alone. ``shared``: what the database has of that.
    """
    found: list[Finding] = []
    there: set[str] = set()
    have = missing_files.listed_in(project)
    if project is not None and has_archive(project):
        with held(project), pack_repair.examined(project, shared) as (plan, packs, kept):
            found += plan.findings
            there = pack_repair.had(project, packs, plan, kept)
    elsewhere = copies_of(project, shared)
    folder = store.in_folder()
    mended = None
    if folder is not None:
        with opened(project) as shelf, folder.unrecovered_log() as log, looked_for(log, have, elsewhere):
            salvaged = salvage(log)
            mended = log_repair.repair_log(salvaged, Sources(shelf), log, folder.remembered())
            found += [*mended.findings, *blob_repair.repair_blobs(mended)]
            if elsewhere is not None:
                found += [each.finding() for each in plain_file_repair.damaged(mended.evidence, elsewhere)]
                found += [finding for _, finding in blanked_files.found(mended.evidence)]
    if project is not None and elsewhere is not None:
        told = {each.sha256 for each in found if each.kind == damage.FILE}
        gone = missing_files.find_missing(store, have, there | told, elsewhere)
        named = {each.name for each in found if each.kind == damage.FILE}  # damaged where it lies, and so not there
        found += [finding for each in gone if (finding := each.finding(project.archive.name)).name not in named]
    if mended is not None:
        found = [count_messages(finding, mended, have) for finding in found]
    return mark_proven(found, have)
