"""Bytes to characters without loss, and how wide a line is in cells."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from deduplication.formats.screen import decode, display_width


@pytest.mark.parametrize(
    ("data", "text", "codec", "lead"),
    [
        (b"", "", "utf-8", 0),
        ("aß日👩".encode(), "aß日👩", "utf-8", 0),
        (b"\xef\xbb\xbfa", "a", "utf-8", 3),
        (b"\xff\xfe" + "a日".encode("utf-16-le"), "a日", "utf-16-le", 2),
        (b"\xfe\xff" + "a日".encode("utf-16-be"), "a日", "utf-16-be", 2),
        (b"\xff\xfe", "", "utf-16-le", 2),
        (b"a\xff", "a\udcff", "utf-8", 0),
        (b"\xed\xa0\x80", "\udced\udca0\udc80", "utf-8", 0),
        (b"\xff\xfea", "\udcff\udcfea", "utf-8", 0),
    ],
    ids=[
        "empty",
        "utf-8",
        "byte-order-mark",
        "utf-16-le",
        "utf-16-be",
        "mark-only",
        "invalid",
        "encoded-surrogate",
        "half-a-utf-16-unit",
    ],
)
def test_decode(data, text, codec, lead):
    """The encoding is the one that the bytes themselves show; what is none of the known ones becomes escapes."""
    decoded = decode(data)
    assert (decoded.text, decoded.codec, decoded.lead) == (text, codec, lead)


def test_only_undecodable_bytes_are_warned_of():
    """The warning names the offset in the file, the mark included."""
    assert decode("ß".encode()).warnings == ()
    assert decode(b"\xef\xbb\xbfa\xff").warnings == ("byte 4 is not UTF-8; it is kept as it is",)


@pytest.mark.parametrize("mark", [b"\xff\xfe", b"\xfe\xff"], ids=["le", "be"])
def test_a_sample_may_end_inside_a_utf_16_character(mark):
    """Cut after any byte, the beginning of a file is still read as what it is."""
    data = mark + "a👩b".encode("utf-16-le" if mark == b"\xff\xfe" else "utf-16-be")
    for end in range(4, len(data)):
        assert decode(data[:end], partial=True).text.startswith("a")


@given(st.binary(), st.sampled_from([b"", b"\xef\xbb\xbf", b"\xff\xfe", b"\xfe\xff"]), st.integers(0, 50))
def test_slices_know_their_bytes(body, mark, cut):
    """For any bytes: mark and slices add up to the file, and encoding a slice gives exactly its bytes."""
    data = mark + body
    decoded = decode(data)
    first, second = decoded.text[:cut], decoded.text[cut:]
    assert decoded.lead + decoded.size(first) + decoded.size(second) == len(data)
    begin = decoded.lead + decoded.size(first)
    assert first.encode(decoded.codec, decoded.errors) == data[decoded.lead : begin]
    assert second.encode(decoded.codec, decoded.errors) == data[begin:]


@pytest.mark.parametrize(
    ("line", "cells"),
    [("", 0), ("abc", 3), ("größe", 5), ("日本", 4), ("e\u0301", 1), ("👍", 2), ("│─", 2), ("ｱ", 1), ("\u200d", 0)],
    ids=ascii,
)
def test_display_width(line, cells):
    """East Asian wide characters and emoji take two cells, combining ones and joiners none."""
    assert display_width(line) == cells


@given(st.text("abc xyz"), st.text())
def test_width_of_parts_adds_up(plain, other):
    """The quick way for plain text and the general one agree: widths of parts add up to the width of the whole."""
    assert display_width(plain + other) == display_width(plain) + display_width(other)
