"""Every line of a log that can still be read, whatever happened to its files, and the places where something cannot be.

Unlike :class:`~.log.Log` this reads a log of which sealed files are missing, cut short or garbage: each file by itself, each
frame of it. What parity makes good, and a single flipped bit of the open part, is set right on the way, in memory. Whoever uses
this holds the store's lock.
"""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Optional

from ...errors import StoreDamaged
from ...start.late_dataclass import dataclass
from . import bit_flips
from .lines import Damaged, decode_line
from .salvaged_file import salvaged
from .sealed_files import FOLDER, Segment, named, title

if TYPE_CHECKING:
    from collections.abc import Iterator
    from typing import Any

    from .append_log import Log
    from .column_format import Archived


@dataclass
class Piece:
    """A line with its record; or what is damaged, ``record`` None: its bytes as far as there are any, and what is wrong.

    ``place`` is the position of its file in :attr:`Salvaged.places`. ``healed``: a flipped bit was turned back.
    """

    place: int
    where: str
    data: bytes
    record: Optional[dict[str, Any]] = None
    fault: str = ""
    healed: bool = False


@dataclass
class Place:
    """One file of the log. ``segment`` None: the open part. ``content``: its lines as they were read, None where damaged.

    ``mended``: it is damaged, and its parity, or one flipped bit, tells what it was: every line of it was read.
    """

    name: str
    segment: Optional[Segment] = None
    content: Optional[bytes] = None
    fault: str = ""
    mended: bool = False


@dataclass
class Salvaged:
    """The files of a log in its order, and all that could be read of them."""

    places: list[Place]
    pieces: list[Piece]
    passed: int = 0
    """Pieces that stood before these and are not kept."""

    def sound(self) -> bool:
        """Whether every line is what was written."""
        return not any(piece.record is None or piece.healed for piece in self.pieces) and not any(
            place.fault for place in self.places
        )


def salvage_twice(log: Log) -> Salvaged:
    """The same, read twice where something is damaged: raises :class:`StoreDamaged` where the disk gives other bytes then."""
    found = salvage(log)
    if not found.sound():
        again = salvage(log)
        if [(piece.data, piece.fault) for piece in found.pieces] != [
            (piece.data, piece.fault) for piece in again.pieces
        ]:
            raise StoreDamaged(
                f"{log.path}: the disk gives other bytes at each reading", hint="Copy the store to another disk first."
            )
    return found


def salvage(log: Log) -> Salvaged:
    """Read all of ``log`` that can be read."""
    found = Salvaged([], [])
    for _ in _file_by_file(log, found):
        pass
    return found


def pieces_of(log: Log) -> Iterator[Piece]:
    """The pieces of :func:`salvage` for who keeps few of them: those of one file are in memory, not those of a log."""
    found = Salvaged([], [])
    for _ in _file_by_file(log, found):
        yield from found.pieces
        found.passed += len(found.pieces)
        found.pieces.clear()
        found.places[-1].content = None


def _file_by_file(log: Log, found: Salvaged) -> Iterator[None]:
    """Read one file after another into ``found``."""
    log.recover(write=False)
    at = 0
    begins = log.opening.begins
    # Where all is there that the open part follows on, other files are another machine's, or of no use.
    for segment in log.sealed.segments if begins and not log.missing() else _segments(log.sealed.folder):
        if segment.start > at:
            _missing(found, f"{at:,} to {segment.start:,}")
        at = segment.end
        _sealed(found, segment, log.sealed.archive)
        yield
    if (begins or 0) > at:
        _missing(found, f"{at:,} to {begins:,}")
    _open(found, log)
    yield


def _segments(folder: str) -> list[Segment]:
    """The sealed files by their names alone; of two with one beginning the longer one."""
    try:
        names = os.listdir(folder)
    except OSError:
        return []
    longest: dict[int, Segment] = {}
    for segment in filter(None, (named(folder, name) for name in names)):
        before = longest.get(segment.start)
        if before is None or (before.end, before.path) < (segment.end, segment.path):
            longest[segment.start] = segment
    found: list[Segment] = []
    for _, segment in sorted(longest.items()):
        if not found or segment.start >= found[-1].end:
            found.append(segment)
    return found


def _missing(found: Salvaged, what: str) -> None:
    name = f"{FOLDER}: bytes {what} of the log"
    found.places.append(Place(name, fault="the file is missing"))
    found.pieces.append(Piece(len(found.places) - 1, name, b"", fault="the file is missing"))


def _sealed(found: Salvaged, segment: Segment, archive: Archived) -> None:
    name = title(segment)
    place = Place(name, segment)
    found.places.append(place)
    at = len(found.places) - 1
    content = []
    for stretch in salvaged(segment, archive):
        content.append(stretch.lines)
        _lines(found, at, name, stretch.lines, segment.start + stretch.start)
        if stretch.fault:
            found.pieces.append(Piece(at, name, b"", fault=stretch.fault))
        place.fault = place.fault or stretch.wrong or stretch.fault
        place.mended = place.mended or stretch.mended
    if not place.fault:
        place.content = b"".join(content)


def _open(found: Salvaged, log: Log) -> None:
    name = os.path.basename(log.path)
    place = Place(name)
    found.places.append(place)
    if log.opening.fault:
        place.fault, place.mended = f"its first line: {log.opening.fault}", True
    data = log.tail()
    patches = dict(bit_flips.patches(data))
    if patches:
        whole = bytearray(data)
        for offset, fixed in patches.items():
            whole[offset : offset + len(fixed)] = fixed
        place.fault = "flipped bits"
        spans = [(offset, offset + len(fixed)) for offset, fixed in patches.items()]
        _lines(found, len(found.places) - 1, name, bytes(whole), log.sealed.end, spans=spans)
    else:
        _lines(found, len(found.places) - 1, name, data, log.sealed.end)
        place.content = data if not place.fault else None


def _lines(
    found: Salvaged,
    place: int,
    name: str,
    data: bytes,
    offset: int,
    *,
    spans: list[tuple[int, int]] = [],  # noqa: B006 - never changed
) -> None:
    at = 0
    while at < len(data):
        end = data.find(b"\n", at) + 1 or len(data)
        line = data[at:end]
        where = f"{name}, line {found.passed + len(found.pieces) + 1} (byte {offset + at})"
        mended = any(start <= at < stop for start, stop in spans)
        try:
            found.pieces.append(Piece(place, where, line, decode_line(line), healed=mended))
        except Damaged as error:
            found.pieces.append(Piece(place, where, line, fault=str(error)))
        at = end
