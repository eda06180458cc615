"""The end of a session file: a comment that says what it was made from, and proves that nobody changed it.

``<!-- export-dedup session {...} sha256:... -->``, in lines that a diff can show; up to version 2 it was one line. The checksum
goes over everything before it in the file, with line ends as line feeds, so that a checkout with other line ends proves as well.
A file without such a comment, or with one that does not fit, is somebody else's: it is never written to.
"""

from __future__ import annotations

import json
from hashlib import sha256
from typing import Any, Final

from ..start.late_dataclass import dataclass
from ..start.late_pattern import late_pattern

VERSION: Final = 3
"""Raised whenever the same messages are written in another way: files of an older version are made anew."""
_OPENING: Final = b"<!-- export-dedup session "
_CLOSING: Final = b" -->\n"
_MARKS: Final = (b"\nsha256:", b" sha256:")
"""Before the checksum; the second is that of version 2."""
_DIGITS: Final = 64
_WIDTH: Final = 100
"""Characters of a line, where no text in it is longer."""
_PIECE: Final = late_pattern(r'(?:"(?:[^"\\]|\\.)*"|[^",])+,?|,')
"""Part of JSON up to a comma that is in no string: there a line may end."""


@dataclass(frozen=True)
class Proven:
    """A file of ours as we left it: the text above the comment, what that says, and the checksum in it."""

    text: bytes
    said: dict[str, Any]
    checksum: str


def sealed(text: bytes, said: dict[str, Any]) -> tuple[bytes, str]:
    """``text``, which ends with a line feed, with the comment below it; and the checksum that stands in that."""
    body = json.dumps(said, separators=(",", ":"), ensure_ascii=True)
    # Two hyphens could end the comment; inside of a string, which is the only place for them, this is the same.
    above = text + _OPENING + _in_lines(body.replace("--", "-\\u002d").replace(">", "\\u003e")).encode()
    checksum = sha256(above).hexdigest()
    return above + _MARKS[0] + checksum.encode() + _CLOSING, checksum


def _in_lines(body: str) -> str:
    """JSON with line feeds between its members, none in a string."""
    lines = [""]
    room = _WIDTH - len(_OPENING)
    for piece in _PIECE.findall(body):
        if len(piece) > room and lines[-1]:
            lines.append("")
            room = _WIDTH
        lines[-1] += piece
        room -= len(piece)
    return "\n".join(lines)


def proven(data: bytes) -> Proven | None:
    """What a file says of itself; None where it is not one of ours, or not as we left it."""
    if b"\r" in data:
        data = data.replace(b"\r\n", b"\n")
    # Nothing in the comment can be taken for its beginning: a string in it has neither a line feed nor two hyphens.
    start = data.rfind(b"\n" + _OPENING) + 1
    if not data.startswith(_OPENING, start) or not data.endswith(_CLOSING):
        return None
    end = len(data) - len(_CLOSING) - _DIGITS
    checksum = data[end : end + _DIGITS].decode("ascii", "replace")
    above = data[: end - len(_MARKS[0])]
    if not data[:end].endswith(_MARKS) or sha256(above).hexdigest() != checksum:
        return None
    try:
        said = json.loads(above[start + len(_OPENING) :])
    except ValueError:
        return None
    return Proven(data[:start], said, checksum) if isinstance(said, dict) else None
