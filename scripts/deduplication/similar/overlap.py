"""Conversations that have many contents in common: a fork, a copy, the same work done twice."""

from __future__ import annotations

from collections import Counter
from itertools import combinations
from typing import TYPE_CHECKING, Final

from ..start.late_tuple import NamedTuple

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from .near import Group
    from .said import Said

FEWEST: Final = 3
"""Contents that two conversations must share."""
_COMMON: Final = 50
"""Conversations above which a content says nothing of any of them."""


class Overlap(NamedTuple):
    """Two conversations with ``shared`` contents in common, which are ``share`` (0 to 1) of those of the smaller one."""

    one: str
    other: str
    shared: int
    share: float


def overlaps(said: Sequence[Said], groups: Iterable[Group], threshold: float) -> list[Overlap]:
    """Those that share at least so much, the most alike first; a content of a group counts as each of its others."""
    stands_for = {member: group.members[0] for group in groups for member in group.members}
    where: dict[int, set[str]] = {}
    for number, each in enumerate(said):
        where.setdefault(stands_for.get(number, number), set()).update(each.conversations)
    sizes: Counter[str] = Counter()
    shared: Counter[tuple[str, str]] = Counter()
    for names in where.values():
        sizes.update(names)
        if len(names) <= _COMMON:
            shared.update(combinations(sorted(names), 2))
    found = [
        Overlap(one, other, count, count / min(sizes[one], sizes[other]))
        for (one, other), count in shared.items()
        if count >= FEWEST and count >= threshold * min(sizes[one], sizes[other])
    ]
    return sorted(found, key=lambda each: (-each.share, -each.shared, each.one, each.other))
