"""What a filter of a block of texts is asked for: words as they are, and their beginnings of a few lengths.

A filter knows no order and no neighbours. A word of which a query has only the beginning is looked for by the longest beginning
that is kept; of a shorter one than all of these nothing can be told.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from .letters import is_alone
from .lexemes import asked_of

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator, Sequence

    from .terms import Term

BEGINNINGS: Final = (3, 5, 8, 12)
"""Characters of the beginnings that are kept. Few words are longer than twelve, so that the last ones cost little."""
_BEGUN: Final = "*"
"""Behind a beginning: no lexeme has it."""


def keys_of(lexemes: Collection[str]) -> set[str]:
    """All that a filter keeps of texts with these lexemes."""
    found = set(lexemes)
    for length in BEGINNINGS:
        found.update([word[:length] + _BEGUN for word in lexemes if len(word) >= length])
    found.update([word[0] + _BEGUN for word in lexemes if len(word) < BEGINNINGS[0] and is_alone(word[0])])
    return found


def asked_keys(wanted: Sequence[Term]) -> list[str]:
    """What a filter has of a block that has a text with all of the terms."""
    return [*dict.fromkeys(key for lexeme, begun in asked_of(wanted) for key in _asked(lexeme, begun=begun))]


def _asked(lexeme: str, *, begun: bool) -> Iterator[str]:
    if not begun:
        yield lexeme
    elif is_alone(lexeme):
        yield lexeme + _BEGUN
    for length in BEGINNINGS:
        if len(lexeme) >= length:
            yield lexeme[:length] + _BEGUN
