"""Set one flipped bit right: CRC-32 tells which one it was.

The checksum of a damaged line differs from the stored one by a value that depends only on where the flipped bit is,
not on the content. Walking from the end of the line to its beginning, that value is computed for every bit; the one
that fits is turned back. A line with two flipped bits is not healed (the result must decode with its own checksum).
"""

from __future__ import annotations

import zlib

from .log import _SEAL, _SEAL_LENGTH, Damaged, decode_line

_POLYNOMIAL = 0xEDB88320


def _table() -> list[int]:
    table = []
    for value in range(256):
        for _ in range(8):
            value = (value >> 1) ^ (_POLYNOMIAL if value & 1 else 0)  # noqa: PLW2901 - the classic table step
        table.append(value)
    return table


def healed(line: bytes) -> bytes | None:
    """The line with one bit turned back so that its checksum is right; None where that is not what happened."""
    if len(line) <= _SEAL_LENGTH + 1:
        return None
    fixed = _flipped_in_frame(line) or _flipped_in_body(line)
    if fixed is None:
        return None
    try:
        decode_line(fixed)
    except Damaged:
        return None
    return fixed


def _flipped_in_frame(line: bytes) -> bytes | None:
    """The flipped bit is in the checksum or around it: the body is what it was."""
    body = line[: -_SEAL_LENGTH - 1]
    frame = b'%s%08x"}\n' % (_SEAL, zlib.crc32(body + b"}"))
    differing = sum(bin(a ^ b).count("1") for a, b in zip(frame, line[-_SEAL_LENGTH - 1 :]))
    return body + frame if differing == 1 else None


def _flipped_in_body(line: bytes) -> bytes | None:
    body, seal = line[: -_SEAL_LENGTH - 1] + b"}", line[-_SEAL_LENGTH - 1 :]
    try:
        difference = zlib.crc32(body) ^ int(seal[len(_SEAL) : len(_SEAL) + 8], 16)
    except ValueError:
        return None
    table = _table()
    effects = [table[1 << bit] for bit in range(8)]  # of flipping each bit of the last byte
    for position in range(len(body) - 1, -1, -1):
        for bit in range(8):
            if effects[bit] == difference:
                fixed = bytearray(body)
                fixed[position] ^= 1 << bit
                return bytes(fixed[:-1]) + seal
        effects = [(effect >> 8) ^ table[effect & 0xFF] for effect in effects]
    return None
