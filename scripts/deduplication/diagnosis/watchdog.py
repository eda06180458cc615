"""Whether what the client wrote is in the store, and which alerts last."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from ..alerts import book, capture, delivery, sender, watchdog
from ..alerts.alert import CAPTURE, CRITICAL
from ..alerts.audit_tail import AuditTail
from ..alerts.place import Place
from ..figures.counted import counted
from .finding import LINES, NOTE, OK, PROBLEM, Finding

if TYPE_CHECKING:
    from collections.abc import Iterator

    from .finding import Subject

_LIST: Final = "Run 'deduplicate_export.py alerts': it lists them with what to do."


def findings(subject: Subject) -> Iterator[Finding]:
    """The watchdog's, then one for the alerts that last, one where they cannot be sent."""
    if not subject.settings["alerts"] or subject.half_purged:
        return
    place = Place(
        subject.project, subject.folder, subject.settings, subject.store, transcripts=tuple(subject.transcripts)
    )
    if subject.store is not None and subject.settings["capture_transcripts"] and subject.transcripts:
        found = book.load(subject.folder)
        lacking = list(capture.captured(place, found, AuditTail(place)))
        if lacking:
            text = f"{counted(len(lacking), 'session is', 'sessions are')} not, or not wholly, in the store"
            yield Finding("watchdog", PROBLEM, text, lacking[0].cure, tuple(each.text for each in lacking[:LINES]))
        else:
            notes = watchdog.every(subject.folder).values()
            counts = f"; noted so far: {sum(each.written for each in notes):,} prompts and answers" if notes else ""
            yield Finding("watchdog", OK, f"what the client wrote is in the store{counts}")
    present = [each for each in book.load(subject.folder).present() if each.rule != CAPTURE]
    if present:
        state = PROBLEM if any(each.level == CRITICAL and each.state == "active" for each in present) else NOTE
        details = tuple(f"{each.level}: {each.text}" for each in present[:LINES])
        yield Finding("alerts", state, f"{counted(len(present), 'alert')}", _LIST if state == PROBLEM else "", details)
    why = sender.obstacle(subject.settings)
    if why:
        yield Finding("alerts", PROBLEM, why.partition(" (")[0], f"Run {delivery.INSTALL}.")
