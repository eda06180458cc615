"""The store in PostgreSQL: one log an owner, and all that follows from it, written in one transaction a run."""

from __future__ import annotations

import contextlib
import json
from typing import TYPE_CHECKING

from ...database_errors import StoreChanged
from ..answers import Answers
from ..index.root import take_about
from ..log.lines import BEGINNING
from ..run_writer import write_run
from ..state.log_state import State
from . import changes
from .database_blobs import DatabaseBlobs
from .database_log import DatabaseLog
from .session import Session
from .stored_tables import StoredTables

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from ..contract import ExportRecord, NewOccurrence, Same
    from ..log_backed import LogBackedStore
    from .address import Address

_STORE = "SELECT log_size, log_head, about FROM stores WHERE owner = %s"


class _Known:
    """What the answers rest on (see ``known.Known``), and what a run is written to."""

    def __init__(self, session: Session) -> None:
        self.session = session
        self.log, self.blobs = DatabaseLog(session), DatabaseBlobs(session)
        self.unsaved: list[bytes] = []
        """Lines of the audit log that the database does not have."""
        self.tables: StoredTables
        self.state: State
        self.forget()

    def forget(self) -> None:
        """Nothing is known, and nothing is to be written."""
        self.be_empty()
        self.tables = StoredTables(self.session)
        self.state = self.tables.state = State(self.tables)

    def be_empty(self) -> None:
        """There are no tables that could be asked."""
        self.state = State()
        self.log.sent(0)
        self.blobs.unsent.clear()
        self.unsaved.clear()

    def recover(self) -> None:
        """Know the store as it is now."""
        found = self.session.rows(_STORE, [self.session.owner])
        size, head, about = found[0] if found else (0, BEGINNING, "")
        if (size, head) == (self.state.size, self.state.head) and self.state is self.tables.state:
            return
        self.forget()
        self.log.sent(size)
        if about:
            take_about(self.state, json.loads(about))

    def send(self, conversation_id: str, before: tuple[int, str]) -> None:
        """Write what is not in the database yet, all of it or nothing. ``before``: how the store was found."""
        size, head = before
        state, log = self.state, self.log
        store = {"size": state.size, "head": state.head, "about": changes.about(state), "old_size": size, "old_head": head}
        statements = [
            *changes.of_runs(self.session, state, self.tables, log.unsent, size, self.unsaved),
            *changes.of_blobs(conversation_id, self.blobs.unsent),
        ]
        if not self.session.change((changes.STORE, store), statements):
            raise StoreChanged(str(self.session))
        log.sent(state.size)
        self.blobs.unsent.clear()
        self.unsaved.clear()
        self.tables.saved()
        state.saved()


class DatabaseStore(Answers):
    """The store of ``owner`` in the database at ``address`` (see ``contract.Store`` for what each method promises)."""

    def __init__(self, address: Address, owner: str = "") -> None:
        self._session = Session(address, owner)
        self._stored = _Known(self._session)
        super().__init__(self._stored)
        self.warnings: list[str] = []
        self._depth = 0

    def log_backed(self) -> LogBackedStore | None:
        """It does not lie in a folder."""
        return None

    @contextlib.contextmanager
    def transaction(self, *, write: bool = True) -> Iterator[None]:
        """Hold the owner's lock, or look at one snapshot. With ``write=False`` nothing is created."""
        if self._depth:
            self._depth += 1
            try:
                yield
            finally:
                self._depth -= 1
            return
        with self._session.writing() if write else self._session.reading() as is_there:
            if write or is_there:
                self._stored.recover()
            else:
                self._stored.be_empty()
            self._depth = 1
            try:
                yield
            finally:
                self._depth = 0

    def commit(
        self,
        conversation_id: str,
        occurrences: Sequence[tuple[int, NewOccurrence]],
        record: ExportRecord,
        started: float,
        same: Sequence[Same] = (),
    ) -> None:
        """Store the run in one transaction of the database."""
        with contextlib.ExitStack() as stack:
            stack.callback(self._stored.forget)  # what was counted of a run that is not stored
            before = self._stored.state.size, self._stored.state.head
            write_run(self._stored, conversation_id, occurrences, record, started, same)
            self._stored.send(conversation_id, before)
            stack.pop_all()

    def byte_counts(self) -> tuple[int, int]:
        """Bytes of all distinct exports processed, and those of the log and its blobs."""
        state = self._stored.state
        return self.seen_bytes().distinct, state.size + sum(state.blobs.values())

    def settle(self) -> None:
        """Nothing waits for the archive."""

    def condense(self) -> None:
        """PostgreSQL looks after its tables by itself."""

    def verify(self) -> list[str]:
        """Not yet."""
        return []

    def rebuild(self) -> list[str]:
        """Not yet."""
        return []
