"""What ``--verbose`` says besides."""

from __future__ import annotations

import re

import pytest

from deduplication.terminal import detail


@pytest.fixture(autouse=True)
def afterwards():
    """Nobody wants to know in the next test."""
    yield
    detail._Detail.began = None


def test_nothing_is_said_unasked(capsys):
    """Neither a detail nor the end."""
    detail.say("x")
    detail.end(OSError("x"))
    assert capsys.readouterr() == ("", "")


def test_each_detail_is_said_once_on_standard_error(capsys):
    """However often it comes by; a terminal obeys nothing in it. After the end nothing is said."""
    detail.begin()
    for _ in range(3):
        detail.say("store: a\x1b[2J")
    detail.end()
    detail.say("late")
    out, err = capsys.readouterr()
    assert (out, err.count("store: a"), "\x1b" in err, "late" in err) == ("", 1, False, False)


def test_causes_are_followed(capsys):
    """Those that were named and those that were met, from the last to the first, and not for ever."""
    failure = ValueError(0)
    for number in range(1, 9):
        later = ValueError(number)
        later.__cause__, failure = failure, later
    detail.begin()
    detail.end(failure)
    assert re.findall(r"because of ValueError: (\d)", capsys.readouterr().err) == ["7", "6", "5", "4", "3"]
