"""What a database says of itself: its connections, its size, and how fast it answers."""

from __future__ import annotations

import contextlib
import time
from typing import TYPE_CHECKING, Any, Final

from ..errors import DedupError
from ..storage.database.server.failures import named
from ..storage.database.server.link import Link
from .distribution import distribution
from .store_metrics import DatabaseHealth

if TYPE_CHECKING:
    from psycopg import Connection

    from ..storage.database.place import Place

ASKED: Final = 20
"""How often the small question is asked."""
_QUESTION: Final = "SELECT log_size, log_head FROM stores WHERE owner = current_user"
_ANY: Final = "SELECT 1"
_HAS_TABLES: Final = "SELECT to_regclass('stores') IS NOT NULL"
_CONNECTIONS: Final = """
SELECT coalesce(state, 'other'), count(*)::integer FROM pg_catalog.pg_stat_activity
WHERE datname = current_database() AND backend_type = 'client backend' GROUP BY 1 ORDER BY 1
"""
_SERVER: Final = "SELECT current_setting('max_connections')::integer, pg_database_size(current_database())"


def health_of(place: Place) -> DatabaseHealth:
    """Of the database at a place, over a connection of its own: nobody waits for a pool to be asked."""
    began = time.perf_counter()
    try:
        link = Link(place)
        with contextlib.closing(link), named(link.address):
            return _asked(link.connected(), 1000 * (time.perf_counter() - began))
    except DedupError as error:
        return DatabaseHealth(reachable=False, connections={}, error=type(error).__name__)


def _asked(connection: Connection[Any], connecting_ms: float) -> DatabaseHealth:
    has_tables = connection.execute(_HAS_TABLES).fetchone() == (True,)
    question = _QUESTION if has_tables else _ANY
    times = []
    for _ in range(ASKED):
        began = time.perf_counter()
        connection.execute(question).fetchall()
        times.append(1000 * (time.perf_counter() - began))
    connections = dict(connection.execute(_CONNECTIONS).fetchall())
    most, size = connection.execute(_SERVER).fetchall()[0]
    return DatabaseHealth(
        reachable=True,
        connections=connections,
        most_connections=most,
        size_bytes=size,
        connecting_ms=connecting_ms,
        queries=distribution(times),
    )
