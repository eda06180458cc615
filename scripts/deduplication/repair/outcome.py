"""What verify and repair came to: every damage, what went into quarantine, and what is still wrong afterwards."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ..start.late_dataclass import dataclass, field
from . import damage

if TYPE_CHECKING:
    from ..archive.listed import Listed
    from .damage import Finding


@dataclass
class Repaired:
    """What was found, what went into quarantine, and what ``verify`` still says afterwards."""

    findings: list[Finding] = field(default_factory=list)
    quarantined: list[str] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    """What making the indexes again came across."""
    remaining: list[str] = field(default_factory=list)
    made: int = 0
    proven: int = 0
    """Runs of the log that were made again, and how many of them it proves to be what they were, byte for byte."""
    given_up: list[Listed] = field(default_factory=list)
    """Files that are gone, and of which the user said that it is known."""

    def lost(self) -> list[Finding]:
        """What is gone for good, but for what was given up."""
        known = {each.sha256 for each in self.given_up}
        return [
            each for each in damage.lost_for_good(self.findings) if each.kind != damage.FILE or each.sha256 not in known
        ]
