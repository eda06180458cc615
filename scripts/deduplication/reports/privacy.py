"""What the user reads of a scan: what would be redacted where, and why. Never a secret itself."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, Final

from ..figures.counted import counted
from ..terminal.console import printable

if TYPE_CHECKING:
    from collections.abc import Sequence

    from ..redaction.redact import Finding

_MOST: Final = 200
"""Findings listed for one source; ``--json`` has them all."""


def scanned(name: str, findings: Sequence[Finding], unit: str) -> str:
    """One source: ``unit`` is what its findings are counted in, ``line`` or ``message``."""
    if not findings:
        return f"✓ {printable(name)}: nothing to redact"
    lines = [f"⚠ {printable(name)}: {counted(len(findings), 'place')} to redact"]
    for one in findings[:_MOST]:
        shown = f"{printable(one.begins)}… " if one.begins else ""
        lines.append(f"   - {unit} {one.line:,}: {shown}({one.length:,} characters) {one.rule}: {printable(one.why)}")
    if len(findings) > _MOST:
        lines.append(f"   … and {len(findings) - _MOST:,} more")
    return "\n".join(lines)


def summary(sources: int, findings: Sequence[Finding], level: str) -> str:
    """The last lines of a scan: how many of each rule, and what that means."""
    if not findings:
        return f"✅ Nothing to redact in {counted(sources, 'source')}, level {level}."
    rules = Counter(one.rule for one in findings).most_common()
    return "\n".join(
        [
            f"{counted(len(findings), 'place')} in {counted(sources, 'source')} would be redacted, level {level}:",
            *(f"   {number:,} × {rule}" for rule, number in rules),
            "   → The private log and the archive keep them. What was no secret can be named in privacy_allow.",
        ]
    )
