"""Sealed files of earlier versions, which are only read: ``pack`` writes them anew.

``START-END-CRC.lean.jsonl.xz`` is xz streams one after another, each a block of compact lines (``former_lines``), the last one a
table of how many bytes of lines each block has. ``START-END-CRC.jsonl.xz`` has the lines as they are, and no table. CRC is the
CRC-32 of the file.
"""

from __future__ import annotations

import json
import os
import zlib
from typing import TYPE_CHECKING, Final

from ...files import atomic, varint
from ...start.late_tuple import NamedTuple
from .sealed_files import LEAN, Stretch

if TYPE_CHECKING:
    from collections.abc import Iterator

    from .sealed_files import Segment

PENDING: Final = ".pending"
"""Here version 0.1 noted from which byte of the log on it was sealing; left behind only by a process that was killed."""
_TABLE: Final = b'{"blocks":'
"""How the line of a table begins, and no other."""
_LONGEST_TABLE: Final = 1_000_000
"""Bytes: a table of many thousand blocks."""
_FOOTER: Final = 12
_STREAM: Final = b"\xfd7zXZ\0"
_FEED: Final = 4096


class Found(NamedTuple):
    """The bytes of a file; what is wrong with them, and whether one flipped bit was turned back in them."""

    data: bytes
    fault: str = ""
    healed: bool = False


def read(segment: Segment) -> Found:
    """All of a file; one flipped bit is turned back. Raises :class:`OSError`."""
    with atomic.open_regular(segment.path) as file:
        data = file.read()
    difference = zlib.crc32(data) ^ int(segment.digits, 16)
    if not difference:
        return Found(data)
    from .bit_flips import turned_back

    fixed = turned_back(data, difference)
    return (
        Found(data, "the checksum does not match")
        if fixed is None
        else Found(fixed, "one bit was flipped", healed=True)
    )


def pending(folder: str) -> int:
    """From which byte of the log on version 0.1 was sealing when it was killed; 0 where it was not."""
    try:
        with atomic.open_regular(os.path.join(folder, PENDING)) as file:
            return int(file.read(100))
    except (OSError, ValueError):
        return 0


def stretches(segment: Segment) -> list[Stretch]:
    """The blocks of a file. Raises :class:`OSError`, :class:`ValueError`, IndexError where they cannot be told."""
    with atomic.open_regular(segment.path) as file:
        data = file.read()
    found = _streams(data)
    lengths = [length for _, length in found]
    if segment.form == LEAN:
        size, length = found.pop()
        if length > _LONGEST_TABLE:
            raise ValueError("no table of blocks")
        lengths = _table(data[-size:])
        if len(lengths) != len(found):
            raise ValueError("a table of other blocks")
    at, start, blocks = 0, 0, []
    for (size, _), length in zip(found, lengths):
        blocks.append(Stretch(start, start + length, at, size))
        at, start = at + size, start + length
    return blocks


def _table(stream: bytes) -> list[int]:
    try:
        lengths = json.loads(_unxz(stream))["blocks"]
    except (KeyError, TypeError) as error:
        raise ValueError("no table of blocks") from error
    if not isinstance(lengths, list) or not all(type(each) is int and each > 0 for each in lengths):
        raise ValueError("a table without lengths")
    return lengths


def unpacked(segment: Segment, stretch: Stretch) -> bytes:
    """The lines of a block. Raises :class:`OSError`, :class:`ValueError`."""
    with atomic.open_regular(segment.path) as file:
        file.seek(stretch.at)
        lines = _unxz(file.read(stretch.size))
    if segment.form == LEAN:
        from .former_lines import whole

        return whole(lines)
    return lines


def _unxz(stream: bytes) -> bytes:
    import lzma

    try:
        return lzma.decompress(stream, lzma.FORMAT_XZ)
    except (lzma.LZMAError, EOFError) as error:
        raise ValueError(str(error)) from error


def salvaged(data: bytes, form: str) -> Iterator[tuple[bytes, str]]:
    """The lines of each block of a damaged file, and why there are none, or not all of them.

    Lines as they are have checksums of their own. Compact ones have none: of a damaged block of them nothing is proven.
    """
    for block, fault in _as_far_as_they_go(data):
        if form != LEAN:
            yield block, fault
        elif block.startswith(_TABLE):
            continue
        elif fault:
            yield b"", fault
        else:
            from .former_lines import whole

            try:
                yield whole(block), ""
            except ValueError as error:
                yield b"", str(error)


def _as_far_as_they_go(data: bytes) -> Iterator[tuple[bytes, str]]:
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


def _streams(data: bytes) -> list[tuple[int, int]]:
    """Size in the file and uncompressed length of each xz stream, read from their indexes.

    Each stream ends with an index and a footer that says how long the index is (the .xz file format, 2.1.2 and 4). Raises
    ValueError or IndexError for what is no such file.
    """
    found: list[tuple[int, int]] = []
    end = len(data)
    while end > 0:
        footer = data[end - _FOOTER : end]
        if footer[-2:] != b"YZ" or zlib.crc32(footer[4:10]) != int.from_bytes(footer[:4], "little"):
            raise ValueError("no footer of a stream")
        index_size = 4 * (int.from_bytes(footer[4:8], "little") + 1)
        index = data[end - _FOOTER - index_size : end - _FOOTER]
        if index[0] or zlib.crc32(index[:-4]) != int.from_bytes(index[-4:], "little"):
            raise ValueError("no index of a stream")
        reader = varint.Reader(index, 1)
        blocks = length = 0
        for _ in range(reader.number()):
            unpadded, size = reader.numbers(2)
            blocks += (unpadded + 3) // 4 * 4
            length += size
        whole = _FOOTER + blocks + index_size + _FOOTER  # a stream's header is as long as its footer
        found.append((whole, length))
        end -= whole
    if end:
        raise ValueError("streams of another length")
    return found[::-1]
