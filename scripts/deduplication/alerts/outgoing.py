"""What is put into the queue: a text for each target, once, with nothing in it that must not be shared."""

from __future__ import annotations

import secrets
import time
from typing import TYPE_CHECKING, Final

from ..errors import DedupError
from ..redaction import redact as privacy
from . import alert
from .book import Delivery
from .targets import names_of

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from .alert import Alert
    from .book import Book
    from .place import Place

RAISED: Final = "raised"
OVER: Final = "resolved"
MOST_WAITING: Final = 1000
"""Deliveries that wait at most: beyond them the oldest go, so that a target that never answers costs no more than that."""
_MARKS: Final = {alert.CRITICAL: "❌", alert.WARNING: "⚠", alert.INFORMATION: "·"}


def put(book: Book, place: Place, raised: Iterable[Alert], resolved: Iterable[Alert]) -> None:
    """Queue what is new and what is over, for each target of the settings, from the level on that they name."""
    targets = names_of(place.settings)
    wanted = [(RAISED, each) for each in raised] + [(OVER, each) for each in resolved]
    lowest = alert.LEVELS.index(place.settings.get("alert_level", alert.WARNING))
    sent = [(kind, each) for kind, each in wanted if alert.LEVELS.index(each.level) <= lowest]
    if targets and sent:
        clean = _cleaner(place)
        for kind, each in sent:
            book.queue += _made(targets, kind, each, *_texts(place, kind, each, clean))
        del book.queue[:-MOST_WAITING]


def tests(place: Place, moment: str) -> list[Delivery]:
    """A test for each target, which is not queued."""
    text = "This is a test: alerts arrive here."
    found = alert.Alert(alert.TEST, "", alert.INFORMATION, text, "", alert.TOLD, moment, moment)
    return _made(names_of(place.settings), alert.TEST, found, *_texts(place, alert.TEST, found, _cleaner(place)))


def _made(targets: Iterable[str], kind: str, each: Alert, title: str, text: str) -> list[Delivery]:
    now = time.time()
    return [
        Delivery(secrets.token_hex(8), target, each.key, each.level, kind, title, text, now, due=now)
        for target in targets
    ]


def _texts(place: Place, kind: str, each: Alert, clean: Callable[[str], str]) -> tuple[str, str]:
    """Title and text: what it is about, what to do, where, and by which name it is known."""
    word = "Resolved" if kind == OVER else each.level.capitalize()
    title = f"{'✓' if kind == OVER else _MARKS[each.level]} export-dedup: {word}: {each.rule.replace('_', ' ')}"
    lines = [each.text, f"→ {each.cure}" if each.cure and kind == RAISED else "", ""]
    lines += [f"Project: {place.project.root.name}", f"Since: {each.since}", f"Alert: {each.id}"]
    return clean(title), clean("\n".join(lines))


def _cleaner(place: Place) -> Callable[[str], str]:
    """As what is committed is redacted; where nobody can tell what may be shared, only that there is an alert."""
    try:
        rules = privacy.policy(place.settings)
    except DedupError:
        return lambda _: "An alert of export-dedup: your privacy settings cannot be read, see 'alerts list'."

    def clean(text: str) -> str:
        try:
            return privacy.redact(text, rules)[0]
        except DedupError:
            return "An alert of export-dedup: see 'alerts list'."

    return clean
