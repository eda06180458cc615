"""Where in the log the occurrences stand, roughly: stretches of lines that hold one conversation's numbers in a row.

A line is found by reading its stretch. So an index has some bytes for each 64 KiB of the log, and none for each line.
"""

from __future__ import annotations

import sys
from array import array
from typing import TYPE_CHECKING, Final

from ...start.late_tuple import NamedTuple

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

PAGE: Final = 64
"""Stretches that an index keeps, and reads, together."""
LONG: Final = 64 * 1024
"""Bytes of the log behind its beginning from which on no further line belongs to a stretch."""


class Chunk(NamedTuple):
    """A stretch: the byte of the log at which its first line begins; whose occurrences, from which number on, how many."""

    offset: int
    owner: int
    first: int
    length: int


class Chunks:
    """The stretches of a log, in its order. Of the ``stored`` first ones ``fetch`` gives a page as :meth:`pages` made it."""

    def __init__(self, stored: int = 0, fetch: Callable[[int], bytes] | None = None) -> None:
        self._fetch = fetch
        self._pages: dict[int, list[Chunk]] = {}
        self._count = stored
        self._changed: int | None = None
        """The first page that an index does not have as it is."""

    def __len__(self) -> int:
        return self._count

    def __getitem__(self, number: int) -> Chunk:
        return self._page(number // PAGE)[number % PAGE]

    def end(self, number: int, size: int) -> int:
        """At which byte its lines have ended, at the latest, in a log of ``size`` bytes."""
        return self[number + 1].offset if number + 1 < self._count else size

    def note(self, owner: int, number: int, offset: int) -> int:
        """The line at ``offset`` has this number of the conversation; returns in which stretch that is."""
        at = self._count - 1
        last = self[at] if at >= 0 else None
        if last and last.owner == owner and last.first + last.length == number and offset - last.offset < LONG:
            self._page(at // PAGE)[at % PAGE] = last._replace(length=last.length + 1)
        else:
            at = self._count
            self._pages.setdefault(at // PAGE, []) if at % PAGE == 0 else self._page(at // PAGE)
            self._pages[at // PAGE].append(Chunk(offset, owner, number, 1))
            self._count += 1
        if self._changed is None or at // PAGE < self._changed:
            self._changed = at // PAGE
        return at

    def pages(self) -> Iterator[tuple[int, bytes]]:
        """The pages that changed since :meth:`saved`: four columns of eight bytes, little-endian."""
        for page in range(self._changed, -(-self._count // PAGE)) if self._changed is not None else ():
            values = array("q", (value for column in zip(*self._page(page)) for value in column))
            yield page, _little(values).tobytes()

    def saved(self) -> None:
        """An index has them all now."""
        self._changed = None

    def let_go(self) -> None:
        """Keep nothing in memory that an index has."""
        if self._fetch is not None and self._changed is None:
            self._pages.clear()

    def _page(self, page: int) -> list[Chunk]:
        found = self._pages.get(page)
        if found is None:
            values = array("q")
            values.frombytes(self._fetch(page) if self._fetch is not None else b"")
            values = _little(values)
            size = len(values) // 4
            columns = (values[at * size : (at + 1) * size] for at in range(4))
            found = self._pages[page] = [Chunk(*each) for each in zip(*columns)]
        return found


def _little(values: array[int]) -> array[int]:
    if sys.byteorder == "big":
        values.byteswap()
    return values
