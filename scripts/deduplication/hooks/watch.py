"""The watchdog at work in a hook: capture that fails says so in the client, by alert, and to whoever asks ``doctor``.

It looks where a hook had something to capture, and nowhere else; a hook with nothing to do never comes here.
"""

from __future__ import annotations

import contextlib
import os
from typing import TYPE_CHECKING, Any, Final

from ..alerts import watchdog
from ..errors import DedupError
from ..project.config import ALERT_TARGETS

if TYPE_CHECKING:
    from collections.abc import Mapping

    from ..project.paths import Project
    from .work import Work


_MOST: Final = 256 * 1024
"""Bytes of a transcript that a hook compares; what is more is left to the process that a session's end leaves behind."""


def after_capture(work: Work, transcript: str, until: int) -> str:
    """Compare a transcript, of which ``until`` bytes were there before it was captured, with the store; what the client is told."""
    settings, folder = work.settings, str(work.project.state)
    if not (settings["alerts"] and settings["capture_transcripts"] and os.path.isdir(folder)):
        return ""
    try:
        return _compared(work, os.path.abspath(folder), transcript, until)
    except DedupError as error:
        work.note(f"watchdog: {error}")
        return ""


def everything(work: Work) -> None:
    """Ask every rule for what needs attention, with all transcripts of the project, and have it sent: longer than a hook may."""
    from ..project.client_transcripts import find_transcripts
    from ..workflow import alert_step

    if work.settings["alerts"]:
        found = find_transcripts(work.place.root)
        alert_step.look(work.place.root, work.project, work.settings, work.dedup.store, found)


def send(work: Work) -> None:
    """Have alerts looked for and sent by a process of its own, where there is somebody to send them to."""
    if work.settings["alerts"] and (work.settings["alert_targets"] or os.environ.get(ALERT_TARGETS)):
        from ..alerts import sender

        sender.start_where_due(str(work.project.state), work.settings, str(work.place.root))


def after_failure(project: Project, settings: Mapping[str, Any], transcript: str, error: str) -> str:
    """A hook that was to capture a transcript failed: what the client is told, once a session."""
    folder = str(project.state)
    if not (settings["alerts"] and settings["capture_transcripts"] and os.path.isdir(folder)):
        return ""
    before = watchdog.noted(folder, transcript)
    if before.told:
        return ""
    from ..alerts import alert, capture, evaluation, sender
    from ..alerts.place import Place
    from ..reports.monitoring import alerts as report

    watchdog.note(folder, transcript, before._replace(told=True, failed=True))
    name = watchdog.name_of(transcript)
    text = f"session {name}: nothing was captured: {error}"
    place = Place(project, os.path.abspath(folder), dict(settings))
    with contextlib.suppress(DedupError):
        evaluation.raise_only(place, alert.CAPTURE, name, [alert.Raised(alert.CAPTURE, name, text, capture.CURE)])
    sender.start_where_due(folder, settings, str(project.root))
    return report.capture_fails(error)


def _compared(work: Work, folder: str, transcript: str, until: int) -> str:
    store, said = work.dedup.store, ""
    before = watchdog.noted(folder, transcript)
    found = watchdog.compare(store, folder, transcript, until, most=_MOST)
    found = found._replace(told=bool(found.lacking), failed=False)
    if found != before:  # before it is raised: whoever asks the rules meanwhile is to find it
        watchdog.note(folder, transcript, found)
    if found.lacking or before.told:
        from ..alerts import alert, capture, evaluation
        from ..alerts.place import Place
        from ..reports.monitoring import alerts as report

        name = watchdog.name_of(transcript)
        lacking = [capture.lacking(name, found)] if found.lacking else []
        place = Place(work.project, folder, work.settings, store)
        evaluation.raise_only(place, alert.CAPTURE, name, lacking)
        if not lacking:
            said = report.captured_again()
        elif not before.told:
            said = report.not_captured(found.lacking, found.all)
    return said
