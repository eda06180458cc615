"""A store and its archive looked at, and made whole: the archive first, because the log is taken from it.

Locks are taken in the order archive, then store, as every run does.
"""

from __future__ import annotations

import contextlib
import os
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Optional

from ..archive import drop_folder, inventory, purged_files
from ..archive import restore as restoring
from ..archive import verify as checking
from ..archive.legacy_inventory import name_told
from ..archive.listed import Inventory
from ..archive.packs.pack_set import opened_packs
from ..archive.places import packs_folder
from ..archive.purged_files import PurgedFile
from ..errors import StoreNotWritable
from ..files import locking
from ..model import LOST, counts
from ..storage.log.lines import is_commit
from ..storage.log.salvage import pieces_of, salvage, salvage_twice
from ..storage.log_backed import Remembered
from . import blanked_files, blob_repair, damage, log_files, log_repair, missing_files, pack_repair, plain_file_repair
from .evidence import Evidence
from .lost_runs import is_another
from .other_copies import Elsewhere
from .raw_sources import Sources, is_transcript

if TYPE_CHECKING:
    from collections.abc import Iterator

    from ..archive.listed import Listed
    from ..archive.restore import Shelf
    from ..project.paths import Project
    from ..storage.log.append_log import Log
    from ..storage.log_backed import LogBackedStore
    from .damage import Finding
    from .log_repair import Mended


@dataclass
class Repaired:
    """What was found, what went into quarantine, and what ``verify`` still says afterwards."""

    findings: list[Finding] = field(default_factory=list)
    quarantined: list[str] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    """What making the indexes again came across."""
    remaining: list[str] = field(default_factory=list)
    given_up: list[Listed] = field(default_factory=list)
    """Files that are gone, and of which the user said that it is known."""

    def lost(self) -> list[Finding]:
        """What is gone for good, but for what was given up."""
        known = {each.sha256 for each in self.given_up}
        return [each for each in damage.lost(self.findings) if each.kind != damage.FILE or each.sha256 not in known]


def examine(store: LogBackedStore, project: Optional[Project]) -> list[Finding]:
    """Everything that is damaged or gone, and what it costs; nothing is changed. ``project`` None: there is no archive."""
    found: list[Finding] = []
    there: set[str] = set()
    have = missing_files.listed_in(project) if project is not None else Inventory()
    if project is not None and _archived(project):
        with _archive_held(project), pack_repair.examined(project) as (plan, packs, kept):
            found += plan.findings
            there = pack_repair.had(packs, plan, kept) | missing_files.plain(project)
    with _shelf(project) as shelf, store.unrecovered_log() as log:
        salvaged = salvage(log)
        mended = log_repair.mend(salvaged, Sources(shelf), store.blob_folder, store.remembered())
        found += [*mended.findings, *blob_repair.mend(mended)]
        if project is not None:
            found += [each.finding() for each in plain_file_repair.damaged(mended.evidence, Elsewhere(project))]
            found += [finding for _, finding in blanked_files.found(mended.evidence)]
    if project is not None:
        told = {each.sha256 for each in found if each.kind == damage.FILE}
        gone = missing_files.look(store, have, there | told, Elsewhere(project))
        named = {each.name for each in found if each.kind == damage.FILE}  # damaged where it lies, and so not there
        found += [finding for each in gone if (finding := each.finding(project.archive.name)).name not in named]
    return _proven([_counted(finding, mended, have) for finding in found], have)


def suspicious(store: LogBackedStore, project: Optional[Project]) -> bool:
    """Whether the archive has something that the log does not tell of, or a plain file that is not what was archived."""
    if project is None:
        return False
    with _shelf(project) as shelf, store.unrecovered_log() as log:
        if shelf is None:
            return False
        pieces = [piece for piece in pieces_of(log) if piece.record is None or is_commit(piece.record)]
        evidence = Evidence(pieces, Sources(shelf), Remembered())
        for entry in evidence.sources.entries:
            if is_transcript(entry) or evidence.sources.sha256(entry) in evidence.digests:
                continue
            known = any(member.sha256 in evidence.digests for member in evidence.sources.members_of(entry))
            if is_another(evidence, entry) or not known:
                return True
    return False


def repair(store: LogBackedStore, project: Optional[Project], *, accept_lost: bool = False) -> Repaired:
    """Make whole what can be made whole, and name what cannot. Raises ``StoreError`` where the disk refuses.

    ``accept_lost``: what is gone for good afterwards is noted as such, and is no damage from then on.
    """
    done = Repaired()
    have = missing_files.listed_in(project) if project is not None else Inventory()
    if project is not None and (_archived(project) or have.files):
        with drop_folder.opened(project):
            done.notes += missing_files.name_all(project)
            have = missing_files.listed_in(project)
            with pack_repair.examined(project) as (plan, packs, kept):
                done.findings += plan.findings
                done.quarantined += [
                    f"{project.archive.name}/{name}" for name in pack_repair.write(project, plan, packs, kept)
                ]
            _put_back(store, project, have, done)
    with _shelf(project) as shelf:
        mended: list[Mended] = []

        def mend(log: Log) -> list[str]:
            salvaged = salvage_twice(log)
            found = log_repair.mend(salvaged, Sources(shelf), store.blob_folder, store.remembered())
            done.findings += [*found.findings, *blob_repair.mend(found)]
            done.quarantined += [f"{store_name}/{name}" for name in log_files.write(log, salvaged, found)]
            mended.append(found)
            return []

        store_name = os.path.basename(store.folder)
        done.notes += store.rebuild(mend)
        if project is not None:
            notes = [finding for _, finding in blanked_files.found(mended[0].evidence)]
            purged_files.add(str(project.archive), *(PurgedFile(note.sha256, note.messages) for note in notes))
            done.findings += notes
            for each in plain_file_repair.damaged(mended[0].evidence, Elsewhere(project)):
                done.findings = [found for found in done.findings if found.sha256 != each.finding().sha256]
                done.findings.append(each.finding())
                done.quarantined.append(f"{project.archive.name}/{plain_file_repair.write(project, each)}")
    if project is not None and have.files:
        with drop_folder.opened(project):
            _put_back(store, project, have, done)  # what had to wait for a log that can be read
            if accept_lost:
                done.given_up = _given_up(project)
    done.findings = _proven([_counted(finding, mended[0], have) for finding in done.findings], have)
    done.remaining = store.verify()
    if project is not None:
        done.notes += checking.rebuild_project(project)
        checked = checking.check_project(project)
        done.remaining += checked.all_problems() if checked is not None else []
    return done


def _put_back(store: LogBackedStore, project: Project, have: Inventory, done: Repaired) -> None:
    """What the list names and the archive does not have, from wherever it is; each told once, as it turned out at last."""
    with opened_packs(packs_folder(project)) as packs:
        there = {packs.record(number).sha256.hex() for number in packs.numbers()}
    gone = missing_files.look(store, have, there | missing_files.plain(project), Elsewhere(project))
    missing_files.put_back(project, gone)
    told = {each.sha256 for each in done.findings if each.kind == damage.FILE}
    for each in gone:
        finding = each.finding(project.archive.name)
        if finding.repaired:
            done.findings = [one for one in done.findings if one.sha256 != finding.sha256]
        if finding.repaired or finding.sha256 not in told:
            done.findings.append(finding)


def _given_up(project: Project) -> list[Listed]:
    """Note every file that is still gone as one that its owner knows to be lost."""
    checked = checking.check_project_held(project)
    inventory.give_up(project, checked.missing)
    return checked.missing


def _proven(findings: list[Finding], have: Inventory) -> list[Finding]:
    """Whether nothing was lost with a damaged pack is told by the list of what was archived, and by nothing else."""
    lost = any(each.kind == damage.FILE and not each.repaired for each in findings)
    proven = have.began and not lost
    return [replace(each, proven=proven) if each.kind == damage.PACK else each for each in findings]


def _archived(project: Project) -> bool:
    return os.path.isdir(project.archive)


@contextlib.contextmanager
def _archive_held(project: Project) -> Iterator[None]:
    """The archive's lock, where it can be had: on a medium that cannot be written nobody writes."""
    with contextlib.ExitStack() as stack:
        with contextlib.suppress(StoreNotWritable):
            stack.enter_context(locking.exclusive(os.path.join(project.archive, ".lock")))
        yield


@contextlib.contextmanager
def _shelf(project: Optional[Project]) -> Iterator[Optional[Shelf]]:
    if project is None or not _archived(project):
        yield None
        return
    with restoring.opened(project) as shelf:
        yield shelf


def _counted(finding: Finding, mended: Mended, have: Inventory) -> Finding:
    """A lost file with the number of its messages that the log has."""
    if finding.kind != damage.FILE:
        return finding
    numbers: set[tuple[str, int]] = set()
    if finding.name.endswith(f" of {finding.where}"):
        listed = have.called(finding.sha256)
        name = listed.name if listed is not None else ""
        finding = replace(
            finding, name=name or name_told(mended.evidence.commits, finding.sha256, finding.bytes) or finding.name
        )
    for record in mended.evidence.commits:
        own = record.get("cursor", {}).get("source", "").replace("\\", "/")
        if record["export"]["sha256"] == finding.sha256 or ("/" in finding.name and own.endswith(f"/{finding.name}")):
            name = record["conversation_id"]
            numbers |= {(name, n) for first, last in record["window"] for n in range(first, last + 1)}
    kinds = {name: mended.replay.conversation(name).columns.kinds for name, _ in numbers}
    stored = sum(n < len(kinds[name]) and counts(kinds[name][n]) and kinds[name][n] != LOST for name, n in numbers)
    names = {name for name, _ in numbers}
    return replace(finding, messages=stored, conversation=finding.conversation or next(iter(names), ""))
