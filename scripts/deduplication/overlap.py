"""Do two sequences belong together? The evidence by which an export finds its conversation, or its own second copy."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from .fingerprint import ANCHOR_KINDS, DISTINCTIVE
from .model import PROMPT, TEXT

if TYPE_CHECKING:
    from collections.abc import Sequence

    from .columns import Columns

TURNS: Final = frozenset({PROMPT, TEXT})
RUN: Final = 3
"""Distinctive messages in a row that show two sequences to be one conversation."""


def shared_run(known: Columns, order: Sequence[int], shown: Columns) -> int:
    """Distinctive messages that stand in a row in both sequences: the longest such run."""
    wanted = {shown.keys[p] for p in shown.distinctive()}
    rank: dict[str, int] = {}
    position = 0
    for number in order:
        if known.weights[number] >= DISTINCTIVE and known.kinds[number] in ANCHOR_KINDS:
            key = known.keys[number]
            if key in wanted:
                rank[key] = -2 if key in rank else position
            position += 1
    longest = current = 0
    last = -2
    for p in shown.distinctive():
        here = rank.get(shown.keys[p], -2)
        current = current + 1 if here >= 0 and here == last + 1 else int(here >= 0)
        longest = max(longest, current)
        last = here
    return longest


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
