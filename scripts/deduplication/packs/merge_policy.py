"""Which of the last packs a new one takes in, so that many small runs make few packs, and no byte is copied often.

A pack of up to 256 KiB is taken in by the next one. Sixteen packs below 4 MiB become one, and so do sixteen below 64 MiB;
what is larger is never touched again. So an archive of n times 64 MiB has at most n + 31 packs, and each byte is copied a
few times in all, whatever the size of the runs.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Sequence

_KIB: Final = 1024
TIERS: Final = ((256 * _KIB, 0), (4096 * _KIB, 15), (65536 * _KIB, 15))
"""Packs smaller than so many bytes, and how many of them may stand at the end."""
SETTLED: Final = 32768 * _KIB
"""A thorough run takes in every pack at the end that is smaller than this, to pack small frames together."""


def packs_to_merge(sizes: Sequence[int], *, thorough: bool = False) -> int:
    """How many packs at the end the next one takes in; ``sizes`` in bytes, in order."""
    if thorough:
        return _at_end(sizes, SETTLED)
    return max((count for limit, allowed in TIERS if (count := _at_end(sizes, limit)) > allowed), default=0)


def _at_end(sizes: Sequence[int], limit: int) -> int:
    count = 0
    for size in reversed(sizes):
        if size >= limit:
            break
        count += 1
    return count
