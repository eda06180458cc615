"""Where files are cut: every byte in one piece, and two files that share a stretch are cut alike in it."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from archive_scenes import texts, transcripts
from deduplication.packs import codec, segmenter

tokens = st.sampled_from(
    [
        b"\n",
        b"\r\n",
        b"> ",
        "❯ ".encode(),
        "⏺ ".encode(),
        "● ".encode(),
        "✻ Baked for 3s".encode(),
        b'"',
        b"\\",
        b"{",
        b"word ",
        b"x" * 999,
    ]
)
like_exports = st.lists(tokens, max_size=60).map(b"".join)


@given(st.one_of(st.binary(max_size=400), like_exports, like_exports.map(lambda data: b"{" + data)), st.integers(0, 50))
def test_every_byte_is_in_exactly_one_piece(data, start):
    """Pieces follow each other without a hole, from where the cutting begins to the end; none is empty."""
    start = min(start, len(data))
    at = start
    for piece in segmenter.cut(data, start):
        assert piece.start == at < piece.end
        at = piece.end
    assert at == len(data)


def parts(data):
    """The segments of a file, as bytes."""
    return {data[piece.start : piece.end] for piece in segmenter.cut(data) if not piece.drawn}


def test_what_is_drawn_anew_is_a_piece_of_its_own():
    """Two exports of the same turns that differ in every closing line have the same segments."""
    first, second = (data for data in list(texts(2).values())[:1] * 2)
    second = second.replace("✻ Baked".encode(), "✻ Churned".encode()).replace("✻ Brewed".encode(), "✻ Stewed".encode())
    assert first != second
    assert parts(first) == parts(second)
    assert any(piece.drawn for piece in segmenter.cut(first))


def test_a_longer_line_with_that_glyph_is_text():
    """A line that begins like a closing line and goes on for more than it ever has is not kept in the recipe."""
    data = "● Said.\n✻ ".encode() + b"word " * 60 + b"\n> next\n"
    assert not any(piece.drawn for piece in segmenter.cut(data))


@pytest.mark.parametrize("made", [texts, transcripts])
def test_files_that_share_a_stretch_share_its_segments(made):
    """A turn more in front, and most of the segments behind it are the same."""
    whole = list(made(12).values())[-1]
    head, line, rest = whole.partition(b"\n")
    more = head + line + (b'{"another":"line"}\n' if made is transcripts else "\n> another\n\n● turn\n".encode()) + rest
    shared = parts(whole) & parts(more)
    assert sum(map(len, shared)) > 0.5 * len(whole)


def test_a_tools_result_that_stands_in_a_line_twice_is_one_segment():
    """A long string in a line of JSON is cut out, quotes and backslashes in it included."""
    listing = 'a "quoted" \\ line\n' * 1900
    line = json.dumps({"message": {"content": listing}, "toolUseResult": {"stdout": listing}}).encode()
    cut = [line[piece.start : piece.end] for piece in segmenter.cut(line)]
    assert b"".join(cut) == line
    assert cut.count(json.dumps(listing).encode()[1:-1]) == 2


def test_a_string_without_an_end_is_one_piece():
    """A line that breaks off within a string is cut without going on for ever."""
    line = b'{"content":"' + b"x" * 40_000 + b"\\"
    assert b"".join(line[p.start : p.end] for p in segmenter.cut(line)) == line


def test_no_segment_is_longer_than_the_longest():
    """A megabyte without a line break is cut by length, so that a frame holds a segment; so is Base64 that none holds."""
    large = b'{"image":"' + b"A" * (segmenter.text_size(segmenter.MOST) + 4) + b'"}\n'
    for data in (b"x" * 3_500_000, b'{"image":"' + b"A" * 3_500_001 + b'"}\n', b"\n" * 10 + b"y" * 2_000_000, large):
        assert max(piece.end - piece.start for piece in segmenter.cut(data)) <= segmenter.LONGEST
    held = b'{"image":"' + b"A" * segmenter.text_size(segmenter.MOST) + b'"}\n'
    assert max(len(segmenter.bytes_of(held, piece)) for piece in segmenter.cut(held)) == segmenter.MOST < codec.MAX_RAW


def test_short_turns_are_taken_together():
    """Small turns make segments of some kilobytes: a recipe and an index of single turns would cost more than they save."""
    data = "".join(f"> yes, {n}\n\n● Done.\n\n" for n in range(20_000)).encode()
    sizes = [piece.end - piece.start for piece in segmenter.cut(data)]
    assert min(sizes[:-1]) >= segmenter.SMALLEST
    assert max(sizes) <= segmenter.LARGEST + 100
