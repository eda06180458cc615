"""Which numbers of segments and files no pack has."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ..start.late_tuple import NamedTuple

if TYPE_CHECKING:
    from collections.abc import Iterable

    from .frames import Header


class Range(NamedTuple):
    """What a pack that cannot be read must have held: numbers from here (included) to there (not included)."""

    first_segment: int
    end_segment: int
    first_file: int
    end_file: int


def gaps_between(headers: Iterable[Header]) -> list[Range]:
    """The ranges that none of the packs with these headers has, the headers in the order of the packs."""
    gaps = []
    segment = file = 0
    for header in headers:
        if (header.first_segment, header.first_file) != (segment, file):
            gaps.append(Range(segment, header.first_segment, file, header.first_file))
        segment, file = header.first_segment + header.segments, header.first_file + header.files
    return gaps
