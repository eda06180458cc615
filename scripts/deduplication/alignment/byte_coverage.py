"""How many bytes of a file some of its parts cover: parts may overlap, since several messages may stand on one line."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable


def covered(spans: Iterable[tuple[int, int]]) -> int:
    """Bytes in one of the ``spans`` at least, each from its first byte to behind its last; one that begins below 0 is none."""
    return covered_in_order(sorted(span for span in spans if span[0] >= 0))


def covered_in_order(spans: Iterable[tuple[int, int]]) -> int:
    """The same for spans that stand in order."""
    total = end = 0
    for start, stop in spans:
        total += max(stop - max(start, end), 0)
        end = max(end, stop)
    return total
