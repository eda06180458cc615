"""How often somebody may ask: a token bucket for each, of which only so many are remembered."""

from __future__ import annotations

import threading
import time
from collections import OrderedDict
from typing import TYPE_CHECKING, Final

from ..start.late_tuple import NamedTuple

if TYPE_CHECKING:
    from collections.abc import Callable

_REMEMBERED: Final = 10_000


class Rate(NamedTuple):
    """``burst`` requests at once, then ``refill`` a second."""

    burst: float
    refill: float


class RateLimit:
    """One rate for everybody, each counted by a name."""

    def __init__(self, rate: Rate, now: Callable[[], float] = time.monotonic) -> None:
        self._rate, self._now = rate, now
        self._left: OrderedDict[str, tuple[float, float]] = OrderedDict()
        """What each has left, and when that was so."""
        self._lock = threading.Lock()

    def wait(self, who: str) -> float:
        """Take one: 0 where there was one, else the seconds until there will be."""
        with self._lock:
            now = self._now()
            left, since = self._left.pop(who, (self._rate.burst, now))
            left = min(self._rate.burst, left + (now - since) * self._rate.refill)
            taken = left >= 1
            self._left[who] = (left - taken, now)
            while len(self._left) > _REMEMBERED:
                self._left.popitem(last=False)
            return 0.0 if taken else (1 - left) / self._rate.refill

    def forgive(self, who: str) -> None:
        """Give all of it back."""
        with self._lock:
            self._left.pop(who, None)
