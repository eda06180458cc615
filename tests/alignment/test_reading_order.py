"""The reading order: a merge of windows that contradicts none of them."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from deduplication.alignment import reading_order as ordering
from deduplication.alignment.reading_order import numbers_of, ranges, reading_order


def order(count, windows, extends=None, continuations=()):
    """The order that follows from windows given as lists of numbers."""
    return reading_order(count, [ranges(window) for window in windows], extends, continuations).order


def is_subsequence(part, whole):
    """Do the members of ``part`` stand in ``whole`` in this order?"""
    rest = iter(whole)
    return all(item in rest for item in part)


@pytest.mark.parametrize(
    ("numbers", "expected"),
    [
        ([], []),
        ([5], [[5, 5]]),
        ([0, 1, 2, 7], [[0, 2], [7, 7]]),
        ([2, 1, 0], [[2, 2], [1, 1], [0, 0]]),
        ([0, 0, 1], [[0, 0], [0, 1]]),
    ],
    ids=["none", "one", "two-ranges", "backwards", "twice"],
)
def test_ranges(numbers, expected):
    """Only what goes up by one is a range."""
    assert ranges(numbers) == expected


@given(st.lists(st.integers(0, 30)))
def test_ranges_are_the_numbers_again(numbers):
    """Spelled out, the ranges give the same numbers in the same order."""
    assert list(numbers_of(ranges(numbers))) == numbers


@pytest.mark.parametrize(
    ("count", "windows", "expected"),
    [
        (0, [], []),
        (3, [], [0, 1, 2]),
        (3, [[0, 1, 2]], [0, 1, 2]),
        (5, [[0, 1, 2], [3, 4, 0]], [3, 4, 0, 1, 2]),
        (5, [[0, 1], [2, 3], [1, 4, 2]], [0, 1, 4, 2, 3]),
        (4, [[0, 1, 2], [0, 3, 1, 2]], [0, 3, 1, 2]),
        (5, [[0, 1, 2], [0, 3, 4]], [0, 1, 2, 3, 4]),
        (6, [[0, 1], [2, 3], [4, 5]], [0, 1, 2, 3, 4, 5]),
        (6, [[0, 1, 2], [3, 4, 5], [2, 3]], [0, 1, 2, 3, 4, 5]),
        (6, [[0, 1, 2], [3, 4, 5], [5, 0]], [3, 4, 5, 0, 1, 2]),
    ],
    ids=[
        "nothing",
        "no-evidence",
        "one-export",
        "older-turns-came-later",
        "gap-filled",
        "inserted",
        "branches",
        "unconnected",
        "joined",
        "joined-the-other-way",
    ],
)
def test_order(count, windows, expected):
    """Windows are evidence; without any, what was stored first comes first and a run goes on before another begins."""
    assert order(count, windows) == expected


def test_a_branch_is_read_to_its_end_before_the_other_begins():
    """After a rewind both branches are whole, the older one first, and none is woven into the other."""
    assert order(7, [[0, 1, 2, 3], [0, 1, 4, 5], [0, 1, 4, 5, 6]]) == [0, 1, 2, 3, 4, 5, 6]


def test_components_are_the_runs_that_windows_tie_together():
    """Between two components lies a gap; a window that shows both closes it. Each is named by a number of its own."""
    apart = reading_order(4, [[[0, 1]], [[2, 3]]]).component
    assert apart[0] == apart[1] != apart[2] == apart[3]
    together = reading_order(4, [[[0, 1]], [[2, 3]], [[1, 2]]]).component
    assert len(set(together)) == 1


def test_a_message_that_grew_is_read_once_in_its_last_form():
    """Number 3 is a longer 1, and 4 a longer 3: the reader gets 4 in the place of 1."""
    reading = reading_order(5, [[[0, 2]], [[0, 0], [3, 3], [2, 2]], [[4, 4], [2, 2]]], {3: 1, 4: 3})
    assert reading.order == [0, 4, 2]
    assert len(set(reading.component)) == 1


def test_an_export_that_began_after_a_compaction_is_read_after_those_with_a_beginning():
    """The export made after /compact came first into the store; the one with the beginning is still read first."""
    assert order(4, [[0, 1], [2, 3]], None, [0]) == [2, 3, 0, 1]
    assert order(4, [[0, 1], [2, 3]], None, []) == [0, 1, 2, 3]
    assert order(4, [[0, 1], [2, 3], [1, 2]], None, [0]) == [0, 1, 2, 3]


@pytest.mark.parametrize(
    "windows",
    [[[0, 1, 2], [2, 1, 0]], [[0, 1], [1, 2], [2, 0]], [[0, 1, 0]], [[2, 0, 1], [1, 2]]],
    ids=["backwards", "circle", "twice-in-one", "half"],
)
def test_contradictory_windows_still_give_every_number_once(windows):
    """A damaged log may claim anything: nothing is lost, nothing is doubled, and the older number goes first."""
    result = order(3, windows)
    assert sorted(result) == [0, 1, 2]


@given(st.integers(0, 12), st.data())
def test_any_windows_give_every_number_once(count, data):
    """Whatever the evidence, growth included: each number is read once, in its last form."""
    numbers = st.integers(0, count - 1) if count else st.nothing()
    windows = data.draw(st.lists(st.lists(numbers, max_size=8) if count else st.just([]), max_size=5))
    extends = {}
    for number in range(1, count):
        if data.draw(st.integers(0, 4)) == 0:
            extends[number] = data.draw(st.integers(0, number - 1))
    reading = reading_order(
        count,
        [ranges(window) for window in windows],
        extends,
        data.draw(st.lists(numbers, max_size=2)) if count else [],
    )
    assert len(reading.order) == count - len(extends)
    assert len(set(reading.order)) == len(reading.order)
    assert len(reading.component) == count


@given(st.permutations(range(10)), st.lists(st.tuples(st.integers(0, 9), st.integers(0, 9)), max_size=6))
def test_windows_of_one_truth_are_all_kept(truth, cuts):
    """Windows cut from one sequence never contradict each other: each stands in the result in its own order."""
    windows = [truth[min(cut) : max(cut) + 1] for cut in cuts]
    result = order(10, windows)
    assert sorted(result) == list(range(10))
    assert all(is_subsequence(window, result) for window in windows)


@given(st.permutations(range(8)))
def test_windows_that_overlap_all_along_give_the_truth(truth):
    """Enough evidence leaves no choice: pairs of neighbours are the whole sequence, in any order of exports."""
    pairs = [truth[n : n + 2] for n in range(7)]
    assert order(8, pairs) == list(truth)
    assert order(8, pairs[::-1]) == list(truth)


def test_linear_merges_do_not_look_at_every_number(monkeypatch):
    """A thousand growing exports of a hundred thousand messages are a handful of segments, not a hundred thousand."""
    sizes = []
    inner = ordering._topological

    def watched(count, edges, later):
        sizes.append(count)
        return inner(count, edges, later)

    monkeypatch.setattr(ordering, "_topological", watched)
    reading = reading_order(100_000, [[[0, end]] for end in range(99, 100_000, 100)])
    assert list(reading.order) == list(range(100_000))
    assert reading.runs() == [reading.order]
    assert max(sizes, default=1) <= 2
