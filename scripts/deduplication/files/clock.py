"""The time of day, in one spelling; times in whatever spelling a source or a person has."""

from __future__ import annotations

import contextlib
from datetime import datetime, timedelta, timezone
from typing import TYPE_CHECKING, Final

from ..start.late_pattern import late_pattern

if TYPE_CHECKING:
    from collections.abc import Iterator

_COMPACT: Final = "%Y%m%dT%H%M%SZ"
_EPOCH: Final = datetime(1970, 1, 1, tzinfo=timezone.utc)
_MICROSECOND: Final = timedelta(microseconds=1)
_STAMP: Final = late_pattern(
    r"(\d{4})-(\d\d)-(\d\d)(?:[Tt ](\d\d):(\d\d)(?::(\d\d)(?:[.,](\d{1,9}))?)?[ ]?(?:([Zz])|([+-])(\d\d):?(\d\d))?)?\Z"
)


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


def microseconds(stamp: str, *, local: bool = False, end: bool = False) -> int | None:
    """Microseconds since 1970 of a time in ISO 8601; None for what is none, in the years 1 to 9999.

    One that names no zone is UTC, with ``local`` on the clock of whoever runs this. A day without an hour is its beginning, with
    ``end`` that of the next one.
    """
    found = _STAMP.match(stamp) if stamp.isascii() else None
    if found is None:
        return None
    year, month, day, hour, minute, second, fraction, utc, sign, hours, minutes = found.groups()
    days = int(year), int(month), int(day)
    micro = int((fraction or "").ljust(6, "0")[:6])
    try:
        moment = datetime(*days, int(hour or 0), int(minute or 0), int(second or 0), micro)  # noqa: DTZ001 - no zone yet
        if end and hour is None:
            moment += timedelta(days=1)
        if sign:
            offset = timedelta(hours=int(hours), minutes=int(minutes))
            moment = moment.replace(tzinfo=timezone(-offset if sign == "-" else offset))
        elif utc or not local:
            moment = moment.replace(tzinfo=timezone.utc)
        return (moment.astimezone(timezone.utc) - _EPOCH) // _MICROSECOND
    except (ValueError, OverflowError, OSError):
        return None


def exactly(moment: int) -> str:
    """Microseconds since 1970 as ``2025-11-17T10:00:00.000000Z``: always as long, so that text sorts as time does."""
    return (_EPOCH + moment * _MICROSECOND).isoformat(timespec="microseconds").replace("+00:00", "Z")


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
