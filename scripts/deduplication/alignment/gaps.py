"""Places where messages must be missing: said, never guessed over."""

from __future__ import annotations

from typing import TYPE_CHECKING, Optional

from ..model import COMPACTION, TRUNCATION
from ..start.late_tuple import NamedTuple

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence


def missing_indexes(present: Iterable[int]) -> list[tuple[int, int]]:
    """The runs of whole numbers that lie between the smallest and the largest of ``present`` and are not in it."""
    ordered = sorted(set(present))
    return [(before + 1, after - 1) for before, after in zip(ordered, ordered[1:]) if after > before + 1]


class Numbered(NamedTuple):
    """A stored message: its sequence number, and the number that its source gave it (None: it gave none)."""

    number: int
    source_index: Optional[int]


def missing(
    stored: Sequence[Numbered], matches: Sequence[int | None], source_indexes: Sequence[int | None]
) -> list[tuple[int, int]]:
    """The runs of source indexes that are missing in an export, or between it and what is ``stored`` (in reading order).

    A source that numbers each file from its own start gives one message two numbers: of such a one only the gaps within the export
    are told. Where messages without a number stand beside the gap, as a transcript brings them, nothing says that any is missing.
    """
    own = {index for index in source_indexes if index is not None}
    number_of = dict(stored)
    for match, index in zip(matches, source_indexes):
        if match is None or index is None:
            continue
        if number_of.get(match) not in (None, index):
            return missing_indexes(own)
        number_of[match] = index
    places: dict[int, list[int]] = {}
    for place, (number, _) in enumerate(stored):
        index = number_of[number]
        if index is not None:
            places.setdefault(index, []).append(place)

    def has_no_number(place: int) -> bool:
        return 0 <= place < len(stored) and number_of[stored[place].number] is None

    return [
        (first, last)
        for first, last in missing_indexes(own.union(places))
        if not own.isdisjoint((first - 1, last + 1))
        and not any(has_no_number(place + 1) for place in places.get(first - 1, ()))
        and not any(has_no_number(place - 1) for place in places.get(last + 1, ()))
    ]


def jumps(indexes: Sequence[int | None]) -> list[tuple[int, int]]:
    """The runs of source indexes that no message has, at the places at which those of messages in reading order jump.

    Both ends are included. ``indexes`` has None for a message without a number, of which nobody knows how many it stands for; a
    smaller number begins a new count, where a source numbers each file from its own start.
    """
    missing = missing_indexes(index for index in indexes if index is not None)
    places = [
        (before + 1, after - 1)
        for before, after in zip(indexes, indexes[1:])
        if before is not None and after is not None and after > before + 1
    ]
    return [run for run in missing if any(first <= run[0] and run[1] <= last for first, last in places)]


def describe(
    marks: Sequence[tuple[str, int]],
    matches: Sequence[int | None],
    source_indexes: Sequence[int | None],
    *,
    known: int,
    stored: Callable[[], Sequence[Numbered]] = tuple,
) -> list[str]:
    """The gaps that one export shows, a line each.

    ``marks`` are kinds with the position before which they stand, ``matches`` the alignment's result, ``known`` the
    number of occurrences the conversation had before. ``stored`` gives what it had, in reading order; only an export that has
    numbers asks for it.
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
    numbered = any(index is not None for index in source_indexes)
    for first, last in missing(stored(), matches, source_indexes) if numbered else ():
        found.append(f"message {first} is missing" if first == last else f"messages {first} to {last} are missing")
    return found
