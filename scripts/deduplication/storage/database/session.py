"""A connection for one transaction of the store after another: read from one snapshot, or written under the owner's lock.

A connection that is lost inside of one is made anew, and the transaction goes on where nothing was stored meanwhile, which the head
of the log says. It also says whether a change was made of which the answer was lost.
"""

from __future__ import annotations

import contextlib
from typing import TYPE_CHECKING, Any, Final, Optional

from ...errors import StoreLocked
from ...start.late_tuple import NamedTuple
from ..log.lines import BEGINNING
from . import schema
from .errors import DatabaseError, StoreChanged
from .new_rows import NewRows, insert
from .server import failures
from .server.link import Link

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
    from typing import TypeVar

    from psycopg import Connection, ServerCursor

    from .place import Place

    Result = TypeVar("Result")
    Parameters = Sequence[Any] | Mapping[str, Any]
    Statement = tuple[str, Parameters]
    Change = Statement | NewRows

_LOCK: Final = "hashtextextended(current_schema() || '.' || %s || '.export-dedup', 0)"
"""The number of the lock that one writer of an owner's store holds at a time."""
_STORE: Final = "SELECT log_size, log_head, about FROM stores WHERE owner = %s"


class End(NamedTuple):
    """Where a log ends: its size in bytes, and its head."""

    size: int
    head: str


NOTHING: Final = End(0, BEGINNING)


class Session:
    """The database at ``place``, asked for what belongs to its owner. It stays connected until the object goes.

    ``warnings`` say where it had to wait for a connection.
    """

    def __init__(self, place: Place) -> None:
        self._link = Link(place)
        self._owner = place.owner
        self.warnings = self._link.warnings
        self._is_writing = False
        self._found: Optional[End] = None
        """Where the log ended when it was asked last in this transaction."""
        self._made: Optional[End] = None
        """Where it ends if a change was made whose answer did not come."""
        self._streams = 0
        self.before_question: Callable[[], None] | None = None
        """Waits for what is on its way to the server, where something is."""

    def __str__(self) -> str:
        return str(self._link)

    @property
    def owner(self) -> str:
        """To whom the store belongs. Raises ``DatabaseError`` where nobody can say: one must be connected for that."""
        if not self._owner:
            self._link.again(lambda _connection: None)
            self._owner = self._link.user
        return self._owner

    def connected(self) -> Connection[Any]:
        """The connection, in the transaction that is under way. Raises ``DatabaseError``."""
        return self._link.connected()

    def close(self) -> None:
        """End the connection."""
        self._link.close()

    # -- transactions of the store ---------------------------------------------------------------------------------

    @contextlib.contextmanager
    def reading(self) -> Iterator[bool]:
        """One snapshot of the database; False where no store was ever made in it. Raises ``DatabaseError``."""
        if not self._link.again(self._has_tables):
            yield False
            return
        with self._within(write=False):
            yield True

    @contextlib.contextmanager
    def writing(self) -> Iterator[None]:
        """The owner's store for one writer, with the tables that this version needs. Raises ``StoreLocked``, ``DatabaseError``."""
        self._link.again(self._bring_up)
        with self._within(write=True):
            yield

    @contextlib.contextmanager
    def _within(self, *, write: bool) -> Iterator[None]:
        link = self._link
        link.is_in, self._is_writing, self._found = False, write, None
        link.enter = self._lock if write else self._look
        try:
            link.again(lambda _connection: None)
            yield
        finally:
            link.enter = None
            self._leave()
            self._is_writing = False

    def _has_tables(self, connection: Connection[Any]) -> bool:
        """Those of an earlier version are brought up, as a store in a folder is."""
        if not self._link.is_up and schema.version(connection):
            self._bring_up(connection)
        return self._link.is_up

    def _bring_up(self, connection: Connection[Any]) -> None:
        if not self._link.is_up:
            schema.bring_up(connection)
            self._link.is_up = True

    def _look(self, connection: Connection[Any]) -> None:
        """Begin to read on this connection."""
        connection.execute("BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY")
        self._go_on(connection)

    def _lock(self, connection: Connection[Any]) -> None:
        """Begin to write on this connection."""
        from psycopg import errors

        try:
            connection.execute(f"SELECT pg_advisory_lock({_LOCK})", [self._owner or self._link.user])
        except errors.LockNotAvailable as error:
            raise StoreLocked(str(self)) from error
        self._go_on(connection)

    def _go_on(self, connection: Connection[Any]) -> None:
        """Where this connection takes the place of another one: the store must be as it was."""
        if self._found is not None:
            found = connection.execute(_STORE, [self.owner]).fetchone()
            is_there = End(*found[:2]) if found else NOTHING
            if is_there not in (self._found, self._made):
                raise StoreChanged(str(self))
            self._found = is_there

    def _leave(self) -> None:
        """End it; a connection that broke has ended it by itself."""
        link = self._link
        connection = link.alive() if link.is_in else None
        link.is_in = False
        if connection is None:
            return
        try:
            with failures.named(self._link.address):
                if self._is_writing:
                    connection.execute(f"SELECT pg_advisory_unlock({_LOCK})", [self.owner])
                else:
                    connection.execute("ROLLBACK")
        except DatabaseError:
            link.close()

    def outside(self, action: Callable[[Connection[Any]], Result]) -> Result:
        """What ``action`` does with a connection outside of every transaction. Raises ``DatabaseError``."""
        with failures.named(self._link.address):
            return action(self.connected())

    def bring_up(self) -> None:
        """Have the tables that this version needs. Raises ``DatabaseError``."""
        self._link.again(self._bring_up)

    def repeated(self, action: Callable[[Connection[Any]], Result]) -> Result:
        """The same as :meth:`outside`, once more where the connection is lost: for what may be done twice."""
        return self._link.again(action)

    # -- questions and changes -------------------------------------------------------------------------------------

    def store(self) -> tuple[End, str]:
        """Where the owner's log ends, and the sums of the store, which are empty where it was never written."""
        found = self.rows(_STORE, [self.owner])
        self._found = End(*found[0][:2]) if found else NOTHING
        return self._found, found[0][2] if found else ""

    def rows(self, sql: str, parameters: Parameters = ()) -> list[Any]:
        """All rows of an answer."""
        if self.before_question is not None:
            self.before_question()

        def asked(connection: Connection[Any]) -> list[Any]:
            with connection.cursor(binary=True) as cursor:
                return cursor.execute(sql, parameters).fetchall()

        return self._link.again(asked)

    def stream(self, sql: str, parameters: Parameters = (), *, at_once: int = 1000) -> Iterator[Any]:
        """The rows of an answer of any length, so many at a time; they have an order."""
        if self.before_question is not None:
            self.before_question()
        self._streams += 1
        name = f"export_dedup_{self._streams}"
        opened: ServerCursor[Any] | None = None
        told = 0

        def more(connection: Connection[Any]) -> list[Any]:
            nonlocal opened
            if opened is None or opened.connection is not connection:
                if opened is not None:
                    opened.close()
                opened = connection.cursor(name, binary=True, withhold=self._is_writing)
                opened.execute(sql, parameters)
                if told:
                    opened.scroll(told)
            return opened.fetchmany(at_once)

        try:
            while True:
                rows = self._link.again(more)
                told += len(rows)
                yield from rows
                if len(rows) < at_once:
                    return
        finally:
            if opened is not None:
                with failures.named(self._link.address):
                    opened.close()

    def change(self, found: End, made: End, condition: Statement, changes: Sequence[Change]) -> bool:
        """All of these or none, durable when it returns; False, and none of them, where the first one returns no row.

        The log ended at ``found`` and ends at ``made`` then: so a change whose answer was lost is not made twice.
        """
        self._found, self._made = found, made
        many = any(isinstance(each, NewRows) and each.are_many for each in changes)

        def change(connection: Connection[Any]) -> bool:
            if self._found == made:
                return True
            with connection.transaction():
                if connection.execute(*condition).fetchone() is None:
                    return False
                with contextlib.nullcontext() if many else connection.pipeline():
                    make(connection, changes)
            return True

        try:
            done = self._link.again(change)
        finally:
            self._made = None
        if done:
            self._found = made
        return done

    def ends_at(self, end: End) -> None:
        """What was changed in :meth:`whole` is durable: the log ends there."""
        self._found = end

    @contextlib.contextmanager
    def whole(self) -> Iterator[Connection[Any]]:
        """Inside a transaction for writing: all that is changed in here is durable at its end, or none of it is."""
        link = self._link
        with failures.named(link.address), self.connected().transaction():
            before, link.must_stay = link.must_stay, True
            try:
                yield self.connected()
            finally:
                link.must_stay = before


def make(connection: Connection[Any], changes: Iterable[Change]) -> None:
    """Make changes, one after another."""
    for each in changes:
        if isinstance(each, NewRows):
            insert(connection, each)
        else:
            connection.execute(*each)
