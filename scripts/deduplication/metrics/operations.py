"""What is done to a store besides runs, and what fails, noted by whoever does it.

It is best effort: the operation itself is done, or failed, and nothing depends on the note. Where a store cannot be written to, or
its database cannot be reached, a failure is noted in the folder beside which that database is used.
"""

from __future__ import annotations

import contextlib
import os
import time
from typing import TYPE_CHECKING, Any, Final

from ..errors import DedupError, ExportError, StoreDamaged, StoreError
from ..storage import audit_entries
from ..storage.audit_entries import FAILURE, operation
from ..storage.log_backed import folder_of

if TYPE_CHECKING:
    from collections.abc import Iterable

    from ..storage.audit_entries import AuditEntry
    from ..storage.contract import Store

EXPORT: Final = "export"
DATABASE: Final = "database"
DAMAGE: Final = "damage"
STORE: Final = "store"
DEFECT: Final = "defect"
OTHER: Final = "other"
KINDS: Final = (EXPORT, DATABASE, DAMAGE, STORE, DEFECT, OTHER)
"""Kinds of failures: of an export that cannot be read or processed, of the database, of damage that was found, of the store
otherwise, a defect of ours, and the others (archive, checkpoint)."""


def note(store: Store, name: str, began: float, *, messages: int = 0, **figures: Any) -> None:
    """Note of a store that an operation ended which began at ``began`` of the monotonic clock. Best effort.

    ``figures`` are counts, and words of ours: no name of a file, nothing that anybody said, so that no purge has to look here.
    """
    logged = store.log_backed()
    if logged is not None:
        with contextlib.suppress(DedupError, OSError):
            logged.note(operation(name, round(1000 * (time.monotonic() - began)), messages, **figures))


def note_failures(store: Store, folder: str, errors: Iterable[BaseException]) -> None:
    """Note what failed over the store whose folder is ``folder``, or beside whose folder its database is used. Best effort."""
    for error in errors:
        entry = operation(FAILURE, kind=kind_of(error), error=type(error).__name__)
        logged = store.log_backed()
        try:
            if logged is None or isinstance(error, StoreError):
                _note_there(store, folder, entry)
            else:
                logged.note(entry)
        except (DedupError, OSError):
            _note_there(store, folder, entry)


def _note_there(store: Store, folder: str, entry: AuditEntry) -> None:
    with contextlib.suppress(DedupError, OSError):
        found = folder_of(store)
        place = found.folder if found is not None else folder
        if os.path.isdir(place):
            audit_entries.note(place, entry)


def operations(store: Store, folder: str) -> list[AuditEntry]:
    """All that was noted, in the order of time. Inside a transaction of the store. Raises ``StoreError``."""
    logged = store.log_backed()
    found = list(logged.operations()) if logged is not None else []
    if folder_of(store) is None:
        found += audit_entries.operations(folder)
    return sorted(found, key=lambda each: each.created_at)


def kind_of(error: BaseException) -> str:
    """Which of :data:`KINDS` a failure is."""
    if not isinstance(error, DedupError):
        return DEFECT
    if isinstance(error, ExportError):
        return EXPORT
    if isinstance(error, StoreDamaged):
        return DAMAGE
    if isinstance(error, StoreError):
        from ..storage.database.errors import DatabaseError

        return DATABASE if isinstance(error, DatabaseError) else STORE
    return OTHER


def carry(source: Store, target: Store) -> int:
    """Note in a store what another one, of which it is a copy, was noted of; how many that were. What it has stays single."""
    there, here = source.log_backed(), target.log_backed()
    if there is None or here is None:
        return 0
    with here.transaction(write=False):
        known = {_normal(each) for each in here.operations()}
    with there.transaction(write=False):
        missing = [each for each in there.operations() if _normal(each) not in known]
    for each in missing:
        here.note(each)
    return len(missing)


def _normal(entry: AuditEntry) -> tuple[Any, ...]:
    from ..accounting.run_history import seconds

    noted = sorted((name, str(value)) for name, value in entry.metadata.items())
    return (*entry[:-2], seconds(entry.created_at), *noted)
