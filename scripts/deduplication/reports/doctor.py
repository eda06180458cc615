"""What the user reads of a diagnosis: a line for each finding, problems with what to do about them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from ..alignment.plain_text import DIAGNOSIS
from ..figures.counted import counted
from ..start.late_dataclass import asdict, replace
from ..terminal.called import as_called
from ..terminal.console import printable

if TYPE_CHECKING:
    from collections.abc import Sequence

    from ..diagnosis.finding import Finding

_MARKS: Final = {"ok": "✓", "note": "·", "problem": "❌"}


def text(findings: Sequence[Finding], *, every: bool = False) -> str:
    """The findings in their order: what is not in order and what is to be known, or ``every`` one."""
    problems = problems_in(findings)
    in_order = 0 if every else sum(finding.state == "ok" for finding in findings)
    verdict = "nothing needs to be done" if not problems else f"{counted(problems, 'thing')} to do, marked ❌"
    lines = [f"{DIAGNOSIS} {verdict}", ""]
    shown = [finding for finding in findings if every or finding.state != "ok"]
    for finding in map(_as_called, shown):
        lines.append(f"{_MARKS[finding.state]} {finding.name}: {printable(finding.text)}")
        lines += [f"     {printable(detail)}" for detail in finding.details]
        if finding.cure:
            lines.append(f"   → {printable(finding.cure)}")
    if in_order:
        things = "1 thing is" if in_order == 1 else f"{in_order} things are"
        more = as_called("deduplicate_export.py doctor --all")
        lines += [*([""] if shown else []), f"✓ {things} in order ({more} lists {'it' if in_order == 1 else 'them'})"]
    return "\n".join(lines)


def as_dict(findings: Sequence[Finding]) -> dict[str, Any]:
    """The object of ``--json``."""
    return {"ok": not problems_in(findings), "findings": [asdict(_as_called(each)) for each in findings]}


def _as_called(finding: Finding) -> Finding:
    """With the names of commands as whoever asked can call them."""
    text, cure = as_called(finding.text), as_called(finding.cure)
    return replace(finding, text=text, cure=cure, details=tuple(map(as_called, finding.details)))


def problems_in(findings: Sequence[Finding]) -> int:
    """How many findings need something to be done."""
    return sum(finding.state == "problem" for finding in findings)
