"""Anchors: long messages that occur once in both sequences and are confirmed by a neighbour, or by a strong id."""

from __future__ import annotations

from bisect import bisect_left
from typing import TYPE_CHECKING

from .fingerprint import DISTINCTIVE
from .overlap import TURNS
from .subsequence import unique

if TYPE_CHECKING:
    from .columns import Columns


def anchors(shown: Columns, rows: Columns) -> list[tuple[int, int]]:
    """Pairs (shown position, position in the run) of distinctive messages that a neighbour confirms."""
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
    turns_shown = [p for p, kind in enumerate(shown.kinds) if kind in TURNS]
    turns_known = [k for k, kind in enumerate(rows.kinds) if kind in TURNS]
    confirmed = [
        (p, k)
        for p, k in pairs.items()
        if p not in strong and _confirmed((p, k), shown, rows, turns_shown, turns_known)
    ]
    return sorted([*confirmed, *strong.items()])


def _by_uuid(shown: Columns, rows: Columns) -> dict[int, int]:
    there = {uuid: k for k, uuid in enumerate(rows.uuids) if uuid}
    if not there:
        return {}
    return {p: there[uuid] for p, uuid in enumerate(shown.uuids) if uuid in there}


def _confirmed(
    pair: tuple[int, int], shown: Columns, rows: Columns, turns_shown: list[int], turns_known: list[int]
) -> bool:
    """Do the turns before or after agree, or do the two sequences overlap just here?

    One long message by itself proves nothing: people paste the same prompt into session after session.
    """
    p, k = pair
    at_p, at_k = bisect_left(turns_shown, p), bisect_left(turns_known, k)
    before_p = turns_shown[at_p - 1] if at_p else -1
    before_k = turns_known[at_k - 1] if at_k else -1
    after_at = at_p + (at_p < len(turns_shown) and turns_shown[at_p] == p)
    after_p = turns_shown[after_at] if after_at < len(turns_shown) else -1
    after_at = at_k + (at_k < len(turns_known) and turns_known[at_k] == k)
    after_k = turns_known[after_at] if after_at < len(turns_known) else -1
    if before_p >= 0 and before_k >= 0 and shown.keys[before_p] == rows.keys[before_k]:
        return True
    if after_p >= 0 and after_k >= 0 and shown.keys[after_p] == rows.keys[after_k]:
        return True
    if before_p < 0 and after_k < 0:
        return True  # the shown sequence begins where the known one ends
    if after_p < 0 and before_k < 0:
        return True  # and the other way round, when the exports came in another order
    # Both turns stand between tool calls only: then the call and its result next to them must agree.
    return _same_hash(p + 1, k + 1, shown, rows) or _same_hash(p - 1, k - 1, shown, rows)


def _same_hash(p: int, k: int, shown: Columns, rows: Columns) -> bool:
    return (
        0 <= p < len(shown)
        and 0 <= k < len(rows)
        and shown.hashes[p] == rows.hashes[k]
        and shown.weights[p] >= DISTINCTIVE
    )
