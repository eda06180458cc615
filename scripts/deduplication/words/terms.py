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
from .letters import is_alone
from .odd import odd
from .prepared import AT_CAPITAL, AT_CUT, AT_CUT_BESIDE, NO_BORDER, prepared, prepared_query

if TYPE_CHECKING:
    from collections.abc import Sequence

SHORTEST_CUT: Final = 4
"""Letters from which on a word of a query is found where a line's end has cut it."""
_PART: Final = late_pattern(r'"(?P<quoted>[^"]*)"?(?P<star>\*?)|[^\s"]+')
_UNSURE: Final = "[^\x00-\x7f\u3000-\u3029\u3041-\u3096\u30a1-\u30fb\u4e00-\u9fff\uac00-\ud7a3\uff00-\uff65]"
_SIGN: Final = NO_BORDER.strip()
_NO_LETTERS: Final = bytes(code for code in range(256) if code > 127 or not chr(code).isalnum())
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
        """Its ASCII letters and digits, as they stand among those of every text that has it and no odd character."""
        return [run.encode() for run in _RUN.findall("".join(self.words))]

    @cached_property
    def plainly(self) -> re.Pattern[str] | None:
        """What finds most matches in a text in lower case that is not prepared: ASCII words between ASCII borders."""
        if not self.row.isascii():
            return self._plainly_alone
        first, *others = map(re.escape, self.row.split())
        border, letter = r"[^a-z0-9\x80-\U0010ffff]", r"[a-z0-9\x80-\U0010ffff]"
        parts = [f"{first}(?<!{letter}{first})", *others]
        return re.compile(
            f"{border}+".join(parts) + f"(?!{letter if not self.begun else letter.replace('a-z0-9', '')})"
        )

    @property
    def _plainly_alone(self) -> re.Pattern[str] | None:
        """The same of characters that are words by themselves, where nothing follows that could change the last one."""
        parts = self.row[1:-1].split(f" {_SIGN} ")
        return re.compile(f"{''.join(parts)}(?!{_UNSURE})") if all(map(is_alone, parts)) else None

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
    lowered = text.lower()
    others = [term for term in wanted if term.plainly is None or not term.plainly.search(lowered)]
    if not others:
        return True
    if text.isascii() or odd().isdisjoint(_NOT_ASCII.findall(text)):
        letters = lowered.encode(errors="surrogatepass").translate(None, _NO_LETTERS)
        if not all(letters.find(run) >= 0 for term in others for run in term.runs):
            return False
    row = prepared(text)
    return all(term.in_row(row) for term in others)


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
