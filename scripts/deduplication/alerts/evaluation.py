"""Ask the rules, and hold what they find against what was told before."""

from __future__ import annotations

import os
import time
from typing import TYPE_CHECKING, Final

from ..errors import DedupError
from ..files import clock
from ..start.late_tuple import NamedTuple
from . import alert, book, outgoing, soundness
from .audit_tail import AuditTail
from .rules import look

if TYPE_CHECKING:
    from collections.abc import Sequence

    from .alert import Alert, Raised
    from .place import Place

_THOROUGH_EACH: Final = 86_400.0
"""Seconds from one time that everything is read to the next."""


class Change(NamedTuple):
    """What is new, what is over, and what lasts, the most urgent ones first."""

    raised: tuple[Alert, ...] = ()
    resolved: tuple[Alert, ...] = ()
    present: tuple[Alert, ...] = ()


def present(place: Place) -> list[Alert]:
    """The alerts that last now, the most urgent ones first. Nothing is written, and nothing of it counts as told."""
    if not place.settings.get("alerts", True):
        return []
    found = book.load(place.folder)
    looked = look(place, found, AuditTail(place), thorough=False)
    found.merge(looked.found, clock.timestamp(), unknown=looked.unknown)
    return found.present()


def over(place: Place) -> list[Alert]:
    """What was told or resolved lately, the newest first. Nothing is written."""
    found = [each for each in book.load(place.folder).alerts if not each.is_present]
    return sorted(found, key=lambda each: each.changed, reverse=True)


def update(place: Place, *, thorough: bool = False) -> Change:
    """The same, noted: each alert is told once, and what is to be sent is put into the queue.

    ``thorough``: where there is time for it, and a day has passed, every file of the archive is read, too. Raises ``StoreLocked``,
    ``StoreNotWritable``.
    """
    if not place.settings.get("alerts", True) or not os.path.isdir(place.folder):
        return Change()
    audit, moment = AuditTail(place), clock.timestamp()
    before = book.load(place.folder)
    thorough = thorough and time.time() - before.thorough > _THOROUGH_EACH
    looked = look(place, before, audit, thorough=thorough)
    with book.changing(place.folder) as held:
        raised, resolved = held.merge(looked.found, moment, unknown=looked.unknown)
        _remember(place, held, audit, moment, thorough=thorough)
        outgoing.put(held, place, raised, resolved)
        change = Change(tuple(raised), tuple(resolved), tuple(held.present()))
    book.touch(place.folder)
    return change


def raise_only(place: Place, rule: str, about: str, found: Sequence[Raised]) -> Change:
    """What one rule found of one thing, where there is no time to ask the others. Raises as :func:`update` does."""
    if not place.settings.get("alerts", True) or not os.path.isdir(place.folder):
        return Change()
    key = f"{rule}:{about}"
    with book.changing(place.folder) as held:
        others = {each.key for each in held.alerts if each.key != key}
        raised, resolved = held.merge(found, clock.timestamp(), unknown=others, rules=(rule,))
        outgoing.put(held, place, raised, resolved)
        return Change(tuple(raised), tuple(resolved), tuple(held.present()))


def note_verified(folder: str, problems: Sequence[str]) -> None:
    """What ``verify`` found. Best effort: it said so itself."""
    if not problems and not book.load(folder).verified:
        return
    try:
        with book.changing(folder) as held:
            more = f", and {len(problems) - 1} more" if len(problems) > 1 else ""
            held.verified = f"{problems[0]}{more}" if problems else ""
    except (DedupError, OSError):
        return


def _remember(place: Place, held: book.Book, audit: AuditTail, moment: str, *, thorough: bool) -> None:
    """What the next time is compared with."""
    try:
        if place.store is not None and not held.active(alert.SHRUNK):
            held.total, held.total_at = soundness.total_of(place), moment
        runs = audit.runs
    except DedupError:
        return
    held.considered = max([held.considered, *(each.created_at for each in runs[-1:])])
    held.summarised = clock.local(moment)[:10]
    held.thorough = time.time() if thorough else held.thorough
