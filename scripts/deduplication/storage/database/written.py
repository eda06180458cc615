"""The store of a session as it is known, and what is to be written to it."""

from __future__ import annotations

import json
from functools import partial
from typing import TYPE_CHECKING

from ..index.root import take_about
from ..state.log_state import State
from . import changes
from .database_blobs import DatabaseBlobs
from .database_log import DatabaseLog
from .errors import StoreChanged, readable
from .message_rows import MessageRows
from .session import End
from .stored_tables import StoredTables

if TYPE_CHECKING:
    from .session import Session


class Written:
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
        self.tables = StoredTables(self.session, self.blobs)
        self.state = self.tables.state = State(self.tables)

    def be_empty(self) -> None:
        """There are no tables that could be asked."""
        self.state = State()
        self.log.sent(0)
        self.blobs.unsent.clear()
        self.unsaved.clear()

    def recover(self) -> None:
        """Know the store as it is now."""
        (size, head), about = self.session.store()
        if (size, head) == (self.state.size, self.state.head) and self.state is self.tables.state:
            return
        self.forget()
        self.log.sent(size)
        if about:
            with readable(str(self.session), "stores"):
                take_about(self.state, json.loads(about))
            self.tables.begin(self.state.begun)

    def let_go(self) -> None:
        """Keep nothing in memory that the database has."""
        self.state.let_go()

    @property
    def end(self) -> End:
        """Where the log ends, with what is not sent yet."""
        return End(self.state.size, self.state.head)

    def send(self, before: End) -> None:
        """Write what is not in the database yet, all of it or nothing. ``before``: where the log ended."""
        rows = MessageRows(partial(changes.bodies_of, self.session))
        told = list(changes.told_from(self.log.unsent, before.size))
        rows.expect(told)
        blobs = {digest: self.blobs.unsent[digest] for digest in self.blobs.missing(self.blobs.unsent)}
        new = changes.Lines(told, self.unsaved, blobs)
        changed = [*changes.of_lines(self.state, self.tables, new, rows), *changes.of_state(self.state, self.tables)]
        if not self.session.change(before, self.end, (changes.STORE, self.sums(before)), changed):
            raise StoreChanged(str(self.session))
        self.sent()

    def sums(self, before: End) -> dict[str, object]:
        """The parameters of ``changes.STORE``."""
        state = self.state
        about = changes.about(state)
        return {
            "size": state.size,
            "head": state.head,
            "about": about,
            "old_size": before.size,
            "old_head": before.head,
        }

    def sent(self) -> None:
        """The database has everything."""
        self.log.sent(self.state.size)
        self.blobs.unsent.clear()
        self.unsaved.clear()
        self.tables.saved()
        self.state.saved()
