"""The watchdog at work in a hook: capture that fails says so in the client, by alert, and to whoever asks ``doctor``.

It looks where a hook had something to capture, and nowhere else; a hook with nothing to do never comes here.
"""

from __future__ import annotations

import contextlib
import os
from typing import TYPE_CHECKING, Any

from ..alerts import alert, capture, evaluation, sender, watchdog
from ..alerts.alert import Raised
from ..alerts.place import Place
from ..errors import DedupError

if TYPE_CHECKING:
    from collections.abc import Mapping

    from ..alerts.watchdog import Watched
    from ..project.paths import Project
    from ..storage.contract import Store
    from .work import Work


def after_capture(work: Work, transcript: str, until: int) -> str:
    """Compare a transcript, of which ``until`` bytes were there before it was captured, with the store; what the client is told."""
    settings, folder = work.settings, str(work.project.state)
    if not (settings["alerts"] and settings["capture_transcripts"] and os.path.isdir(folder)):
        return ""
    place = Place(work.project, os.path.abspath(folder), settings, work.dedup.store)
    try:
        return _compared(place, work.dedup.store, transcript, until)
    except DedupError as error:
        work.note(f"watchdog: {error}")
        return ""


def send(work: Work) -> None:
    """Have alerts looked for and sent by a process of its own, where there is somebody to send them to."""
    if work.settings["alerts"]:
        sender.start_where_due(str(work.project.state), work.settings, str(work.place.root))


def after_failure(project: Project, settings: Mapping[str, Any], transcript: str, error: str) -> str:
    """A hook that was to capture a transcript failed: what the client is told, once a session."""
    from ..reports import alerts as report

    folder = str(project.state)
    if not (settings["alerts"] and settings["capture_transcripts"] and os.path.isdir(folder)):
        return ""
    before = watchdog.noted(folder, transcript)
    if before.told:
        return ""
    watchdog.note(folder, transcript, before._replace(told=True, failed=True))
    name = watchdog.name_of(transcript)
    text = f"session {name}: nothing was captured: {error}"
    place = Place(project, os.path.abspath(folder), dict(settings))
    with contextlib.suppress(DedupError):
        evaluation.raise_only(place, alert.CAPTURE, name, [Raised(alert.CAPTURE, name, text, capture.CURE)])
    sender.start_where_due(folder, settings, str(project.root))
    return report.capture_fails(error)


def _compared(place: Place, store: Store, transcript: str, until: int) -> str:
    from ..reports import alerts as report

    before = watchdog.noted(place.folder, transcript)
    found = watchdog.compare(store, place.folder, transcript, until)
    name = watchdog.name_of(transcript)
    said = ""
    if found.lacking and not before.told:
        said = report.not_captured(found.lacking, found.all)
    elif before.told and not found.lacking:
        said = report.captured_again()
    if found.lacking or before.told:
        _raise(place, name, found)
    found = found._replace(told=bool(found.lacking), failed=False)
    if found != before:
        watchdog.note(place.folder, transcript, found)
    return said


def _raise(place: Place, name: str, found: Watched) -> None:
    lacking = [capture.lacking(name, found)] if found.lacking else []
    evaluation.raise_only(place, alert.CAPTURE, name, lacking)
