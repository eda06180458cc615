"""A purge of a store whose log a database has, too: it is gone there as well, or nothing was purged."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ..errors import PurgeRefused, StoreError
from ..exchange import exchange
from ..exchange.sending import hybrid_of
from ..shared_archive import telling

if TYPE_CHECKING:
    from collections.abc import Callable

    from ..project.paths import Project
    from ..storage.log_backed import FolderStore
    from .outcome import Purged


def in_database_too(store: FolderStore, project: Project | None, purge: Callable[[], Purged]) -> Purged:
    """Do a purge between two exchanges, the archive's after them.

    Raises :class:`PurgeRefused` where the first one fails, and what ``purge`` raises.

    Where the second one fails, or this process is killed, the next exchange has it gone in the database.
    """
    hybrid = hybrid_of(store)
    if hybrid is None:
        return purge()
    with exchange.alone(hybrid) as bring_together:
        try:
            bring_together()
            exchange.require_purge(hybrid)
        except StoreError as error:
            raise PurgeRefused(f"the database has the same messages ({error})", hint=error.hint) from error
        done = purge()
        try:
            bring_together()
        except StoreError as error:
            done.problems.append(f"the database still has what was purged here, until the next 'sync' ({error})")
        if project is not None:
            done.problems += telling.after_a_purge(project, hybrid.database)
    return done
