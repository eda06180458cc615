"""All gaps that were found, what was looked at, and what they come to."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ..start.late_dataclass import dataclass
from .gap import KINDS, LINES

if TYPE_CHECKING:
    from .gap import Gap


@dataclass(frozen=True)
class Found:
    """``gaps`` in the order of :data:`~.gap.KINDS`, then of conversations; ``conversations`` is how many were looked at.

    ``transcripts`` is how many of the client's files were read, ``not_looked`` a line for each thing that could not be looked at.
    """

    gaps: tuple[Gap, ...] = ()
    conversations: int = 0
    transcripts: int = 0
    not_looked: tuple[str, ...] = ()

    @property
    def counts(self) -> dict[str, int]:
        """How many gaps there are of each kind; every kind is named."""
        return {kind: sum(each.kind == kind for each in self.gaps) for kind in KINDS}

    @property
    def hidden_lines(self) -> int:
        """Lines that the client did not write into an export, and that nothing else fills."""
        return sum(each.count or 0 for each in self.gaps if each.unit == LINES)

    def of(self, kind: str) -> list[Gap]:
        """The gaps of one kind."""
        return [each for each in self.gaps if each.kind == kind]

    def as_dict(self) -> dict[str, Any]:
        """For ``--json``, the dashboard and alerts."""
        return {
            "gaps": [each.as_dict() for each in self.gaps],
            "counts": self.counts,
            "hidden_lines": self.hidden_lines,
            "conversations": self.conversations,
            "transcripts": self.transcripts,
            "not_looked": list(self.not_looked),
        }
