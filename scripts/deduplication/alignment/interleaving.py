"""Align what a text export shows with what a structured source wrote: the turns agree, the tools between them do not.

The text collapses tool calls, leaves some out, cuts results and prints them in another order; the transcript has all of them.
So turns are paired one by one, and of the tools that stand between the same two turns each one that the text shows is taken
for one that was written there: which of them makes no difference, that none is stored twice does.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, Protocol

from ..model import TOOL_CALL, TOOL_RESULT, TURNS
from .fingerprint import A_FEW_WORDS
from .subsequence import find

if TYPE_CHECKING:
    from collections.abc import Sequence

    from .columns import Columns

_TOOLS: Final = (TOOL_CALL, TOOL_RESULT)


class Sides(Protocol):
    """The alignment under way: the shown rows, the known rows in reading order, and what has been matched."""

    shown: Columns
    known: Columns
    matches: list[int | None]
    numbers: Sequence[int]

    def alike(self, p: int, k: int) -> bool:
        """Given that the neighbours agree, are these two the same message?"""

    def match(self, p: int, k: int) -> None:
        """They are."""

    def is_free(self, k: int) -> bool:
        """Is no shown message matched with this one yet?"""


def differ_in_source(sides: Sides, p: int, k: int) -> bool:
    """True where one of the two was laid out for a screen and the other written exactly (then it has an id)."""
    return bool(sides.shown.uuids[p]) != bool(sides.known.uuids[k])


def between(sides: Sides, p0: int, p1: int, k0: int, k1: int) -> None:
    """Pair what lies between two matched pairs; half-open positions."""
    at, last_p, last_k = k0, p0, k0
    for p in range(p0, p1):
        if sides.shown.kinds[p] in _TOOLS or sides.matches[p] is not None:
            continue
        k = next((k for k in range(at, k1) if sides.is_free(k) and sides.alike(p, k)), -1)
        if k >= 0:
            _cover(sides, range(last_p, p), range(last_k, k))
            sides.match(p, k)
            at, last_p, last_k = k + 1, p + 1, k + 1
    _cover(sides, range(last_p, p1), range(last_k, k1))


def outwards(sides: Sides, p: int, k: int, step: int) -> None:
    """From a matched pair on, turn by turn, as long as the next turn of both sides is the same."""
    while True:
        next_p, next_k = _next_turn(sides.shown, p, step), _next_turn(sides.known, k, step)
        inner_p, inner_k = _inside(p, next_p, step), _inside(k, next_k, step)
        ends = not (0 <= next_p < len(sides.shown) and 0 <= next_k < len(sides.known))
        if ends or sides.matches[next_p] is not None or not sides.is_free(next_k) or not sides.alike(next_p, next_k):
            between(sides, inner_p.start, inner_p.stop, inner_k.start, inner_k.stop)
            return
        sides.match(next_p, next_k)
        between(sides, inner_p.start, inner_p.stop, inner_k.start, inner_k.stop)
        p, k = next_p, next_k


def embedded(shown: Columns, known: Columns) -> list[tuple[int, int]]:
    """Pairs of turns where all turns of one sequence stand in a row inside the other; the last such place.

    A single known turn must say a few words: "yes" stands everywhere.
    """
    ours = [p for p, kind in enumerate(shown.kinds) if kind in TURNS]
    theirs = [k for k, kind in enumerate(known.kinds) if kind in TURNS]
    here, there = [shown.keys[p] for p in ours], [known.keys[k] for k in theirs]
    at = find(there, here)
    if at >= 0:
        return list(zip(ours, theirs[at:]))
    at = find(here, there)
    says_something = len(theirs) > 1 or any(known.weights[k] >= A_FEW_WORDS for k in theirs)
    return list(zip(ours[at:], theirs)) if at >= 0 and says_something else []


def _next_turn(rows: Columns, position: int, step: int) -> int:
    position += step
    while 0 <= position < len(rows) and rows.kinds[position] not in TURNS:
        position += step
    return position


def _inside(one: int, other: int, step: int) -> range:
    return range(one + 1, other) if step > 0 else range(other + 1, one)


def _cover(sides: Sides, shown: range, known: range) -> None:
    """Give each tool item of the laid-out side one of the exact side: calls to calls, results to results.

    Both are then paired in ascending order, whatever was paired with what: a text prints each result below its call, a
    transcript has the results of parallel calls behind all of them, and two orders for the same messages would contradict.
    """
    taken_p: list[int] = []
    taken_k: list[int] = []
    for kind in _TOOLS:
        ours = [p for p in shown if sides.shown.kinds[p] == kind and sides.matches[p] is None]
        drawn = {
            sides.shown.hashes[p] for p in ours
        }  # an earlier text may have shown them before the exact side had them
        theirs = [
            k
            for k in known
            if sides.known.kinds[k] == kind
            and sides.is_free(k)
            and ours
            and (differ_in_source(sides, ours[0], k) or sides.known.hashes[k] in drawn)
        ]
        taken_p += ours[: len(theirs)]
        taken_k += theirs[: len(ours)]
    for p, k in zip(sorted(taken_p), sorted(taken_k)):
        sides.match(p, k)
