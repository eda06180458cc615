"""A connection for one transaction of the store after another: read from one snapshot, or written under the owner's lock."""

from __future__ import annotations

import contextlib
import weakref
from typing import TYPE_CHECKING, Any, Final

from . import connection as connecting
from . import failures, schema

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from psycopg import Connection

    from .place import Place

    Statement = tuple[str, Sequence[Any] | Mapping[str, Any]]

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
                if not connection.closed:  # else the lock went with it
                    connection.execute(f"SELECT pg_advisory_unlock({_LOCK})", [self.owner])

    # -- questions and changes -------------------------------------------------------------------------------------

    def rows(self, sql: str, parameters: Sequence[Any] | Mapping[str, Any] = ()) -> list[Any]:
        """All rows of an answer."""
        with self.connected().cursor(binary=True) as cursor:
            return cursor.execute(sql, parameters).fetchall()

    def stream(
        self, sql: str, parameters: Sequence[Any] | Mapping[str, Any] = (), *, at_once: int = 1000
    ) -> Iterator[Any]:
        """The rows of an answer of any length, so many at a time."""
        self._streams += 1
        name = f"export_dedup_{self._streams}"
        with self.connected().cursor(name, binary=True, withhold=self._writing) as cursor:
            cursor.itersize = at_once
            yield from cursor.execute(sql, parameters)

    def change(self, condition: Statement, statements: Sequence[Statement]) -> bool:
        """All of these or none, durable when it returns; False, and none of them, where the first one returns no row."""
        connection = self.connected()
        with connection.transaction():
            if connection.execute(*condition).fetchone() is None:
                return False
            with connection.pipeline():
                for sql, parameters in statements:
                    connection.execute(sql, parameters)
        return True
