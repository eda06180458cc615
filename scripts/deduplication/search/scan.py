"""Search a store: its log is read once from end to end, and only lines that may hold the words are decoded.

What no commit record stands behind is not looked at. ``in_folder`` reads less, where the log has filters, and finds the same.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from ..storage.log.lines import Damaged
from ..storage.store_folder import StoreFolder
from .hits import Found, Hit, Place, Wanted, newest_first
from .log_lines import COMMIT_RECORD, read_line, unite
from .united import United

if TYPE_CHECKING:
    from .log_lines import Occurrence


def scan(folder: str, wanted: Wanted) -> Found:
    """Every message of the store in ``folder`` that has all of the terms. Raises ``StoreError`` where it cannot be read."""
    found = Found()
    hits: dict[str, Hit] = {}
    superseded: set[tuple[str, int]] = set()
    united = United()
    pending: list[Occurrence] = []
    with StoreFolder(folder).locked_log() as log:
        for line in log.lines():
            try:
                unite(united, line.data)
                seen = read_line(line.data, wanted)
            except Damaged:
                found.damaged += 1
                continue
            if seen is None:
                continue
            if seen is not COMMIT_RECORD:
                pending.append(seen)
                continue
            for each in pending:
                _take(each, hits, superseded)
            pending.clear()
    for hit in hits.values():
        # The longer form of a message takes the place of the shorter one; where it lacks the words, the place is named all
        # the same, and shows the longer form.
        hit.places = united.places(hit.places, superseded, wanted)
    found.hits = newest_first(hits.values())
    return found


def _take(each: Occurrence, hits: dict[str, Hit], superseded: set[tuple[str, int]]) -> None:
    """Account for an occurrence of a run that is complete."""
    if each.hit is not None:
        hits.setdefault(each.content_hash, each.hit)
    hit = hits.get(each.content_hash)
    if hit is None:
        return
    if each.extends is not None:
        superseded.add((each.conversation, each.extends))
    hit.places.append(Place(each.conversation, each.number, each.timestamp))
