"""A connection that is made anew where it is lost, and brought to where the lost one was."""

from __future__ import annotations

import os
import time
import weakref
from typing import TYPE_CHECKING, Any, Final, Optional, TypeVar

from ..errors import DatabaseConnectionLost, DatabaseError
from . import connection as connecting
from .failures import named

if TYPE_CHECKING:
    from collections.abc import Callable

    from psycopg import Connection

    from ..place import Place

Result = TypeVar("Result")

_WHO: Final = (
    "SELECT current_user::text, pid, backend_start::text FROM pg_catalog.pg_stat_activity WHERE pid = pg_backend_pid()"
)
_END: Final = """
SELECT pg_terminate_backend(pid) FROM pg_catalog.pg_stat_activity WHERE pid = %s AND backend_start = %s::timestamptz
"""


class Link:
    """The connection of this process to the database at ``place``. ``warnings`` say where one was waited for."""

    def __init__(self, place: Place) -> None:
        self.address = place.address()
        self._schema = place.schema
        self.warnings: list[str] = []
        self.user = ""
        """Who is connected."""
        self.is_up = False
        """Whether the tables are known to be those of this version: of this connection."""
        self.enter: Optional[Callable[[Connection[Any]], None]] = None
        """Brings a connection to where the one before it was: into the transaction that is under way."""
        self.is_in = False
        """Whether the connection is there."""
        self.must_stay = False
        """Whether it must be this connection: it has changes that are not durable yet."""
        self._connection: Optional[Connection[Any]] = None
        self._process = 0
        self._server_process: tuple[Any, ...] = ()
        """The process of the server that was spoken to last."""

    def __str__(self) -> str:
        return self.address.shown()

    def connected(self) -> Connection[Any]:
        """The connection, in the transaction that is under way; another one where there is none, or the last one broke.

        Raises ``DatabaseError``.
        """
        if self._process != os.getpid():  # forked off: connection and transaction are its parent's
            self._connection, self._server_process, self.enter = None, (), None
        found = self._connection
        if found is None or found.closed:
            if self.must_stay:
                raise DatabaseConnectionLost(str(self))
            found = self._connect()
        if self.enter is not None and not self.is_in:
            self.enter(found)
            self.is_in = True
        return found

    def _connect(self) -> Connection[Any]:
        self.is_in = self.is_up = False
        made = connecting.connect(self.address)
        self._connection, self._process = made, os.getpid()
        weakref.finalize(self, _close, made, self._process)
        former = self._server_process
        if self._schema:
            made.execute("SELECT set_config('search_path', quote_ident(%s), false)", [self._schema])
        who: Any = made.execute(_WHO).fetchone()
        self.user, self._server_process = who[0], who[1:]
        if former:
            # Where only the line was cut, that process still holds a lock, and may be about to make a change.
            made.execute(_END, former)
        return made

    def again(self, action: Callable[[Connection[Any]], Result]) -> Result:
        """What ``action`` does with the connection; once more with another one where that is lost, for some seconds.

        Raises ``DatabaseError``.
        """
        lost: list[DatabaseError] = []
        began = time.monotonic()

        def attempt() -> Result:
            try:
                with named(self.address):
                    return action(self.connected())
            except DatabaseError as error:
                if error.transient:
                    self.close()
                raise

        if self.must_stay:
            return attempt()
        found = connecting.retried(attempt, said=lambda error, _left: lost.append(error))
        if lost:
            self.warnings.append(f"{lost[0]}: connected again after {time.monotonic() - began:.1f} s")
        return found

    def alive(self) -> Optional[Connection[Any]]:
        """The connection, where there is one of this process that did not break."""
        found = self._connection
        return None if found is None or found.closed or self._process != os.getpid() else found

    def close(self) -> None:
        """End the connection."""
        found, self._connection, self.is_in = self._connection, None, False
        if found is not None:
            _close(found, self._process)


def _close(connection: Connection[Any], process: int) -> None:
    """End a connection, in the process that made it: one that was forked off has it, too, and must leave it alone."""
    if process == os.getpid():
        connection.close()
