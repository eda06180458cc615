"""Places where messages must be missing: said, never guessed over."""

from __future__ import annotations

from typing import TYPE_CHECKING

from .model import COMPACTION, TRUNCATION

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence


def missing_indexes(present: Iterable[int]) -> list[tuple[int, int]]:
    """The runs of whole numbers that lie between the smallest and the largest of ``present`` and are not in it."""
    ordered = sorted(set(present))
    return [(before + 1, after - 1) for before, after in zip(ordered, ordered[1:]) if after > before + 1]


def describe(
    marks: Sequence[tuple[str, int]],
    matches: Sequence[int | None],
    source_indexes: Sequence[int | None],
    *,
    known: int,
) -> list[str]:
    """The gaps that one export shows, a line each.

    ``marks`` are kinds with the position before which they stand, ``matches`` the alignment's result, ``known`` the
    number of occurrences the conversation had before.
    """
    found: list[str] = []
    for kind, before in marks:
        if kind == COMPACTION and before == 0:
            if not known:
                found.append("the export begins after a compaction; what was said before it is not in the store")
            elif all(match is None for match in matches):
                found.append("the export begins after a compaction and shares nothing with what is stored")
        elif kind == TRUNCATION:
            found.append("the export itself says that earlier messages were left out")
    for first, last in missing_indexes(index for index in source_indexes if index is not None):
        found.append(f"message {first} is missing" if first == last else f"messages {first} to {last} are missing")
    return found
