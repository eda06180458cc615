"""The archive made whole: damaged packs, and what the list names and the archive does not have."""

from __future__ import annotations

import contextlib
from typing import TYPE_CHECKING

from ..archive import inventory, present
from ..archive import verify as checking
from . import blob_repair, damage, missing_files, pack_repair, packs_anew, plain_file_repair
from .other_copies import OtherCopies

if TYPE_CHECKING:
    from ..archive.listed import Inventory, Listed
    from ..project.paths import Project
    from ..storage.log_backed import LogBackedStore
    from .outcome import Repaired
    from .shared_copies import SharedCopies


def mend_packs(store: LogBackedStore, project: Project, done: Repaired, shared: SharedCopies) -> None:
    """Write damaged packs without what is lost of them. The caller holds the archive's lock."""
    folder = store.in_folder()
    with contextlib.ExitStack() as stack:
        plan, packs, kept = stack.enter_context(pack_repair.examined(project, shared))
        log = stack.enter_context(folder.unrecovered_log()) if folder is not None else None
        done.findings += plan.findings
        if plan.damaged and log is not None:
            blob_repair.keep_blobs(log)
        done.quarantined += [
            f"{project.archive.name}/{name}" for name in packs_anew.write(project, plan, packs, kept, shared)
        ]


def put_back(store: LogBackedStore, project: Project, have: Inventory, done: Repaired, shared: SharedCopies) -> None:
    """What the list names and the archive does not have, from wherever it is; each told once, as it turned out at last."""
    there = present.packed(project) | present.plain(project)
    elsewhere = OtherCopies(project, shared)
    gone = missing_files.find_missing(store, have, there, elsewhere)
    missing_files.put_back(project, gone)
    if store.in_folder() is None:  # else the log tells what a plain file was, and it is put in its place
        back = {each.listed.name for each in gone if each.copy is not None and not each.refused}
        aside = plain_file_repair.set_aside(project, have, back)
        done.quarantined += [f"{project.archive.name}/{name}" for name in aside]
    told = {each.sha256 for each in done.findings if each.kind == damage.FILE}
    for each in gone:
        finding = each.finding(project.archive.name)
        if finding.repaired:
            done.findings = [one for one in done.findings if one.sha256 != finding.sha256]
        if finding.repaired or finding.sha256 not in told:
            done.findings.append(finding)


def give_up(project: Project) -> list[Listed]:
    """Note every file that is still gone as one that its owner knows to be lost."""
    checked = checking.check_project_held(project)
    inventory.give_up(project, checked.missing)
    return checked.missing
