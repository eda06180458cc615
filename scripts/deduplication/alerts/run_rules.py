"""Rules for runs: slow ones, large exports, new conversations, how many messages were known, a summary of each day."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Final

from ..accounting.run_history import seconds
from ..figures.counted import counted
from ..figures.savings import percent
from ..files import clock
from ..storage.log.audit import PROCESS_EXPORT
from . import alert
from .alert import Raised

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from ..storage.audit_entries import AuditEntry
    from .audit_tail import AuditTail
    from .book import Book
    from .place import Place

_LATELY: Final = 600.0
"""Seconds: what happened before is no news to somebody who looks for the first time."""
_MEGABYTE: Final = 1_000_000
_RATED: Final = 10
"""The last exports of conversations that were exported before: of a first export everything is new, and should be."""
_FEWEST: Final = 5
_FEWEST_MESSAGES: Final = 100
"""With fewer exports, or messages in them, nobody can tell what is usual."""
_REPEATED_SHARE: Final = 0.4
"""Of a conversation's messages that say what another one of it says. Up to 0.11 in the transcripts and exports that were counted;
a conversation that was stored twice has 0.5."""
_REPEATED_FEWEST: Final = 50
_CONVERSATIONS: Final = 50


def news(book: Book, audit: AuditTail) -> list[AuditEntry]:
    """The runs that nobody was told of yet."""
    since = book.considered or clock.spelt(time.time() - _LATELY)
    return [each for each in audit.runs if each.created_at > since]


def exports(place: Place, book: Book, audit: AuditTail) -> Iterator[Raised]:
    """One that took longer, one that is larger than the settings say."""
    slow, large = place.number("alert_export_seconds"), place.number("alert_export_mb") * _MEGABYTE
    for each in news(book, audit):
        if each.operation != PROCESS_EXPORT:
            continue
        name, size = str(each.metadata.get("name", "")), each.metadata.get("bytes", 0)
        took = (each.processing_time_ms or 0) / 1000
        about = f"{name} at {each.created_at}"
        if slow and took > slow:
            yield Raised(alert.SLOW, about, f"{name} took {took:.1f} s to process, at {clock.local(each.created_at)}")
        if large and isinstance(size, int) and size > large:
            yield Raised(
                alert.LARGE,
                about,
                f"{name} has {size / _MEGABYTE:,.1f} MB, {counted(each.messages_processed, 'message')}",
            )


def conversations(place: Place, book: Book, audit: AuditTail) -> Iterator[Raised]:
    """One of which the store had nothing before."""
    if place.store is None:
        return
    found = news(book, audit)
    oldest = min((each.created_at for each in found), default="")
    with place.store.transaction(write=False):
        for name in dict.fromkeys(each.conversation_id for each in found):
            begun = place.store.figures(name).created_at  # empty where it was purged
            if place.store.canonical(name) == name and begun and seconds(begun) >= seconds(oldest):
                yield Raised(alert.CONVERSATION, name, f"a new conversation: {name}")


def rates(place: Place, _book: Book, audit: AuditTail) -> Iterator[Raised]:
    """In the last exports of conversations that were exported before, too few messages were known, or every one was."""
    low, high = place.number("alert_dedup_low_percent"), place.number("alert_dedup_high_percent")
    seen: set[str] = set()
    again: list[AuditEntry] = []
    for each in audit.exports:
        again += [each] if each.conversation_id in seen else []
        seen.add(each.conversation_id)
    last = again[-_RATED:]
    total = sum(each.messages_processed for each in last)
    if len(last) < _FEWEST or total < _FEWEST_MESSAGES:
        return
    rate = percent(sum(each.duplicates_filtered for each in last), total)
    told = f"{rate:.1f} % of the messages in the last {len(last)} exports of known conversations were known"
    if low and rate < low:
        cure = "'deduplicate_export.py explain EXPORT' says why each message counts as new."
        yield Raised(alert.LOW_RATE, "", f"{told}: less than {low:g} %", cure)
    if high and rate > high:
        yield Raised(
            alert.HIGH_RATE, "", f"{told}: next to nothing new came", "Look whether new exports are found at all."
        )


def repeated(place: Place, book: Book, audit: AuditTail) -> Iterator[Raised]:
    """The same content at new indexes: a conversation that may be stored twice."""
    if place.store is None:
        return
    asked = [each.about for each in book.present() if each.rule == alert.REPEATED]
    asked += list(dict.fromkeys(each.conversation_id for each in reversed(audit.runs)))[:_CONVERSATIONS]
    with place.store.transaction(write=False):
        for name in dict.fromkeys(asked):
            if place.store.canonical(name) != name:
                continue  # it is part of another one
            figures = place.store.figures(name)
            again = figures.occurrences - figures.unique
            if again >= _REPEATED_FEWEST and again >= _REPEATED_SHARE * figures.occurrences:
                text = f"{again:,} of {figures.occurrences:,} messages of {name} say what another one of it says"
                yield Raised(alert.REPEATED, name, text, f"'deduplicate_export.py show {name}' shows them.")


def summary(place: Place, book: Book, audit: AuditTail) -> Iterator[Raised]:
    """What yesterday brought, on the user's own clock, once a day and only where it brought something."""
    today = clock.local(clock.timestamp())[:10]
    if book.summarised in ("", today):
        return
    found = [each for each in audit.runs if clock.local(each.created_at)[:10] == _day_before(today)]
    if found and place.settings.get("alerts", True):
        yield Raised(alert.SUMMARY, _day_before(today), _told(found))


def _day_before(day: str) -> str:
    from datetime import date, timedelta

    return (date.fromisoformat(day) - timedelta(days=1)).isoformat()


def _told(found: Sequence[AuditEntry]) -> str:
    exported = [each for each in found if each.operation == PROCESS_EXPORT]
    total = sum(each.messages_processed for each in exported)
    known = sum(each.duplicates_filtered for each in exported)
    captured = sum(int(each.metadata.get("captured_messages", 0)) for each in found)
    return (
        f"{_day_of(found)}: {counted(len(exported), 'export')} with {counted(total, 'message')}, {known:,} of them known; "
        f"{counted(captured, 'message')} captured"
    )


def _day_of(found: Sequence[AuditEntry]) -> str:
    return clock.local(found[0].created_at)[:10]
