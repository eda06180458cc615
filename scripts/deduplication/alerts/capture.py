"""The rule that capture is bound to: what the client wrote is in the store."""

from __future__ import annotations

import os
import time
from typing import TYPE_CHECKING, Final

from . import alert, watchdog
from .alert import Raised

if TYPE_CHECKING:
    from collections.abc import Iterator

    from .audit_tail import AuditTail
    from .book import Book
    from .place import Place
    from .watchdog import Watched

QUIET: Final = 300.0
"""Seconds without a new line after which a session should have been captured wholly."""


def captured(place: Place, _book: Book, _audit: AuditTail) -> Iterator[Raised]:
    """A session of which the store lacks something: by what hooks noted, and by the transcripts that the place names."""
    if not place.settings.get("capture_transcripts", True):
        return
    found = watchdog.every(place.folder)
    if place.store is not None:
        for each in place.transcripts:
            until = each.size if time.time() - each.mtime_ns / 1e9 > QUIET else 0
            path = os.fspath(each.path)
            before = watchdog.noted(place.folder, path)
            watched = watchdog.compare(place.store, place.folder, path, until)
            if watched.offset and not watched.lacking:
                watched = watched._replace(failed=False)
            found[watchdog.name_of(path)] = watched
            if place.notes and watched != before:
                watchdog.note(place.folder, path, watched)
    for name, watched in sorted(found.items()):
        if watched.lacking:
            yield lacking(name, watched)
        elif watched.failed:
            yield Raised(alert.CAPTURE, name, f"session {name}: the hook that was to capture it failed", CURE)


CURE: Final = "Run 'deduplicate_export.py capture', then 'doctor'; the transcript itself is whole."


def lacking(name: str, found: Watched) -> Raised:
    """The alert for one transcript."""
    text = f"session {name}: the client wrote {found.all:,} prompts and answers, {found.lacking:,} of them are not in the store"
    return Raised(alert.CAPTURE, name, text, CURE)
