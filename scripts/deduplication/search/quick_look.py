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
_NO_LETTERS: Final = bytes(code for code in range(256) if code >= 128 or not chr(code).isalnum())
_ESCAPES: Final = (b"\\n", b"\\t", b"\\r", b"\\b", b"\\f")
_CODE: Final = late_pattern(rb"\\u[0-9a-f]{4}")


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


def rows(wanted: Sequence[Term]) -> list[bytes]:
    """The letters and digits of phrases, as they follow each other in every text that has them, whatever is between."""
    return [run for term in wanted if len(term.words) > 1 for run in term.runs]


def may_hold(wanted: Sequence[Look], lowered: bytes) -> bool:
    """False where a log line, in lower case, cannot hold all of the terms; told without decoding it."""
    return all(_has(look, lowered) or _may_be_written_otherwise(lowered) for look in wanted)


def may_hold_rows(wanted: Sequence[bytes], lowered: bytes) -> bool:
    """False where texts as JSON, in lower case, cannot hold all of these :func:`rows`.

    Where there are objects, nothing is told: a phrase may begin in one member and end in another.
    """
    letters = lowered.replace(b"\\\\", b" ")
    if not wanted or letters.count(b'":') != letters.count(b'\\":'):
        return True
    for escape in _ESCAPES:
        letters = letters.replace(escape, b" ")
    if b"\\u" in letters:
        letters = _CODE.sub(b" ", letters)
    letters = letters.translate(None, _NO_LETTERS)
    return all(row in letters for row in wanted) or _may_be_written_otherwise(lowered)


def _may_be_written_otherwise(lowered: bytes) -> bool:
    """Whether there are characters that stand for letters of ASCII."""
    if lowered.isascii():
        return b"\\ud" in lowered  # an escaped surrogate: such a line has everything escaped that is not ASCII
    return not odd().isdisjoint(lowered.translate(None, _ASCII).decode(errors="replace"))


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
