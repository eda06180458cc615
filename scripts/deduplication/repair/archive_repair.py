"""The archive made whole: damaged packs, and what the list names and the archive does not have."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ..archive import inventory
from ..archive import verify as checking
from ..archive.places import packs_folder
from ..packs.pack_set import opened_packs
from . import blob_repair, damage, missing_files, pack_repair, packs_anew
from .other_copies import OtherCopies

if TYPE_CHECKING:
    from ..archive.listed import Inventory, Listed
    from ..project.paths import Project
    from ..storage.log_backed import FolderStore
    from .outcome import Repaired


def mend_packs(store: FolderStore, project: Project, done: Repaired) -> None:
    """Write damaged packs without what is lost of them. The caller holds the archive's lock."""
    with pack_repair.examined(project) as (plan, packs, kept), store.unrecovered_log() as log:
        done.findings += plan.findings
        if plan.damaged:
            blob_repair.keep_blobs(log)
        done.quarantined += [f"{project.archive.name}/{name}" for name in packs_anew.write(project, plan, packs, kept)]


def put_back(store: FolderStore, project: Project, have: Inventory, done: Repaired) -> None:
    """What the list names and the archive does not have, from wherever it is; each told once, as it turned out at last."""
    with opened_packs(packs_folder(project)) as packs:
        there = {packs.record(number).sha256.hex() for number in packs.numbers()}
    gone = missing_files.find_missing(store, have, there | missing_files.plain(project), OtherCopies(project))
    missing_files.put_back(project, gone)
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
