"""Texts fitted into a number of characters."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from deduplication.terminal.truncation import truncate


def note(count):
    """What stands for parts that were left out."""
    return f"({count} more)"


def test_what_fits_is_shown_whole():
    """Without a limit, or within it, head, parts and tail are paragraphs."""
    assert truncate("head", ["a", "b"], "tail", None, note) == "head\n\na\n\nb\n\ntail"
    assert truncate("", ["a"], "", 100, note) == "a"
    assert truncate("head", [], "", 1, note) == "head"


def test_what_does_not_fit_is_left_out_whole():
    """The first ones stay, or the last ones; how many are missing is said in their place."""
    parts = [letter * 10 for letter in "abcd"]
    assert truncate("head", parts, "tail", 55, note) == f"head\n\n{parts[0]}\n\n{parts[1]}\n\n(2 more)\n\ntail"
    assert truncate("head", parts, "", 45, note, from_the_end=True) == f"head\n\n(2 more)\n\n{parts[2]}\n\n{parts[3]}"


def test_a_part_that_is_too_long_itself_is_cut():
    """Something is always shown."""
    assert truncate("head", ["x" * 50], "", 30, note) == "head\n\n" + "x" * 10 + " […]"


@given(st.lists(st.text("ab\n", max_size=30), max_size=8), st.integers(30, 200), st.booleans())
def test_the_limit_is_kept(parts, most, from_the_end):
    """No more than the characters asked for, and every part that is whole stands in its order."""
    made = truncate("head", parts, "tail", most, note, from_the_end=from_the_end)
    assert len(made) <= most
