"""The store made whole: its log run by run, its blobs, and plain files of the archive that the log tells to be damaged."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Optional

from ..storage.log.salvage import salvage_twice
from . import blanked_files, blob_repair, log_files, log_repair, plain_file_repair
from .archived_copies import copies_of, looked_for
from .raw_sources import Sources

if TYPE_CHECKING:
    from ..archive.listed import Inventory
    from ..archive.restore import ArchivedFiles
    from ..project.paths import Project
    from ..storage.log.append_log import Log
    from ..storage.log_backed import FolderStore
    from .log_repair import RepairedLog
    from .outcome import Repaired
    from .shared_copies import SharedCopies


def mend_store(
    store: FolderStore,
    project: Optional[Project],
    shelf: Optional[ArchivedFiles],
    have: Inventory,
    done: Repaired,
    shared: SharedCopies,
    *,
    accept_lost: bool,
) -> RepairedLog:
    """Write the log as it must be, with its indexes; what was damaged goes into ``done``. Raises ``StoreError``."""
    mended: list[RepairedLog] = []
    elsewhere = copies_of(project, shared)

    def mend(log: Log) -> list[str]:
        with looked_for(log, have, elsewhere):
            return write(log)

    def write(log: Log) -> list[str]:
        salvaged = salvage_twice(log)
        found = log_repair.repair_log(salvaged, Sources(shelf), log, store.remembered(), accept=accept_lost)
        done.findings += [*found.findings, *blob_repair.repair_blobs(found)]
        done.quarantined += [f"{store_name}/{name}" for name in log_files.write(log, salvaged, found)]
        done.made, done.proven = done.made + found.made, done.proven + found.proven
        mended.append(found)
        return []

    store_name = os.path.basename(store.folder)
    done.notes += store.rebuild(mend)
    if project is not None and elsewhere is not None:
        done.findings += blanked_files.noted(project, mended[0].evidence)
        for each in plain_file_repair.damaged(mended[0].evidence, elsewhere):
            done.findings = [found for found in done.findings if found.sha256 != each.finding().sha256]
            done.findings.append(each.finding())
            done.quarantined.append(f"{project.archive.name}/{plain_file_repair.write(project, each)}")
    return mended[0]
