"""What charts show of runs: nothing of before is forgotten, nothing of tomorrow is shown."""

from __future__ import annotations

import time
from types import SimpleNamespace

import pytest

from deduplication.dashboard import days
from deduplication.metrics.audited_runs import AuditedRun

DAY = 86400


def run(ago, added=1, captures=False, milliseconds=5):
    """One that ended so many days ago."""
    return AuditedRun(
        time.time() - ago * DAY, "tide", captures, added, 0, added, 0, added, 1000 * added, 10 * added, milliseconds
    )


def figures(*runs):
    """Of a store with these runs, the oldest first."""
    metrics = SimpleNamespace(
        growth=SimpleNamespace(log_bytes_per_day=0),
        savings_pct=None,
        totals={"raw_bytes": 0, "stored_bytes": 0},
        processing_ms=SimpleNamespace(number=0),
        capturing_ms=SimpleNamespace(number=0),
    )
    return SimpleNamespace(
        stored=lambda: SimpleNamespace(metrics=metrics), history=SimpleNamespace(runs=list(runs)), conversations={}
    )


@pytest.mark.parametrize("oldest", [30, 200, 3 * 365])
def test_what_was_before_the_first_day_of_a_chart_is_in_its_sums(oldest):
    """Days, weeks, and more weeks than are shown: the last point is the whole."""
    told = figures(run(oldest, 7), run(5, 2), run(0, 1))
    assert days.growth(told)["messages"][-1]["values"] == [10]
    assert days.savings(told)["rows"][-1]["values"] == [10_000, 100]


def test_a_run_stands_in_the_bar_that_ends_where_it_does():
    """10 ms is at most 10 ms, and 11 is more; what is longer than all of them has a bar, too."""
    told = figures(run(1, milliseconds=10), run(1, milliseconds=11), run(1, captures=True, milliseconds=99_999))
    bars = {row["name"]: row["values"] for row in days.performance(told)["rows"]}
    assert bars["≤ 10 ms"] == [1, 0]
    assert bars["≤ 25 ms"] == [1, 0]
    assert bars["> 10.0 s"] == [0, 1]
    assert sum(map(sum, bars.values())) == 3


def test_the_calendar_ends_today_and_has_half_a_year():
    """What is older is not listed, and the rest of this week has no square."""
    today = days.today()
    shown = days.calendar(figures(run(400, 5), run(0, 3)), {today: 2, "1999-01-01": 1})
    assert [(each["day"], each["messages"], each["gaps"]) for each in shown["days"]] == [(today, 3, 2)]
    squares = [square for row in shown["weekdays"] for square in row["squares"]]
    assert [square["words"] for square in squares if "3 new" in square["words"]] == [f"{today}: 3 new, 1 run, 2 gaps"]
    assert all((square["kind"] == "none") == (not square["words"]) for square in squares)
    later = 6 - time.localtime().tm_wday
    assert sum(square["kind"] == "none" for square in squares) == later
    assert len(squares) == 7 * days.CALENDAR_WEEKS
