"""What the user reads of a diagnosis: a line for each finding, problems with what to do about them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from ..alignment.plain_text import DIAGNOSIS
from ..start.late_dataclass import asdict
from ..terminal.console import printable

if TYPE_CHECKING:
    from collections.abc import Sequence

    from ..diagnosis.finding import Finding

_MARKS: Final = {"ok": "✓", "note": "·", "problem": "❌"}


def text(findings: Sequence[Finding]) -> str:
    """The findings in their order."""
    problems = problems_in(findings)
    verdict = "nothing needs to be done" if not problems else f"{problems} thing(s) to do, marked ❌"
    lines = [f"{DIAGNOSIS} {verdict}", ""]
    for finding in findings:
        lines.append(f"{_MARKS[finding.state]} {finding.name}: {printable(finding.text)}")
        lines += [f"     {printable(detail)}" for detail in finding.details]
        if finding.cure:
            lines.append(f"   → {printable(finding.cure)}")
    return "\n".join(lines)


def as_dict(findings: Sequence[Finding]) -> dict[str, Any]:
    """The object of ``--json``."""
    return {"ok": not problems_in(findings), "findings": [asdict(finding) for finding in findings]}


def problems_in(findings: Sequence[Finding]) -> int:
    """How many findings need something to be done."""
    return sum(finding.state == "problem" for finding in findings)
