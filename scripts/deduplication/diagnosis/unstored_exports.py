"""Exports that the client says it made, and of which nothing came into the store."""

from __future__ import annotations

import hashlib
import os
import shlex
from pathlib import Path
from typing import TYPE_CHECKING, Final

from ..accounting import run_history
from ..errors import DedupError
from ..files.safe_read import open_regular, take
from ..project.named_exports import notices_in
from ..reports.history import clock
from ..terminal.console import printable
from .finding import LINES, NOTE, PROBLEM, Finding

if TYPE_CHECKING:
    from collections.abc import Iterator

    from ..project.named_exports import ExportNotice
    from .finding import Subject

_SLACK: Final = 5.0
"""Seconds by which an export may be stored before the line that names it was written."""
_PART: Final = 8 * 1024 * 1024
_MOST: Final = 256 * 1024 * 1024
"""Bytes of a file whose hash is taken."""


def findings(subject: Subject) -> Iterator[Finding]:
    """One for the files that are still there, one for those that are not; nothing where every export was stored."""
    runs, _ = run_history.runs(subject.folder, subject.store)
    stored = {name: max(run.finished for run in runs if name in run.exports) for run in runs for name in run.exports}
    began = min((run.finished for run in runs), default=float("inf"))
    there, gone = [], []
    for path, moment in sorted(_named(subject).items(), key=lambda named: -named[1]):
        if stored.get(os.path.basename(path), 0.0) >= moment - _SLACK:
            continue
        if os.path.isfile(path):
            if not _is_stored(subject, path):
                there.append((path, moment))
        elif moment > began:  # before it nobody was there to store anything
            gone.append((path, moment))
    for state, found, cure in ((PROBLEM, there, _cure(there)), (NOTE, gone, "")):
        if found:
            path, moment = found[0]
            text = f"the client said at {clock(moment)} that it exported {printable(path)}, nothing of it was stored"
            more = tuple(f"{printable(path)}, at {clock(moment)}" for path, moment in found[1 : LINES + 1])
            yield Finding("exported", state, text if state == PROBLEM else f"{text}, and it is gone", cure, more)


def _cure(found: list[tuple[str, float]]) -> str:
    return f"Run export-dedup.py {' '.join(shlex.quote(path) for path, _ in found[:LINES])}."


def _named(subject: Subject) -> dict[str, float]:
    """Each file that the client named in a session of the project, and when last, in seconds."""
    found: dict[str, float] = {}
    for each in subject.transcripts:
        for told in _told(each.path):
            if told.path and told.moment:
                found[told.path] = max(told.moment, found.get(told.path, 0.0))
    return found


def _told(path: Path) -> Iterator[ExportNotice]:
    try:
        with open(path, "rb") as file:
            rest = b""
            while part := file.read(_PART):
                whole, line_feed, rest = (rest + part).rpartition(b"\n")
                yield from notices_in(whole + line_feed)
            yield from notices_in(rest)
    except OSError:
        return


def _is_stored(subject: Subject, path: str) -> bool:
    """True where these very bytes were processed, under whatever name, or where nobody can tell."""
    if subject.store is None:
        return False
    try:
        descriptor, identity = open_regular(Path(path))
        try:
            digest = hashlib.sha256(take(descriptor, min(identity.size, _MOST))).hexdigest()
        finally:
            os.close(descriptor)
        with subject.store.transaction(write=False):
            return bool(subject.store.seen(digest))
    except DedupError:
        return True
