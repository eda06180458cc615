"""Where messages must be missing."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from deduplication.gaps import describe, missing_indexes
from deduplication.model import BANNER, COMPACTION, TRUNCATION


@pytest.mark.parametrize(
    ("present", "missing"),
    [
        ([], []),
        ([7], []),
        ([0, 1, 2], []),
        ([0, 1, 4], [(2, 3)]),
        ([13, 8, 4, 9], [(5, 7), (10, 12)]),
        ([3, 3, 5], [(4, 4)]),
        ([-2, 0], [(-1, -1)]),
        ([0, 10**18], [(1, 10**18 - 1)]),
    ],
    ids=["none", "one", "all", "two-missing", "unordered", "twice", "negative", "huge"],
)
def test_missing_indexes(present, missing):
    """Runs between the smallest and the largest, both ends included; no list of a million numbers is made for one."""
    assert missing_indexes(present) == missing


@given(st.sets(st.integers(-50, 50), min_size=1))
def test_present_and_missing_are_the_whole_range(present):
    """Nothing is both, nothing is neither."""
    missing = {n for first, last in missing_indexes(present) for n in range(first, last + 1)}
    assert not missing & present
    assert missing | present == set(range(min(present), max(present) + 1))


BEGINS = "the export begins after a compaction; what was said before it is not in the store"
SHARES_NOTHING = "the export begins after a compaction and shares nothing with what is stored"
LEFT_OUT = "the export itself says that earlier messages were left out"


@pytest.mark.parametrize(
    ("marks", "matches", "indexes", "known", "lines"),
    [
        ([], [None], [None], 0, []),
        ([(COMPACTION, 0)], [None], [None], 0, [BEGINS]),
        ([(COMPACTION, 0)], [None], [None], 5, [SHARES_NOTHING]),
        ([(COMPACTION, 0)], [4, None], [None, None], 5, []),
        ([(COMPACTION, 1)], [None, None], [None, None], 0, []),
        ([(BANNER, 0)], [None], [None], 0, []),
        ([(TRUNCATION, 0)], [None], [None], 0, [LEFT_OUT]),
        ([], [None] * 3, [0, 1, 3], 0, ["message 2 is missing"]),
        ([], [None] * 3, [0, None, 9], 0, ["messages 1 to 8 are missing"]),
        ([(COMPACTION, 0), (TRUNCATION, 1)], [None] * 2, [1, 3], 0, [BEGINS, LEFT_OUT, "message 2 is missing"]),
    ],
    ids=[
        "none",
        "begins-after",
        "shares-nothing",
        "joined",
        "inside",
        "banner",
        "left-out",
        "one",
        "several",
        "all",
    ],
)
def test_describe(marks, matches, indexes, known, lines):
    """A line for each gap that the export itself, its numbering or the alignment shows, and none where all is there."""
    assert describe(marks, matches, indexes, known=known) == lines
