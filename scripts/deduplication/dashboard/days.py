"""How figures go from day to day: what charts, and the tables below them, show. Days are those of this machine's clock."""

from __future__ import annotations

import time
from collections import Counter
from datetime import date, timedelta
from itertools import accumulate
from typing import TYPE_CHECKING, Any, Final

from ..figures.counted import counted
from ..metrics.measurement import day_of
from ..metrics.trends import DAY, WEEK, Period, periods
from .drawing import epoch, number, took

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from ..metrics.distribution import Distribution
    from .figures import Figures

DAYS: Final = 90
"""Days that a chart shows; where there are more, weeks."""
WEEKS: Final = 104
CALENDAR_WEEKS: Final = 26
_STEPS: Final = (10, 25, 50, 100, 250, 500, 1000, 2500, 5000, 10_000)
"""Milliseconds at which a bar of the distribution ends."""
_LEVELS: Final = 4


def today() -> str:
    """The day, on this machine's clock."""
    return time.strftime("%Y-%m-%d")


def _told(figures: Figures) -> list[Period]:
    """What the charts are drawn of: days, or where there are many of them, weeks."""
    figures.stored()
    runs, now = figures.history.runs, time.time()
    first = min((run.moment for run in runs), default=now)
    by, most = (DAY, DAYS) if now - first < DAYS * 86400 else (WEEK, WEEKS)
    return periods(runs, by, most, now)


def _rows(found: Iterable[Period], values: Sequence[Sequence[float | None]]) -> list[dict[str, Any]]:
    return [{"name": each.name, "x": epoch(each.name), "values": list(row)} for each, row in zip(found, values)]


def rate(figures: Figures) -> dict[str, Any]:
    """The deduplication rate of exports: duplicates in percent of the messages that they showed."""
    found = _told(figures)
    trend = figures.stored().metrics.rate
    return {
        "rows": _rows(found, [[each.dedup_rate] for each in found]),
        "last": trend.last_7_days,
        "before": trend.before_7_days,
        "change": trend.change,
    }


def performance(figures: Figures) -> dict[str, Any]:
    """How long exports and captures took: the distribution, and the mean from day to day."""
    metrics = figures.stored().metrics
    found = _told(figures)
    rows = []
    exports, captures = (
        Counter(_step(run.milliseconds) for run in figures.history.runs if run.captures is of) for of in (False, True)
    )
    for at in range(len(_STEPS) + 1):
        name = f"≤ {took(_STEPS[at])}" if at < len(_STEPS) else f"> {took(_STEPS[-1])}"
        rows.append({"name": name, "x": at, "values": [exports[at], captures[at]]})
    return {
        "figures": _percentiles("Exports", metrics.processing_ms) + _percentiles("Captures", metrics.capturing_ms),
        "rows": rows if figures.history.runs else [],
        "daily": _rows(found, [[each.mean_ms if each.exports else None] for each in found]),
    }


def _step(milliseconds: int) -> int:
    return sum(milliseconds > step for step in _STEPS)


def _percentiles(name: str, found: Distribution) -> list[dict[str, str]]:
    if not found.number:
        return []
    besides = (
        f"p95 {took(found.p95)} · p99 {took(found.p99)} · mean {took(found.mean)} · {counted(found.number, 'run')}"
    )
    return [{"name": f"{name}, median", "value": took(found.p50), "besides": besides}]


def growth(figures: Figures) -> dict[str, Any]:
    """Messages and conversations there were by each day, and what the log grew by."""
    found = _told(figures)
    runs = figures.history.runs
    first = found[0].name if found else today()
    begun = sorted(_begun(figures).values())
    before = sum(run.added for run in runs if day_of(run.moment).isoformat() < first)
    messages = list(accumulate((each.added for each in found), initial=before))[1:]
    ends = [each.name for each in found[1:]] + ["9999"]
    conversations = [sum(day < end for day in begun) for end in ends]
    grown = figures.stored().metrics.growth
    return {
        "messages": _rows(found, [[each] for each in messages]),
        "conversations": _rows(found, [[each] for each in conversations]),
        "log": _rows(found, [[each.log_bytes] for each in found]),
        "a_day": grown.log_bytes_per_day,
    }


def _begun(figures: Figures) -> dict[str, str]:
    """The day on which each conversation was first told of."""
    return {name: _day(each.created_at) for name, each in figures.conversations.items() if each.created_at}


def _day(moment: str) -> str:
    from ..files.clock import local

    return local(moment)[:10]


def savings(figures: Figures) -> dict[str, Any]:
    """Bytes that were read and bytes that the log took of them, added up. The archive's own bytes are known for now alone."""
    found = _told(figures)
    runs = figures.history.runs
    first = found[0].name if found else today()
    earlier = [run for run in runs if day_of(run.moment).isoformat() < first]
    raw = list(accumulate((each.raw_bytes for each in found), initial=sum(run.raw for run in earlier)))[1:]
    log = list(accumulate((each.log_bytes for each in found), initial=sum(run.stored for run in earlier)))[1:]
    metrics = figures.stored().metrics
    return {
        "rows": _rows(found, list(zip(raw, log))),
        "saved": metrics.savings_pct,
        "raw": metrics.totals["raw_bytes"],
        "stored": metrics.totals["stored_bytes"],
    }


def calendar(figures: Figures, gaps: Mapping[str, int]) -> dict[str, Any]:
    """The last half year, a square a day: how much came, and on which days something is missing (``gaps``, by day)."""
    figures.stored()
    end = day_of(time.time())
    first = end - timedelta(days=end.weekday() + 7 * (CALENDAR_WEEKS - 1))
    came: Counter[str] = Counter()
    runs: Counter[str] = Counter()
    for run in reversed(figures.history.runs):
        day = day_of(run.moment)
        if first <= day <= end:
            came[day.isoformat()] += run.added
            runs[day.isoformat()] += 1
    most = max(came.values(), default=0)
    weeks = [
        [_square(first + timedelta(days=7 * week + day), end, came, runs, gaps, most) for week in range(CALENDAR_WEEKS)]
        for day in range(7)
    ]
    listed = sorted({*came, *(day for day in gaps if first.isoformat() <= day)}, reverse=True)
    return {
        "weekdays": [
            {"name": name, "squares": row}
            for name, row in zip(("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun"), weeks)
        ],
        "weeks": [(first + timedelta(days=7 * week)).isoformat() for week in range(CALENDAR_WEEKS)],
        "days": [{"day": day, "messages": came[day], "runs": runs[day], "gaps": gaps.get(day, 0)} for day in listed],
        "missing": sum(gaps.values()),
    }


def _square(
    day: date, end: date, came: Mapping[str, int], runs: Mapping[str, int], gaps: Mapping[str, int], most: int
) -> dict[str, Any]:
    name = day.isoformat()
    messages, missing = came.get(name, 0), gaps.get(name, 0)
    level = 0 if not messages else min(_LEVELS, 1 + int(_LEVELS * messages / (most + 1)))
    told = [
        f"{number(messages)} new",
        counted(runs.get(name, 0), "run"),
        *([counted(missing, "gap")] if missing else []),
    ]
    words = f"{name}: {', '.join(told)}"
    kind = "none" if day > end else " ".join(filter(None, (f"l{level}" if level else "", "gap" if missing else "")))
    return {"kind": kind, "words": "" if day > end else words}
