"""Where two windows meet: what stands in a row at a seam is evidence by its length and its bytes, however short its prose.

An export that begins after a compaction begins with the end of what came before it; a file that begins at the beginning begins
as another one of the same conversation does. In the middle of work such a stretch is calls and results, of which no single one
says anything.
"""

from __future__ import annotations

import itertools
from enum import Enum
from typing import TYPE_CHECKING, Final

from ..model import BOOKKEEPING, COMMAND_OUTPUT, CONTEXT, LOCAL_COMMAND, NOTICE, PROMPT, UNKNOWN
from .fingerprint import A_FEW_WORDS, DISTINCTIVE
from .subsequence import borders

if TYPE_CHECKING:
    from collections.abc import Iterable

    from .columns import Columns

PASSING: Final = frozenset({BOOKKEEPING, NOTICE, CONTEXT, UNKNOWN})
"""What the client says itself: one drawing has such a line, the next one has not."""
_SHORTEST: Final = 2
_LEAST_LETTERS: Final = 16
"""Letters and digits that a stretch of two messages at the least must say, where the conversation is known."""
_ALONE: Final = {PROMPT: 12}
"""Letters and digits of a single message at a seam; a prompt that nobody answered yet says more than another one."""
_MOST: Final = 2000
"""Messages at a seam that are compared."""
_STRETCH: Final = 3
_ENDS: Final = 20
"""Messages at each end by which a conversation is looked for."""
_LOCAL: Final = frozenset({LOCAL_COMMAND, COMMAND_OUTPUT})
"""What people do first in every session: it shows none to be the same as another."""


class Beginning(Enum):
    """What the first message of an export comes after."""

    START = "start"
    """Nothing: it is the beginning of a conversation."""
    COMPACTION = "compaction"
    """What a compaction took from the screen."""


def seam(shown: Columns, known: Columns, begins: Beginning | None, *, continued: bool) -> list[tuple[int, int]]:
    """Pairs (shown position, known position) of the stretch that both sides have at a seam; empty where it says too little.

    ``known`` is a run in reading order; ``continued``: it begins where an export began after a compaction.
    """
    ours, theirs = _lasting(shown), _lasting(known)
    if begins is Beginning.COMPACTION:
        pairs = _ends_with(known, theirs, shown, ours)
        if pairs:
            return [(p, k) for k, p in pairs]
    if continued:
        pairs = _ends_with(shown, ours, known, theirs)
        if pairs:
            return pairs
    if begins is Beginning.START and not continued:
        return _begin_alike(shown, ours, known, theirs)
    if begins is Beginning.COMPACTION and continued:
        return _lines_below_divider(shown, known)
    return []


def at_seams(shown: Columns) -> set[str]:
    """Content hashes at both ends of a sequence, by which a conversation may be found that has the same stretch there."""

    def first(positions: Iterable[int]) -> list[str]:
        said = (shown.hashes[n] for n in positions if shown.weights[n] >= A_FEW_WORDS and shown.kinds[n] not in PASSING)
        return list(itertools.islice(said, _ENDS))

    return {*first(range(len(shown))), *first(range(len(shown) - 1, -1, -1))}


def meets(shown: Columns, known: Columns, begins: Beginning | None, *, continued: bool) -> range | None:
    """The shown positions of a stretch at a seam that says enough to find the conversation by it, if no other one has it.

    That is three messages that say as much as two distinctive ones; of two beginnings, one must hold the other but for its last
    message, which may still be growing.
    """
    pairs = seam(shown, known, begins, continued=continued)
    stretch = [p for p, _ in pairs if shown.kinds[p] not in _LOCAL]
    if len(stretch) < _STRETCH or count_letters(shown, stretch) < 2 * DISTINCTIVE:
        return None
    at_the_beginning = begins is Beginning.START and not continued
    if at_the_beginning and len(pairs) + 1 < min(len(_lasting(shown)), len(_lasting(known))):
        return None
    return range(pairs[0][0], pairs[-1][0] + 1)


def count_letters(rows: Columns, positions: list[int]) -> int:
    """How much a stretch says: each different message with its letters and digits, a long one as if it were just distinctive."""
    return sum(min(weight, DISTINCTIVE) for weight in {rows.hashes[p]: rows.weights[p] for p in positions}.values())


def _lasting(rows: Columns) -> list[int]:
    return [n for n, kind in enumerate(rows.kinds) if kind not in PASSING]


def _ends_with(one: Columns, ends: list[int], other: Columns, begins: list[int]) -> list[tuple[int, int]]:
    """The longest stretch that ends ``one`` and begins ``other``, as pairs of their positions."""
    most = min(len(ends), len(begins), _MOST)
    tail, head = [one.hashes[n] for n in ends[len(ends) - most :]], [other.hashes[n] for n in begins[:most]]
    lengths = _borders(tail, head)
    if not lengths or not _says_enough(other, begins[: lengths[0]]):
        return []
    length = lengths[0]
    # The same calls again and again overlap in more than one way. Where they go on behind the stretch, one side shows others of
    # them than the other one: then only much of it says which way is right.
    goes_on = len(lengths) > 1 and head[length : length + 1] == head[lengths[1] : lengths[1] + 1]
    if goes_on and count_letters(other, begins[:length]) < 2 * DISTINCTIVE:
        return []
    return list(zip(ends[len(ends) - length :], begins[:length]))


def _borders(tail: list[str], head: list[str]) -> list[int]:
    """Lengths of the stretches that end ``tail`` and begin ``head``, the longest first. Linear (Knuth, Morris, Pratt)."""
    fallback = borders([*head, "\0", *tail])
    length = fallback[-1]
    found = []
    while length:
        found.append(length)
        length = fallback[length - 1]
    return found


def _begin_alike(shown: Columns, ours: list[int], known: Columns, theirs: list[int]) -> list[tuple[int, int]]:
    length = 0
    for p, k in zip(ours, theirs):
        if shown.hashes[p] != known.hashes[k]:
            break
        length += 1
    return list(zip(ours[:length], theirs)) if _says_enough(shown, ours[:length], DISTINCTIVE) else []


def _lines_below_divider(shown: Columns, known: Columns) -> list[tuple[int, int]]:
    """The client's own lines below the divider of one compaction, which a growing export shows again."""
    length = 0
    for ours, theirs, kind in zip(shown.hashes, known.hashes, shown.kinds):
        if ours != theirs or kind not in PASSING:
            break
        length += 1
    return [(n, n) for n in range(length)] if length >= _SHORTEST else []


def _says_enough(rows: Columns, stretch: list[int], least: int = _LEAST_LETTERS) -> bool:
    if len(stretch) == 1 and least == _LEAST_LETTERS:
        return rows.weights[stretch[0]] >= _ALONE.get(rows.kinds[stretch[0]], DISTINCTIVE)
    return len(stretch) >= _SHORTEST and count_letters(rows, stretch) >= least
