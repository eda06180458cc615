"""A connection for one transaction of the store after another: read from one snapshot, or written under the owner's lock."""

from __future__ import annotations

import contextlib
import weakref
from typing import TYPE_CHECKING, Any, Final

from . import connection as connecting
from . import failures, schema
from .new_rows import NewRows, insert

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
    from concurrent.futures import Future

    from psycopg import Connection

    from .place import Place

    Statement = tuple[str, Sequence[Any] | Mapping[str, Any]]
    Change = Statement | NewRows

_BY_INDEX: Final = "SET enable_seqscan = off"
"""While nobody has counted the rows of a table, it would be read whole for some of them."""
_AHEAD: Final = 1
"""Changes that may be on their way to the server when further ones are sent."""
_LOCK: Final = "hashtextextended(current_schema() || '.' || %s || '.export-dedup', 0)"
"""The number of the lock that one writer of an owner's store holds at a time."""


class Session:
    """The database at ``place``, asked for what belongs to its owner. It stays connected until the object goes."""

    def __init__(self, place: Place) -> None:
        self.address = place.address()
        self.owner = place.owner
        self._schema = place.schema
        self._connection: Connection[Any] | None = None
        self._writing = False
        self._streams = 0
        self._sent: list[Future[None]] = []

    def __str__(self) -> str:
        return self.address.shown()

    # -- being connected -----------------------------------------------------------------------------------------

    def connected(self) -> Connection[Any]:
        """The connection, opened where there is none, or where the last one broke. Raises ``DatabaseError``."""
        if self._connection is None or self._connection.closed:
            self._connection = connecting.connect(self.address)
            weakref.finalize(self, self._connection.close)
            if self._schema:
                self._connection.execute("SELECT set_config('search_path', quote_ident(%s), false)", [self._schema])
            self._connection.execute(_BY_INDEX)
            if not self.owner:
                ((self.owner,),) = self.rows("SELECT current_user")
        return self._connection

    def close(self) -> None:
        """End the connection."""
        if self._connection is not None:
            self._connection.close()

    # -- transactions of the store ---------------------------------------------------------------------------------

    @contextlib.contextmanager
    def reading(self) -> Iterator[bool]:
        """One snapshot of the database; False where no store was ever made in it."""
        with failures.named(self.address):
            connection = self.connected()
            if not schema.version(connection):
                yield False
                return
            with connection.transaction():
                connection.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ READ ONLY")
                yield True

    @contextlib.contextmanager
    def writing(self) -> Iterator[None]:
        """The owner's store for one writer, with the tables that this version needs. Raises ``StoreLocked``, ``DatabaseError``."""
        with failures.named(self.address):
            connection = self.connected()
            schema.bring_up(connection)
            connection.execute(f"SELECT pg_advisory_lock({_LOCK})", [self.owner])
            self._writing = True
            try:
                yield
            finally:
                self._writing = False
                if not self.connected().closed:
                    self.connected().execute(f"SELECT pg_advisory_unlock({_LOCK})", [self.owner])

    # -- questions and changes -------------------------------------------------------------------------------------

    def rows(self, sql: str, parameters: Sequence[Any] | Mapping[str, Any] = ()) -> list[Any]:
        """All rows of an answer."""
        self._wait_for_sent()
        with self.connected().cursor(binary=True) as cursor:
            return cursor.execute(sql, parameters).fetchall()

    def stream(
        self, sql: str, parameters: Sequence[Any] | Mapping[str, Any] = (), *, at_once: int = 1000
    ) -> Iterator[Any]:
        """The rows of an answer of any length, so many at a time."""
        self._wait_for_sent()
        self._streams += 1
        name = f"export_dedup_{self._streams}"
        with self.connected().cursor(name, binary=True, withhold=self._writing) as cursor:
            cursor.itersize = at_once
            yield from cursor.execute(sql, parameters)

    def change(self, condition: Statement, changes: Iterable[Change]) -> bool:
        """All of these or none, durable when it returns; False, and none of them, where the first one returns no row."""
        connection = self.connected()
        with connection.transaction():
            if connection.execute(*condition).fetchone() is None:
                return False
            made = list(changes)
            many = any(isinstance(each, NewRows) and each.are_many for each in made)
            with contextlib.nullcontext() if many else connection.pipeline():
                self._make(made)
        return True

    def _make(self, changes: Iterable[Change]) -> None:
        connection = self.connected()
        for each in changes:
            if isinstance(each, NewRows):
                insert(connection, each)
            else:
                connection.execute(*each)

    @contextlib.contextmanager
    def sending(self) -> Iterator[Callable[[Iterable[Change]], None]]:
        """One transaction: changes that are sent while whoever makes them goes on with the next ones; all of them or none."""
        from concurrent.futures import ThreadPoolExecutor

        def send(changes: Iterable[Change]) -> None:
            self._wait_for_sent(_AHEAD)
            self._sent.append(worker.submit(self._make, list(changes)))

        with self.connected().transaction(), ThreadPoolExecutor(1) as worker:
            try:
                yield send
            finally:
                self._wait_for_sent()

    def _wait_for_sent(self, most: int = 0) -> None:
        """Until no more than so many changes are on their way; raises what the first one raised that failed."""
        while len(self._sent) > most:
            try:
                self._sent.pop(0).result()
            except BaseException:
                self._sent.clear()
                raise
