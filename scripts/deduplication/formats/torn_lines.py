"""Lines of a session's file that are not one object: a client died in the middle of a line, and the next one follows on it."""

from __future__ import annotations

import re
from itertools import islice
from typing import TYPE_CHECKING, Any, Final

from .json_spans import decoder

if TYPE_CHECKING:
    from collections.abc import Iterator

_START: Final = re.compile(r'\{"(?:parentUuid|type|uuid|sessionId|isSidechain|messageId|leafUuid)":')
"""How the client's objects begin."""
_STARTS_TRIED: Final = 64


def objects_in(text: str) -> Iterator[tuple[int, int, dict[str, Any]]]:
    """The whole objects in a line, and where each begins and ends (characters, half open).

    Those inside a damaged one are none: what follows them goes on with it.
    """
    read = decoder()
    done = 0
    for match in islice(_START.finditer(text), _STARTS_TRIED):
        if match.start() < done:
            continue
        try:
            value, last = read.raw_decode(text, match.start())
        except (ValueError, RecursionError):
            continue
        if text[last : last + 1] in ("{", "", "\r", "\n", " "):
            yield match.start(), last, value
            done = last


def size_of(text: str) -> int:
    """Bytes of a part of a line in its file."""
    return len(text.encode(errors="surrogateescape"))
