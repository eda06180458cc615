"""What can be read of one sealed file, whatever happened to its bytes: lines, and why those between them cannot be."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from ...errors import ArchiveDamaged
from ...packs import frames
from ...start.late_tuple import NamedTuple
from . import former_files, log_pack
from .column_format import SpanLost
from .column_reader import each_line
from .sealed_files import PACK

if TYPE_CHECKING:
    from collections.abc import Iterator

    from .column_format import Archived
    from .sealed_files import Segment

_MISSING: Final = "lines are missing"


class Stretch(NamedTuple):
    """Lines of a file from byte ``start`` of it on, and why those behind them cannot be read.

    ``wrong`` is what is wrong with the file; ``mended``: that was set right, in memory.
    """

    start: int
    lines: bytes
    fault: str = ""
    wrong: str = ""
    mended: bool = False


def salvaged(segment: Segment, archive: Archived) -> Iterator[Stretch]:
    """All that can be read of a file, in its order."""
    return _pack(segment, archive) if segment.form == PACK else _former(segment)


def _pack(segment: Segment, archive: Archived) -> Iterator[Stretch]:
    """What can be read of a pack of lines, with what its parity makes good."""
    try:
        with log_pack.opened(segment.path, salvage=True) as pack:
            wrong = "" if pack.is_intact() else pack.fault()
            made = pack.mended() if wrong else None
            mended = made is not None and made.is_intact()
            end, missing = 0, ""
            for frame, fault in (made or pack).scan():
                missing = missing or fault
                if frame is None or frame.kind != frames.LINES:
                    continue
                if frame.first > end:
                    yield Stretch(end, b"", missing or _MISSING, wrong)
                at, end, missing = frame.first, frame.first + frame.count, ""
                try:
                    parts = log_pack.split((made or pack).unpacked(frame))
                except (ArchiveDamaged, ValueError) as error:
                    yield Stretch(at, b"", error.detail if isinstance(error, ArchiveDamaged) else str(error), wrong)
                    continue
                for length, part in parts:
                    own = at
                    for lines, lost in _columns(part, archive):
                        yield Stretch(own, lines, lost, wrong, mended)
                        own += len(lines)
                    at += length
            if wrong or end < segment.size:
                yield Stretch(end, b"", (missing or _MISSING) if end < segment.size else "", wrong, mended)
    except ArchiveDamaged as error:
        yield Stretch(0, b"", error.detail)


def _former(segment: Segment) -> Iterator[Stretch]:
    """The same of a file of an earlier version."""
    try:
        found = former_files.read(segment)
    except OSError as error:
        yield Stretch(0, b"", str(error.strerror or error))
        return
    at = 0
    for lines, fault in former_files.salvaged(found.data, segment.form):
        yield Stretch(at, lines, fault, found.fault, found.healed)
        at += len(lines)


def _columns(block: bytes, archive: Archived) -> Iterator[tuple[bytes, str]]:
    """The lines of a block of columns; those of which archived bytes are lost are faults, one for each stretch of them."""
    waiting: list[bytes] = []
    why = ""
    try:
        for line in each_line(block, archive):
            if isinstance(line, SpanLost):
                why = why or str(line)
                continue
            if why:
                yield b"".join(waiting), why
                waiting, why = [], ""
            waiting.append(line)
    except ValueError as error:
        why = str(error)
    yield b"".join(waiting), why
