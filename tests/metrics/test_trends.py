"""How the figures go, from day to day and from week to week, on the user's own clock."""

from __future__ import annotations

import time

import pytest

from deduplication.metrics.audited_runs import AuditedRun
from deduplication.metrics.trends import DAY, WEEK, periods

WEDNESDAY = time.mktime((2026, 3, 4, 12, 0, 0, 0, 0, -1))


def run(days, **more):
    """A run so many days before a Wednesday."""
    figures = {"total": 10, "duplicates": 4, "new": 6, "captured": 0, "added": 6, "raw": 100, "stored": 50}
    return AuditedRun(WEDNESDAY - days * 86400, "c", False, **{**figures, "milliseconds": 5, **more})


def test_each_day_has_its_figures_and_empty_days_are_told():
    """From the first one with a run on, so many at most."""
    found = periods([run(0), run(0, added=1, duplicates=9), run(2, milliseconds=15)], DAY, 5, WEDNESDAY)
    assert [each.name for each in found] == ["2026-03-02", "2026-03-03", "2026-03-04"]
    assert [each.added for each in found] == [6, 0, 7]
    assert [each.dedup_rate for each in found] == [40.0, None, 65.0]
    assert [each.mean_ms for each in found] == [15, 0, 5]
    assert [each.name for each in periods([run(9)], DAY, 5, WEDNESDAY)] == ["2026-03-04"]


def test_a_week_begins_on_monday():
    """Sunday belongs to the week before."""
    found = periods([run(2), run(3, added=1)], WEEK, 5, WEDNESDAY)
    assert [(each.name, each.added) for each in found] == [("2026-02-23", 1), ("2026-03-02", 6)]


def test_parts_of_transcripts_have_no_rate():
    """They are counted, and say nothing of how much exports repeat."""
    (found,) = periods([run(0)._replace(captures=True)], DAY, 1, WEDNESDAY)
    assert (found.exports, found.captures, found.dedup_rate, found.added) == (0, 1, None, 6)


@pytest.mark.parametrize("zone", ["UTC", "Pacific/Auckland", "America/Los_Angeles"])
def test_a_day_is_the_user_s(monkeypatch, zone):
    """What was stored just before midnight is of that day, wherever midnight is."""
    monkeypatch.setenv("TZ", zone)
    time.tzset()
    try:
        midnight = time.mktime((2026, 3, 29, 0, 0, 0, 0, 0, -1))
        runs = [run(0)._replace(moment=midnight - 1), run(0)._replace(moment=midnight + 1, added=1)]
        found = periods(runs, DAY, 3, midnight + 60)
        assert [(each.name, each.added) for each in found] == [("2026-03-28", 6), ("2026-03-29", 1)]
    finally:
        monkeypatch.undo()
        time.tzset()
