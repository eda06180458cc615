"""What the loss of an archived file costs, and whether the list of archived files proves that a damaged pack cost none."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ..archive.legacy_inventory import recorded_name
from ..model import LOST, counts
from ..start.late_dataclass import replace
from . import damage

if TYPE_CHECKING:
    from ..archive.listed import Inventory
    from .damage import Finding
    from .log_repair import RepairedLog


def mark_proven(findings: list[Finding], have: Inventory) -> list[Finding]:
    """Whether nothing was lost with a damaged pack is told by the list of what was archived, and by nothing else."""
    lost = any(each.kind == damage.FILE and not each.repaired for each in findings)
    proven = have.began and not lost
    return [replace(each, proven=proven) if each.kind == damage.PACK else each for each in findings]


def count_messages(finding: Finding, mended: RepairedLog, have: Inventory) -> Finding:
    """A lost file with the number of its messages that the log has."""
    if finding.kind != damage.FILE:
        return finding
    numbers: set[tuple[str, int]] = set()
    if finding.name.endswith(f" of {finding.where}"):
        listed = have.called(finding.sha256)
        name = listed.name if listed is not None else ""
        finding = replace(
            finding, name=name or recorded_name(mended.evidence.commits, finding.sha256, finding.bytes) or finding.name
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
