"""What is read of the figures of all runs, and of how they go."""

from __future__ import annotations

from dataclasses import replace

import pytest

from deduplication.figures.run_result import ExportResult, RunResult
from deduplication.metrics.distribution import distribution
from deduplication.metrics.store_metrics import Growth, RateTrend, Source, StoreMetrics
from deduplication.metrics.trends import Period
from deduplication.reports.monitoring import metrics as report
from deduplication.reports.workflow import in_short
from deduplication.terminal.display import adapt
from metric_scenes import HEALTH

TOTALS = {"messages_processed": 1000, "unique_messages": 700, "conversations": 7, "raw_bytes": 10, "stored_bytes": 3}
FOUND = StoreMetrics(
    measured=0.0,
    store="s",
    totals=TOTALS,
    savings_pct=70.0,
    exports=Source(12, 900, 600, 300),
    transcripts=Source(3, 100, 100, 0),
    active_conversations=2,
    processing_ms=distribution([20, 30, 12_345]),
    growth=Growth(today=5, week_ago=8, last_7_days=40, before_7_days=50, log_bytes=7_000),
    rate=RateTrend(33.3, 44.4),
    errors={"database": 2},
    operations={"backup": 3},
    last={"process_export": 1_772_600_000.0, "backup": 0.0},
)


def test_the_table_has_every_figure():
    """Counts, shares, times, growth, what failed and what was done."""
    text = report.statistics(FOUND)
    for line in (
        "What the runs told: 12 exports, 3 parts of transcripts",
        "     duplicates filtered                   300   33.3%",
        "   time of an export                     4.1 s   p50 30 ms, p95 12.3 s, p99 12.3 s, at most 12.3 s",
        "   time of a part of a transcript            -",
        "   today                                     5   a week ago 8",
        "   log growth a day, in bytes            1,000",
        "   dedup rate, last seven days           33.3%   -11.1 points against the seven days before",
        "   messages a conversation               100.0   different ones, on average",
        "   failed: database                          2",
        "   backup                                    3",
    ):
        assert line in text.splitlines()
    assert "The database" not in text


def test_a_database_tells_how_it_is():
    """Its connections by state, its size, and how fast it answers; or why it does not."""
    text = report.statistics(replace(FOUND, database=HEALTH))
    assert (
        "   connections                               3   of 100: 1 active, 2 idle in transaction" in text.splitlines()
    )
    assert "   a small question                     1.1 ms   p95 3.0, p99 3.0" in text.splitlines()
    away = HEALTH._replace(reachable=False, error="DatabaseUnreachable")
    assert "cannot be reached" in report.statistics(replace(FOUND, database=away))


def test_a_bar_is_as_long_as_its_part_of_the_most():
    """The longest is whole; what is there is never drawn as nothing, and nothing is drawn as nothing."""
    rows = [
        Period("2026-03-01", exports=1, added=2400),
        Period("2026-03-02"),
        Period("2026-03-03", captures=1, added=1),
    ]
    lines = report.trend(rows, "day").splitlines()
    assert [line.count("█") for line in lines[1:4]] == [24, 0, 1]
    assert lines[-3].endswith("█ ▁")
    assert report.trend([Period("2026-03-01")], "day").splitlines()[1] == "   nothing was stored yet"


def test_names_that_came_from_outside_obey_nobody():
    """A conversation's id may hold anything; it takes one line, and not the whole of it."""
    name = "\x1b[2J" + "x" * 300 + "\nmore"
    lines = report.trend([Period(name, exports=1, added=1)], "conversation").splitlines()
    assert "\x1b" not in "".join(lines)
    assert max(map(len, lines)) < 120


def test_sparklines_are_as_high_as_their_part():
    """From one eighth to all of it."""
    assert report.sparkline([0, 1, 4, 8]) == " ▁▄█"
    assert report.sparkline([]) == report.sparkline([0]).strip() == ""


def test_a_console_without_unicode_sees_the_bars_too():
    """As the signs that it has."""
    assert adapt("▁▄█", unicode=False) == ".:#"


@pytest.mark.parametrize(
    ("new", "duplicates", "said"),
    [
        (347, 12, "lots of new content, 347 of 359 messages"),
        (23, 377, "mostly context that was there already, 23 of 400 messages new"),
        (0, 206, "nothing new, all messages were there already"),
        (5, 0, "new content, every message is new"),
        (2, 2, "mostly context that was there already, 2 of 4 messages new"),
        (0, 0, ""),
    ],
)
def test_a_run_is_said_in_one_line(new, duplicates, said):
    """The scenarios of the original design, with its numbers, and those between them."""
    export = ExportResult("x", total=new + duplicates, new=new, duplicates=duplicates)
    assert in_short(RunResult((export,))) == said
