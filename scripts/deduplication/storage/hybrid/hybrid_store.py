"""A store in a folder whose log a database has, too: all that is asked is answered here, and what is new is sent there later.

So a server that cannot be reached costs nothing. Sending and receiving is somebody else's (see the room ``exchange``).
"""

from __future__ import annotations

import contextlib
import os
from typing import TYPE_CHECKING

from ...errors import StoreNotWritable
from ...files import atomic
from ...project.paths import INDEX, INDEX_SENT
from ...start.late_tuple import NamedTuple
from ..log_store import LogStore
from . import sent_mark

if TYPE_CHECKING:
    from ..database.place import Place
    from .staged_log import StagedLog


class Waiting(NamedTuple):
    """Runs and bytes of the log that the database does not have, and what is known of it."""

    runs: int
    size: int
    mark: sent_mark.SentMark


class HybridStore(LogStore):
    """See ``log_store.LogStore``; ``place`` is where the database has it."""

    def __init__(self, folder: str, place: Place) -> None:
        super().__init__(folder)
        self.database = place
        self.place = place

    def hybrid(self) -> HybridStore:  # type: ignore[override]
        """Itself."""
        return self

    def waiting(self) -> Waiting:
        """What the database does not have. Inside a transaction."""
        mark, size = sent_mark.read(self.folder), self._indexed.state.size
        if (mark.size, mark.head) == (size, self.head):
            return Waiting(0, 0, mark)
        known = mark if self.has(mark.size, mark.head) else sent_mark.SentMark()
        return Waiting(max(self._runs() - known.runs, 1), size - known.size, mark)

    def _runs(self) -> int:
        """How many its log has, counted as they were logged."""
        figures = self.store_figures()
        return figures.exports + figures.captures

    def has(self, size: int, head: str) -> bool:
        """Does its log begin with ``size`` bytes that come to this head? Inside a transaction."""
        from ..heads import head_at

        return size <= self.log.size() and head_at(self, size) == head

    def note_sent(self) -> None:
        """Inside a transaction for writing: the database has all of the log now, durably. Raises ``StoreNotWritable``.

        The index is kept as it is: where the log goes on otherwise from here, that begins with it.
        """
        mark = sent_mark.read(self.folder)
        if (mark.size, mark.head) != (self.log.size(), self.head) or not os.path.lexists(self._path(INDEX_SENT)):
            with contextlib.suppress(StoreNotWritable, OSError):  # it is made again from the log then
                self._keep_index()
        sent_mark.sent(self.folder, self.log.size(), self._runs(), self.head)

    def _keep_index(self) -> None:
        with atomic.open_regular(self._path(INDEX)) as file:
            atomic.replace(self._path(INDEX_SENT), file.read(), durable=False)

    def _path(self, name: str) -> str:
        return os.path.join(self.folder, name)

    def receive(self, staged: StagedLog) -> None:
        """Inside a transaction for writing: have this log in the place of its own. Raises ``StoreNotWritable``."""
        staged.take_the_place(self.log, self.blobs, self._indexed.files())
        self.reopen()
