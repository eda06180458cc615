"""When only what is critical is sent: a span of the day on the user's own clock."""

from __future__ import annotations

import time
from typing import Final

from ..project.config import QUIET_HOURS

_MINUTE: Final = 60
_DAY: Final = 24 * 60


def ends(hours: str, moment: float) -> float:
    """The end (seconds since 1970) of the quiet hours that ``moment`` lies in; the moment itself where it lies in none.

    ``hours`` is ``22:00-07:00``, over midnight as well; the end no longer belongs to it.
    """
    found = QUIET_HOURS.fullmatch(hours) if hours else None
    if found is None:
        return moment
    begin, end = _minutes(found["begin"]), _minutes(found["end"])
    now = time.localtime(moment)
    minute = now.tm_hour * _MINUTE + now.tm_min
    if not (begin <= minute < end if begin <= end else minute >= begin or minute < end):
        return moment
    day = now.tm_mday + (1 if minute >= end else 0)
    return time.mktime((now.tm_year, now.tm_mon, day, end // _MINUTE, end % _MINUTE, 0, 0, 0, -1))


def _minutes(text: str) -> int:
    hour, _, minute = text.partition(":")
    return (int(hour) * _MINUTE + int(minute)) % _DAY
