"""A store and its archive looked at, and made whole: the archive first, because the log is taken from it.

Locks are taken in the order archive, then store, as every run does.
"""

from __future__ import annotations

import contextlib
import os
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Optional

from .. import archiving, locking
from ..archive import checking, restoring
from ..errors import StoreNotWritable
from ..model import LOST, counts
from ..prefix_proof import PrefixProof
from ..storage.lines import is_commit
from ..storage.log_store import Remembered
from ..storage.salvage import pieces_of, salvage, salvage_twice
from . import blob_repair, damage, log_files, log_repair, pack_repair, plain_repair
from .elsewhere import Elsewhere
from .evidence import Evidence
from .hidden import is_another
from .sources import Sources, is_transcript

if TYPE_CHECKING:
    from collections.abc import Iterator

    from ..archive.restoring import Shelf
    from ..project import Project
    from ..storage.log_store import LogStore
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

    def lost(self) -> list[Finding]:
        """What is gone for good."""
        return damage.lost(self.findings)


def examine(store: LogStore, project: Optional[Project]) -> list[Finding]:
    """Everything that is damaged, and what it costs; nothing is changed. ``project`` None: there is no archive."""
    found: list[Finding] = []
    if project is not None and _archived(project):
        with _archive_held(project), pack_repair.examined(project) as (plan, _, _):
            found += plan.findings
    with _shelf(project) as shelf, store.held() as log:
        salvaged = salvage(log)
        mended = log_repair.mend(salvaged, Sources(shelf), store.blobs.folder, store.remembered())
        found += [*mended.findings, *blob_repair.mend(mended)]
        if project is not None:
            found += [each.finding() for each in plain_repair.damaged(mended.evidence, Elsewhere(project))]
    return [_counted(finding, mended) for finding in found]


def suspicious(store: LogStore, project: Optional[Project]) -> bool:
    """Whether the archive has something that the log does not tell of, or a plain file that is not what was archived."""
    if project is None:
        return False
    with _shelf(project) as shelf, store.held() as log:
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


def repair(store: LogStore, project: Optional[Project]) -> Repaired:
    """Make whole what can be made whole, and name what cannot. Raises ``StoreError`` where the disk refuses."""
    done = Repaired()
    if project is not None and _archived(project):
        with archiving.opened(project), pack_repair.examined(project) as (plan, packs, kept):
            done.findings += plan.findings
            done.quarantined += [
                f"{project.archive.name}/{name}" for name in pack_repair.write(project, plan, packs, kept)
            ]
    with _shelf(project) as shelf:
        mended: list[Mended] = []

        def mend() -> list[str]:
            salvaged = salvage_twice(store.log)
            found = log_repair.mend(salvaged, Sources(shelf), store.blobs.folder, store.remembered())
            done.findings += [*found.findings, *blob_repair.mend(found)]
            done.quarantined += [f"{store_name}/{name}" for name in log_files.write(store.log, salvaged, found)]
            mended.append(found)
            return []

        store_name = os.path.basename(store.folder)
        done.notes += store.rebuild(mend)
        if project is not None:
            for each in plain_repair.damaged(mended[0].evidence, Elsewhere(project)):
                done.findings.append(each.finding())
                done.quarantined.append(f"{project.archive.name}/{plain_repair.write(project, each)}")
    done.findings = [_counted(finding, mended[0]) for finding in done.findings]
    done.remaining = store.verify()
    if project is not None:
        done.notes += checking.rebuild_project(project)
        checked = checking.check_project(project)
        done.remaining += checked.all_problems() if checked is not None else []
    return done


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


def _counted(finding: Finding, mended: Mended) -> Finding:
    """A lost file with the number of its messages that the log has."""
    if finding.kind != damage.FILE:
        return finding
    numbers: set[tuple[str, int]] = set()
    if finding.name.endswith(f" of {finding.where}"):
        finding = replace(finding, name=_name(finding, mended) or finding.name)
    for record in mended.evidence.commits:
        own = record.get("cursor", {}).get("source", "").replace("\\", "/")
        if record["export"]["sha256"] == finding.sha256 or ("/" in finding.name and own.endswith(f"/{finding.name}")):
            name = record["conversation_id"]
            numbers |= {(name, n) for first, last in record["window"] for n in range(first, last + 1)}
    kinds = {name: mended.replay.conversation(name).columns.kinds for name, _ in numbers}
    stored = sum(n < len(kinds[name]) and counts(kinds[name][n]) and kinds[name][n] != LOST for name, n in numbers)
    names = {name for name, _ in numbers}
    return replace(finding, messages=stored, conversation=finding.conversation or next(iter(names), ""))


def _name(finding: Finding, mended: Mended) -> str:
    """What a file was called of which the record is gone: the log tells it of exports, and of the captured transcripts."""
    for record in mended.evidence.commits:
        cursor = record.get("cursor")
        if cursor is None and record["export"]["sha256"] == finding.sha256:
            return str(record["export"]["name"])
        if cursor is not None and cursor["offset"] == finding.bytes:
            proof = PrefixProof.loads(cursor["offset"], cursor["prefix"])
            if proof.chain or proof.rest == finding.sha256:  # up to a megabyte the proof is the SHA-256 itself
                return "/".join(cursor["source"].replace("\\", "/").split("/")[-2:])
    return ""
