"""Known sequence and shown sequence in, a plan out: which stored message each shown one is, or "new".

Pure: no files, no clock. The method is a patience diff. Stored are the messages 0 to 4, and an export shows six::

    stored                                                   shown                                                  is
    0 Why does the tide clock drift by a minute every week?  Why does the tide clock drift by a minute every week?  0
    1 The crystal ages, and the division rounds down.        The crystal ages, and the division rounds down.        1
    2 yes                                                    yes                                                    2
    3 Read(clock.c)                                          Read(src/clock.c)                                      3, redrawn
    4 It counts                                              It counts in half seconds.                             4, grown
                                                             yes                                                    new

Here ``plan.matches == [0, 1, 2, 3, 4, None]``, ``plan.grown == {3, 4}`` and ``plan.redrawn == {3}``. Long messages that occur once
on both sides are anchors, but only where a neighbour agrees. Between anchors what is equal is matched in order, and runs of the
same kinds that differ only in how they are drawn are the same messages. A short or repeated message never matches by itself: a
"yes" is a turn. Where the evidence is thin the answer is "new": a message kept twice can be seen, a message dropped cannot.
"""

from __future__ import annotations

import operator
from typing import TYPE_CHECKING

from ..start.late_dataclass import dataclass, field
from .aligner import Aligner
from .reading_order import other_versions
from .reasons import PREFIX

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Mapping, Sequence

    from .aligner import Compare
    from .columns import Columns
    from .reading_order import ReadingOrder
    from .seams import Beginning


@dataclass(frozen=True)
class Plan:
    """``matches[p]`` is the sequence number that shown position ``p`` is, or None for a new occurrence.

    ``grown`` holds the positions whose body takes the place of the stored one; of these ``redrawn`` are another drawing of it,
    the rest say more. ``reasons[p]`` is what a match rests on, empty for a new occurrence.
    """

    matches: list[int | None]
    grown: frozenset[int] = frozenset()
    redrawn: frozenset[int] = frozenset()
    reasons: list[str] = field(default_factory=list, compare=False)

    def without_first(self, count: int) -> Plan:
        """The plan for what follows the first ``count`` positions, counted from there."""
        if not count:
            return self

        def later(positions: frozenset[int]) -> frozenset[int]:
            return frozenset(p - count for p in positions if p >= count)

        return Plan(self.matches[count:], later(self.grown), later(self.redrawn), self.reasons[count:])


def join(plans: Iterable[Plan]) -> Plan:
    """The plan of windows that stand one after another."""
    matches: list[int | None] = []
    grown: set[int] = set()
    redrawn: set[int] = set()
    reasons: list[str] = []
    for each in plans:
        grown.update(p + len(matches) for p in each.grown)
        redrawn.update(p + len(matches) for p in each.redrawn)
        matches += each.matches
        reasons += each.reasons
    return Plan(matches, frozenset(grown), frozenset(redrawn), reasons)


def plan(
    known: Columns,
    reading: ReadingOrder,
    shown: Columns,
    compare: Compare,
    extends: Mapping[int, int] | None = None,
    *,
    begins: Beginning | None = None,
    continuations: Collection[int] = (),
) -> Plan:
    """Align ``shown`` with the conversation ``known`` as it is read. Linear but for sorting anchors.

    ``extends`` maps each further version to the earlier number whose place it has: an older version may be shown again.
    ``begins`` says what the first message shown comes after, where that is known; ``continuations`` are the numbers that an
    export began with right after a compaction.
    """
    matches: list[int | None] = [None] * len(shown)
    if not len(shown) or not reading.order:
        return Plan(matches, reasons=[""] * len(shown))
    runs = reading.runs()
    whole = _prefix(known, runs, shown)
    if whole is not None:
        return Plan(whole, reasons=[PREFIX if number is not None else "" for number in whole])
    aligner = Aligner(known, shown, compare, other_versions(reading.order, extends or {}))
    used = aligner.align(runs, begins, frozenset(continuations))
    for run in runs:
        if run[0] not in used:
            aligner.match_whole_run(run)
    aligner.match_by_id()
    return Plan(aligner.matches, frozenset(aligner.grown), frozenset(aligner.redrawn), aligner.reasons)


def _prefix(known: Columns, runs: Sequence[Sequence[int]], shown: Columns) -> list[int | None] | None:
    """The proven prefix: the export shows a run from its first message on, and either one ends inside the other."""
    for run in runs:
        both = min(len(run), len(shown))
        # Compared hash by hash, not by count: a watermark is believed only when proven.
        if (len(runs) == 1 or both == len(shown)) and all(
            map(operator.eq, map(known.hashes.__getitem__, run[:both]), shown.hashes)
        ):
            return [*run[:both], *[None] * (len(shown) - both)]
    return None
