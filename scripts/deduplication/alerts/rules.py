"""Every rule: which alerts it may raise, and whether it is only asked where there is time."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from ..errors import DedupError
from ..start.late_tuple import NamedTuple
from . import alert, capture, conditions, missing, run_rules, soundness

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from .alert import Raised
    from .audit_tail import AuditTail
    from .book import Book
    from .place import Place


class Rule(NamedTuple):
    """``covers`` are the alerts that it finds and, where it does not find them, ends: names of rules, or keys of alerts."""

    covers: tuple[str, ...]
    find: Callable[[Place, Book, AuditTail], Iterator[Raised]]
    slow: bool = False
    needs_store: bool = False


class Looked(NamedTuple):
    """What all rules found, and the alerts of which nothing can be said now."""

    found: tuple[Raised, ...]
    unknown: frozenset[str]


RULES: Final = (
    Rule((alert.DATABASE,), soundness.database),
    Rule((f"{alert.CORRUPTION}:store", f"{alert.CORRUPTION}:verify"), soundness.corruption),
    Rule((f"{alert.CORRUPTION}:archive",), soundness.archive, slow=True),
    Rule((alert.DISK,), conditions.disk),
    Rule((alert.SHRUNK,), soundness.shrunk, needs_store=True),
    Rule((alert.CAPTURE,), capture.captured),
    Rule((alert.GAPS,), missing.gaps, slow=True, needs_store=True),
    Rule((alert.BACKUP,), conditions.backups),
    Rule((alert.PURGE,), conditions.purges),
    Rule((alert.HOOK,), conditions.hooks),
    Rule((alert.SLOW, alert.LARGE), run_rules.exports),
    Rule((alert.CONVERSATION,), run_rules.conversations, needs_store=True),
    Rule((alert.LOW_RATE, alert.HIGH_RATE), run_rules.rates),
    Rule((alert.REPEATED,), run_rules.repeated, needs_store=True),
    Rule((alert.SUMMARY,), run_rules.summary),
)


def look(place: Place, book: Book, audit: AuditTail, *, thorough: bool) -> Looked:
    """Ask every rule; one that cannot look costs only itself."""
    found: list[Raised] = []
    unknown: set[str] = set()
    for rule in RULES:
        if (rule.slow and not thorough) or (rule.needs_store and place.store is None):
            unknown.update(rule.covers)
            continue
        try:
            found += list(rule.find(place, book, audit))
        except (DedupError, OSError):  # who cannot look now says nothing: neither that it is so nor that it is over
            unknown.update(rule.covers)
    return Looked(tuple(found), frozenset(unknown))
