"""Search a store in a database: its indexes name messages that may be hits, and each is compared as everywhere else.

The newest messages are looked at first: where the words are everywhere, they have enough of them. Else the index of words is asked.
"""

from __future__ import annotations

import json
from itertools import islice
from typing import TYPE_CHECKING, Final

from ..errors import StoreMissing
from ..storage.database.session import Session
from ..words.lexemes import tsquery_of
from ..words.terms import has
from .candidates import Filters, MessageSearch
from .hits import Found, Hit, Place, newest_first
from .united import United

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from ..storage.database import place as where
    from .candidates import Row
    from .hits import Wanted

NEWEST: Final = 2_000
"""Messages that are looked at first."""
COUNTED: Final = 200
"""Hits that are counted, where others are shown."""
LOOKED_AT: Final = 2_000
"""Messages that are compared to find hits that are only counted."""
NAMED: Final = 1_000
"""Places of a hit that are named."""
_AT_ONCE: Final = 200


def search(place: where.Place, wanted: Wanted, limit: int) -> Found:
    """The newest ``limit`` messages of the store that have all of the terms, with their places, and others, to be counted.

    Raises ``StoreMissing``, ``DatabaseError``.
    """
    session = Session(place)
    with session.reading() as is_there:
        if not is_there:
            raise StoreMissing(str(session))
        return _Search(MessageSearch(session), wanted, limit).result()


class _Search:
    def __init__(self, searched: MessageSearch, wanted: Wanted, limit: int) -> None:
        self._searched, self._wanted, self._limit = searched, wanted, limit
        self._enough = max(limit, 1)
        self._known: dict[str, Hit | None] = {}
        """Each content that was compared."""
        self._hits: dict[str, Hit] = {}
        """Those that have a place, each with the newest one at least."""
        self._seen: set[tuple[str, int]] = set()
        self._united, names = _united(searched, wanted.conversation)
        self._filters = Filters(names, wanted.role, wanted.kind, wanted.since, wanted.until)

    def result(self) -> Found:
        """The hits, those that are shown with their places."""
        words = tsquery_of(self._wanted.terms)
        capped = True
        if self._filters.conversations is None:
            capped = self._take(self._searched.found(words, self._filters, newest=NEWEST))
            capped = capped or not self._searched.has_at_most(NEWEST)
        if capped and len(self._hits) < self._enough:
            capped = self._take(self._searched.found(words, self._filters))
        shown = newest_first(self._hits.values())[: self._limit]
        self._name_places(shown)
        return Found(newest_first(self._hits.values()), capped=capped)

    def _take(self, found: Iterator[tuple[str, int]]) -> bool:
        """Compare the messages at these places; True where there are enough hits before the end, and others have been counted."""
        compared = 0
        while len(self._hits) < max(self._enough, COUNTED) and (len(self._hits) < self._enough or compared < LOOKED_AT):
            some = list(islice(found, _AT_ONCE))
            if not some:
                return False
            new = [place for place in some if place not in self._seen]
            self._compare(new)
            self._seen.update(new)
            compared += len(new)
        return True

    def _compare(self, places: list[tuple[str, int]]) -> None:
        may = {place for place, text in self._searched.texts(places) if self._may_be(text)}
        rows = list(self._searched.rows([place for place in places if place in may])) if may else []
        for row in rows:
            self._know(row.content_hash, row.body)
        superseded = self._superseded(rows)
        for row in rows:
            hit = self._known[row.content_hash]
            if hit is not None and row.content_hash not in self._hits:
                hit.places = self._united.places([_place(row)], superseded, self._wanted)
                if hit.places:
                    self._hits[row.content_hash] = hit

    def _may_be(self, text: str) -> bool:
        """Told by what people read of a message: JSON is no text that is searched."""
        return text.startswith(("[", "{")) or has(text, self._wanted.terms)

    def _name_places(self, hits: list[Hit]) -> None:
        """All places of these, as far as they are not too many."""
        rows: dict[str, list[Row]] = {hit.content_hash: [] for hit in hits}
        for row in self._searched.places(rows, NAMED):
            rows[row.content_hash].append(row)
        superseded = self._superseded(row for some in rows.values() for row in some)
        for hit in hits:
            found = [_place(row) for row in rows[hit.content_hash]]
            hit.more = len(found) >= NAMED
            newest = hit.places
            hit.places = self._united.places(found, superseded, self._wanted)
            hit.places += [place for place in newest if place not in hit.places]

    def _superseded(self, rows: Iterable[Row]) -> set[tuple[str, int]]:
        """The places that a longer form takes: one that has the words, too."""
        longer = [(row.longer, row.conversation, row.number) for row in rows if row.longer]
        unknown = {identity for identity, _, _ in longer if identity not in self._known}
        for identity, body in self._searched.bodies(unknown) if unknown else ():
            self._know(identity, body)
        return {(name, number) for identity, name, number in longer if self._known.get(identity) is not None}

    def _know(self, identity: str, body: bytes) -> None:
        if identity not in self._known:
            self._known[identity] = self._wanted.hit(identity, json.loads(body))


def _place(row: Row) -> Place:
    return Place(row.conversation, row.number, row.timestamp)


def _united(searched: MessageSearch, asked: str | None) -> tuple[United, list[str] | None]:
    """What became of conversations, and those whose messages are read in the one that is asked for, itself among them."""
    united, adopted = United(), searched.adopted()
    for record in searched.same_records() if adopted else ():
        united.take(record)
    if asked is None:
        return united, None
    names = {asked: None}
    while more := {name: None for name, into in adopted.items() if into in names and name not in names}:
        names.update(more)
    return united, [*names]
