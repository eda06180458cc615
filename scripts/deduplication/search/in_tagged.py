"""A search of one store, wherever it lies: in all of its conversations, or in those that have some words."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ..start.late_dataclass import replace
from ..storage.log_backed import folder_of, place_of
from ..titles.said import said_of
from ..titles.slug import slug
from .hits import Found, Wanted, newest_first
from .scan import scan

if TYPE_CHECKING:
    from collections.abc import Callable, Collection

    from ..storage.contract import Store


def find(store: Store, folder: str, wanted: Wanted, limit: int, tags: Collection[str] = ()) -> Found:
    """The messages that are ``wanted``, in conversations with every one of these words; ``limit`` as of a search in a database."""
    names = tagged(store, tags)
    place = place_of(store)
    if place is None or folder_of(store) is not None:
        return only(scan(folder, wanted), names)
    from . import in_database

    return each(names, wanted, lambda one: in_database.search(place, one, limit))


def tagged(store: Store, tags: Collection[str]) -> list[str] | None:
    """The conversations that have every one of these words; None where none is asked for."""
    if not tags:
        return None
    with store.transaction(write=False):
        return [name for name in store.conversations() if set(map(slug, tags)).issubset(said_of(store, name).tags)]


def only(found: Found, names: Collection[str] | None) -> Found:
    """What was found in these conversations."""
    if names is None:
        return found
    hits = [replace(hit, places=[place for place in hit.places if place.conversation in names]) for hit in found.hits]
    return replace(found, hits=newest_first(hits))


def each(names: Collection[str] | None, wanted: Wanted, search: Callable[[Wanted], Found]) -> Found:
    """The same where a conversation is found by itself: what one search in each of them finds, each message once."""
    if names is None:
        return search(wanted)
    some = [search(replace(wanted, conversation=name)) for name in names if wanted.conversation in (None, name)]
    hits = {hit.content_hash: hit for one in some for hit in one.hits}
    for one in some:
        for hit in one.hits:
            kept = hits[hit.content_hash]
            kept.places += [place for place in hit.places if place not in kept.places]
    return Found(newest_first(hits.values()), sum(one.damaged for one in some), any(one.capped for one in some))
