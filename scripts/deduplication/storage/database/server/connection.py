"""Connections to a database, with limits for everything that may hang, and what may be tried again."""

from __future__ import annotations

import contextlib
import time
from typing import TYPE_CHECKING, Any, Callable, Final, Optional, TypeVar

from ..errors import DatabaseError, DatabaseUnsuitable
from .driver import load, load_pool
from .failures import named

if TYPE_CHECKING:
    from collections.abc import Iterator

    from psycopg import Connection
    from psycopg_pool import ConnectionPool

    from .address import Address

OLDEST: Final = 140000
"""PostgreSQL 14: what the server's ``server_version_num`` must be at least."""
LIMITS: Final = {
    "statement_timeout": "5min",
    "lock_timeout": "1min",  # as long as a run waits for the lock of a store in a folder
    "idle_in_transaction_session_timeout": "10min",
    # A client that is gone without a word holds no lock for longer than a minute: Linux waits for the user timeout, others count.
    "tcp_keepalives_idle": "30",
    "tcp_keepalives_interval": "10",
    "tcp_keepalives_count": "3",
    "tcp_user_timeout": "30s",
    "client_connection_check_interval": "10s",
    # A table of which nobody has counted the rows yet would be read whole for some of them.
    "enable_seqscan": "off",
}
"""What a session sets where neither the server's settings, the database, the role nor the address does."""
_SET: Final = """
SELECT set_config('TimeZone', 'UTC', false), set_config('DateStyle', 'ISO, YMD', false), (
    SELECT count(set_config(s.name, asked.value, false))
    FROM pg_catalog.pg_settings AS s JOIN unnest(%s::text[], %s::text[]) AS asked (name, value) ON asked.name = s.name
    WHERE s.source = 'default'
)
"""
PATIENCE: Final = 10.0
"""Seconds for which something is tried again: a server restarts in less."""
_PAUSES: Final = (0.1, 2.0)
_CONNECTIONS: Final = (1, 10)

Result = TypeVar("Result")


def connect(address: Address, *, reading: bool = False) -> Connection[Any]:
    """A connection, to be closed by ``with``; it commits by itself outside of ``with connection.transaction()``.

    ``reading`` takes a server that takes no changes, where the address has several. Raises one of the errors of this room.
    """
    kind = load()
    with named(address, connecting=True):
        connection = kind.connect(**address.parameters(reading=reading), autocommit=True)  # type: ignore[arg-type]
    try:
        with named(address):
            prepare(connection, address)
    except BaseException:
        connection.close()
        raise
    return connection


def prepare(connection: Connection[Any], address: Address) -> None:
    """Set what a session needs. Raises :class:`DatabaseUnsuitable`."""
    info = connection.info
    if info.server_version < OLDEST:
        raise DatabaseUnsuitable(f"{address.shown()}: it is PostgreSQL {info.server_version // 10000}")
    encoding = info.parameter_status("server_encoding")
    if encoding != "UTF8":
        raise DatabaseUnsuitable(f"{address.shown()}: its encoding is {encoding}")
    connection.execute(_SET, (list(LIMITS), list(LIMITS.values())))


def is_transient(error: BaseException) -> bool:
    """Whether the same may well succeed in a moment: a server that restarts, one session that was ended, a deadlock."""
    return isinstance(error, DatabaseError) and error.transient


def retried(
    action: Callable[[], Result],
    *,
    patience: float = PATIENCE,
    said: Optional[Callable[[DatabaseError, float], None]] = None,
    wait: Callable[[float], None] = time.sleep,
    clock: Callable[[], float] = time.monotonic,
) -> Result:
    """What ``action`` returns, which is called again for ``patience`` seconds while it fails with what passes.

    It begins with a connection of its own each time, and must bear to be done twice: a commit whose answer was lost may have
    happened. ``said`` hears of each wait: the error, and the seconds that are left.
    """
    end = clock() + patience
    pause, longest = _PAUSES
    while True:
        try:
            return action()
        except DatabaseError as error:
            left = end - clock()
            if not error.transient or left <= 0:
                raise
            if said is not None:
                said(error, left)
            wait(min(pause, left))
            pause = min(2 * pause, longest)


def pool(
    address: Address, *, smallest: int = _CONNECTIONS[0], largest: int = _CONNECTIONS[1], reading: bool = False
) -> ConnectionPool[Connection[Any]]:
    """A pool of connections as :func:`connect` makes them, for whoever has several threads; to be closed by ``with``.

    The first one is made here, so that what is wrong has its name. Raises as :func:`connect`, ``PsycopgMissing``.
    """
    pools = load_pool()
    connect(address, reading=reading).close()
    made: ConnectionPool[Connection[Any]] = pools.ConnectionPool(
        kwargs={**address.parameters(reading=reading), "autocommit": True},
        configure=lambda connection: prepare(connection, address),
        min_size=smallest,
        max_size=largest,
        check=pools.ConnectionPool.check_connection,
        timeout=PATIENCE,
        open=True,
    )
    return made


@contextlib.contextmanager
def borrowed(
    connections: ConnectionPool[Connection[Any]], address: Address, *, reading: bool = False
) -> Iterator[Connection[Any]]:
    """A connection of a pool, given back afterwards. What psycopg raises meanwhile is raised by its name.

    A pool does not say why it had none to give: a connection of our own is made then, which says it.
    """
    with named(address):
        try:
            connection = connections.getconn()
        except load_pool().PoolTimeout:
            connect(address, reading=reading).close()
            raise
        try:
            yield connection
        finally:
            connections.putconn(connection)
