"""A part of a conversation keeps what stands between its messages."""

from __future__ import annotations

import pytest

from deduplication.sessions.conversation import Reading
from deduplication.sessions.evidence import Evidence

MARKS = {0: ("banner",), 1: ("gap",), 3: ("compaction",), 4: ("rewind",), 6: ("truncation",)}


@pytest.mark.parametrize(
    ("chosen", "order", "marks"),
    [
        (range(6), [0, 1, 2, 3, 4, 5], MARKS),
        ([2, 5], [2, 5], {1: ("compaction", "rewind"), 2: ("truncation",)}),
        ([0, 3], [0, 3], {0: ("banner",), 1: ("gap", "compaction")}),
        ([1, 2], [1, 2], {0: ("gap",)}),
        ([], [], {}),
    ],
    ids=["all", "with an end", "with a beginning", "the middle", "none"],
)
def test_marks_of_what_is_left_out_stand_before_the_next_one(chosen, order, marks):
    """A compaction between two chosen messages is told of, whichever messages lie between; what is outside of them is not."""
    reading = Reading(None, "s", [0, 1, 2, 3, 4, 5], ["text"] * 6, Evidence(), MARKS)
    part = reading.part(chosen)
    assert (part.order, part.marks) == (order, marks)
    assert len(part) == len(order)
