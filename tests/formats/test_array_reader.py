"""A JSON array of any size is cut into its elements, however it comes in."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from deduplication.errors import ExportUnreadable
from deduplication.formats import array_reader
from deduplication.formats.array_reader import Element, elements

TEXT = st.text(st.sampled_from('ab"\\/[]{},: \n\u00e9\u6771\U0001f600\ud83d'), max_size=12)
VALUE = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | TEXT,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(TEXT, inner, max_size=4),
    max_leaves=12,
)
WRITTEN = st.builds(
    lambda values, indent, ascii_, mark: (
        mark + json.dumps(values, indent=indent, ensure_ascii=ascii_).encode("utf-8", "surrogatepass")
    ),
    st.lists(VALUE, max_size=5),
    st.sampled_from([None, 1]),
    st.booleans(),
    st.sampled_from([b"", b"\xef\xbb\xbf"]),
)


def cut(data, places):
    """``data`` in pieces."""
    borders = [0, *sorted(place % (len(data) + 1) for place in places), len(data)]
    return [data[start:end] for start, end in zip(borders, borders[1:])]


@given(WRITTEN, st.lists(st.integers(0, 10_000), max_size=12))
def test_any_cutting_gives_the_same_elements(data, places):
    """Where the pieces begin and end plays no part: in a string, behind a backslash, inside a number."""
    values = json.loads(
        data.removeprefix(b"\xef\xbb\xbf") if hasattr(data, "removeprefix") else data.decode("utf-8-sig")
    )
    whole = list(elements([data]))
    assert [json.loads(element.data.decode("utf-8", "surrogatepass")) for element in whole] == values
    assert list(elements(cut(data, places))) == whole
    assert list(elements(data[n : n + 1] for n in range(len(data)))) == whole


@given(WRITTEN)
def test_elements_and_what_lies_between_them_are_the_file(data):
    """Every byte is in one element, or is white space, a comma, or one of the two brackets."""
    done, between, count = 0, b"", 0
    for element in elements([data]):
        assert data[element.start : element.end] == element.data
        between += data[done : element.start]
        done, count = element.end, count + 1
    between += data[done:]
    assert b"".join(between.replace(b"\xef\xbb\xbf", b"").split()) == b"[" + b"," * max(0, count - 1) + b"]"


@given(WRITTEN, st.integers(1, 10_000))
def test_a_file_that_is_cut_is_noticed(data, missing):
    """There is no way to cut an array so that it seems whole."""
    rest = data[: max(0, len(data) - 1 - missing % len(data))]
    if rest.strip(b"\xef\xbb\xbf"):
        with pytest.raises(ExportUnreadable, match="ends too early"):
            list(elements([rest]))


@given(st.binary(max_size=60) | TEXT.map(lambda text: b"[" + text.encode("utf-8", "surrogatepass")), st.integers(1, 7))
def test_any_bytes_are_cut_or_refused(data, size):
    """No input ends in anything but elements in order or the error, and the size of the pieces does not decide which."""

    def found(pieces):
        try:
            return list(elements(pieces))
        except ExportUnreadable:
            return None

    whole = found([data])
    assert found(data[n : n + size] for n in range(0, len(data), size)) == whole
    for element, following in zip(whole or [], (whole or [])[1:]):
        assert element.start < element.end <= following.start


@pytest.mark.parametrize(
    ("data", "found"),
    [
        (b"[]", []),
        (b" [ ] \n", []),
        (b'{"a": [1]}', [b'{"a": [1]}']),
        (b'{"a": 1}\n{"b": "}"}\n\n', [b'{"a": 1}', b'{"b": "}"}']),
        (b"12", [b"12"]),
        (b'[1,"a,]",true , null,[[]]]', [b"1", b'"a,]"', b"true", b"null", b"[[]]"]),
        (b'["\\\\\\"", "\\\\"]', [b'"\\\\\\""', b'"\\\\"']),
    ],
    ids=["empty", "blanks", "object", "lines", "number", "values", "escapes"],
)
def test_what_is_read(data, found):
    """An array, or where the file is none, one value after another."""
    assert [element.data for element in elements([data])] == found


@pytest.mark.parametrize(
    ("data", "reason"),
    [
        (b"[1,]", "byte 3: ']' stands where a value should"),
        (b"[,1]", "byte 1: ',' stands where a value should"),
        (b"[1 2]", "byte 3: '2' stands where ',' or ']' should"),
        (b'[{"a":1} x', "byte 9: 'x' stands where ',' or ']' should"),
        (b"[1] [2]", "byte 4: '\\[' stands where the end of the file should"),
        (b"]", "byte 0: ']' stands where a value should"),
        (b'[{"a": "b', "ends too early, after 9 bytes"),
        (b"[1", "ends too early, after 2 bytes"),
        (b" \n", "ends too early, after 2 bytes"),
        (b'{"a"', "ends too early, after 4 bytes"),
    ],
)
def test_what_is_refused(data, reason):
    """The reason says which byte."""
    with pytest.raises(ExportUnreadable, match=reason):
        list(elements([data]))


def test_elements_that_are_not_wanted_are_not_kept():
    """Looking over a file of any size takes no memory: the places come without the bytes."""
    assert list(elements([b'[{"a":', b' 1}, "b"]'], keep=False)) == [Element(1, 9, b""), Element(11, 14, b"")]


def test_an_element_without_end_is_refused(monkeypatch):
    """A file that was made to fill the memory does not: the limit counts over all pieces of an element."""
    monkeypatch.setattr(array_reader, "LARGEST", 10)
    assert len(list(elements([b'["12345678", "12345678"]']))) == 2
    with pytest.raises(ExportUnreadable, match="byte 1: a value of more than 10 bytes"):
        list(elements([b'["1234', b"56", b"7890", b'"]']))
