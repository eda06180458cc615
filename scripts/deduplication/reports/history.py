"""What the user reads of the last runs: pure functions to text, and to the object of ``--json``."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any, Final

from ..alignment.plain_text import HISTORY
from ..figures.counted import counted
from ..start.late_dataclass import asdict, dataclass
from ..terminal.called import as_called, slash_command
from ..terminal.console import printable
from .workflow import captured

if TYPE_CHECKING:
    from collections.abc import Sequence

    from ..accounting.run_history import Captured, Report, Run

_MOST_NAMES: Final = 3
NO_REPORT: Final = "No report is kept: these runs were made by a hook, or without export-dedup-with-status.py."


@dataclass(frozen=True)
class History:
    """What ``status`` shows: ``runs`` of ``total``, the newest first."""

    runs: Sequence[Run]
    total: int
    before: Captured
    unique: int
    store: str
    report: Report | None = None
    full: Sequence[str] = ()
    """Whole reports, the newest first, where they are asked for."""


def parts(history: History) -> tuple[str, list[str], str]:
    """Heading, a part for each run, and the facts about the store."""
    if not history.runs:
        head = f"{HISTORY} no export was processed yet"
    else:
        shown = f", the newest {len(history.runs)}" if len(history.runs) < history.total else ", the newest first"
        head = f"{HISTORY} {counted(history.total, 'run')}{shown}"
    where = "storage" if slash_command() else printable(history.store)
    tail = [f"💾 {counted(history.unique, 'unique message')} in {where}"]
    if not history.runs and history.before.parts:
        tail.insert(0, f"   {_captured(history.before)}, the last at {clock(history.before.last)}")
    if history.report is not None:
        ended = "❌ failed" if history.report.exit_code else "✓ succeeded"
        tail.append(f"{ended}: the last report, {printable(history.report.completed[:16].replace('T', ' '))}")
    return head, [_run(run) for run in history.runs], "\n".join(tail)


def as_dict(history: History) -> dict[str, Any]:
    """The object of ``--json``."""
    return {
        "runs": [_run_as_dict(run) for run in history.runs],
        "total_runs": history.total,
        "captured_before": _captured_as_dict(history.before),
        "global_unique": history.unique,
        "storage_dir": history.store,
        "last_report": asdict(history.report) if history.report is not None else None,
        **({"reports": list(history.full)} if history.full else {}),
    }


def clock(seconds: float) -> str:
    """A time on the user's own clock: ``2026-03-04 14:03``."""
    return time.strftime("%Y-%m-%d %H:%M", time.localtime(seconds))


def _run(run: Run) -> str:
    names = ", ".join(printable(name) for name in run.exports[:_MOST_NAMES])
    more = f" and {len(run.exports) - _MOST_NAMES} more" if len(run.exports) > _MOST_NAMES else ""
    otherwise = as_called("by deduplicate_export.py, or before this was noted")
    who = {"hook": "by a hook", "command": "by export-dedup"}.get(run.by, otherwise)
    lines = [
        f"{clock(run.finished)} · {names}{more}",
        f"   {counted(run.total, 'message')}: {run.new:,} new, {counted(run.duplicates, 'duplicate')} · {who}",
    ]
    said = captured(run.new, run.captured)
    if said:
        lines.append(f"   {said}")
    if run.conversations:
        conversations = ", ".join(printable(name) for name in run.conversations[:_MOST_NAMES])
        lines.append(f"   conversation {conversations}{'' if len(run.conversations) <= _MOST_NAMES else ' …'}")
    if run.failed:
        lines.append(f"   ❌ {counted(run.failed, 'export')} failed")
    if run.since.parts:
        lines.append(f"   since then {_captured(run.since)}")
    return "\n".join(lines)


def _captured(since: Captured) -> str:
    return f"{counted(since.total, 'message was', 'messages were')} captured from transcripts, {since.new:,} not stored before"


def _run_as_dict(run: Run) -> dict[str, Any]:
    moment = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(run.finished))
    return {
        "finished": moment,
        "by": run.by or None,
        "exports": list(run.exports),
        "conversations": list(run.conversations),
        "total_messages": run.total,
        "new_messages": run.new,
        "captured": run.captured,
        "duplicates_filtered": run.duplicates,
        "failed": run.failed,
        "captured_since": _captured_as_dict(run.since),
    }


def _captured_as_dict(since: Captured) -> dict[str, Any]:
    last = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(since.last)) if since.last else None
    return {"parts": since.parts, "total_messages": since.total, "new_messages": since.new, "last": last}
