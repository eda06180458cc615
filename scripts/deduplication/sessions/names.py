"""What the files of a session are called."""

from __future__ import annotations

import re
from hashlib import sha256
from typing import TYPE_CHECKING, Final

from ..start.late_pattern import late_pattern

if TYPE_CHECKING:
    from collections.abc import Iterable

ENDING: Final = ".md"
_LONGEST: Final = 120
"""Bytes; the number of a part and the name of a temporary file must fit behind it."""
_RESERVED: Final = late_pattern(r"(?:con|prn|aux|nul|com\d|lpt\d)(?:\.|\Z)", re.IGNORECASE)


def stem(session: str) -> str:
    """A name for the files of ``session`` that every file system takes: the session itself where it can be.

    Else what of it can be, and a few digits of its hash, so that two sessions never share a name.
    """
    plain = re.sub(r"[^\w.-]+", "-", session).strip("-.") or "session"
    short = plain.encode()[:_LONGEST].decode("utf-8", "ignore")
    if short == session and not _RESERVED.match(short):
        return session
    return f"{short}-{sha256(session.encode(errors='surrogatepass')).hexdigest()[:8]}"


def file_of(base: str, part: int) -> str:
    """The name of a part, counted from 1."""
    return base + ENDING if part == 1 else f"{base}.part-{part:03}{ENDING}"


def bases(session: str, most: int = 100) -> Iterable[str]:
    """Names to try in turn: the next one where a file of that name is somebody else's."""
    first = stem(session)
    yield first
    for number in range(2, most + 1):
        yield f"{first}.{number}"


def first_file(session: str, names: Iterable[str]) -> str:
    """Of file names those of ``session``'s first file: what it is called, or would be where that name is taken, or a checkpoint's.

    Empty where none of them is.
    """
    own = re.compile(re.escape(stem(session)) + r"(?:\.\d{1,3}|\.\d{4}-\d\d-\d\dT\d\d-\d\d-\d\dZ(?:-\d{1,9})?)?\.md")
    return min((name for name in names if own.fullmatch(name)), key=len, default="")
