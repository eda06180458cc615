"""Files as version 0.1 sealed them: what its stores have on the disk, made again for the tests of who reads them."""

from __future__ import annotations

import json
import lzma
import re
import zlib
from typing import TYPE_CHECKING, Final

from deduplication.storage.log import former_lines
from deduplication.storage.log.former_lines import WHOLE
from deduplication.storage.log.lines import FRAME_LENGTH

if TYPE_CHECKING:
    from pathlib import Path

_HEAD: Final = re.compile(rb'\{"conversation_id":"(?:[^"\\]|\\.)*","index":\d+,"timestamp":"[^"\\]*"')
_HASHED: Final = re.compile(rb',"content_hash":"([0-9a-f]{64})"')
_SPAN: Final = re.compile(rb'"span":\[(\d+),(\d+)\]\}\}\Z')
_SPAN_BYTES: Final = 64
"""Bytes at the end of a line in which a span can stand."""


class _Before(former_lines._Before):
    """And where each hash stands."""

    def __init__(self) -> None:
        super().__init__()
        self.places: dict[bytes, int] = {}

    def take(self, body: bytes) -> None:
        """Take notice of a line."""
        super().take(body)
        if self.hashes[-1]:
            self.places[self.hashes[-1]] = len(self.hashes) - 1


def lean(lines: bytes) -> bytes:
    """A block of whole lines, each with its line feed, without what follows from the rest of them; each proven to come back."""
    before, out = _Before(), []
    for line in lines.split(b"\n")[:-1]:
        body = line[:-FRAME_LENGTH] + b"}"
        short = _shortened(body, before)
        if former_lines._whole(short, before) != line:
            short = _shortened(body, before, hashless=False)  # a body with data that lies elsewhere
            if former_lines._whole(short, before) != line:
                short = WHOLE + line
        out.append(short)
        before.take(b"" if short[:1] == WHOLE else body)
    return b"".join(each + b"\n" for each in out)


def _shortened(body: bytes, before: _Before, *, hashless: bool = True) -> bytes:
    head = _HEAD.match(body)
    hashed = _HASHED.match(body, head.end()) if head else None
    if hashed is None:
        return body
    span = _SPAN.search(body, max(len(body) - _SPAN_BYTES, 0))
    if span and span[1] == before.end:
        body = b'%s"span":[%d]}}' % (body[: span.start()], int(span[2]) - int(span[1]))
    if not hashless:
        return body
    if body.startswith(b',"message":', hashed.end()) or b',"message":{' in body:
        return body[: hashed.start()] + body[hashed.end() :]
    place = before.places.get(hashed[1])
    if place is None:
        return body
    return b'%s,"content_hash":%d%s' % (body[: hashed.start()], len(before.hashes) - place, body[hashed.end() :])


def seal(folder: Path, lines: bytes, *, block: int = 1024 * 1024, form: str = ".lean.jsonl.xz") -> Path:
    """All of a log as one sealed file of version 0.1 in a state folder, with an empty open part."""
    parts, at = [], 0
    while at < len(lines):
        end = lines.find(b"\n", min(at + block, len(lines)) - 1) + 1 or len(lines)
        parts.append(lines[at:end])
        at = end
    compact = form.startswith(".lean")
    data = b"".join(lzma.compress(lean(part) if compact else part) for part in parts)
    if compact:
        table = json.dumps({"blocks": [len(part) for part in parts], "thorough": False}, separators=(",", ":"))
        data += lzma.compress(table.encode() + b"\n")
    (folder / "sealed").mkdir(exist_ok=True)
    path = folder / "sealed" / f"{0:012}-{len(lines):012}-{zlib.crc32(data):08x}{form}"
    path.write_bytes(data)
    (folder / "conversation_log.jsonl").write_bytes(b"")
    return path
