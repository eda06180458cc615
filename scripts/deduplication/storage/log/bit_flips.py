"""Set one flipped bit right: CRC-32 tells which one it was.

The checksum of a damaged line differs from the stored one by a value that depends only on where the flipped bit is,
not on the content. Walking from the end of the line to its beginning, that value is computed for every bit; the one
that fits is turned back. A line with two flipped bits is not healed (the result must decode with its own checksum).
"""

from __future__ import annotations

import re
import zlib
from typing import Final

from ...start.late_pattern import late_pattern
from .lines import FRAME, FRAME_LENGTH, Damaged, decode_line

_POLYNOMIAL: Final = 0xEDB88320
_LINE_FEED: Final = 0x0A
_FRAME_END: Final = b'"}\n'
_SEAM: Final = late_pattern(rb'"\}(.)(?=\{"conversation_id":)', re.DOTALL)
"""Where a line ends and another begins, if the byte between them is taken for a line feed."""


def patches(data: bytes) -> list[tuple[int, bytes]]:
    """What is to be put where (byte offset, bytes) so that damaged lines of ``data`` are right again.

    Each patch turns one bit back; lines that more happened to are left out. The length never changes.
    """
    found: list[tuple[int, bytes]] = []
    start = 0
    while start < len(data):
        end = data.find(b"\n", start) + 1 or len(data)
        line = data[start:end]
        if not _decodes(line):
            after = data.find(b"\n", end) + 1 or len(data)
            joined = _joined(line, data[end:after])
            if joined is not None:
                found.append((start, joined))
                end = after
            else:
                fixed = healed(line) or _split(line)
                if fixed is not None:
                    found.append((start, fixed))
        start = end
    return found


def _decodes(line: bytes) -> bool:
    try:
        decode_line(line)
    except Damaged:
        return False
    return True


def _joined(line: bytes, following: bytes) -> bytes | None:
    """One line that a flipped bit cut in two: its line feed was another character."""
    if line.endswith(_FRAME_END) or not following.endswith(_FRAME_END):
        return None
    for bit in range(8):
        whole = b"%s%c%s" % (line[:-1], _LINE_FEED ^ 1 << bit, following)
        if _decodes(whole):
            return whole
    return None


def _split(line: bytes) -> bytes | None:
    """Two lines whose line feed became another character."""
    for seam in _SEAM.finditer(line):
        at = seam.start(1)
        if bin(line[at] ^ _LINE_FEED).count("1") == 1:
            halves = line[:at] + b"\n", line[at + 1 :]
            if all(map(_decodes, halves)):
                return b"".join(halves)
    return None


def _table() -> list[int]:
    table = []
    for value in range(256):
        for _ in range(8):
            value = (value >> 1) ^ (_POLYNOMIAL if value & 1 else 0)  # noqa: PLW2901 - the classic table step
        table.append(value)
    return table


def healed(line: bytes) -> bytes | None:
    """The line with one bit turned back so that its checksum is right; None where that is not what happened."""
    if len(line) <= FRAME_LENGTH + 1:
        return None
    fixed = _flipped_in_frame(line) or _flipped_in_body(line)
    if fixed is None:
        return None
    return fixed if _decodes(fixed) else None


def _flipped_in_frame(line: bytes) -> bytes | None:
    """The flipped bit is in the checksum or around it: the body is what it was."""
    body = line[: -FRAME_LENGTH - 1]
    frame = b'%s%08x"}\n' % (FRAME, zlib.crc32(body + b"}"))
    differing = sum(bin(a ^ b).count("1") for a, b in zip(frame, line[-FRAME_LENGTH - 1 :]))
    return body + frame if differing == 1 else None


def _flipped_in_body(line: bytes) -> bytes | None:
    body, seal = line[: -FRAME_LENGTH - 1] + b"}", line[-FRAME_LENGTH - 1 :]
    try:
        difference = zlib.crc32(body) ^ int(seal[len(FRAME) : len(FRAME) + 8], 16)
    except ValueError:
        return None
    fixed = turned_back(body, difference)
    return fixed[:-1] + seal if fixed is not None else None


def turned_back(data: bytes, difference: int) -> bytes | None:
    """``data`` with the one bit turned that makes its CRC-32 differ by this value; None where no single one does."""
    table = _table()
    effects = [table[1 << bit] for bit in range(8)]  # of flipping each bit of the last byte
    for position in range(len(data) - 1, -1, -1):
        if difference in effects:
            fixed = bytearray(data)
            fixed[position] ^= 1 << effects.index(difference)
            return bytes(fixed)
        effects = [(effect >> 8) ^ table[effect & 0xFF] for effect in effects]
    return None
