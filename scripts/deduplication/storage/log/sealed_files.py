"""The files of the sealed log by name: which bytes of the log each of them holds, and the blocks in it."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Final

from ...start.late_dataclass import dataclass
from ...start.late_pattern import late_pattern
from ...start.late_tuple import NamedTuple

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

FOLDER: Final = "sealed"
PACK: Final = ".pack"
"""A pack of frames of lines (``log_pack``)."""
LEAN: Final = ".lean.jsonl.xz"
"""Written up to version 0.1: compact lines (``former_files``), and a table."""
PLAIN: Final = ".jsonl.xz"
"""Written by early versions: the lines as they are, and no table."""
_NAME: Final = late_pattern(r"(\d{12})-(\d{12,})-([0-9a-f]{8})(\.pack|\.lean\.jsonl\.xz|\.jsonl\.xz)\Z")


@dataclass(frozen=True)
class Segment:
    """One file: the bytes of the log from ``start`` to ``end`` (half open).

    ``digits`` are eight hexadecimal ones of what its bytes are known by, so that other bytes have another name: the SHA-256 in its
    trailer; of a file of an earlier version its CRC-32.
    """

    start: int
    end: int
    digits: str
    path: str
    form: str = PACK

    @property
    def size(self) -> int:
        """Bytes of the log in it."""
        return self.end - self.start


class Stretch(NamedTuple):
    """Lines of a file that are unpacked together: its bytes of the log from ``start`` to ``end``, counted from its own beginning.

    They lie at byte ``at`` of the file; in one of an earlier version, in ``size`` bytes.
    """

    start: int
    end: int
    at: int
    size: int = 0


@dataclass(frozen=True)
class Block:
    """A part of a stretch of a file: bytes of the log from ``start`` to ``end``. ``part`` -1: one that cannot be unpacked."""

    segment: Segment
    start: int
    end: int
    stretch: Stretch
    part: int = 0


def named(folder: str, name: str) -> Segment | None:
    """The sealed file that a name in ``folder`` tells of, None where it is no such name."""
    match = _NAME.match(name)
    if match is None:
        return None
    return Segment(int(match[1]), int(match[2]), match[3], os.path.join(folder, name), match[4])


def name_of(start: int, length: int, digits: str, form: str = PACK) -> str:
    """What the file is called that holds ``length`` bytes of the log from ``start`` on, and is known by these digits."""
    return f"{start:012d}-{start + length:012d}-{digits}{form}"


def chain_of(found: Sequence[Segment], end: int | None, is_last: Callable[[Segment], bool]) -> list[Segment]:
    """Files that follow on each other from byte 0 on; of two with one beginning the longer one.

    ``end``: where they end, with one that ``is_last``; where none does, they end before that.
    """
    by_start: dict[int, list[Segment]] = {}
    for segment in sorted(found, key=lambda segment: (segment.end, segment.path), reverse=True):
        if end is None or segment.end <= end:
            by_start.setdefault(segment.start, []).append(segment)
    exact = _chain_to(by_start, 0, end, is_last) if end else None
    if exact is not None:
        return exact
    chain: list[Segment] = []
    at = 0
    while at in by_start and not (end is not None and by_start[at][0].end >= end):
        chain.append(by_start[at][0])
        at = chain[-1].end
    return chain


def _chain_to(
    by_start: Mapping[int, list[Segment]], at: int, end: int, is_last: Callable[[Segment], bool]
) -> list[Segment] | None:
    for segment in by_start.get(at, ()):
        if segment.end == end:
            if is_last(segment):
                return [segment]
            continue
        rest = _chain_to(by_start, segment.end, end, is_last)
        if rest is not None:
            return [segment, *rest]
    return None


def title(segment: Segment) -> str:
    """What people are told that a file is called."""
    return f"{FOLDER}/{os.path.basename(segment.path)}"
