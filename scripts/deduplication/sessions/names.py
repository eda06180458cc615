"""What the files of a session are called: by its title (see :mod:`.full_document`), of version 0.1 by its id."""

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
_PART: Final = late_pattern(r"(?:\.part-\d{3,})?\.md\Z")
_RESERVED: Final = late_pattern(r"(?:con|prn|aux|nul|com\d|lpt\d)(?:\.|\Z)", re.IGNORECASE)


def stem(session: str) -> str:
    """The name of the files of ``session`` in version 0.1, which every file system takes: the session itself where it can be.

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


def base_of(name: str) -> str:
    """The name under which a file is one of several: without the number of a part and its ending."""
    return _PART.sub("", name)


def bases(first: str, most: int = 100) -> Iterable[str]:
    """Names to try in turn: the next one where a file of that name is somebody else's."""
    yield first
    for number in range(2, most + 1):
        yield f"{first}.{number}"
