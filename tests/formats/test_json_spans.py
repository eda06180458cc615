"""Values with the bytes they came from."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from deduplication.errors import ExportUnreadable
from deduplication.formats.json_spans import EVERY, MAX_DEPTH, CharSpan, Document, encode, looks_like_json, tile

LISTED = {"messages": {EVERY: None}}
ENCODINGS = {"utf-8": "utf-8", "utf-8-sig": "utf-8", "utf-16": "utf-16-le"}

json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4),
    max_leaves=20,
)


def elements_with_bytes(data, *, forgiving=False):
    """Each element of ``messages`` and the bytes of the file it is said to be."""
    document = Document(data)
    listed = document.read(document.skip(0), LISTED, forgiving=forgiving).get("messages")
    pieces = [CharSpan(node.start, node.end, "element") for _, node in listed.parts]
    _, spans = tile(document, pieces)
    assert b"".join(data[span.start : span.end] for span in spans) == data
    return list(zip(listed.value, (data[span.start : span.end] for span in spans if span.label == "element")))


@given(
    values=st.lists(json_values, max_size=6),
    indent=st.sampled_from([None, 1, 4]),
    ascii_only=st.booleans(),
    encoding=st.sampled_from(sorted(ENCODINGS)),
    newline=st.sampled_from(["\n", "\r\n"]),
)
def test_the_bytes_of_a_span_are_its_element(values, indent, ascii_only, encoding, newline):
    """Whatever the layout, the escapes and the encoding: the bytes of an element's span decode to the element."""
    text = json.dumps({"before": '[",', "messages": values, "after": 1}, indent=indent, ensure_ascii=ascii_only)
    found = elements_with_bytes(text.replace("\n", newline).encode(encoding))
    assert [value for value, _ in found] == values
    assert [json.loads(raw.decode(ENCODINGS[encoding])) for _, raw in found] == values


@given(values=st.lists(json_values, min_size=1, max_size=4), text=st.text('",[]{} a\\\n'))
def test_trailing_commas_are_forgiven_without_touching_texts(values, text):
    """A comma before a bracket is no element; the same signs inside a text stay as they are."""
    inside = ", ".join(json.dumps(value, ensure_ascii=False) for value in [text, *values])
    data = f'{{"messages": [{inside} , ], }}'.encode()
    found = elements_with_bytes(data, forgiving=True)
    assert [value for value, _ in found] == [text, *values]
    with pytest.raises(ExportUnreadable):
        elements_with_bytes(data)


def test_bytes_that_are_no_utf8_keep_their_place():
    """Invalid bytes before and inside an element move no offset, and the document says that it has them."""
    data = b'{"title": "\xff\xfe", "messages": ["\xe9", "\xc3\xa9", 1]}'
    assert [raw for _, raw in elements_with_bytes(data)] == [b'"\xe9"', b'"\xc3\xa9"', b"1"]
    assert Document(data).has_foreign_bytes()
    assert not Document('{"é": "😀"}'.encode()).has_foreign_bytes()


def test_the_last_of_two_equal_keys_is_the_value():
    """A key written twice has the value every JSON reader gives it; both are among the parts."""
    node = Document(b'{"a": 1, "a": 2}').read(0, {"a": None})
    assert (node.value, node.get("a").start, len(node.parts)) == ({"a": 2}, 14, 2)
    assert node.get("b") is None


UNREADABLE = {
    "cut string": (b'{"messages": ["a', "line 1, column 15"),
    "cut array": (b'{"messages": ["a"', "line 1, column 18"),
    "cut object": (b'{"messages": ["a"]', "line 1, column 19"),
    "second line": (b'{\n  "messages": [1 2]}', "line 2, column 18"),
    "missing colon": (b'{"messages" []}', "line 1, column 13"),
    "key without quotes": (b"{messages: []}", "line 1, column 2"),
    "wrong bracket": (b'{"messages": [1}', "line 1, column 16"),
    "not a number": (b'{"a": "NaN",\n"messages": [NaN]}', "line 2, column 14: NaN is not JSON"),
    "infinity": (b'{"messages": [-Infinity]}', "line 1, column 15: -Infinity is not JSON"),
    "deep": (b'{"messages": [1,\n' + b"[" * 100_000, "line 2, column 1: nested too deeply"),
    "just too deep": (b'{"messages": [' + b"[" * (MAX_DEPTH + 1) + b"]" * (MAX_DEPTH + 1) + b"]}", "nested too deeply"),
    "nothing": (b"", "line 1, column 1"),
    "cut UTF-16": (b"\xff\xfe{", "byte 2"),
}


@pytest.mark.parametrize(("data", "where"), UNREADABLE.values(), ids=UNREADABLE.keys())
def test_what_is_no_json_is_named_with_its_place(data, where):
    """A broken document raises one named error that says where it broke."""
    with pytest.raises(ExportUnreadable) as caught:
        document = Document(data)
        document.read(document.skip(0), LISTED)
    assert where in str(caught.value)


def test_the_deepest_nesting_that_is_allowed_is_read():
    """The limit itself is still inside."""
    data = b'{"messages": [' + b"[" * MAX_DEPTH + b"]" * MAX_DEPTH + b"]}"
    assert len(elements_with_bytes(data)) == 1


def test_numbers_that_python_or_json_cannot_hold_stay_text():
    """Digits beyond Python's limit and floats beyond infinity are kept as written instead of failing later."""
    data = b'{"messages": [' + b"9" * 5000 + b", 1e999, -7, 1.5]}"
    assert [value for value, _ in elements_with_bytes(data)] == ["9" * 5000, "1e999", -7, 1.5]


JSON_OR_NOT = {
    "object": (b" \r\n{", True),
    "array with a mark": (b"\xef\xbb\xbf\n[", True),
    "UTF-16": ("[]".encode("utf-16"), True),
    "text": (b"> hello {", False),
    "empty": (b"", False),
    "binary": (b"\0[", False),
}


@pytest.mark.parametrize(("data", "expected"), JSON_OR_NOT.values(), ids=JSON_OR_NOT.keys())
def test_the_first_sign_tells_json(data, expected):
    """Nothing but the first sign that is no blank is looked at."""
    assert looks_like_json(data) is expected


def circular():
    """A list that holds itself."""
    inner = []
    inner.append(inner)
    return inner


UNWRITABLE = {"circular": circular(), "not a number": [float("nan")], "a tuple as key": {(1, 2): 3}}


@pytest.mark.parametrize("value", UNWRITABLE.values(), ids=UNWRITABLE.keys())
def test_objects_that_json_cannot_hold_are_named(value):
    """Python objects that are no JSON raise the same named error as files."""
    with pytest.raises(ExportUnreadable, match="cannot be written as JSON"):
        encode(value)
