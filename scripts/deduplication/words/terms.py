"""What a search asks for: words and phrases, and whether a text has them.

A word matches words that begin with it. What stands in quotes matches as it is: a word, or words in a row, the last one whole; with
a star at its end the last one is only begun. What is no letter and no digit separates words, in a query as in a text, so that
``src/tide_clock.py`` asks for four words in a row.
"""

from __future__ import annotations

import re
from functools import cached_property
from typing import TYPE_CHECKING, Final

from ..start.late_dataclass import dataclass
from ..start.late_pattern import late_pattern
from .letters import LETTERS, composed, folded, is_alone
from .prepared import AT_CAPITAL, AT_CUT, AT_CUT_BESIDE, NO_BORDER, prepared, prepared_query

if TYPE_CHECKING:
    from collections.abc import Sequence

SHORTEST_CUT: Final = 4
"""Letters from which on a word of a query is found where a line's end has cut it."""
_PART: Final = late_pattern(r'"(?P<quoted>[^"]*)"?(?P<star>\*?)|[^\s"]+')
_SIGN: Final = NO_BORDER.strip()
_ASCII_BORDERS: Final = bytes(code for code in range(128) if not chr(code).isalnum())
_NO_ASCII_LETTERS: Final = _ASCII_BORDERS + bytes(range(128, 256))
_LETTER: Final = r"[a-z0-9\x80-\U0010ffff]"
_BORDER: Final = r"[^a-z0-9\x80-\U0010ffff]"
_RUN: Final = late_pattern("[a-z0-9]+")
_NOT_ASCII: Final = late_pattern("[^\x00-\x7f]")


@dataclass(frozen=True)
class Term:
    """Words in a row: ``shown`` as they were asked for, ``row`` as texts have them; ``begun``: the last one may go on."""

    shown: str
    row: str
    begun: bool

    @cached_property
    def words(self) -> list[str]:
        """The words alone."""
        return [word for word in self.row.split() if word != _SIGN]

    @cached_property
    def wanted(self) -> str:
        """What a row that has no seam holds where it matches."""
        return self.row[:-1] if self.begun and not is_alone(self.row[-2]) else self.row

    @cached_property
    def pattern(self) -> re.Pattern[str]:
        """What a row holds where it matches: a match begins with the blank before the first word and ends with the last letter."""
        parts = self.row[1:-1].split(" ")
        found = [f" {_word(parts[0])}"]
        for before, part in zip(parts, parts[1:]):
            if part == _SIGN:
                found.append(" [+%] ")
            else:
                found.append(_word(part) if before == _SIGN else f" (?:[/^%] )?{_word(part)}")
        return re.compile("".join(found) + ("" if self.wanted[-1] != " " else "(?= )"))

    @cached_property
    def runs(self) -> list[bytes]:
        """Its ASCII letters and digits, as they stand among those of every text that has it."""
        return [run.encode() for run in _RUN.findall("".join(self.words))]

    @cached_property
    def pieces(self) -> list[bytes]:
        """Its other words, neighbours without a border together, as they stand in a text of which only its borders are taken."""
        found = self.row[1:-1].replace(NO_BORDER, "").split(" ")
        return [piece.encode() for piece in found if not piece.isascii()]

    @cached_property
    def plainly(self) -> re.Pattern[str] | None:
        """What finds most matches in a folded text that is not prepared: words between ASCII borders, or neighbours alone."""
        parts = self.row[1:-1].split(NO_BORDER)
        if all(map(is_alone, parts)):
            return re.compile("".join(parts))
        if len(parts) > 1:
            return None
        first, *others = map(re.escape, parts[0].split())
        words = [f"{first}(?<!{_LETTER}{first})", *others]
        return re.compile(f"{_BORDER}+".join(words) + ("" if self.begun else f"(?!{_LETTER})"))

    def in_row(self, row: str) -> bool:
        """True where a prepared text has the words."""
        wanted = self.wanted
        if wanted in row:
            return True
        if AT_CAPITAL not in row and AT_CUT not in row and AT_CUT_BESIDE not in row:
            return False
        if wanted in row.replace(AT_CAPITAL, " ").replace(AT_CUT, " ").replace(AT_CUT_BESIDE, " "):
            return True
        joined = row.replace(AT_CAPITAL, "").replace(AT_CUT, "").replace(AT_CUT_BESIDE, NO_BORDER)
        return all(word in joined for word in self.words) and self.pattern.search(row) is not None


def has(text: str, wanted: Sequence[Term]) -> bool:
    """True where a text has all of the terms."""
    plain = text.lower() if text.isascii() else folded(composed(text))
    others = [term for term in wanted if term.plainly is None or not term.plainly.search(plain)]
    return not others or (_may_have(plain, others) and in_row(others, prepared(text)))


def in_row(wanted: Sequence[Term], row: str) -> bool:
    """True where a prepared text has all of the terms."""
    return all(term.in_row(row) for term in wanted)


def _may_have(plain: str, wanted: Sequence[Term]) -> bool:
    """False where the letters of a folded text, without anything between them, cannot be those of the terms."""
    data = plain.encode(errors="surrogatepass")
    letters = data.translate(None, _NO_ASCII_LETTERS)
    if not all(run in letters for term in wanted for run in term.runs):
        return False
    if not any(term.pieces for term in wanted):
        return True
    letters = data.translate(None, _ASCII_BORDERS)
    return all(piece in letters for term in wanted for piece in term.pieces) or any(
        LETTERS[ord(kind)] is None for kind in set(_NOT_ASCII.findall(plain))
    )


def terms(arguments: Sequence[str]) -> list[Term]:
    """The words and phrases of a query. An argument with white space in it is a phrase; quotes in one make phrases, too."""
    found: dict[tuple[str, bool], Term] = {}
    for argument in arguments:
        for text, begun in _parts(argument):
            row = prepared_query(text)
            if row != " ":
                shown = " ".join(text.split())
                found.setdefault((row, begun), Term(shown if begun and " " not in shown else f'"{shown}"', row, begun))
    return list(found.values())


def _parts(argument: str) -> list[tuple[str, bool]]:
    """Each word and phrase of an argument, with whether its last word is only begun."""
    if '"' not in argument:
        return [(argument, len(argument.split()) == 1 or argument.rstrip().endswith("*"))]
    return [
        (found[0], True) if found["quoted"] is None else (found["quoted"], found[0].endswith(("*", '*"')))
        for found in _PART.finditer(argument)
    ]


def _word(word: str) -> str:
    seam = "(?: [/^] )?" if len(word) >= SHORTEST_CUT else r"(?: \^ )?"
    return seam.join(map(re.escape, word))
