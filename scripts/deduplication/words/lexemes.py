"""What an index of words has of a text, in a database or in a folder, and what finds in it all texts that may have a query's terms.

A query finds more than the terms say: order, seams and the ends of words are left to the same comparison as everywhere
(``Term.in_row``), so that hits are the same with an index and without. Positions are not stored.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from ..start.late_pattern import late_pattern
from .letters import ANY_ALONE, ONE_ALONE, is_alone
from .prepared import AT_CAPITAL, AT_CUT, AT_CUT_BESIDE, LONGEST, NO_BORDER, prepared

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from .terms import Term

MOST_BYTES: Final = 1_000_000
"""Of all lexemes of a text in UTF-8: a tsvector holds 1,048,575."""
_SEAM: Final = "/"
_PAIR: Final = late_pattern(f"(?=({ONE_ALONE}{ONE_ALONE}))")
_LAST: Final = late_pattern(f"{ONE_ALONE}(?!{ONE_ALONE})")
_SIGN: Final = NO_BORDER.strip()


def lexemes_of(text: str) -> dict[str, None]:
    """The text's lexemes, in the order in which they are met."""
    row = prepared(text)
    found: dict[str, None] = {}
    if NO_BORDER in row or AT_CUT_BESIDE in row:
        row = row.replace(NO_BORDER, "").replace(AT_CUT_BESIDE, "")
        found.update(dict.fromkeys(_PAIR.findall(row)))
        found.update(dict.fromkeys(_LAST.findall(row)))
        row = ANY_ALONE.sub(" ", row)
    if AT_CAPITAL in row or AT_CUT in row:
        found.update(dict.fromkeys(row.replace(AT_CAPITAL, _SEAM).replace(AT_CUT, _SEAM).split()))
        for name in [word for word in found if _SEAM in word]:
            del found[name]
            found.update(dict.fromkeys(_readings(name.split(_SEAM))))
    else:
        found.update(dict.fromkeys(row.split()))
    if max(map(len, found), default=0) > LONGEST:
        found = dict.fromkeys(word[:LONGEST] for word in found)
    return found


def tsvector_of(text: str) -> tuple[str, bool]:
    """The text's lexemes as the literal of a tsvector, and whether some are left out because there are too many."""
    found = lexemes_of(text)
    literal = " ".join(found)
    if len(literal) * 4 <= MOST_BYTES or len(literal.encode()) - len(found) + 1 <= MOST_BYTES:
        return literal, False
    return " ".join(_first(found)), True


def tsquery_of(wanted: Sequence[Term]) -> str:
    """The literal of a tsquery that every text with all of the terms fulfils, if none of its lexemes were left out."""
    return " & ".join(f"'{lexeme}'{':*' if begun else ''}" for lexeme, begun in asked_of(wanted))


def asked_of(wanted: Sequence[Term]) -> list[tuple[str, bool]]:
    """The lexemes that every text with all of the terms has, each with whether it is only the beginning of one."""
    return [*dict.fromkeys(each for term in wanted for each in _asked(term.row[1:-1].split(" "), begun=term.begun))]


def _asked(words: list[str], *, begun: bool) -> Iterator[tuple[str, bool]]:
    """Words, the last one perhaps ``begun``, and pairs of characters that are words by themselves; one of none begins a pair."""
    for number, word in enumerate(words):
        before, after = words[max(0, number - 2) : number], words[number + 1 : number + 3]
        if word == _SIGN:
            continue
        if not is_alone(word):
            yield word[:LONGEST], begun and not after
        elif len(after) == 2 and after[0] == _SIGN and is_alone(after[1]):
            yield word + after[1], False
        elif not (len(before) == 2 and before[1] == _SIGN and is_alone(before[0])):
            yield word, True


def _readings(parts: list[str]) -> Iterator[str]:
    """The words that a name can be read as: some of its parts that stand in a row, in one."""
    count = len(parts)
    return ("".join(parts[start:end]) for start in range(count) for end in range(start + 1, count + 1))


def _first(lexemes: dict[str, None]) -> Iterator[str]:
    room = MOST_BYTES
    for lexeme in lexemes:
        room -= len(lexeme.encode())
        if room < 0:
            return
        yield lexeme
