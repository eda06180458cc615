"""What sealed files of version 0.1 hold, back into lines: those of the log without what follows from the rest of them.

A hash is as good as random, so no compression makes it smaller: hashes and checksums were a third of a sealed log of short
messages. Left out are the checksum of a line, the content hash of a body that stands in the line, and the beginning of a span
where the one before it ended; the hash of a repeated message is how many lines before it stands. A line that could not be had
back exactly stays whole.
"""

from __future__ import annotations

import json
import zlib
from typing import Final

from ...alignment.fingerprint import content_hash
from ...model import EXACT, LAYOUT
from ...start.late_pattern import late_pattern
from .lines import FRAME, FRAME_LENGTH

WHOLE: Final = b"\x01"
"""Begins a line that stands as it is behind this byte."""
_HEAD: Final = late_pattern(rb'\{"conversation_id":"(?:[^"\\]|\\.)*","index":\d+,"timestamp":"[^"\\]*"')
_HASHED: Final = late_pattern(rb',"content_hash":"([0-9a-f]{64})"')
_BACK: Final = late_pattern(rb',"content_hash":(\d+)')
_SPAN: Final = late_pattern(rb'"span":\[(\d+),(\d+)\]\}\}\Z')
_LENGTH: Final = late_pattern(rb'"span":\[(\d+)\]\}\}\Z')
_SPAN_BYTES: Final = 64
"""Bytes at the end of a line in which a span can stand."""


class _Before:
    """What the lines before one in the same block say: the hash of each, and where the last span ended."""

    def __init__(self) -> None:
        self.hashes: list[bytes] = []
        self.end = b""

    def take(self, body: bytes) -> None:
        """Take notice of a line, without its checksum; of one that stands as it is only that it is there."""
        head = _HEAD.match(body)
        hashed = _HASHED.match(body, head.end()) if head else None
        self.hashes.append(hashed[1] if hashed else b"")
        span = _SPAN.search(body, max(len(body) - _SPAN_BYTES, 0)) if hashed else None
        if span:
            self.end = span[2]


def whole(data: bytes) -> bytes:
    """The lines of which a block was made. Raises :class:`ValueError` for what is none."""
    before, out = _Before(), []
    for short in data.split(b"\n")[:-1]:
        line = _whole(short, before)
        out.append(line)
        before.take(b"" if short[:1] == WHOLE else line[:-FRAME_LENGTH] + b"}")
    return b"".join(each + b"\n" for each in out)


def _whole(short: bytes, before: _Before) -> bytes:
    """A line with everything, without its line feed. Raises :class:`ValueError`."""
    if short[:1] == WHOLE:
        return short[1:]
    head = _HEAD.match(short)
    body = short
    if head:
        at = head.end()
        back = _BACK.match(short, at)
        if back:
            number = len(before.hashes) - int(back[1])
            identity = before.hashes[number] if 0 <= number < len(before.hashes) else b""
            body = b'%s,"content_hash":"%s"%s' % (short[:at], identity, short[back.end() :])
        elif not _HASHED.match(short, at):
            body = b'%s,"content_hash":"%s"%s' % (short[:at], _identity(short), short[at:])
        length = _LENGTH.search(body, max(len(body) - _SPAN_BYTES, 0))
        if length and before.end:
            end = int(before.end) + int(length[1])
            body = b'%s"span":[%s,%d]}}' % (body[: length.start()], before.end, end)
    return b'%s%s%08x"}' % (body[:-1], FRAME, zlib.crc32(body))


def _identity(body: bytes) -> bytes:
    """The content hash of the message in a line; nothing where there is none."""
    try:
        message = json.loads(body)["message"]
        fidelity = EXACT if message.get("fidelity") == EXACT else LAYOUT
        return content_hash(message["role"], message["kind"], message["content"], fidelity).encode()
    except (ValueError, KeyError, TypeError, AttributeError):
        return b""
