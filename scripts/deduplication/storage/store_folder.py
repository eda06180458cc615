"""The folder of a store: in its own place, private, ours, unknown to git, and locked by one process at a time."""

from __future__ import annotations

import contextlib
import os
from typing import TYPE_CHECKING, Final

from ..errors import StoreNotPrivate, StoreNotWritable
from ..files import atomic, folder_swap, journal, locking
from ..project.own_place import hide, require_inside
from ..project.paths import LOCK

if TYPE_CHECKING:
    from collections.abc import Iterator

    from .log.append_log import Log

TIMEOUT: Final = locking.DEFAULT_TIMEOUT
"""Seconds that a store's lock is waited for."""


def require_own(folder: str) -> None:
    """Raise ``StoreNotPrivate`` where a store's folder is somebody else's: nothing is written into it. Root may."""
    if hasattr(os, "geteuid") and os.stat(folder).st_uid != os.geteuid() != 0:
        raise StoreNotPrivate(folder)


class StoreFolder:
    """The folder at ``path``. Its lock is waited for ``timeout`` seconds."""

    def __init__(self, path: str, timeout: float = TIMEOUT) -> None:
        folder_swap.recover_exchange(path)
        self.path = path
        self._timeout = timeout

    def finish_purge(self) -> None:
        """Finish a purge that was stopped: of half of one nothing can be told."""
        journal.recover(self.path)

    def stored_bytes(self) -> int:
        """Bytes that it takes on the disk."""
        from .footprint import footprint

        return footprint(self.path).stored

    def require_inside(self) -> None:
        """Raise ``UnsafePath`` where a link leads out of the project."""
        require_inside(self.path)

    def exists(self) -> bool:
        """Whether there is a folder."""
        return os.path.isdir(self.path)

    def make(self) -> None:
        """Make it, private, where it is missing. Raises ``StoreNotPrivate`` where it is somebody else's."""
        with atomic.write_errors(self.path):
            if self.exists():
                require_own(self.path)  # before anything is changed: not even the mode is ours to set
            atomic.make_private_directory(self.path)

    @contextlib.contextmanager
    def locked_log(self) -> Iterator[Log]:
        """The log under the lock, as a reader finds it, for who needs nothing else of the store."""
        from .log.append_log import Log

        self.finish_purge()
        log = Log.of(self.path)
        with self.locked(write=False) if self.exists() else contextlib.nullcontext(), contextlib.closing(log):
            log.recover(write=False)
            yield log

    @contextlib.contextmanager
    def locked(self, *, write: bool) -> Iterator[None]:
        """Hold its lock; a reader of a read-only store needs none. Raises ``StoreLocked``, ``StoreNotWritable``."""
        with contextlib.ExitStack() as stack:
            try:
                stack.enter_context(locking.exclusive(os.path.join(self.path, LOCK), self._timeout))
            except StoreNotWritable:
                if write:
                    raise
            if write:
                hide(self.path)
            yield
