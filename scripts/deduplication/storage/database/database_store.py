"""The store in PostgreSQL: one log an owner, and all that follows from it, written in one transaction a run."""

from __future__ import annotations

import contextlib
from typing import TYPE_CHECKING, Final

from ..log_answers import LogAnswers
from ..log_backed import LogMoment
from ..run_writer import write_run
from . import audit_rows
from .errors import DatabaseNotAllowed, StoreChanged
from .session import Session
from .written import Written

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Sequence

    from ..audit_entries import AuditEntry
    from ..contract import ExportRecord, NewOccurrence, Same
    from ..log_backed import FolderStore, LogBackedStore
    from ..state.blobs import Blobs
    from ..verification import Verified
    from .place import Place

_MAY_PURGE: Final = "SELECT has_table_privilege('messages', 'DELETE')"
_PURGE_ROLE: Final = "Have dedup_purge_role granted to this user, then purge again."


class DatabaseStore(LogAnswers):
    """The store at ``place`` (see ``contract.Store`` for what each method promises)."""

    def __init__(self, place: Place) -> None:
        self.place: Place | None = place
        self.database = Session(place)
        self._stored = Written(self.database)
        super().__init__(self._stored)
        self.blobs: Blobs = self._stored.blobs
        self.warnings = self.database.warnings
        self._depth = 0

    def where(self) -> str:
        """The address."""
        return str(self.database)

    def log_backed(self) -> LogBackedStore | None:
        """Itself."""
        return self

    def in_folder(self) -> FolderStore | None:
        """It lies in none."""
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
        with self.database.writing() if write else self.database.reading() as is_there:
            if write or is_there:
                self._stored.recover()
            else:
                self._stored.be_empty()
            self._depth = 1
            try:
                yield
            finally:
                self._depth = 0

    def close(self) -> None:
        """End the connection; the next transaction makes another one."""
        self.database.close()

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
            before = self._stored.end
            write_run(self._stored, conversation_id, occurrences, record, started, same)
            self._stored.send(before)
            stack.pop_all()

    def byte_counts(self) -> tuple[int, int]:
        """Bytes of all distinct exports processed, and those of the log and its blobs."""
        state = self._stored.state
        return self.seen_bytes().distinct, state.size + sum(state.blobs.values())

    def load(self, lines: Iterable[bytes], blob: Callable[[str], bytes] | None = None) -> Iterator[int]:
        """Inside a transaction for writing: take lines of another log as they are, behind those that are there.

        ``blob`` gives the bytes of an image or a document by its hash. Yields the size of the log each time some of them are
        durable. Raises ``Damaged``.
        """
        from .loading import load

        with contextlib.ExitStack() as stack:
            stack.callback(self._stored.forget)
            yield from load(self._stored, lines, blob)
            stack.pop_all()

    def replace(self, head: str, lines: Iterable[bytes], blob: Callable[[str], bytes] | None = None) -> None:
        """Inside a transaction for writing: have these lines, of whole runs, in the place of the log whose head is ``head``.

        All of it or nothing, in one transaction of the database; images and documents that no line refers to go, what the audit
        says besides stays. It takes the role that may purge. ``blob`` as in :meth:`load`. Raises ``StoreChanged``,
        ``DatabaseNotAllowed``, ``Damaged``.
        """
        from .loading import replace

        if self.head != head:
            raise StoreChanged(str(self))
        with contextlib.ExitStack() as stack:
            stack.callback(self._stored.forget)
            replace(self._stored, lines, blob)
            stack.pop_all()

    def require_purge(self) -> None:
        """Raise ``DatabaseNotAllowed`` where this user may not :meth:`replace`."""
        with self.database.reading():
            if not self.database.rows(_MAY_PURGE)[0][0]:
                raise DatabaseNotAllowed("nothing may be removed", hint=_PURGE_ROLE)

    # -- the log, for who asks for one (see log_backed) ------------------------------------------------------------

    def audit(self) -> Iterator[AuditEntry]:
        """The rows of the audit, those that follow from the log."""
        return audit_rows.of_runs(self.database)

    def operations(self) -> Iterator[AuditEntry]:
        """The other rows."""
        return audit_rows.besides(self.database)

    def note(self, entry: AuditEntry) -> None:
        """One row more."""
        with self.database.reading() as is_there:
            pass
        if is_there:
            audit_rows.add(self.database, entry)

    @contextlib.contextmanager
    def at_one_moment(self) -> Iterator[LogMoment]:
        """The log in one snapshot of the database."""
        with self.transaction(write=False):
            yield LogMoment(self._stored.log, self.blobs, self.log_size(), self.head)

    # -- upkeep ------------------------------------------------------------------------------------------------------

    def settle(self) -> None:
        """Nothing waits for the archive."""

    def condense(self) -> None:
        """PostgreSQL looks after its tables by itself."""

    def verify(self) -> list[str]:
        """Recount everything from the lines of the log; call it outside a transaction."""
        return self.verified().problems

    def verified(self, since: str = "") -> Verified:
        """The same, and the log as a chain; others go on meanwhile: it looks at one snapshot."""
        from .checks import checking

        with self.database.reading() as is_there:
            return checking.check(self.database, since, is_there=is_there)

    def rebuild(self) -> list[str]:
        """Make all that follows from the lines of the log anew, where it is not what they say."""
        from .checks.rebuilding import rebuild

        with self.database.writing(), contextlib.ExitStack() as stack:
            stack.callback(self._stored.forget)
            return rebuild(self._stored)
