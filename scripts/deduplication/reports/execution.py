"""What the user reads around a run: the head of the report, the banner, the execution summary, how a failure ends.

Pure functions as in ``reports/workflow.py``; the labels are stable.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from ..alignment.plain_text import FAILED, LOGGED, SUCCESS
from ..figures.counted import counted
from ..figures.savings import percent
from ..terminal import console
from . import storage as storage_report
from . import workflow as report

if TYPE_CHECKING:
    from collections.abc import Sequence

    from ..figures.run_result import Figures

REPORT_RULE: Final = "=" * 80
LOCKS: Final = "🔐" * 40


def execution_header(started: str, repository: str, status_log: str) -> str:
    """The head of a report. ``started`` is the local time in ISO form."""
    return "\n".join(
        [
            REPORT_RULE,
            "EXPORT-DEDUP EXECUTION REPORT",
            REPORT_RULE,
            f"Started: {started}",
            f"Repository: {console.printable(repository)}",
            f"Status Log: {console.printable(status_log)}",
            REPORT_RULE,
            "",
            "📦 RUNNING DEDUPLICATION PROCESS...",
            "",
        ]
    )


def banner(new: int, duplicates: int, total: int, unique: int, captured: int = 0) -> str:
    """The four numbers that nobody can miss; ``captured`` of the new messages were captured before."""
    said = report.captured(new, captured)
    return "\n".join(
        [
            "",
            LOCKS,
            "📊 BACKUP & DEDUPLICATION RESULTS",
            LOCKS,
            "",
            f"🆕 NEW UNIQUE MESSAGES ADDED & BACKED UP: {new:,}",
            *([f"   {said}"] if said else []),
            f"🔄 Duplicate Messages Filtered: {duplicates:,}",
            f"📨 Total Messages Processed: {total:,}",
            f"💾 Total Unique Messages in Storage: {unique:,}",
            LOCKS,
        ]
    )


def below_banner(raw: int, stored: int) -> str:
    """Raw bytes seen and bytes stored, over all runs, in one line."""
    return storage_report.in_a_line(raw, stored)


def execution_summary(exit_code: int, completed: str, duration_s: float) -> str:
    """The end of a report: success is exit code 0, everything else failed."""
    return "\n".join(
        [
            "",
            REPORT_RULE,
            "EXECUTION SUMMARY",
            REPORT_RULE,
            f"Status: {FAILED if exit_code else SUCCESS}",
            f"Exit Code: {exit_code}",
            f"Completed: {completed}",
            f"Duration: {duration_s:.2f} seconds",
            REPORT_RULE,
        ]
    )


def log_line(exit_code: int, completed: str, duration_s: float, figures: Figures | None, error: str) -> str:
    """The run's line in the status log: what of the report is looked for later. ``error`` is the first one, empty for none."""
    parts = [f"{completed.replace('T', ' ')}{LOGGED}{FAILED if exit_code else SUCCESS}"]
    if exit_code:
        parts.append(f"Exit Code: {exit_code}")
    if figures is not None:
        new = report.captured(figures.new, figures.captured) or f"{figures.new:,} new"
        rate = percent(figures.duplicates, figures.total)
        parts += [f"{new}, {counted(figures.duplicates, 'duplicate')}", f"Overall dedup rate: {rate:.1f}%"]
        parts.append(f"{figures.unique:,} in storage")
    parts.append(f"{duration_s:.2f} s")
    return " · ".join([*parts, *([console.printable(error)] if error else [])])


def failure(errors: Sequence[str], hints: Sequence[str], exit_code: int) -> str:
    """How a failed run ends: the errors, what to do, the exit code."""
    return "\n".join(
        [
            "",
            *(f"❌ ERROR: {console.printable(error)}" for error in errors),
            *(f"   → {console.printable(hint)}" for hint in hints),
            f"   Exit code: {exit_code}",
        ]
    )


def log_saved(reports: str) -> str:
    """Where the report went."""
    return f"\n📝 Full report saved to: {console.printable(reports)} ('status --full' shows it)"


def log_not_saved(status_log: str, reason: str, exit_code: int) -> str:
    """The report could not be kept: the run itself is not undone by it."""
    return "\n".join(
        [
            "",
            f"⚠ The report could not be saved to: {console.printable(status_log)}",
            f"   {console.printable(reason)}",
            "   → What is stored is stored. Correct the permissions or free some space; the report stands above.",
            f"   Exit code: {exit_code}",
        ]
    )
