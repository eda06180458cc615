"""What was done last, and what waits: sessions that are not captured, exports that are not processed."""

from __future__ import annotations

import os
import time
from datetime import datetime
from typing import TYPE_CHECKING, Final

from ..accounting import run_history
from ..archive.discovery import find_exports
from ..errors import DedupError
from ..figures.counted import counted
from ..files.clock import local
from ..files.safe_read import digest_of, opened
from ..hooks import quick
from ..project.client_transcripts import cleanup_days
from ..reports.history import clock
from .finding import LINES, NOTE, OK, PROBLEM, Finding

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from ..project.client_transcripts import Transcript
    from .finding import Subject

_QUIET: Final = 300
"""Seconds after which a session that is not captured is no longer one that is just being written to."""
_DAY: Final = 86_400
_STEP: Final = 1 << 20


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
    offsets: dict[str, int] = {}
    if subject.store is not None:
        with subject.store.transaction(write=False):
            offsets = {cursor.source: cursor.offset for _, cursor in subject.store.cursors()}
    behind = [(each, offsets.get(os.path.realpath(each.path), 0)) for each in subject.transcripts]
    waiting = [(each, offset) for each, offset in behind if _lags(each, offset)]
    if not waiting:
        return Finding(
            "sessions",
            OK,
            counted(len(behind), "is captured", "are all captured") if behind else "none of this project yet",
        )
    now, keeps = time.time(), cleanup_days()
    details = tuple(
        f"{each.path.name}: {offset:,} of {each.size:,} bytes, "
        f"{counted(max(0, int(keeps - (now - each.mtime_ns / 1e9) / _DAY)), 'day')} until the client deletes it"
        for each, offset in waiting[:LINES]
    )
    text = f"{len(waiting):,} of {len(behind):,} are not, or not wholly, captured"
    if all(now - each.mtime_ns / 1e9 < _QUIET for each, _ in waiting):
        return Finding("sessions", NOTE, f"{text}; they are just being written to", details=details)
    return Finding("sessions", PROBLEM, text, "Run 'deduplicate_export.py capture'.", details)


def _lags(each: Transcript, offset: int) -> bool:
    """True where a whole line stands behind what was captured; a file that was cut has to be read again as well."""
    if each.size <= offset:
        return each.size < offset
    try:
        with open(each.path, "rb") as file:
            file.seek(offset)
            return any(b"\n" in part for part in iter(lambda: file.read(_STEP), b""))
    except OSError:
        return False


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
