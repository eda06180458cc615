"""The time of day, in one spelling."""

from __future__ import annotations

from datetime import datetime, timezone


def timestamp() -> str:
    """Now, in UTC, to the millisecond: ``2025-11-17T10:00:00.123Z``. For people; order never depends on it."""
    return datetime.now(timezone.utc).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def local(moment: str) -> str:
    """A time of the log on the user's own clock: ``2026-03-04 14:03``; as it is where it has another form."""
    try:
        return datetime.fromisoformat(moment.replace("Z", "+00:00")).astimezone().strftime("%Y-%m-%d %H:%M")
    except ValueError:
        return moment
