"""Contents that say nearly the same words: candidates by MinHash over three words in a row, each proven word by word."""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any, Final

from ..errors import PackageMissing
from ..start.late_tuple import NamedTuple

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

    from .said import Contents

IN_A_ROW: Final = 3
_PERMUTATIONS: Final = 126
_BANDS: Final = 42
"""Of three rows each: of pairs that share 40 in 100 of what they say in threes, 94 of 100 are met; of half, all but 4 in 1,000."""
_SEED: Final = 1
_LONGEST: Final = 20_000
"""Words of a content that are compared."""
_COMPARED: Final = 20
"""Candidates that a content is compared with, the last ones: of a thousand alike it needs to meet one to be in their group."""


class Pair(NamedTuple):
    """Two contents, the earlier one first, and how many of their words stand in both in the same order: from 0 to 1."""

    one: int
    other: int
    similarity: float


def pairs(contents: Contents, threshold: float, advance: Callable[[int], None]) -> Iterator[Pair]:
    """Every pair that is at least as similar. ``advance`` hears of the letters read. Raises ``PackageMissing``, ``StoreError``."""
    rensa, alike = _required("rensa"), _required("rapidfuzz.distance").Indel.normalized_similarity
    index = rensa.RMinHashLSH(threshold=threshold, num_perm=_PERMUTATIONS, num_bands=_BANDS)
    for number, words in contents.rows():
        sketch = rensa.RMinHash(num_perm=_PERMUTATIONS, seed=_SEED)
        sketch.update(list(in_threes(words)))
        for candidate in sorted(index.query(sketch))[-_COMPARED:]:
            found = alike(contents.row(candidate).split()[:_LONGEST], words[:_LONGEST], score_cutoff=threshold)
            if found >= threshold:
                yield Pair(candidate, number, found)
        index.insert(number, sketch)
        advance(sum(map(len, words)))


def in_threes(words: list[str]) -> set[str]:
    """Each three words in a row."""
    return {" ".join(words[at : at + IN_A_ROW]) for at in range(len(words) - IN_A_ROW + 1)}


class Group(NamedTuple):
    """Contents of which each is near to another one of them, in their order, and the least and the greatest similarity found."""

    members: list[int]
    least: float
    greatest: float


def groups(found: Iterable[Pair]) -> list[Group]:
    """Those that belong together, the largest first."""
    root: dict[int, int] = {}
    scores: dict[int, list[float]] = {}

    def top(number: int) -> int:
        while root.setdefault(number, number) != number:
            root[number] = root[root[number]]
            number = root[number]
        return number

    kept = list(found)
    for pair in kept:
        one, other = sorted((top(pair.one), top(pair.other)))
        root[other] = one
    members: dict[int, list[int]] = {}
    for number in sorted(root):
        members.setdefault(top(number), []).append(number)
    for pair in kept:
        scores.setdefault(top(pair.one), []).append(pair.similarity)
    made = [Group(each, min(scores[name]), max(scores[name])) for name, each in members.items()]
    return sorted(made, key=lambda group: (-len(group.members), -group.greatest, group.members))


def _required(name: str) -> Any:
    try:
        return import_module(name)
    except ImportError as error:
        package = name.partition(".")[0]
        hint = "Install them: python3 -m pip install rensa rapidfuzz (extra: similar)."
        raise PackageMissing(f"{package}, which finds what is similar ({error})", hint=hint) from error
