"""Anchors: long messages that occur once in both sequences and are confirmed by a neighbour, or by a strong id."""

from __future__ import annotations

from bisect import bisect_left
from typing import TYPE_CHECKING

from ..model import TURNS
from ..start.late_tuple import NamedTuple
from .fingerprint import A_FEW_WORDS, DISTINCTIVE
from .subsequence import unique

if TYPE_CHECKING:
    from collections.abc import Callable

    from .columns import Columns

    Grows = Callable[[int, int], bool]


def anchors(shown: Columns, rows: Columns, grows: Grows) -> list[tuple[int, int]]:
    """Pairs (shown position, position in the run) of distinctive messages that a neighbour confirms.

    ``grows(p, k)`` tells whether one of the two bodies is the beginning of the other.
    """
    ours, theirs = shown.distinctive(), rows.distinctive()
    pairs: dict[int, int] = {}
    strong = _by_uuid(shown, rows)
    for name in ("hashes", "keys"):
        here, there = unique(getattr(shown, name), ours), unique(getattr(rows, name), theirs)
        taken = set(pairs.values())
        for value, p in here.items():
            k = there.get(value, -1)
            if k >= 0 and p not in pairs and k not in taken:
                pairs[p] = k
    neighbourhood = _Neighbourhood(
        shown,
        rows,
        grows,
        [p for p, kind in enumerate(shown.kinds) if kind in TURNS],
        [k for k, kind in enumerate(rows.kinds) if kind in TURNS],
    )
    confirmed = [(p, k) for p, k in pairs.items() if p not in strong and neighbourhood.confirms(p, k)]
    return sorted([*confirmed, *strong.items()])


def _by_uuid(shown: Columns, rows: Columns) -> dict[int, int]:
    there = {uuid: k for k, uuid in enumerate(rows.uuids) if uuid}
    if not there:
        return {}
    return {p: there[uuid] for p, uuid in enumerate(shown.uuids) if uuid in there}


class _Neighbourhood(NamedTuple):
    """Both sequences, and where the turns (prompts and answers) stand in them."""

    shown: Columns
    rows: Columns
    grows: Grows
    turns_shown: list[int]
    turns_known: list[int]

    def confirms(self, p: int, k: int) -> bool:
        """Do the turns before or after agree, or do the two sequences overlap just here?

        One long message by itself proves nothing: people paste the same prompt into session after session.
        """
        before_p, after_p = _around(self.turns_shown, p)
        before_k, after_k = _around(self.turns_known, k)
        if self._agree(before_p, before_k) or self._agree(after_p, after_k):
            return True
        if before_p < 0 and after_k < 0:
            return True  # the shown sequence begins where the known one ends
        if after_p < 0 and before_k < 0:
            return True  # and the other way round, when the exports came in another order
        # Both turns stand between tool calls only: then the call and its result next to them must agree.
        return self._same_call(p + 1, k + 1) or self._same_call(p - 1, k - 1)

    def _agree(self, p: int, k: int) -> bool:
        """The same turn; or one is the beginning of the other, an answer that was still being written."""
        if p < 0 or k < 0:
            return False
        if self.shown.keys[p] == self.rows.keys[k]:
            return True
        long_enough = min(self.shown.weights[p], self.rows.weights[k]) >= A_FEW_WORDS
        return long_enough and self.shown.kinds[p] == self.rows.kinds[k] and self.grows(p, k)

    def _same_call(self, p: int, k: int) -> bool:
        return (
            0 <= p < len(self.shown)
            and 0 <= k < len(self.rows)
            and self.shown.hashes[p] == self.rows.hashes[k]
            and self.shown.weights[p] >= DISTINCTIVE
        )


def _around(turns: list[int], position: int) -> tuple[int, int]:
    """The turn before ``position`` and the one after it; -1 where there is none."""
    at = bisect_left(turns, position)
    after = at + (at < len(turns) and turns[at] == position)
    return (turns[at - 1] if at else -1), (turns[after] if after < len(turns) else -1)
