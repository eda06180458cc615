"""Values that JSON lines, CSV and Parquet can hold, and nothing lost on the way."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from deduplication.tables import values

ANY_TEXT = st.text(st.characters())
BLOCKS = st.recursive(
    st.none() | st.booleans() | st.integers() | ANY_TEXT,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(ANY_TEXT, inner, max_size=4),
    max_leaves=10,
)
CONTENT = ANY_TEXT | st.lists(BLOCKS, max_size=4) | st.dictionaries(ANY_TEXT, BLOCKS, max_size=4)


def fits(text):
    """Whether a text is what every reader takes."""
    text.encode()
    return "\0" not in text


@given(CONTENT)
def test_a_content_can_be_made_again_from_its_row(content):
    """As it was written, or as JSON: the type says which, and the text is one that every reader takes."""
    text, form = values.content(content)
    assert fits(text)
    assert (text if form == values.PLAIN else json.loads(text)) == content
    assert form == values.ENCODED or isinstance(content, str)


@pytest.mark.parametrize(
    ("content", "text", "form"),
    [
        ("", "", "text"),
        ('{"a": 1}', '{"a": 1}', "text"),
        ("=1+1 Ünïcode 😀 \x1b[0m\r\n", "=1+1 Ünïcode 😀 \x1b[0m\r\n", "text"),
        ("a\0b", '"a\\u0000b"', "json"),
        ("half \ud83d", '"half \\ud83d"', "json"),
        ([{"type": "text", "text": "é"}], '[{"type": "text", "text": "é"}]', "json"),
    ],
)
def test_how_a_content_stands_in_its_row(content, text, form):
    """A text stands there as it is, unless it has a NUL or half a surrogate pair."""
    assert values.content(content) == (text, form)


@given(ANY_TEXT)
def test_a_name_is_always_text(name):
    """What is no text in an id becomes an escape; all else stays."""
    told = values.text(name)
    assert fits(told)
    assert told == name or not all(map(_sound, name))


def _sound(letter):
    return letter != "\0" and not "\ud800" <= letter <= "\udfff"


def test_what_is_missing_is_nothing():
    """No text, no number, and a number that 64 bits do not hold."""
    assert [values.optional_text(each) for each in (None, "", 7, "x\0", "\udc80")] == [
        None,
        None,
        None,
        "x\\x00",
        "\\udc80",
    ]
    limits = (None, True, "7", 1.5, 7, -(1 << 63), (1 << 63) - 1, 1 << 63, -(1 << 63) - 1)
    assert [values.whole(each) for each in limits] == [
        None,
        None,
        None,
        None,
        7,
        -(1 << 63),
        (1 << 63) - 1,
        None,
        None,
    ]
