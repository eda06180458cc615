"""Where a window joins two runs of one conversation: what stands on both sides of the joint is stored twice.

Each run was stored when nothing tied it to the other one, and each may hold the messages at the joint: the end of the first is
what a compaction left at the beginning of the second. The window shows them once. Two messages with the same content that stand
right before the same message, or right behind it, are one.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence


def at_junctions(runs: Sequence[Sequence[int]], hashes: Sequence[str], numbers: Sequence[int]) -> list[tuple[int, int]]:
    """Pairs of sequence numbers that are one message, the older number first.

    ``runs`` are the runs of a conversation in reading order, ``hashes`` its content hashes by number, and ``numbers`` the messages
    of a window in its order (a number that is in no run joins nothing).
    """
    if len(runs) < 2:
        return []
    place = {number: (at, position) for at, run in enumerate(runs) for position, number in enumerate(run)}
    found: dict[tuple[int, int], None] = {}
    for position in range(1, len(numbers)):
        before, after = place.get(numbers[position - 1]), place.get(numbers[position])
        if before is None or after is None or before[0] == after[0]:
            continue
        above = zip(numbers[position - 1 :: -1], _upwards(runs[after[0]], after[1]))
        below = zip(numbers[position:], runs[before[0]][before[1] + 1 :])
        for side in (above, below):
            found.update(dict.fromkeys(_equal(side, hashes)))
    return list(found)


def _upwards(run: Sequence[int], position: int) -> Iterator[int]:
    return (run[at] for at in range(position - 1, -1, -1))


def _equal(pairs: Iterator[tuple[int, int]], hashes: Sequence[str]) -> Iterator[tuple[int, int]]:
    for one, other in pairs:
        if one == other or not hashes[one] or hashes[one] != hashes[other]:
            return
        yield min(one, other), max(one, other)
