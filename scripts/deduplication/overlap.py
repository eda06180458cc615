"""Do two sequences belong together? The evidence by which an export finds its conversation, or its own second copy."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from .fingerprint import DISTINCTIVE
from .model import PROMPT, TEXT
from .subsequence import find, unique

if TYPE_CHECKING:
    from collections.abc import Sequence

    from .columns import Columns

TURNS: Final = frozenset({PROMPT, TEXT})
RUN: Final = 3
"""Distinctive messages in a row that show two sequences to be one conversation."""


def shared_run(known: Columns, order: Sequence[int], shown: Columns) -> int:
    """Distinctive turns that stand in a row in both sequences: the longest such run.

    Thinking is passed over: a transcript has it, an export of the same session does not.
    """
    turns = [p for p in shown.distinctive() if shown.kinds[p] in TURNS]
    wanted = {shown.keys[p] for p in turns}
    rank: dict[str, int] = {}
    position = 0
    for number in order:
        if known.weights[number] >= DISTINCTIVE and known.kinds[number] in TURNS:
            key = known.keys[number]
            if key in wanted:
                rank[key] = -2 if key in rank else position
            position += 1
    longest = current = 0
    last = -2
    for p in turns:
        here = rank.get(shown.keys[p], -2)
        current = current + 1 if here >= 0 and here == last + 1 else int(here >= 0)
        longest = max(longest, current)
        last = here
    return longest


def shared_turns(known: Columns, order: Sequence[int], shown: Columns) -> bool:
    """True where turns that stand in a row without a break in both sequences say as much as three distinctive ones.

    Each different turn counts with its letters, a long one as if it were just long enough to be distinctive.
    """
    theirs = [n for n in order if known.kinds[n] in TURNS]
    place = unique(known.keys, theirs)
    rank = {number: position for position, number in enumerate(theirs)}
    at, count, letters = -2, 0, 0
    seen: set[str] = set()
    for p in (p for p in range(len(shown)) if shown.kinds[p] in TURNS):
        key = shown.keys[p]
        if at < 0 or at + 1 >= len(theirs) or known.keys[theirs[at + 1]] != key:
            at, count, letters, seen = rank.get(place.get(key, -1), -1), 0, 0, set()
            if at < 0:
                continue
        else:
            at += 1
        count += 1
        if key not in seen:
            seen.add(key)
            letters += min(shown.weights[p], DISTINCTIVE)
        if count >= RUN and letters >= RUN * DISTINCTIVE:
            return True
    return False


def contains(known: Columns, order: Sequence[int], shown: Columns) -> bool:
    """True where all turns shown, three of them at least, stand in a row in the known sequence and say enough together."""
    head = [p for p in range(len(shown)) if shown.kinds[p] in TURNS]
    if len(head) < RUN or sum(shown.weights[p] for p in head) < DISTINCTIVE:
        return False
    return find([known.keys[n] for n in order if known.kinds[n] in TURNS], [shown.keys[p] for p in head]) >= 0


def telling(shown: Columns) -> set[str]:
    """Keys of the turns by which a sequence may be found: the distinctive ones; where turns are short, the longest three."""
    turns = sorted((p for p in range(len(shown)) if shown.kinds[p] in TURNS), key=lambda p: -shown.weights[p])
    most = len(turns) if len(turns) >= RUN else 0
    return {shown.keys[p] for n, p in enumerate(turns) if shown.weights[p] >= DISTINCTIVE or n < min(RUN, most)}


def tail_overlap(known: Columns, order: Sequence[int], shown: Columns) -> int:
    """Distinctive messages of a run that ends the known sequence and begins the shown one (after a compaction)."""
    turns = [n for n in order if known.kinds[n] in TURNS]
    head = [p for p in range(len(shown)) if shown.kinds[p] in TURNS]
    for length in range(min(len(turns), len(head), 200), 0, -1):
        if [known.keys[n] for n in turns[-length:]] == [shown.keys[p] for p in head[:length]]:
            return sum(shown.weights[p] >= DISTINCTIVE for p in head[:length])
    return 0


def without_second_copy(shown: Columns, banners: Sequence[int]) -> range | None:
    """Positions of a second copy of the file's own beginning, or None.

    Versions 2.1.15 to 2.1.19 wrote the whole conversation twice, each copy under a banner of its own.
    """
    for start in banners:
        length = min(start, len(shown) - start)
        if shown.hashes[:length] == shown.hashes[start : start + length] and (
            length >= RUN or any(shown.weights[p] >= DISTINCTIVE for p in range(length))
        ):
            return range(start, start + length)
    return None
