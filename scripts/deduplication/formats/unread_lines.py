"""Lines of a session's file that cannot be read as they are: what is whole in a torn one, and what is said of them.

A client died in the middle of a line, and the next one follows on it.
"""

from __future__ import annotations

from itertools import islice
from typing import TYPE_CHECKING, Any, Final

from ..figures.counted import counted
from ..start.late_pattern import late_pattern
from .json_spans import decoder

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

_START: Final = late_pattern(r'\{"(?:parentUuid|type|uuid|sessionId|isSidechain|messageId|leafUuid)":')
"""How the client's objects begin."""
_STARTS_TRIED: Final = 64
_TYPES_NAMED: Final = 20


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


def warnings(damaged: Sequence[int], unknown: Mapping[str, int], *, foreign: bool) -> Iterator[str]:
    """What to tell of the numbers of damaged lines, and of those of types that nobody knows, counted by type.

    ``foreign``: there are bytes that are not UTF-8.
    """
    if foreign:
        yield "the file has bytes that are not UTF-8; they are kept as they are"
    if damaged:
        yield f"{counted(len(damaged), 'damaged line')}, the first is line {damaged[0]}; their bytes are kept"
    named = list(unknown.items())
    for name, count in named[:_TYPES_NAMED]:
        yield f"{counted(count, 'line')} of {name}; their bytes are kept, no message is"
    if named[_TYPES_NAMED:]:
        yield f"{counted(sum(count for _, count in named[_TYPES_NAMED:]), 'line')} of further unknown types"
