"""What panels are made of, counted once for all of them: the store's figures, its runs, its conversations."""

from __future__ import annotations

import contextlib
import os
import threading
import time
from typing import TYPE_CHECKING, Any, Final, Optional

from ..accounting import storage_account, store_totals
from ..activity.history import History
from ..metrics.audited_runs import purges
from ..metrics.measurement import figures as measured
from ..metrics.operations import operations
from ..metrics.store_metrics import ACTIVE_DAYS
from ..project.paths import INDEX_NAMES, LOG_NAME
from ..start.late_tuple import NamedTuple

if TYPE_CHECKING:
    from collections.abc import Hashable

    from ..figures.savings import Savings
    from ..metrics.store_metrics import StoreMetrics
    from ..storage.contract import ConversationFigures, Store
    from .subject import Subject

_DAY: Final = 24 * 3600
_HELD: Final = 0.5
"""Seconds for which a version is believed: one look asks for it once."""


class Stored(NamedTuple):
    """What was counted of a store at one moment."""

    metrics: StoreMetrics
    savings: Savings
    disk: storage_account.OnDisk


class Figures:
    """Of one store. Whoever asks while others count waits for them."""

    def __init__(self, subject: Subject) -> None:
        self.subject = subject
        self.history = History(subject.state if subject.in_folder else "")
        self.conversations: dict[str, ConversationFigures] = {}
        self._stored: Optional[Stored] = None
        self._counted: Hashable = None
        self._counting = threading.RLock()
        self._version: tuple[float, Hashable] = (float("-inf"), None)

    def version(self) -> Hashable:
        """Which state of the store this is: of a folder its files, of a database the head of its log."""
        moment, known = self._version
        if time.monotonic() - moment > _HELD:
            known = _of_files(self.subject.state) if self.subject.in_folder else self._head()
            self._version = (time.monotonic(), known)
        return known

    def _head(self) -> Hashable:
        with self.subject.stores.lent() as store, store.transaction(write=False):
            logged = store.log_backed()
            return (logged.head, logged.log_size()) if logged is not None else tuple(store.store_figures())

    def stored(self) -> Stored:
        """The figures as they are now; counted where there is another version. Raises ``StoreError``."""
        with self._counting:
            version = (self.version(), int(time.time() / 60))  # today's figures change with the day, too
            if self._stored is None or version != self._counted:
                self._stored = self._count()
                self._counted = version
            return self._stored

    def _count(self) -> Stored:
        folder, history, now = self.subject.state, self.history, time.time()
        disk = storage_account.on_disk(folder)
        with self.subject.stores.lent() as store, store.transaction(write=False):
            history.read_on(store)
            self._count_conversations(store)
            savings = storage_account.savings(_Counted(store), folder, disk)
            totals = store_totals.totals(store, savings)
            besides = operations(store, folder)
            since = now - ACTIVE_DAYS * _DAY
            active = {store.canonical(run.conversation) for run in history.runs if run.moment >= since and run.added}
            where = store.where()
        found = measured(
            where, folder, totals, savings, history.runs, purges(history.removals), besides, len(active), now
        )
        return Stored(found, savings, disk)

    def _count_conversations(self, store: Store) -> None:
        """Of those that something came of since. All are listed, which takes long where there are many, only where their number
        says that one is new or gone.
        """
        changed = {store.canonical(name) for name in self.history.changed}
        known = {name: store.figures(name) for name in changed if name in self.conversations}
        self.conversations = {**self.conversations, **known}
        if not changed <= known.keys() or len(self.conversations) != store.store_figures().conversations:
            self.conversations = {
                name: self.conversations[name] if name in self.conversations else store.figures(name)
                for name in store.conversations()
            }
        self.history.changed.clear()


class _Counted:
    """A store inside a transaction, for who counts its bytes."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self.seen_bytes = store.seen_bytes

    def lost_blob_bytes(self) -> int:
        logged: Any = self._store.log_backed()
        return int(logged.lost_blob_bytes()) if logged is not None else 0


def _of_files(folder: str) -> Hashable:
    """What tells one state of a store's folder from the next."""
    found: list[tuple[str, int, int, int]] = []
    for name in ("", LOG_NAME, "sealed", *INDEX_NAMES):
        with contextlib.suppress(OSError):
            status = os.stat(os.path.join(folder, name) if name else folder)
            found.append((name, status.st_ino, status.st_size if name else 0, status.st_mtime_ns if name else 0))
    return tuple(found)
