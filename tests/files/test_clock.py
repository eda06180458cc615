"""Times as sources and people spell them: microseconds since 1970, or nothing for what is no time."""

from __future__ import annotations

import time
from datetime import datetime, timedelta, timezone

import pytest
from hypothesis import given
from hypothesis import strategies as st

from deduplication.files import clock

DAY = 1_763_337_600_000_000
"""2025-11-17, in microseconds."""
HOUR = 3_600_000_000


@pytest.mark.parametrize(
    ("stamp", "moment"),
    [
        ("1970-01-01", 0),
        ("2025-11-17", DAY),
        ("2025-11-17T00:00Z", DAY),
        ("2025-11-17T10:00:00Z", DAY + 10 * HOUR),
        ("2025-11-17 10:00:00", DAY + 10 * HOUR),
        ("2025-11-17t10:00:00z", DAY + 10 * HOUR),
        ("2025-11-17T10:00:00.123Z", DAY + 10 * HOUR + 123_000),
        ("2025-11-17T10:00:00.123456789Z", DAY + 10 * HOUR + 123_456),
        ("2025-11-17T10:00:00,5+00:00", DAY + 10 * HOUR + 500_000),
        ("2025-11-17T10:00:00+02:00", DAY + 8 * HOUR),
        ("2025-11-17T10:00:00-0530", DAY + 15 * HOUR + HOUR // 2),
        ("0001-01-01T00:00:00Z", -62_135_596_800_000_000),
        ("9999-12-31T23:59:59.999999Z", 253_402_300_799_999_999),
    ],
)
def test_what_is_a_time(stamp, moment):
    """With and without a zone, a fraction, seconds, a time of day."""
    assert clock.microseconds(stamp) == moment


@pytest.mark.parametrize(
    "stamp",
    [
        "",
        "yesterday",
        "2025",
        "2025-11",
        "2025-13-01",
        "2025-02-30",
        "2025-11-17T24:00",
        "2025-11-17T10:61",
        "2025-11-17T10:00:60Z",
        "2025-11-17T10:00:00 CET",
        "2025-11-17T10:00:00+99:00",
        "0001-01-01T00:00:00+01:00",
        "9999-12-31T23:59:59-01:00",
        "٢٠٢٥-11-17",
        "2025-11-17\n",
        " 2025-11-17",
        "1763337600",
        "2025-11-17T10:00:00.1234567890Z",
    ],
)
def test_what_is_none(stamp):
    """Half a date, a day that no calendar has, a moment outside of the years 1 to 9999, words."""
    assert clock.microseconds(stamp) is None


@given(st.datetimes(), st.integers(-14 * 60, 14 * 60))
def test_every_time_is_read_as_what_it_is(naive, minutes):
    """Whatever the zone, the moment is that of the calendar; its spelling has one length and is read as the same moment."""
    moment = naive.replace(tzinfo=timezone(timedelta(minutes=minutes)))
    try:
        expected = moment.astimezone(timezone.utc)
    except OverflowError:
        expected = None
    found = clock.microseconds(moment.isoformat())
    if expected is None:
        assert found is None
        return
    assert datetime(1970, 1, 1, tzinfo=timezone.utc) + found * timedelta(microseconds=1) == expected
    spelt = clock.exactly(found)
    assert len(spelt) == len("2025-11-17T10:00:00.000000Z")
    assert clock.microseconds(spelt) == found


@given(st.datetimes(), st.datetimes())
def test_spellings_sort_as_times_do(one, other):
    """A tool that knows no times gets the order right."""
    first, second = (clock.microseconds(each.isoformat()) for each in (one, other))
    assert (clock.exactly(first) < clock.exactly(second)) == (first < second)


def test_a_day_ends_with_the_next_one(monkeypatch):
    """A day without an hour is its beginning, or its end; on the clock of whoever asks it may have 23 hours."""
    monkeypatch.setenv("TZ", "Europe/Berlin")
    time.tzset()
    try:
        assert clock.microseconds("2025-11-17", end=True) == DAY + 24 * HOUR
        assert clock.microseconds("2025-11-17T00:00", end=True) == DAY
        assert clock.microseconds("2025-11-17", local=True) == DAY - HOUR
        assert clock.microseconds("2025-11-17T00:00Z", local=True) == DAY
        begin, end = (clock.microseconds("2025-03-30", local=True, end=end) for end in (False, True))
        assert end - begin == 23 * HOUR
    finally:
        monkeypatch.undo()
        time.tzset()
    assert clock.microseconds("9999-12-31", end=True) is None
