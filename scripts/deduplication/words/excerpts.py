"""Where terms stand in a text as it was written, and short parts of it around them.

What is found in the prepared row is led back by counting letters: the row has those of the text, in the same order, and nothing
else but blanks and signs.
"""

from __future__ import annotations

import re
import unicodedata
from bisect import bisect_left
from functools import cached_property
from itertools import islice
from typing import TYPE_CHECKING, Final

from ..start.late_pattern import late_pattern
from .letters import BESIDE, CAPITAL, CUT, composed, folded, is_word
from .prepared import prepared

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from .terms import Term

    Excerpt = list[tuple[str, bool]]

_BEFORE: Final = 60
_EXCERPT: Final = 180
"""Characters of an excerpt, and those of them before the first word found."""
_MOST_EXCERPTS: Final = 3
_MOST_MARKS: Final = 200
_ROW_LETTER: Final = late_pattern("[^ +^/%]")
_PIECE: Final = late_pattern("[\x00-\x7f]+(?![^\x00-\x7f])|[\x00-\x7f]?[^\x00-\x7f]+")
"""A stretch of ASCII whose last character nothing follows that could change it, or one of other characters."""


class Text:
    """A message's text, prepared for searching."""

    def __init__(self, text: str) -> None:
        self.text = text
        self._origins = _letters_of(text)
        self._letters: list[tuple[int, int]] = []
        """Of each letter of the row, from where to where in the text it comes from; as many as were asked for."""

    @cached_property
    def _row(self) -> str:
        return prepared(self.text)

    @cached_property
    def _places(self) -> list[int]:
        return [match.start() for match in _ROW_LETTER.finditer(self._row)]

    def _found(self, term: Term) -> Iterator[tuple[int, int]]:
        for match in term.pattern.finditer(self._row):
            first, end = bisect_left(self._places, match.start()), bisect_left(self._places, match.end())
            self._letters.extend(islice(self._origins, max(0, end - len(self._letters))))
            yield self._letters[first][0], self._letters[end - 1][1]

    def spans(self, wanted: Sequence[Term]) -> list[tuple[int, int]]:
        """Where the terms stand in the text, half open, in order, without overlap."""
        merged: list[tuple[int, int]] = []
        for start, end in sorted(span for term in wanted for span in islice(self._found(term), _MOST_MARKS)):
            if merged and start < merged[-1][1]:
                merged[-1] = (merged[-1][0], max(end, merged[-1][1]))
            else:
                merged.append((start, end))
        return merged

    def excerpts(self, wanted: Sequence[Term]) -> list[Excerpt]:
        """Short parts of the text around the terms: pieces, each with whether it is one of them, on one line.

        The first one stands around the first place; a term that it does not show gets another one; one that is not
        in the text gets none.
        """
        spans = self.spans(wanted)
        made: list[Excerpt] = []
        shown: list[tuple[int, int]] = []
        for term in wanted:
            places = list(islice(self._found(term), _MOST_MARKS))
            if not places or len(made) == _MOST_EXCERPTS:
                continue
            if any(a <= start and end <= b for a, b in shown for start, end in places):
                continue
            window = _window(self.text, places[0])
            shown.append(window)
            made.append(_pieces(self.text, window, spans))
        return made

    def excerpt_at(self, places: Iterable[tuple[int, int]]) -> list[Excerpt]:
        """The same around the first of some other places, which are in order."""
        spans: list[tuple[int, int]] = []
        for start, end in islice(places, _MOST_MARKS):
            if not spans or start >= spans[-1][1]:
                spans.append((start, end))
        return [_pieces(self.text, _window(self.text, spans[0]), spans)] if spans else []


def _letters_of(text: str) -> Iterator[tuple[int, int]]:
    """From where to where each letter of the row stands in the text."""
    for piece in _PIECE.finditer(text):
        start, end = piece.span()
        if piece[0].isascii():
            yield from ((at, at + 1) for at in range(start, end) if text[at].isalnum())
            continue
        while start < end:
            after = _after(text, start, end)
            for character in folded(composed(text[start:after])):
                if is_word(character) and character not in (BESIDE, CAPITAL, CUT):
                    yield start, after
            start = after


def _after(text: str, start: int, end: int) -> int:
    """Where what begins at ``start`` ends: nothing behind it changes what it becomes."""
    so_far = composed(text[start])
    for after in range(start + 1, end):
        one, longer = composed(text[after]), composed(text[start : after + 1])
        if one and longer == so_far + one and unicodedata.combining(one[0]) == 0:
            return after
        so_far = longer
    return end


def _window(text: str, span: tuple[int, int]) -> tuple[int, int]:
    """What an excerpt around a place shows, cut between words where that is near."""
    start = max(0, span[0] - _BEFORE)
    end = min(len(text), max(start + _EXCERPT, span[1]))
    if start:
        blank = re.search(r"\s", text[start : span[0]])
        start += blank.end() if blank else 0
    if end < len(text):
        last = text[span[1] : end].rstrip()
        cut = re.search(r"\s\S*\Z", last)
        end = span[1] + (cut.start() if cut else len(last))
    return start, end


def _pieces(text: str, window: tuple[int, int], spans: Sequence[tuple[int, int]]) -> Excerpt:
    start, end = window
    pieces: Excerpt = [("…", False)] if start else []
    position = start
    for a, b in spans:
        if a >= start and b <= end:
            pieces += [(_one_line(text[position:a]), False), (_one_line(text[a:b]), True)]
            position = b
    pieces.append((_one_line(text[position:end]), False))
    if end < len(text):
        pieces.append(("…", False))
    return [piece for piece in pieces if piece[0]]


def _one_line(text: str) -> str:
    return re.sub(r"\s+", " ", text)
