"""A set of keys as bits: none of them is ever missed, few others are found, and a damaged page has every key."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from deduplication.storage.word_filters import bits


def asked(shape, data, key):
    """Whether a filter may have a key."""
    return bits.Key(key).may_be_in(shape, lambda at, size: data[at : at + size])


@given(keys=st.sets(st.text(max_size=12), max_size=300), most=st.integers(0, 10_000))
def test_what_is_in_it_is_found(keys, most):
    """Whatever the keys, and however few bytes they are given."""
    shape, data = bits.made(keys, most)
    assert len(data) == shape.pages * shape.size
    assert all(asked(shape, data, key) for key in keys)


@pytest.mark.parametrize(("each", "at_most"), [(10, 0.02), (24, 0.0005)])
def test_few_others_are_found(each, at_most):
    """With ten bits for a key one in a hundred, with 24 hardly any."""
    keys = {f"word{number}" for number in range(20_000)}
    shape, data = bits.made(keys, len(keys) * each // 8)
    wrong = sum(asked(shape, data, f"other{number}") for number in range(20_000))
    assert wrong <= at_most * 20_000
    assert len(data) <= len(keys) * each // 8 * 1.05 + bits.PAGE


def test_the_same_keys_are_the_same_bits():
    """Whatever the order in which they come."""
    keys = [f"word{number}" for number in range(500)]
    assert bits.made(keys, 900) == bits.made(keys[::-1], 900)


def test_a_damaged_page_may_have_every_key():
    """A bit that went cannot hide what was there: whoever asks looks into the block."""
    keys = {f"word{number}" for number in range(3_000)}
    shape, data = bits.made(keys, 6_000)
    assert shape.pages > 1
    emptied = bytes(len(data))
    assert all(asked(shape, emptied, key) for key in keys)
    assert asked(shape, emptied, "another")
    assert not bits.is_sound(emptied[: shape.size])
    assert bits.is_sound(data[: shape.size])
