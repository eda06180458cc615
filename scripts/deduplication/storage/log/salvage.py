"""Every line of a log that can still be read, whatever happened to its files, and the places where something cannot be.

Unlike :class:`~.log.Log` this reads a log of which sealed files are missing, cut short or garbage: each file by itself, each
stream of it, and in files of an earlier version the lines before the damage in a stream. A single flipped bit is turned back
on the way, in memory. Whoever uses this holds the store's lock.
"""

from __future__ import annotations

import os
import zlib
from typing import TYPE_CHECKING, Final, Optional

from ...errors import StoreDamaged
from ...files import atomic
from ...start.late_dataclass import dataclass
from . import bit_flips, compact_lines, sealed_blocks
from .column_format import SpanLost
from .column_reader import each_line
from .lines import Damaged, decode_line
from .sealed_files import FOLDER, LEAN, PLAIN, Segment, named

if TYPE_CHECKING:
    from collections.abc import Iterator
    from typing import Any

    from .append_log import Log
    from .column_format import Archived

_STREAM: Final = b"\xfd7zXZ\0"
_FEED: Final = 4096


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
    """One file of the log. ``segment`` None: the open part. ``content``: its lines as they were read, None where damaged."""

    name: str
    segment: Optional[Segment] = None
    content: Optional[bytes] = None
    fault: str = ""


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
    for segment in _segments(log.sealed.folder):
        if segment.start > at:
            _missing(found, f"{at:,} to {segment.start:,}")
        at = segment.end
        _sealed(found, segment, log.sealed.archive)
        yield
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
    name = f"{FOLDER}/{os.path.basename(segment.path)}"
    place = Place(name, segment)
    found.places.append(place)
    at = len(found.places) - 1
    try:
        with atomic.open_regular(segment.path) as file:
            data = file.read()
    except OSError as error:
        place.fault = str(error.strerror or error)
        found.pieces.append(Piece(at, name, b"", fault=place.fault))
        return
    difference = zlib.crc32(data) ^ segment.crc32
    healed = False
    if difference:
        place.fault = "the checksum does not match"
        fixed = bit_flips.turned_back(data, difference)
        healed, data = fixed is not None, fixed if fixed is not None else data
        if healed:
            place.fault = "one bit was flipped"
    offset = segment.start
    content = []
    for lines, fault in _blocks(data, segment.form, archive):
        content.append(lines)
        _lines(found, at, name, lines, offset, healed=healed)
        offset += len(lines)
        if fault:
            found.pieces.append(Piece(at, name, b"", fault=fault))
            place.fault = place.fault or fault
    if not place.fault:
        place.content = b"".join(content)


def _streams(data: bytes) -> Iterator[tuple[bytes, str]]:
    """What each xz stream of a file unpacks to, up to where it cannot be unpacked, and why it cannot."""
    import lzma

    at = 0
    while 0 <= at < len(data):
        stream = lzma.LZMADecompressor(lzma.FORMAT_XZ)
        parts: list[bytes] = []
        end = at
        fault = ""
        try:
            while not stream.eof:
                if end >= len(data):
                    fault = "it ends too early"
                    break
                parts.append(stream.decompress(data[end : end + _FEED]))
                end = min(end + _FEED, len(data))
        except lzma.LZMAError as error:
            fault = str(error)
        yield b"".join(parts), fault
        at = data.find(_STREAM, at + 1) if fault else end - len(stream.unused_data)


def _blocks(data: bytes, form: str, archive: Archived) -> Iterator[tuple[bytes, str]]:
    """The same of a file of this form. Blocks have no checksums line by line: of a damaged stream nothing is proven."""
    for block, fault in _streams(data):
        if form == PLAIN:
            yield block, fault
        elif block.startswith(sealed_blocks.TABLE):
            continue
        elif fault:
            yield b"", fault
        elif form == LEAN:
            try:
                yield compact_lines.whole(block), ""
            except ValueError as error:
                yield b"", str(error)
        else:
            try:
                found = sealed_blocks.split(block, form)
            except ValueError as error:
                yield b"", str(error)
                continue
            for part in found:
                yield from _columns(part, archive)


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


def _open(found: Salvaged, log: Log) -> None:
    name = os.path.basename(log.path)
    place = Place(name)
    found.places.append(place)
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
        place.content = data


def _lines(
    found: Salvaged,
    place: int,
    name: str,
    data: bytes,
    offset: int,
    *,
    healed: bool = False,
    spans: list[tuple[int, int]] = [],  # noqa: B006 - never changed
) -> None:
    at = 0
    while at < len(data):
        end = data.find(b"\n", at) + 1 or len(data)
        line = data[at:end]
        where = f"{name}, line {found.passed + len(found.pieces) + 1} (byte {offset + at})"
        mended = healed or any(start <= at < stop for start, stop in spans)
        try:
            found.pieces.append(Piece(place, where, line, decode_line(line), healed=mended))
        except Damaged as error:
            found.pieces.append(Piece(place, where, line, fault=str(error)))
        at = end
