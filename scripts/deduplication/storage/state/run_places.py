"""Where in the log the commit records of one conversation stand: a few ranges of bytes, however many runs there were."""

from __future__ import annotations

from typing import Final

NEAR: Final = 64 * 1024
"""Bytes between two commit records up to which one range has both: reading them costs less than a further range."""
MOST: Final = 256
"""Ranges of a conversation; where there would be more, the two with the fewest bytes between them become one."""


def note_run(places: list[list[int]], start: int, end: int) -> None:
    """A commit record stands from byte ``start`` to ``end`` (half open), behind all that were noted."""
    if places and start - places[-1][1] <= NEAR:
        places[-1][1] = end
        return
    places.append([start, end])
    if len(places) > MOST:
        at = min(range(MOST), key=lambda n: places[n + 1][0] - places[n][1])
        places[at : at + 2] = [[places[at][0], places[at + 1][1]]]


def joined(places: list[list[int]], start: int) -> list[list[int]]:
    """Ranges of several conversations from byte ``start`` on, in the order of the log, none of them twice."""
    found: list[list[int]] = []
    for first, end in sorted(places):
        begin = max(first, start, found[-1][1] if found else 0)
        if end > begin:
            found.append([begin, end])
    return found
