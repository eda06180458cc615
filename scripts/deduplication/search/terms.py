"""What a search looks for: words and phrases, folded, and where a text has them.

Case is folded, Unicode composed (NFC), any white space is any other. A line break inside a word is passed over where the
client may have put it there: in words of twelve characters and more (paths, URLs), and in scripts without blanks.
"""

from __future__ import annotations

import re
import unicodedata
from typing import TYPE_CHECKING, Final, Optional

from ..start.late_dataclass import dataclass
from ..start.late_pattern import late_pattern

if TYPE_CHECKING:
    from collections.abc import Sequence

    Excerpt = list[tuple[str, bool]]

LONG: Final = 12
"""Characters from which on a word may have been cut by the end of a line."""
_UNCUT: Final = 20
"""Characters among which at most one is followed by the end of a line: no screen is that narrow."""
_BREAK: Final = r"(?:\n[ \t]*)?"
_QUOTED: Final = late_pattern(r'"([^"]*)"?|[^\s"]+')
_RUN: Final = late_pattern(r"[a-z0-9]+")
_ODD: Final = late_pattern(
    rb"\xe2\x84[\xaa\xab]|\xc5[\xbf\x89]|\xc3\x9f|\xc4\xb0|\xc7\xb0|\xe1\xba[\x96-\x9e]|\xef\xac[\x80-\x86]"
)
"""The characters that become ASCII letters by folding, in UTF-8: the Kelvin sign, the long s, sharp s, ligatures ..."""
_BEFORE: Final = 60
_EXCERPT: Final = 180
"""Characters of an excerpt, and those of them before the first word found."""
_MOST_EXCERPTS: Final = 3
_MOST_MARKS: Final = 200


def fold(text: str) -> str:
    """The form in which texts are compared."""
    return text.lower() if text.isascii() else unicodedata.normalize("NFC", text).casefold()


@dataclass(frozen=True)
class Term:
    """One word or phrase: its folded ``text``, the ``pattern`` to find it in folded text, and ``runs``, parts of it of which
    every log line with the term has at least one, in lower case.
    """

    text: str
    pattern: re.Pattern[str]
    runs: tuple[bytes, ...]


def terms(arguments: Sequence[str]) -> list[Term]:
    """The words and phrases of a query. An argument with white space in it is a phrase; quotes in one make phrases, too."""
    found: dict[str, Term] = {}
    for argument in arguments:
        if '"' in argument:
            texts = [
                match.group(1) if match.group(1) is not None else match.group() for match in _QUOTED.finditer(argument)
            ]
        else:
            texts = [argument]
        for text in texts:
            folded = " ".join(fold(text).split())
            if folded:
                found.setdefault(folded, Term(folded, _pattern(folded), _runs(folded)))
    return list(found.values())


def may_hold(wanted: Sequence[Term], lowered: bytes) -> bool:
    """False where a log line, in lower case, cannot hold all of the terms; told without decoding it."""
    for term in wanted:
        if any(run in lowered for run in term.runs) or b"\\ud" in lowered:
            continue  # an escaped surrogate: such a line has everything escaped that is not ASCII
        if lowered.isascii() or not _ODD.search(lowered):
            return False
    return True


def _pattern(folded: str) -> re.Pattern[str]:
    parts = [_BREAK.join(map(re.escape, part)) if _breakable(part) else re.escape(part) for part in folded.split(" ")]
    return re.compile(r"\s+".join(parts))


def _breakable(part: str) -> bool:
    """True for a word that the end of a line may have cut."""
    return len(part) >= LONG or any(unicodedata.east_asian_width(character) in "WF" for character in part)


def _runs(folded: str) -> tuple[bytes, ...]:
    """The longest run of ASCII letters and digits; of one that may have been cut both halves, as one of them is whole."""
    runs = [(run, _breakable(part)) for part in folded.split(" ") for run in _RUN.findall(part)]
    if not runs:
        return (b"",)
    run, breakable = max(runs, key=lambda each: len(each[0]) // (1 + each[1]))
    if not breakable:
        return (run.encode(),)
    run = run[:_UNCUT]
    return (run[: len(run) // 2].encode(), run[len(run) // 2 :].encode())


class Text:
    """A message's text, prepared for searching; positions found in the folded form lead back to the text itself."""

    def __init__(self, text: str) -> None:
        self.text = text if text.isascii() else unicodedata.normalize("NFC", text)
        self.folded = fold(text)
        self._origin: Optional[list[int]] = None
        if len(self.folded) != len(self.text):  # a sharp s became two letters: count what every character became
            self._origin = [position for position, character in enumerate(self.text) for _ in character.casefold()]

    def has(self, wanted: Sequence[Term]) -> bool:
        """True where the text has every one of the terms."""
        return all(term.pattern.search(self.folded) for term in wanted)

    def spans(self, wanted: Sequence[Term]) -> list[tuple[int, int]]:
        """Where the terms stand in the text, half open, in order, without overlap."""
        found: list[tuple[int, int]] = []
        for term in wanted:
            for number, match in enumerate(term.pattern.finditer(self.folded)):
                if number == _MOST_MARKS:
                    break
                found.append((self._at(match.start()), self._at(match.end() - 1) + 1))
        merged: list[tuple[int, int]] = []
        for start, end in sorted(found):
            if merged and start < merged[-1][1]:
                merged[-1] = (merged[-1][0], max(end, merged[-1][1]))
            else:
                merged.append((start, end))
        return merged

    def _at(self, position: int) -> int:
        return position if self._origin is None else self._origin[position]

    def excerpts(self, wanted: Sequence[Term]) -> list[Excerpt]:
        """Short parts of the text around the terms: pieces, each with whether it is one of them, on one line.

        The first one stands around the first place; a term that it does not show gets another one.
        """
        spans = self.spans(wanted)
        made: list[Excerpt] = []
        shown: list[tuple[int, int]] = []
        for term in wanted:
            firsts = [
                (self._at(match.start()), self._at(match.end() - 1) + 1) for match in term.pattern.finditer(self.folded)
            ]
            if len(made) == _MOST_EXCERPTS or any(a <= start and end <= b for a, b in shown for start, end in firsts):
                continue
            window = _window(self.text, firsts[0])
            shown.append(window)
            made.append(_pieces(self.text, window, spans))
        return made


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
