"""A search of one store, wherever it lies: in all of its conversations, or in those that have some words."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ..start.late_dataclass import replace
from ..storage.log_backed import folder_of, place_of
from ..titles.said import said_of
from ..titles.slug import slug
from . import in_folder
from .hits import Found, Wanted, newest_first

if TYPE_CHECKING:
    from collections.abc import Callable, Collection

    from ..storage.contract import Store


def find(store: Store | None, folder: str, wanted: Wanted, limit: int, tags: Collection[str] = ()) -> Found:
    """The messages that are ``wanted``, in conversations with every one of these words; ``store`` None: one in a folder."""
    if store is None:
        return in_folder.search(folder, wanted, limit)
    place = place_of(store)
    if place is None or folder_of(store) is not None:
        return each(tagged(store, tags), wanted, lambda one: in_folder.search(folder, one, limit))
    from . import in_database

    return each(tagged(store, tags), wanted, lambda one: in_database.search(place, one, limit))


def tagged(store: Store, tags: Collection[str]) -> list[str] | None:
    """The conversations that have every one of these words; None where none is asked for."""
    if not tags:
        return None
    with store.transaction(write=False):
        return [name for name in store.conversations() if set(map(slug, tags)).issubset(said_of(store, name).tags)]


def each(names: Collection[str] | None, wanted: Wanted, search: Callable[[Wanted], Found]) -> Found:
    """What a search in each of these conversations finds, each message once; None: what one in all of them does."""
    if names is None:
        return search(wanted)
    some = [search(replace(wanted, conversation=name)) for name in names if wanted.conversation in (None, name)]
    hits = {hit.content_hash: hit for one in some for hit in one.hits}
    for one in some:
        for hit in one.hits:
            kept = hits[hit.content_hash]
            kept.places += [place for place in hit.places if place not in kept.places]
    return Found(
        newest_first(hits.values()),
        damaged=max((one.damaged for one in some), default=0),
        capped=any(one.capped for one in some),
        unfiltered=max((one.unfiltered for one in some), default=0),
    )
