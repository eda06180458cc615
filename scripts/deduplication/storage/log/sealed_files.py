"""The files of the sealed log by name: which bytes of the log each of them holds, and the blocks in it."""

from __future__ import annotations

import os
from typing import Final

from ...start.late_dataclass import dataclass
from ...start.late_pattern import late_pattern

FOLDER: Final = "sealed"
COLUMNS: Final = ".columns.xz"
"""Blocks of columns (``column_format``), each an ``xz`` stream, and a table of them."""
LEAN: Final = ".lean.jsonl.xz"
"""Written up to version 0.1: compact lines (``compact_lines``), and a table."""
PLAIN: Final = ".jsonl.xz"
"""Written by early versions: the lines as they are, and no table."""
_NAME: Final = late_pattern(r"(\d{12})-(\d{12,})-([0-9a-f]{8})(\.columns\.xz|\.lean\.jsonl\.xz|\.jsonl\.xz)\Z")


@dataclass(frozen=True)
class Segment:
    """One file: the bytes of the log from ``start`` to ``end`` (half open)."""

    start: int
    end: int
    crc32: int
    path: str
    form: str = COLUMNS


@dataclass(frozen=True)
class Block:
    """A part of one stream of a file, which has ``size`` bytes at ``offset``: bytes of the log from ``start`` to ``end``."""

    segment: Segment
    start: int
    end: int
    offset: int
    size: int
    part: int = 0


def named(folder: str, name: str) -> Segment | None:
    """The sealed file that a name in ``folder`` tells of, None where it is no such name."""
    match = _NAME.match(name)
    if match is None:
        return None
    return Segment(int(match[1]), int(match[2]), int(match[3], 16), os.path.join(folder, name), match[4])


def name_of(start: int, length: int, crc32: int, form: str = COLUMNS) -> str:
    """What the file is called that holds ``length`` bytes of the log from ``start`` on, and has this checksum itself."""
    return f"{start:012d}-{start + length:012d}-{crc32:08x}{form}"


def title(segment: Segment) -> str:
    """What people are told that a file is called."""
    return f"{FOLDER}/{os.path.basename(segment.path)}"
