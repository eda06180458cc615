"""How values are distributed: mean and percentiles, which are values that were really there."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from ..start.late_tuple import NamedTuple

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence


class Distribution(NamedTuple):
    """``number`` values with their sum; all else is 0.0 where there are none. The unit is that of the values."""

    number: int = 0
    total: float = 0.0
    mean: float = 0.0
    p50: float = 0.0
    p95: float = 0.0
    p99: float = 0.0
    most: float = 0.0

    def as_dict(self) -> dict[str, float]:
        """For ``--json``; what is counted as it is, what is calculated with three digits."""
        return {
            "count": self.number,
            "mean": round(self.mean, 3),
            "p50": round(self.p50, 3),
            "p95": round(self.p95, 3),
            "p99": round(self.p99, 3),
            "max": round(self.most, 3),
        }


def distribution(values: Iterable[float]) -> Distribution:
    """Of these values."""
    found = sorted(values)
    if not found:
        return Distribution()
    total = math.fsum(found)
    p50, p95, p99 = (percentile(found, each) for each in (50, 95, 99))
    return Distribution(len(found), total, total / len(found), p50, p95, p99, found[-1])


def percentile(ordered: Sequence[float], percent: float) -> float:
    """The smallest of the ``ordered`` values that at least ``percent`` of them do not exceed (the nearest rank); there is one."""
    return ordered[max(0, math.ceil(len(ordered) * percent / 100) - 1)]
