"""What was done last, and what waits: sessions that are not captured, exports that are not processed."""

from __future__ import annotations

import os
import time
from datetime import datetime
from typing import TYPE_CHECKING

from ..accounting import run_history
from ..archive.discovery import find_exports
from ..errors import DedupError
from ..figures.counted import counted
from ..files.clock import local
from ..files.safe_read import digest_of, opened
from ..gaps.uncaptured import AT_RISK_DAYS, QUIET, behind
from ..hooks import quick
from ..project import client_retention
from ..reports.history import clock
from .finding import LINES, NOTE, OK, PROBLEM, Finding

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from .finding import Subject


def findings(subject: Subject) -> Iterator[Finding]:
    """The last capture, the last run, sessions, exports."""
    yield from _done(subject)
    yield from _last_run(subject)
    yield _sessions(subject)
    yield from _exports(subject)


def _done(subject: Subject) -> Iterator[Finding]:
    if subject.store is None:
        return
    with subject.store.transaction(write=False):
        figures = [subject.store.figures(name) for name in subject.store.conversations()]
    captured = max((each.updated_at for each in figures if each.captures), default="")
    yield Finding("capture", OK if captured else NOTE, f"last at {local(captured)}" if captured else "nothing yet")


def _last_run(subject: Subject) -> Iterator[Finding]:
    """How the last run ended, by what it noted of its exports and by the report of it that was kept."""
    found, _ = run_history.runs(subject.folder, subject.store)
    log = os.path.join(os.path.dirname(subject.folder), subject.project.status_log.name)
    report = run_history.last_report(log)
    ended = _moment(report.completed) if report is not None else 0.0
    if report is not None and report.exit_code and (not found or ended + 1 > found[0].finished):
        cure = "See 'deduplicate_export.py status --full', then run /export-dedup, or export-dedup.py, again."
        yield Finding("run", PROBLEM, f"the last one failed at {clock(ended)} (exit code {report.exit_code})", cure)
    elif found:
        last = found[0]
        text = f"last at {clock(last.finished)}: {', '.join(last.exports[:LINES])}"
        if last.failed:
            cure = "What failed lies where it was: run /export-dedup, or export-dedup.py, to see why."
            yield Finding("run", PROBLEM, f"{text}; {counted(last.failed, 'export')} failed", cure)
        else:
            yield Finding("run", OK, text)
    elif subject.store is not None:
        yield Finding("run", NOTE, "no export was processed yet")


def _moment(completed: str) -> float:
    """A time of the status log, which is the user's own clock, in seconds; 0 where it is none."""
    try:
        return datetime.fromisoformat(completed).timestamp()
    except (ValueError, OverflowError, OSError):
        return 0.0


def _sessions(subject: Subject) -> Finding:
    if not subject.settings["capture_transcripts"]:
        return Finding("sessions", NOTE, "not captured: turned off by the setting 'capture_transcripts'")
    waiting = behind(subject.store, subject.transcripts)
    every = len(subject.transcripts)
    if not waiting:
        return Finding(
            "sessions",
            OK,
            counted(every, "is captured", "are all captured") if every else "none of this project yet",
        )
    now, keeps = time.time(), client_retention.retention(subject.project.root)
    left = {each: keeps.days_left(each.transcript, now) for each in waiting}
    soonest = sorted(waiting, key=lambda each: (left[each] is None, left[each] or 0))
    details = tuple(
        f"{each.transcript.path.name}: {each.offset:,} of {each.transcript.size:,} bytes, {_until(left[each])}"
        for each in soonest[:LINES]
    )
    text = f"{len(waiting):,} of {every:,} are not, or not wholly, captured"
    if all(now - each.transcript.mtime_ns / 1e9 < QUIET for each in waiting):
        return Finding("sessions", NOTE, f"{text}; they are just being written to", details=details)
    at_risk = [days for days in left.values() if days is not None and days <= AT_RISK_DAYS]
    if at_risk:
        text += f"; the client deletes {counted(len(at_risk), 'of them', 'of them')} within {counted(max(at_risk) + 1, 'day')}"
    return Finding("sessions", PROBLEM, text, "Run 'deduplicate_export.py capture'.", details)


def _until(days: int | None) -> str:
    return "which the client keeps" if days is None else f"{counted(days, 'day')} until the client deletes it"


def _exports(subject: Subject) -> Iterator[Finding]:
    """Exports in the project's root and its drop folder, and files there that should be some and cannot be read."""
    project = subject.project
    found = find_exports(project)
    waiting = [each.path for each in found.exports if not _is_stored(subject, each.path)]
    broken = [each for each in found.refusals if each.fatal]
    names = [project.relative(path) for path in waiting]
    names += [f"{project.relative(each.path)}: {each.reason}" for each in broken]
    opted_in = quick.opted_in(subject.root)
    if waiting:
        cure = "Run /export-dedup, or export-dedup.py."
        state = PROBLEM if opted_in else NOTE
        yield Finding("exports", state, f"{len(names):,} not processed", cure, tuple(names[:LINES]))
    elif broken:
        cure = broken[0].error.hint
        yield Finding("exports", PROBLEM, f"{len(names):,} cannot be processed", cure, tuple(names[:LINES]))
    elif opted_in:
        told = f"none waits; what lies about is stored: {len(found.exports):,}" if found.exports else "none lies about"
        yield Finding("exports", OK, told)


def _is_stored(subject: Subject, path: Path) -> bool:
    """Whether these very bytes were processed: ``deduplicate_export.py`` leaves a file where it is."""
    if subject.store is None:
        return False
    try:
        with opened(path) as (file, _), subject.store.transaction(write=False):
            return bool(subject.store.seen(digest_of(file)))
    except DedupError:
        return False
