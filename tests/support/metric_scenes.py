"""Figures that tests of several rooms show: how a database is, and a pool of connections to it."""

from __future__ import annotations

from deduplication.metrics.distribution import distribution
from deduplication.metrics.store_metrics import DatabaseHealth

HEALTH = DatabaseHealth(
    reachable=True,
    connections={"active": 1, "idle in transaction": 2},
    most_connections=100,
    size_bytes=8_000_000,
    connecting_ms=12.5,
    queries=distribution([0.1, 0.2, 3.0]),
)
POOL = {"lent": 1, "idle": 3}
