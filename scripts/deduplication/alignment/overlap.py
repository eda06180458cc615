"""Do two sequences belong together? The evidence by which an export finds its conversation, or its own second copy."""

from __future__ import annotations

import heapq
import itertools
from array import array
from collections import Counter
from typing import TYPE_CHECKING, Final

from ..model import TURNS
from .fingerprint import DISTINCTIVE
from .subsequence import find, unique

if TYPE_CHECKING:
    from collections.abc import Sequence

    from .columns import Columns

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
    run = _Run()
    for p in turns:
        run.take(rank.get(shown.keys[p], -2), shown.kinds[p])
    return run.longest


class _Run:
    """The longest run so far. One message that only one of the two sides has may stand in a run, where both people and the
    assistant speak in it: a line of the client that no rule explains yet.
    """

    def __init__(self) -> None:
        self.longest = 0
        self._last = -2
        self._length = self._missing = 0
        self._kinds: set[str] = set()
        self._whole = True

    def take(self, rank: int, kind: str) -> None:
        """The next turn shown, and where it stands among the known ones (below 0: nowhere)."""
        if rank < 0:
            self._missing += 1
            return
        between = self._missing + rank - self._last - 1
        if self._length and rank > self._last and between <= 1:
            self._length += 1
            self._whole = self._whole and not between
            self._kinds.add(kind)
        else:
            self._length, self._whole, self._kinds = 1, True, {kind}
        self._last, self._missing = rank, 0
        if self._whole or self._kinds == TURNS:
            self.longest = max(self.longest, self._length)


def shared_turns(known: Columns, order: Sequence[int], shown: Columns) -> bool:
    """True where turns that stand in a row without a break in both sequences say as much as three distinctive ones.

    Each different turn counts with its letters, a long one as if it were just long enough to be distinctive.
    """
    theirs = array("q", (n for n in order if known.kinds[n] in TURNS))
    place = unique(known.keys, theirs)
    once = set(place.values())
    rank = {number: position for position, number in enumerate(theirs) if number in once}
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


def one_holds_the_other(known: Columns, order: Sequence[int], shown: Columns) -> range | None:
    """The shown positions of a stretch that is all turns of one side and stands in a row in the other.

    All of them are three turns at least, and say enough together.
    """
    theirs = array("q", (n for n in order if known.kinds[n] in TURNS))
    ours = array("q", (p for p, kind in enumerate(shown.kinds) if kind in TURNS))
    there, here = [known.keys[n] for n in theirs], [shown.keys[p] for p in ours]
    if _say_enough([shown.weights[p] for p in ours]) and find(there, here) >= 0:
        return range(ours[0], ours[-1] + 1)
    at = find(here, there) if _say_enough([known.weights[n] for n in theirs]) else -1
    return range(ours[at], ours[at + len(theirs) - 1] + 1) if at >= 0 else None


def _say_enough(weights: list[int]) -> bool:
    return len(weights) >= RUN and sum(weights) >= DISTINCTIVE


def telling(shown: Columns) -> set[str]:
    """Keys of the turns by which a sequence may be found: the distinctive ones; where turns are short, the longest three."""
    turns = array("q", (p for p, kind in enumerate(shown.kinds) if kind in TURNS))
    longest = heapq.nlargest(RUN, turns, key=shown.weights.__getitem__) if len(turns) >= RUN else []
    return {shown.keys[p] for p in itertools.chain(longest, (p for p in turns if shown.weights[p] >= DISTINCTIVE))}


def plain_run(shown: Columns, end: int) -> list[int]:
    """Positions below ``end`` of :data:`RUN` distinctive turns in a row, people's and the assistant's, each once in ``shown``.

    Of several such runs the closest one. A sequence that begins with the same messages shares a run with it. Empty: there is none.
    """
    turns = [p for p in shown.distinctive() if shown.kinds[p] in TURNS]
    often = Counter(shown.keys[p] for p in turns)
    found: list[int] = []
    for at in range(len(turns) - RUN + 1):
        run = turns[at : at + RUN]
        if run[-1] >= end:
            break
        closer = not found or run[-1] - run[0] < found[-1] - found[0]
        if closer and {shown.kinds[p] for p in run} == TURNS and all(often[shown.keys[p]] == 1 for p in run):
            found = run
    return found


def meet(known: Columns, order: Sequence[int], shown: Columns, *, compacted: bool, continued: bool) -> range | None:
    """The shown positions of turns at a seam, a distinctive one among them, where one side began after a compaction."""
    ours, theirs = range(len(shown)), list(order)
    if compacted:
        head = tail_overlap(known, theirs, shown, ours)
        if head:
            return range(head[0], head[-1] + 1)
    tail = tail_overlap(shown, ours, known, theirs) if continued else []
    if not tail:
        return None
    turns = [p for p in ours if shown.kinds[p] in TURNS]
    return range(turns[-len(tail)], turns[-1] + 1)


def tail_overlap(one: Columns, ends: Sequence[int], other: Columns, begins: Sequence[int]) -> list[int]:
    """Positions in ``other`` of the turns that begin it and end ``one``; empty where no distinctive one is among them."""
    turns = [n for n in ends if one.kinds[n] in TURNS]
    head = [p for p in begins if other.kinds[p] in TURNS]
    for length in range(min(len(turns), len(head), 200), 0, -1):
        if [one.keys[n] for n in turns[-length:]] == [other.keys[p] for p in head[:length]]:
            return head[:length] if any(other.weights[p] >= DISTINCTIVE for p in head[:length]) else []
    return []


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
