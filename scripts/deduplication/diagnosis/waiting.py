"""What was done last, and what waits: sessions that are not captured, exports that are not processed."""

from __future__ import annotations

import os
import time
from typing import TYPE_CHECKING, Final

from .. import run_history
from ..clock import local
from ..discovery import exports_in
from ..history_report import clock
from ..live import quick
from ..transcripts import cleanup_days
from .finding import LINES, NOTE, OK, PROBLEM, Finding

if TYPE_CHECKING:
    from collections.abc import Iterator

    from ..transcripts import Transcript
    from .finding import Subject

_QUIET: Final = 300
"""Seconds after which a session that is not captured is no longer one that is just being written to."""
_DAY: Final = 86_400
_STEP: Final = 1 << 20


def findings(subject: Subject) -> Iterator[Finding]:
    """The last capture, the last run, sessions, exports."""
    yield from _done(subject)
    yield _sessions(subject)
    yield from _exports(subject)


def _done(subject: Subject) -> Iterator[Finding]:
    if subject.store is None:
        return
    with subject.store.transaction(write=False):
        figures = [subject.store.figures(name) for name in subject.store.conversations()]
    captured = max((each.updated_at for each in figures if each.captures), default="")
    yield Finding("capture", OK if captured else NOTE, f"last at {local(captured)}" if captured else "nothing yet")
    found, _ = run_history.runs(subject.folder)
    if found:
        names = ", ".join(found[0].exports[:LINES])
        yield Finding("run", OK, f"last at {clock(found[0].finished)}: {names}")
    else:
        yield Finding("run", NOTE, "no export was processed yet")


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
        return Finding("sessions", OK, f"all {len(behind):,} are captured")
    now, keeps = time.time(), cleanup_days()
    details = tuple(
        f"{each.path.name}: {offset:,} of {each.size:,} bytes, "
        f"{max(0, int(keeps - (now - each.mtime_ns / 1e9) / _DAY))} day(s) until the client deletes it"
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
    if not quick.opted_in(subject.root):
        return
    project = subject.project
    found = exports_in(project, [project.exports, project.memory, project.root])
    if found:
        names = tuple(project.relative(path) for path in found[:LINES])
        cure = "Run /export-dedup, or export-dedup.py."
        yield Finding("exports", PROBLEM, f"{len(found):,} not processed", cure, names)
    else:
        yield Finding("exports", OK, "none lies about")
