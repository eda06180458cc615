"""The time of day, in one spelling."""

from __future__ import annotations

import contextlib
from datetime import datetime, timezone
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Iterator

_COMPACT: Final = "%Y%m%dT%H%M%SZ"


_stands: str = ""
"""The moment that it is, where something is done once more."""


def timestamp() -> str:
    """Now, in UTC, to the millisecond: ``2025-11-17T10:00:00.123Z``. For people; order never depends on it."""
    return _stands or _spelt(datetime.now(timezone.utc))


@contextlib.contextmanager
def stands_at(moment: str) -> Iterator[None]:
    """It is ``moment``, as :func:`timestamp` spelt it, for what is done once more."""
    global _stands  # noqa: PLW0603 - a process does one thing at a time
    before, _stands = _stands, moment
    try:
        yield
    finally:
        _stands = before


def spelt(moment: float) -> str:
    """The same for a moment in seconds since 1970."""
    return _spelt(datetime.fromtimestamp(moment, timezone.utc))


def _spelt(moment: datetime) -> str:
    return moment.isoformat(timespec="milliseconds").replace("+00:00", "Z")


def nanoseconds(spelt: str) -> int:
    """Nanoseconds since 1970 of such a text; 0 where it is none."""
    try:
        return int(datetime.fromisoformat(spelt.replace("Z", "+00:00")).timestamp() * 1000) * 1_000_000
    except ValueError:
        return 0


def compact(moment: float) -> str:
    """A moment in seconds since 1970, in UTC, for the name of a file: ``20251117T100000Z``."""
    return datetime.fromtimestamp(moment, timezone.utc).strftime(_COMPACT)


def seconds(compact: str) -> float:
    """Seconds since 1970 of such a name; for ever in the future where it is none."""
    try:
        return datetime.strptime(compact, _COMPACT).replace(tzinfo=timezone.utc).timestamp()
    except ValueError:
        return float("inf")


def local(moment: str) -> str:
    """A time of the log on the user's own clock: ``2026-03-04 14:03``; as it is where it has another form."""
    try:
        return datetime.fromisoformat(moment.replace("Z", "+00:00")).astimezone().strftime("%Y-%m-%d %H:%M")
    except ValueError:
        return moment
