"""A search as the dashboard shows it: what the subcommand finds, with secrets taken out of what is shown."""

from __future__ import annotations

import contextlib
import threading
import time
from collections import OrderedDict
from typing import TYPE_CHECKING, Any, Final

from ..errors import StoreLocked, StoreMissing
from ..model import BOOKKEEPING, KINDS, ROLES
from ..search.hits import Found, Wanted
from ..search.in_tagged import find
from ..sessions.redaction import printable_text
from ..words.excerpts import Text
from ..words.terms import terms
from .subject import key_of

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from ..search.hits import Hit
    from ..words.terms import Term
    from .subject import Subject

LIMIT: Final = 20
LONGEST: Final = 200
"""Characters of a query."""
_BEGINNING: Final = 180
_STANDS: Final = 3.0
"""Seconds for which what was found is shown to whoever asks the same."""
_KEPT: Final = 50
_PATIENCE: Final = 10.0
FINDABLE: Final = tuple(kind for kind in KINDS if kind != BOOKKEEPING)


def asked(given: Mapping[str, str]) -> dict[str, str]:
    """What a request asks for: words, and a role and a kind that there are, each empty where nothing is asked."""
    return {
        "q": given.get("q", "")[:LONGEST].strip(),
        "role": given.get("role", "") if given.get("role") in ROLES else "",
        "kind": given.get("kind", "") if given.get("kind") in FINDABLE else "",
    }


class Searches:
    """Searches of one store, one after the other: each holds the store, and may read all of it. What was found stands a moment."""

    def __init__(self, subject: Subject) -> None:
        self._subject = subject
        self._one = threading.Lock()
        self._found: OrderedDict[tuple[str, ...], tuple[float, dict[str, Any]]] = OrderedDict()

    def find(self, given: Mapping[str, str]) -> dict[str, Any]:
        """As :func:`search`. Raises the ``StoreError`` family, ``StoreLocked`` where others search for too long."""
        key = (given["q"], given["role"], given["kind"])
        if not self._one.acquire(timeout=_PATIENCE):
            raise StoreLocked("another search is still under way", hint="Ask again.")
        try:
            moment, found = self._found.get(key, (float("-inf"), {}))
            if time.monotonic() - moment > _STANDS:
                found = search(self._subject, given)
                self._found[key] = (time.monotonic(), found)
                self._found.move_to_end(key)
                while len(self._found) > _KEPT:
                    self._found.popitem(last=False)
            return found
        finally:
            self._one.release()


def search(subject: Subject, given: Mapping[str, str]) -> dict[str, Any]:
    """Hits of ``given`` (see :func:`asked`), the newest first: what a template shows. Raises the ``StoreError`` family."""
    wanted = terms([given["q"]] if '"' in given["q"] else given["q"].split())
    if not wanted:
        return {"hits": [], "total": 0, "more": False, "damaged": 0}
    filters = Wanted(tuple(wanted), given["role"] or None, given["kind"] or None)
    found = Found()
    with subject.stores.lent() as store, contextlib.suppress(StoreMissing):
        found = find(None if subject.in_folder else store, subject.state, filters, LIMIT)
    shown = found.hits[:LIMIT]
    names = dict.fromkeys(hit.newest.conversation for hit in shown)
    with subject.stores.lent() as store:
        with store.transaction(write=False):
            updated = {name: store.figures(name).updated_at for name in names}
        titles = {name: subject.naming(store, name, updated[name]).shown for name in names}
    hits = [_shown(hit, wanted, subject, titles[hit.newest.conversation]) for hit in shown]
    return {"hits": hits, "total": len(found.hits), "more": found.capped, "damaged": found.damaged}


def _shown(hit: Hit, wanted: Sequence[Term], subject: Subject, title: str) -> dict[str, Any]:
    """One hit; where the words stand only in a secret, the text's beginning is shown, without that."""
    place = hit.newest
    text = Text(printable_text(subject.redact(hit.text.text)[0]))
    excerpts = text.excerpts(wanted) or [[(text.text[:_BEGINNING], False)]]
    return {
        "key": key_of(place.conversation),
        "title": title,
        "number": place.number,
        "moment": place.timestamp,
        "role": hit.message["role"],
        "kind": hit.message["kind"],
        "places": len(hit.places),
        "excerpts": excerpts,
    }
