"""What another machine has of a store taken into the one in a folder: done once more here, and what was purged there is purged.

That is a store in another folder, or what something left in this one which synchronises it: copies of the log. Done again it
changes nothing, so that whoever was stopped simply begins again.
"""

from __future__ import annotations

import contextlib
import os
from typing import TYPE_CHECKING, Final

from ..errors import CopyNotWhole, StoreDamaged, StoreMissing
from ..files import atomic, beneath, lock_names, locking
from ..ingest.run_names import Runs
from ..project.paths import LOG_NAME
from ..start.late_tuple import NamedTuple
from ..storage import open_in_folder
from ..storage.log.log_copies import copies_in
from . import uniting
from .copied_log import opened
from .purged_elsewhere import PurgedElsewhere, purge_as

if TYPE_CHECKING:
    from collections.abc import Iterator

    from ..storage.log_backed import FolderStore, LogBackedStore

_PLACE: Final = (
    "Name the folder with the other store's log: MEMORY-CONTEXT/dedup_state of its project. Nothing was changed."
)
_KEPT: Final = "Nothing was deleted. Please report this, and keep both."


class Taken(NamedTuple):
    """Runs that the store did not have, messages that were purged elsewhere and are purged here now, and copies that went."""

    runs: int = 0
    purged: int = 0
    copies: int = 0


def unite(store: FolderStore, other: str) -> Taken:
    """Have in ``store`` what the store in the folder ``other`` has, which stays as it is.

    Raises ``StoreMissing`` where there is none, and the ``StoreError`` family.
    """
    if not os.path.lexists(os.path.join(other, LOG_NAME)):
        raise StoreMissing(other, hint=_PLACE)
    with _alone(store):
        return _unite(store, open_in_folder(other))


def unite_copies(store: FolderStore) -> Taken:
    """The same of the copies of its log that other machines left in its folder; each goes once it was taken in.

    Raises ``CopyNotWhole`` for one of which something is missing or damaged, once all the others were taken in: it stays.
    """
    done = Taken()
    late: list[CopyNotWhole] = []
    with _alone(store), contextlib.ExitStack() as stack:
        found: list[tuple[str, LogBackedStore]] = []
        for name in copies_in(store.folder):  # all of them, before a purge deletes what is sealed of one
            try:
                found.append((name, stack.enter_context(opened(store, name))))
            except CopyNotWhole as error:
                late.append(error)
        for name, other in found:
            taken = _unite(store, other)
            path = os.path.join(store.folder, name)
            with atomic.write_errors(path):
                beneath.unlink(path)
            done = Taken(done.runs + taken.runs, done.purged + taken.purged, done.copies + 1)
    if late:
        raise late[0]
    return done


@contextlib.contextmanager
def _alone(store: FolderStore) -> Iterator[None]:
    """Nobody else takes anything into the store meanwhile but what is processed there. Raises ``StoreLocked``."""
    with store.transaction():  # so that there is a folder
        pass
    with locking.exclusive(os.path.join(store.folder, lock_names.EXCHANGE_LOCK)):
        yield


def _unite(store: FolderStore, other: LogBackedStore) -> Taken:
    purged = _purge(store, other)
    done = uniting.unite(other, store, lambda _at: None, whole=False)
    if done.missing:
        more = f", and {len(done.missing) - 1} more" if len(done.missing) > 1 else ""
        raise StoreDamaged(f"what another one has did not come along: {done.missing[0]}{more}", hint=_KEPT)
    return Taken(done.runs, purged)


def _purge(store: FolderStore, other: LogBackedStore) -> int:
    with store.transaction():
        here = Runs(store.commits())
    with other.transaction(write=False):
        there = Runs(other.commits())
        elsewhere = PurgedElsewhere(other.records()) if there.purges - here.purges else None
    return purge_as(store, elsewhere) if elsewhere is not None else 0
