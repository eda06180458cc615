"""What a PostgreSQL text search index has of a text, and what finds in it all texts that may have a query's terms.

A query finds more than the terms say: order, seams and the ends of words are left to the same comparison as everywhere
(``Term.in_row``), so that hits are the same with an index and without. Positions are not stored.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from ..start.late_pattern import late_pattern
from .letters import is_alone
from .prepared import LONGEST, SIGNS, prepared

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from .terms import Term

MOST_BYTES: Final = 1_000_000
"""Of all lexemes of a text in UTF-8: a tsvector holds 1,048,575."""
_CHAIN: Final = late_pattern("[^ ]+(?: [+^/%] [^ ]+)+")
"""Words with signs between them."""


def tsvector_of(text: str) -> tuple[str, bool]:
    """The text's lexemes as the literal of a tsvector, and whether some are left out because there are too many."""
    row = prepared(text)
    chains = _CHAIN.findall(row) if any(sign in row for sign in SIGNS) else []
    words = (_CHAIN.sub("", row) if chains else row).split()
    found = dict.fromkeys(word[:LONGEST] for word in words)
    for chain in chains:
        found.update(dict.fromkeys(_lexemes(chain.split(" "))))
    literal = " ".join(found)
    if len(literal) * 4 <= MOST_BYTES or len(literal.encode()) - len(found) + 1 <= MOST_BYTES:
        return literal, False
    return " ".join(_first(found)), True


def tsquery_of(wanted: Sequence[Term]) -> str:
    """The literal of a tsquery that every text with all of the terms fulfils, if none of its lexemes were left out."""
    found: dict[str, None] = {}
    for term in wanted:
        in_pair = False
        for lexeme in _lexemes(term.row[1:-1].split(" ")):
            alone = is_alone(lexeme[0])
            if not (alone and in_pair and len(lexeme) == 1):  # the last one of a row: the pair before it has it
                found[f"'{lexeme}'" if alone and len(lexeme) == 2 else f"'{lexeme}':*"] = None
            in_pair = alone and len(lexeme) == 2
    return " & ".join(found)


def _lexemes(chain: list[str]) -> Iterator[str]:
    """Those of words with signs between them, or none between words of a query."""
    for number, word in enumerate(chain):
        if word in SIGNS:
            continue
        sign, after = (*chain[number + 1 : number + 3], "", "")[:2]
        if is_alone(word):
            yield word + after if sign in ("+", "%") and is_alone(after) else word
            continue
        end = number + 1
        while end < len(chain) and chain[end] in ("^", "/"):
            end += 2
        yield "".join(chain[number:end:2])[:LONGEST]


def _first(lexemes: dict[str, None]) -> Iterator[str]:
    room = MOST_BYTES
    for lexeme in lexemes:
        room -= len(lexeme.encode())
        if room < 0:
            return
        yield lexeme
