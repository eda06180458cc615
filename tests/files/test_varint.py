"""Whole numbers in few bytes: all that were written come back, taken one by one or all at once."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from deduplication.files import varint


@given(st.lists(st.integers(0, 2**64)))
def test_all_at_once_are_the_numbers_one_by_one(numbers):
    """Of one byte each or of several."""
    data = varint.encode(numbers)
    assert varint.every(data) == numbers == varint.Reader(data).numbers(len(numbers))


@pytest.mark.parametrize("data", [b"\x80", b"\x01\xff", b"\xff" * 100_000, b"\xff" * 11 + b"\x01"])
def test_a_number_that_is_not_whole_is_refused(data):
    """Or that is longer than any."""
    with pytest.raises(ValueError, match="not whole"):
        varint.every(data)
    with pytest.raises(ValueError, match="not whole"):
        varint.Reader(data).numbers(2)
