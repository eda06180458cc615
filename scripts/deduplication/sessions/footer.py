"""The last line of a session file: a comment that says what it was made from, and proves that nobody changed it.

``<!-- export-dedup session {...} sha256:... -->``. The checksum goes over everything before it in the file, with line ends as
line feeds, so that a checkout with other line ends proves as well. A file without such a line, or with one that does not fit, is
somebody else's: it is never written to.
"""

from __future__ import annotations

import json
from hashlib import sha256
from typing import Any, Final

from ..start.late_dataclass import dataclass

VERSION: Final = 2
"""Raised whenever the same messages are written in another way: files of an older version are made anew."""
_OPENING: Final = b"<!-- export-dedup session "
_CLOSING: Final = b" -->\n"
_MARK: Final = b" sha256:"
_DIGITS: Final = 64


@dataclass(frozen=True)
class Proven:
    """A file of ours as we left it: the text above its last line, what that line says, and the checksum in it."""

    text: bytes
    said: dict[str, Any]
    checksum: str


def sealed(text: bytes, said: dict[str, Any]) -> tuple[bytes, str]:
    """``text``, which ends with a line feed, with its last line; and the checksum that stands in it."""
    body = json.dumps(said, separators=(",", ":"), ensure_ascii=True)
    # Two hyphens could end the comment; inside of a string, which is the only place for them, this is the same.
    above = text + _OPENING + body.replace("--", "-\\u002d").replace(">", "\\u003e").encode()
    checksum = sha256(above).hexdigest()
    return above + _MARK + checksum.encode() + _CLOSING, checksum


def proven(data: bytes) -> Proven | None:
    """What a file says of itself; None where it is not one of ours, or not as we left it."""
    if b"\r" in data:
        data = data.replace(b"\r\n", b"\n")
    start = data.rfind(b"\n", 0, -1) + 1
    line = data[start:]
    if not line.startswith(_OPENING) or not line.endswith(_CLOSING):
        return None
    end = len(data) - len(_CLOSING) - _DIGITS
    checksum = data[end : end + _DIGITS].decode("ascii", "replace")
    above = data[: end - len(_MARK)]
    if data[end - len(_MARK) : end] != _MARK or sha256(above).hexdigest() != checksum:
        return None
    try:
        said = json.loads(above[start + len(_OPENING) :])
    except ValueError:
        return None
    return Proven(data[:start], said, checksum) if isinstance(said, dict) else None
