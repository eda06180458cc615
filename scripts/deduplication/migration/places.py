"""From where to where: a kind of store, and the folder or the database in which it lies."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Final

from ..errors import OutputNotWritable, StoreMissing, UsageError
from ..project import config
from ..project.paths import is_store
from ..start.late_tuple import NamedTuple
from ..storage import DEFAULT, HYBRID, POSTGRESQL, open_in_folder, open_store
from ..storage.log_backed import require_log
from .errors import SameStore

if TYPE_CHECKING:
    from ..storage.log_backed import LogBackedStore

ORIGINAL: Final = "original"
"""A state folder of the original project: only a source."""
_SQLITE: Final = "sqlite"
_URLS: Final = ("postgresql://", "postgres://")


class Place(NamedTuple):
    """``where`` is a folder, or the address of a database; empty: the project's folder, or the database that the settings name."""

    kind: str
    where: str = ""


def place_of(text: str) -> Place:
    """What ``KIND``, ``KIND:PLACE`` or the address of a database names. Raises :class:`UsageError`."""
    if text.startswith(_URLS):
        return Place(POSTGRESQL, text)
    kind, _, where = text.partition(":")
    kinds = (*config.BACKENDS, ORIGINAL)
    if kind not in kinds:
        hint = f"Use one of: {', '.join(kinds)}; with its place behind a colon: json:DIR, postgresql:URL."
        raise UsageError(f"there is no kind of store called '{kind}'", hint=hint)
    if kind == ORIGINAL and not where:
        raise UsageError("the folder of the original project is missing", hint="Name it: original:DIR.")
    return Place(DEFAULT if kind == _SQLITE else kind, where)


def opened(place: Place, folder: str, url: str | None, *, reading: bool = False) -> LogBackedStore:
    """The store at a place; ``folder`` is the project's, ``url`` the database that is meant where ``place`` names none.

    ``reading``: a store in a folder is what it is, whatever kind it is said to be.
    """
    if place.kind == ORIGINAL:
        raise UsageError("a folder of the original project is only a source: nothing can be migrated to it")
    if place.kind == POSTGRESQL:
        return require_log(open_store(POSTGRESQL, folder, place.where or url), "migrate")
    where = place.where or folder
    if reading:
        return open_in_folder(where)
    return require_log(open_store(place.kind, where, url if place.kind == HYBRID else None), "migrate")


def require_source(store: LogBackedStore) -> None:
    """Raise ``StoreMissing`` where nothing was ever stored there."""
    lies_in = store.in_folder()
    if lies_in is not None and not is_store(lies_in.folder):
        raise StoreMissing(lies_in.folder)
    with store.transaction(write=False):
        if not store.log_size():
            raise StoreMissing(store.where())


def require_target(store: LogBackedStore, source: LogBackedStore | None) -> None:
    """Raise :class:`SameStore`, and ``OutputNotWritable`` for a folder in which something else lies."""
    target = store.in_folder()
    origin = source.in_folder() if source is not None else None
    if target is None:
        return
    if origin is not None and os.path.realpath(origin.folder) == os.path.realpath(target.folder):
        raise SameStore(target.folder)
    if os.path.isdir(target.folder) and os.listdir(target.folder) and not is_store(target.folder):
        raise OutputNotWritable(f"{target.folder} holds something else")
