"""Where a file is cut so that its parts are found again in another file.

Text exports are cut where a turn begins, transcripts where a line begins; short ones are taken together, up to a place
that their content chooses, so that two files that share a stretch are cut alike in it. What the client draws anew in every
export (the closing line of a turn, "✻ Baked for 0s") becomes a piece of its own: it is kept in the recipe, and the turns
around it stay what they were. Long strings within a line (a tool's result that stands in it twice) are cut out, and those that are
Base64 (an image) are a segment as the bytes that they stand for: so an image is there once, by the SHA-256 of its bytes.

This is only ever a matter of size: any cut of any bytes gives the same bytes back.
"""

from __future__ import annotations

import binascii
import zlib
from typing import TYPE_CHECKING, Final, NamedTuple

from ..model import LEAST_BLOB
from ..start.late_pattern import late_pattern
from . import codec

if TYPE_CHECKING:
    from collections.abc import Iterator

SMALLEST: Final = 4096
"""Bytes from which on a segment may end where its last turn's checksum says so (one turn in four)."""
LARGEST: Final = 64 * 1024
"""Bytes from which on it ends with the next turn or line anyway."""
LONGEST: Final = 1024 * 1024
"""A single turn, line or string beyond this is cut every so many bytes."""
LIFTED: Final = 16 * 1024
"""A string in a line of JSON from so many bytes on is a segment of its own."""
MOST: Final = codec.MAX_RAW - 1024
"""Bytes up to which what a string of Base64 stands for is a segment: a frame holds it whole."""
DRAWN: Final = 160
"""The closing line of a turn is no longer than this, in bytes."""

_TURN: Final = late_pattern(
    rb"\n(?=(?:>|\xe2\x9d\xaf|\xe2\x8f\xba|\xe2\x97\x8f)(?: |\xc2\xa0|\r?\n)"  # > ❯ ⏺ ●
    rb"|(?:\xe2\x9c[\xbb\xbd\xb6\xa2\xb3]|\xe2\x80\xbb)(?: |\xc2\xa0))"  # ✻ ✽ ✶ ✢ ✳ ※
)
_DRAWN: Final = late_pattern(
    rb"(?:\xe2\x9c[\xbb\xbd\xb6\xa2\xb3]|\xe2\x80\xbb)(?: |\xc2\xa0)[^\n]{0,%d}(?:\n|\Z)" % DRAWN
)


def text_size(size: int) -> int:
    """Characters of Base64 that so many bytes are."""
    return (size + 2) // 3 * 4


_SHORTEST: Final = text_size(LEAST_BLOB)
_BASE64: Final = late_pattern(rb'"([A-Za-z0-9+/]{%d,}={0,2})"' % (_SHORTEST - 2))


class Segment(NamedTuple):
    """Bytes ``start`` to ``end`` of a file.

    ``drawn``: kept in the recipe, not as a segment. ``alone``: a segment that nothing else is taken together with.
    ``base64``: they are the Base64 of the segment (:func:`bytes_of`).
    """

    start: int
    end: int
    drawn: bool = False
    alone: bool = False
    base64: bool = False


def cut(data: bytes, start: int = 0, *, base64: bool = True) -> list[Segment]:
    """The pieces of ``data`` from ``start`` on: they follow each other without a hole, none of them empty.

    ``base64``: False gives them as packs before version 3 have them.
    """
    lines = data[:1] == b"{"
    units = _lines(data, start, base64=base64) if lines else turns(data, start, len(data))
    return list(_grouped(data, units))


def bytes_of(data: bytes, segment: Segment) -> bytes:
    """What is kept as the segment of a piece of ``data``."""
    piece = data[segment.start : segment.end]
    return binascii.a2b_base64(piece) if segment.base64 else piece


def turns(data: bytes, start: int, end: int) -> Iterator[Segment]:
    """Bytes ``start`` to ``end`` of a text export, turn by turn, closing lines apart."""
    at = start
    drawn = _DRAWN.match
    for match in _TURN.finditer(data, start, end):
        begin = match.end()
        if begin > at:
            yield Segment(at, begin)
        at = begin
        closing = drawn(data, begin, end)
        if closing is not None:
            at = closing.end()
            yield Segment(begin, at, drawn=True)
    if at < end:
        yield Segment(at, end)


def _lines(data: bytes, start: int, *, base64: bool) -> Iterator[Segment]:
    at, size = start, len(data)
    while at < size:
        end = data.find(b"\n", at) + 1 or size
        begin = inside = at
        if base64 and end - at > _SHORTEST:
            for match in _BASE64.finditer(data, at, end):
                if _is_canonical(match[1]):
                    yield from _lifted(data, begin, inside, match.start(1))
                    yield Segment(*match.span(1), alone=True, base64=True)
                    begin, inside = match.end(1), match.end(1) + 1
        yield from _lifted(data, begin, inside, end)
        at = end


def _is_canonical(text: bytes) -> bool:
    """Whether this is what an encoder makes of some bytes, which a segment can hold."""
    if len(text) % 4 or not _SHORTEST <= len(text) <= text_size(MOST):
        return False
    try:
        data = binascii.a2b_base64(text)
    except binascii.Error:
        return False
    return len(data) <= MOST and binascii.b2a_base64(data, newline=False) == text


def _lifted(data: bytes, start: int, inside: int, end: int) -> Iterator[Segment]:
    """A part of a line, with its long strings as pieces of their own. Cut after the opening and before the closing quote.

    From byte ``inside`` on the next quote is an opening one.
    """
    if end - start <= LIFTED:
        yield Segment(start, end)
        return
    at, quote = start, data.find(b'"', inside, end)
    while quote >= 0:
        closing = _closing(data, quote + 1, end)
        if closing - quote > LIFTED:
            yield Segment(at, quote + 1)
            yield Segment(quote + 1, closing, alone=True)
            at = closing
        quote = data.find(b'"', closing + 1, end)
    if at < end:
        yield Segment(at, end)


def _closing(data: bytes, at: int, end: int) -> int:
    """Where the string ends whose content begins at ``at``: at a quote with an even number of backslashes before it."""
    while True:
        quote = data.find(b'"', at, end)
        if quote < 0:
            return end
        before = quote
        while data[before - 1] == 0x5C:
            before -= 1
        if (quote - before) % 2 == 0:
            return quote
        at = quote + 1


def _grouped(data: bytes, units: Iterator[Segment]) -> Iterator[Segment]:
    begin = end = -1
    checksum, view = zlib.crc32, memoryview(data)
    for unit in units:
        if begin >= 0 and (unit.drawn or unit.alone or unit.end - begin > LONGEST):
            yield Segment(begin, end)
            begin = -1
        if unit.drawn or unit.base64:
            yield unit
            continue
        if unit.alone or unit.end - unit.start > LONGEST:
            for at in range(unit.start, unit.end, LONGEST):
                yield Segment(at, min(at + LONGEST, unit.end), alone=unit.alone)
            continue
        if begin < 0:
            begin = unit.start
        end = unit.end
        size = end - begin
        if size >= LARGEST or (size >= SMALLEST and checksum(view[unit.start : end]) & 3 == 0):
            yield Segment(begin, end)
            begin = -1
    if begin >= 0:
        yield Segment(begin, end)
