"""The numbers of one run as data: what the workflow counts, what ``--json`` prints, what the banner shows.

Every number here is counted (total = new + duplicates); text is made of them in ``reports/workflow.py`` only.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any, Final, Optional

from ..start.late_dataclass import dataclass
from ..start.late_pattern import late_pattern
from .savings import NOTHING, Savings, percent

if TYPE_CHECKING:
    from ..ingest.deduplicator import Ingest


@dataclass(frozen=True)
class ExportResult:
    """What became of one export. ``path`` is as the user should read it; ``error`` is set where it failed.

    ``total``, ``new`` and ``duplicates`` are messages: ``new`` those that no export announced before, of which ``captured`` were
    captured before. ``raw_bytes`` is the size of the file. ``gaps`` and
    ``warnings`` are one line each. ``archived_to`` is the path in the archive, None while the export lies where it was.
    ``conversations`` are the ids of all those in a file that may hold several.
    """

    path: str
    format: str = ""
    session_id: str = ""
    total: int = 0
    new: int = 0
    duplicates: int = 0
    gaps: tuple[str, ...] = ()
    raw_bytes: int = 0
    archived_to: Optional[str] = None
    error: Optional[str] = None
    warnings: tuple[str, ...] = ()
    conversations: tuple[str, ...] = ()
    captured: int = 0

    @classmethod
    def of(cls, path: str, done: Ingest) -> ExportResult:
        """The result of an export that was processed; ``path`` as the user should read it."""
        return cls(
            path=path,
            format=done.format,
            session_id=done.conversation_id,
            total=done.total,
            new=done.new,
            duplicates=done.duplicates,
            gaps=tuple(done.gaps),
            raw_bytes=done.raw_bytes,
            warnings=tuple(done.warnings),
            conversations=tuple(done.conversations),
            captured=done.captured,
        )

    @property
    def dedup_rate(self) -> float:
        """Duplicates in percent of all messages of the export."""
        return percent(self.duplicates, self.total)

    def as_dict(self) -> dict[str, Any]:
        """The export's object in the output of ``--json``; what there is none of stands in it only where the contract says so."""
        fields: dict[str, Any] = {
            "path": self.path,
            "format": self.format,
            "session_id": self.session_id,
            "total_messages": self.total,
            "new_messages": self.new,
            "duplicates_filtered": self.duplicates,
            "dedup_rate": round(self.dedup_rate, 1),
            "gaps": list(self.gaps),
            "archived_to": self.archived_to,
        }
        if self.captured:
            fields["captured"] = self.captured
        if len(self.conversations) > 1:
            fields["conversations"] = len(self.conversations)
        if self.warnings:
            fields["warnings"] = list(self.warnings)
        if self.error is not None:
            fields["error"] = self.error
        return fields


@dataclass(frozen=True)
class RunResult:
    """One run over any number of exports. ``storage`` is about the store and its archive, over all runs."""

    exports: tuple[ExportResult, ...] = ()
    global_unique: int = 0
    storage: Savings = NOTHING
    duration_s: float = 0.0

    @property
    def total(self) -> int:
        """Messages in all exports of the run."""
        return sum(export.total for export in self.exports)

    @property
    def new(self) -> int:
        """Messages of the run that no export announced before."""
        return sum(export.new for export in self.exports)

    @property
    def captured(self) -> int:
        """Those of them that were captured before."""
        return sum(export.captured for export in self.exports)

    @property
    def duplicates(self) -> int:
        """Messages of the run that were announced already."""
        return sum(export.duplicates for export in self.exports)

    @property
    def dedup_rate(self) -> float:
        """Duplicates in percent of all messages of the run."""
        return percent(self.duplicates, self.total)

    @property
    def failed(self) -> tuple[ExportResult, ...]:
        """The exports that could not be processed or archived."""
        return tuple(export for export in self.exports if export.error is not None)

    @property
    def archived(self) -> tuple[ExportResult, ...]:
        """The exports that were moved to the archive."""
        return tuple(export for export in self.exports if export.archived_to is not None)

    def as_dict(self) -> dict[str, Any]:
        """The one JSON object that ``--json`` prints."""
        return {
            "exports": [export.as_dict() for export in self.exports],
            "total_messages": self.total,
            "new_messages": self.new,
            **({"captured": self.captured} if self.captured else {}),
            "duplicates_filtered": self.duplicates,
            "global_unique": self.global_unique,
            "storage": self.storage.as_dict(),
            "duration_s": round(self.duration_s, 3),
        }


@dataclass(frozen=True)
class Figures:
    """The numbers of the banner; ``captured`` of the new messages were captured before.

    ``raw_bytes`` and ``stored_bytes`` are both 0 where nothing can be said of them.
    """

    new: int
    duplicates: int
    total: int
    unique: int
    captured: int = 0
    raw_bytes: int = 0
    stored_bytes: int = 0


def _line(label: str) -> re.Pattern[str]:
    # Whole lines only: a file name that looks like a figure never stands alone on its line.
    return late_pattern(rf"^[ \t-]*{label}:[ \t]*(\d[\d,]*)[ \t]*\r?$", re.MULTILINE | re.IGNORECASE)


_LABELS: Final = (
    _line(r"New unique(?: messages)?"),
    _line(r"Duplicates? (?:messages )?filtered"),
    _line(r"Total messages"),
    _line(r"(?:Global unique count|Total unique messages)"),
)
_CAPTURED: Final = late_pattern(
    r"^[ \t-]*(\d[\d,]*) new \((?:(\d[\d,]*) |all )?captured earlier\)[ \t]*\r?$", re.MULTILINE
)
"""The line of ``report.captured``: without a number of their own it is all of the new ones."""
_STORAGE: Final = (_line("Raw bytes seen"), _line("Bytes stored"))


def extract(output: str) -> Optional[Figures]:
    """The sums from the core's text output: of each label the last line, since the sums follow the single exports.

    None where one of them is missing: a run that was cut off has no sums, and what one export had is not the run's.
    """
    found: list[int] = []
    for pattern in _LABELS:
        numbers = pattern.findall(output)
        if not numbers:
            return None
        found.append(int(numbers[-1].replace(",", "")))
    told = _CAPTURED.findall(output)
    captured = int((told[-1][1] or told[-1][0]).replace(",", "")) if told else 0
    raw, stored = (_last(pattern, output) for pattern in _STORAGE)
    new, duplicates, total, unique = found
    return Figures(new, duplicates, total, unique, captured, raw, stored)


def _last(pattern: re.Pattern[str], output: str) -> int:
    numbers = pattern.findall(output)
    return int(numbers[-1].replace(",", "")) if numbers else 0


def extract_json(output: str) -> Optional[Figures]:
    """The same from what ``--json`` printed; None where that is not the run's object."""
    import json

    try:
        run = json.loads(output)
        keys = ("new_messages", "duplicates_filtered", "total_messages", "global_unique")
        new, duplicates, total, unique = (int(run[key]) for key in keys)
        storage = run.get("storage", {})
        told = storage.get("savings_pct") is not None
        raw, stored = (int(storage[key]) if told else 0 for key in ("raw_bytes", "stored_bytes"))
        return Figures(new, duplicates, total, unique, int(run.get("captured", 0)), raw, stored)
    except (ValueError, TypeError, KeyError, AttributeError, RecursionError):
        return None
