"""What stands on both sides of the joint of two runs is one message."""

from __future__ import annotations

import pytest

from deduplication.alignment.junctions import at_junctions

RUN, OTHER = [0, 1, 2, 3], [4, 5, 6, 7]
CASES = {
    "the end of one run begins the other": ("abcdcdef", [0, 1, 2, 3, 6, 7], [(3, 5), (2, 4)]),
    "the window goes on in the second run": ("abcdcdef", [0, 1, 4, 5, 6, 7], [(2, 4), (3, 5)]),
    "nothing in common": ("abcdefgh", [0, 1, 2, 3, 4, 5], []),
    "the same in another place": ("abcdabef", [0, 1, 2, 3, 6, 7], []),
    "only the message at the joint": ("abcdxdef", [0, 1, 2, 3, 6, 7], [(3, 5)]),
    "no joint": ("abcdcdef", [0, 1, 2, 3], []),
    "something new between": ("abcdcdef", [0, 1, 2, 3, 9, 6, 7], []),
}


@pytest.mark.parametrize(("hashes", "numbers", "found"), CASES.values(), ids=CASES.keys())
def test_equal_messages_at_a_joint_are_one(hashes, numbers, found):
    """Right before or behind the same message, as far as they are equal; the older number comes first."""
    assert at_junctions([RUN, OTHER], [*hashes, "new", "new"], numbers) == found


def test_one_run_has_no_joint():
    """Repeats inside of a run are turns."""
    assert at_junctions([[0, 1, 2, 3]], list("aaaa"), [0, 1, 2, 3]) == []


def test_what_was_lost_is_no_evidence():
    """A damaged line has no content hash."""
    assert at_junctions([[0, 1], [2, 3]], ["a", "", "", "b"], [0, 1, 3]) == []
