"""The time of day, in one spelling."""

from __future__ import annotations

from datetime import datetime, timezone


def timestamp() -> str:
    """Now, in UTC, to the millisecond: ``2025-11-17T10:00:00.123Z``. For people; order never depends on it."""
    return datetime.now(timezone.utc).isoformat(timespec="milliseconds").replace("+00:00", "Z")
