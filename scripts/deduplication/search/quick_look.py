"""Which lines of the log may hold the terms of a search: told from their bytes, so that most of them are not decoded."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

from ..start.late_pattern import late_pattern
from ..start.late_tuple import NamedTuple
from ..words.letters import is_alone
from ..words.odd import odd
from ..words.terms import SHORTEST_CUT

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from ..words.terms import Term

_RUN: Final = late_pattern("[a-z0-9]+")
_CUT: Final = rb"(?:\\n(?: |\\t|\xc2\xa0|\xe2\x80[\x80-\x8a\xaf]|\xe2\x81\x9f|\xe3\x80\x80)*)?"
"""The end of a line and the next one's indentation, by whichever blanks, as JSON has them."""
_UNCUT: Final = 20
"""Characters among which at most one is followed by the end of a line: no screen is that narrow."""
_ENOUGH: Final = 6
"""Words that are looked for: more of them leave out few more lines."""
_ASCII: Final = bytes(range(128))


class Look(NamedTuple):
    """What every line with a word has, in lower case: ``run``, or ``half`` of it or the ``other`` one and what matches ``cut``,
    where the end of a line has cut it.
    """

    run: bytes
    half: bytes = b""
    other: bytes = b""
    cut: re.Pattern[bytes] | None = None


def looks(wanted: Sequence[Term]) -> list[Look]:
    """What to look for in lines."""
    found = dict.fromkeys(look for term in wanted for word in term.words for look in _looks(word))
    return sorted(found, key=lambda look: len(look.run), reverse=True)[:_ENOUGH]


def may_hold(wanted: Sequence[Look], lowered: bytes) -> bool:
    """False where a log line, in lower case, cannot hold all of the terms; told without decoding it."""
    for look in wanted:
        if _has(look, lowered):
            continue
        if lowered.isascii():
            if b"\\ud" not in lowered:  # an escaped surrogate: such a line has everything escaped that is not ASCII
                return False
        elif odd().isdisjoint(lowered.translate(None, _ASCII).decode(errors="replace")):
            return False
    return True


def _has(look: Look, lowered: bytes) -> bool:
    return look.run in lowered or (
        look.cut is not None
        and (look.half in lowered or look.other in lowered)
        and look.cut.search(lowered) is not None
    )


def _looks(word: str) -> Iterator[Look]:
    """For a word's runs of ASCII letters and digits, or for a character that is a word by itself."""
    if is_alone(word):
        yield Look(word.encode())
    for found in _RUN.findall(word):
        run = found[:_UNCUT].encode()
        if len(word) < SHORTEST_CUT or len(run) == 1:
            yield Look(run)
        else:
            half = len(run) // 2
            yield Look(run, run[:half], run[half:], re.compile(_CUT.join(re.escape(bytes([one])) for one in run)))
