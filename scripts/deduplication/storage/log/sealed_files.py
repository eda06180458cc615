"""The files of the sealed log by name: which bytes of the log each of them holds, and the blocks in it."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Final

from ...start.late_dataclass import dataclass
from ...start.late_pattern import late_pattern
from ...start.late_tuple import NamedTuple

if TYPE_CHECKING:
    from collections.abc import Mapping

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


def chain_of(found: Mapping[int, list[Segment]], end: int | None) -> list[Segment]:
    """Files that follow on each other from byte 0 on; of two with one beginning the longer one.

    ``end``: where the last one is to end; where none does it is as if nobody had asked.
    """
    exact = _chain_to(found, 0, end) if end is not None else None
    if exact is not None:
        return exact
    chain: list[Segment] = []
    at = 0
    while at in found:
        chain.append(max(found[at], key=lambda segment: (segment.end, segment.path)))
        at = chain[-1].end
    return chain


def _chain_to(found: Mapping[int, list[Segment]], at: int, end: int) -> list[Segment] | None:
    if at == end:
        return []
    for segment in sorted(found.get(at, ()), key=lambda segment: (segment.end, segment.path), reverse=True):
        rest = _chain_to(found, segment.end, end) if segment.end <= end else None
        if rest is not None:
            return [segment, *rest]
    return None


def title(segment: Segment) -> str:
    """What people are told that a file is called."""
    return f"{FOLDER}/{os.path.basename(segment.path)}"
