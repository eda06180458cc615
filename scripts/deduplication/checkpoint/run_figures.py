"""The figures of a run as a checkpoint tells them, read once from what ``--json`` prints or ``last_run.json`` has.

That file lies in the user's hands: what is missing in it, or is no number, counts as 0.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Optional

from ..start.late_tuple import NamedTuple

if TYPE_CHECKING:
    from collections.abc import Mapping


class ExportFigures(NamedTuple):
    """One export of a run: ``path`` and ``archived_to`` from the project, ``gaps`` None where there was none."""

    path: object
    session_id: str
    failed: bool
    total: int
    new: int
    duplicates: int
    captured: int
    gaps: Optional[int]
    archived_to: object

    @classmethod
    def of(cls, export: Mapping[str, Any]) -> ExportFigures:
        """As the run has it."""
        gaps = export.get("gaps")
        counted = (len(gaps) if isinstance(gaps, (list, tuple)) else _number(export, "gaps")) if gaps else None
        return cls(
            export.get("path"),
            str(export.get("session_id") or ""),
            bool(export.get("error")),
            _number(export, "total_messages"),
            _number(export, "new_messages"),
            _number(export, "duplicates_filtered"),
            _number(export, "captured"),
            counted,
            export.get("archived_to"),
        )


class RunFigures(NamedTuple):
    """A run: the four numbers of its banner, how many of the new messages were captured before, its exports."""

    new: int
    duplicates: int
    total: int
    unique: int
    captured: int
    exports: tuple[ExportFigures, ...]

    @classmethod
    def of(cls, figures: Mapping[str, Any] | None) -> RunFigures | None:
        """As the run has it; None where there was no run and only the store's totals are known."""
        if figures is None or set(figures) == {"cumulative"}:
            return None
        exports = [each for each in figures.get("exports") or () if isinstance(each, dict)]
        return cls(
            _number(figures, "new_messages"),
            _number(figures, "duplicates_filtered"),
            _number(figures, "total_messages"),
            _number(figures, "global_unique"),
            _number(figures, "captured"),
            tuple(ExportFigures.of(each) for each in exports),
        )

    def sessions(self) -> list[str]:
        """The conversations that the run's exports went into, each once."""
        return list(dict.fromkeys(each.session_id for each in self.exports if each.session_id and not each.failed))


class StoreTotals(NamedTuple):
    """What the store has come to over all runs."""

    conversations: int
    exports: int
    captures: int
    messages: int
    duplicates: int
    unique: int
    raw_bytes: int
    stored_bytes: int

    @classmethod
    def of(cls, figures: Mapping[str, Any] | None) -> StoreTotals | None:
        """As a run has them under ``cumulative``; None where it does not."""
        totals = figures.get("cumulative") if figures is not None else None
        if not isinstance(totals, dict):
            return None
        return cls(
            _number(totals, "conversations"),
            _number(totals, "exports_processed"),
            _number(totals, "captures"),
            _number(totals, "messages_processed"),
            _number(totals, "duplicates_filtered"),
            _number(totals, "unique_messages"),
            _number(totals, "raw_bytes"),
            _number(totals, "stored_bytes"),
        )


def _number(figures: Mapping[str, Any], key: str) -> int:
    value = figures.get(key)
    return int(value) if isinstance(value, (int, float)) else 0
