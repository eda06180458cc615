"""An exchange by a process of its own: whoever starts it waits for nothing, and what waits goes on waiting where it fails."""

from __future__ import annotations

import os
import sys
from typing import TYPE_CHECKING, Final

from ..errors import StoreError
from ..files import clock, lock_names, locking
from ..reports.exchange import Waits
from ..start.child import main_module
from ..storage.hybrid import sent_mark
from ..storage.log_backed import folder_of

if TYPE_CHECKING:
    from ..storage.contract import Store
    from ..storage.hybrid.hybrid_store import HybridStore

PAUSE: Final = 30.0
"""Seconds after an attempt that failed, and after one that went well while turns are captured, before the next one begins."""
_DETACHED: Final = 0x208
"""DETACHED_PROCESS and CREATE_NEW_PROCESS_GROUP, which only Windows has."""


def hybrid_of(store: Store) -> HybridStore | None:
    """``store`` as one whose log a database has, too; None where it is none."""
    folder = folder_of(store)
    return folder.hybrid() if folder is not None else None


def waits(store: HybridStore) -> Waits:
    """What the database does not have yet, and why. Inside a transaction."""
    found = store.waiting()
    mark = found.mark
    return Waits(found.runs, found.size, mark.at, mark.failure, mark.failed_at)


def is_due(store: HybridStore, *, pause: float = PAUSE) -> bool:
    """Whether something waits and nobody tried within ``pause`` seconds. Cheap: a file of the folder is read."""
    mark = sent_mark.read(store.folder)
    last = max(clock.nanoseconds(mark.at), clock.nanoseconds(mark.failed_at))
    return clock.nanoseconds(clock.timestamp()) - last >= pause * 1e9


def start(store: HybridStore) -> None:
    """Begin an exchange in the background."""
    import subprocess

    folder = os.path.abspath(store.folder)
    where = ["--backend", "hybrid", "--storage-dir", folder]
    environment = dict(os.environ)
    if store.database.told is not None:  # not as an argument: everybody sees those
        environment["EXPORT_DEDUP_DATABASE_URL"] = store.database.told
    process = subprocess.Popen(
        [sys.executable, main_module(), "sync", "--quiet", *where],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        cwd=folder,
        env=environment,
        start_new_session=os.name != "nt",
        creationflags=_DETACHED if os.name == "nt" else 0,
    )
    process.returncode = 0  # nobody waits for it, and nobody should be warned of that


def is_under_way(store: HybridStore) -> bool:
    """Whether an exchange is at work."""
    try:
        with locking.exclusive(os.path.join(store.folder, lock_names.EXCHANGE_LOCK), 0):
            return False
    except StoreError:
        return True
