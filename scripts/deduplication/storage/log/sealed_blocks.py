"""A sealed file as bytes: xz streams one after another, each a block of lines, and a table of them at the end.

The table is a stream of its own with one line, ``{"blocks":[...],"thorough":...}``: the bytes of the log in each block, and
whether they were compressed slowly.
"""

from __future__ import annotations

import json
import zlib
from typing import TYPE_CHECKING, Any, Final

from ...errors import StoreNotWritable
from .compact_lines import lean, whole

if TYPE_CHECKING:
    from collections.abc import Iterator

BLOCK: Final = 1024 * 1024
"""Bytes of lines in a block, or one line where it is longer."""
TOGETHER: Final = 512 * 1024
"""Bytes up to which the last block is compressed once more, together with what follows: small ones compress badly."""
THOROUGH: Final = 4 * 1024 * 1024
"""The same where nobody waits."""
TAIL: Final = 64 * 1024
"""Bytes of the last lines that are then a block of their own: they are read more often than all others."""
_QUICK: Final = 1
_SMALLEST: Final = 9 | 1 << 31
"""xz's preset 9 with "extreme"."""
_WINDOW: Final = 4096
"""The smallest window of LZMA2."""
TABLE: Final = b'{"blocks":'
"""How the line of a table begins, and no other."""
_FOOTER: Final = 12
_LONGEST_TABLE: Final = 1_000_000
"""Bytes: a table of many thousand blocks."""


def packed(lines: bytes, *, slowly: bool = False) -> bytes:
    """A block, proven to give the same lines back. Raises ``StoreNotWritable`` where it does not."""
    import lzma

    data = lean(lines)
    window = min(max(1 << (len(data) - 1).bit_length(), _WINDOW), THOROUGH)
    settings: dict[str, Any] = {"id": lzma.FILTER_LZMA2, "preset": _SMALLEST if slowly else _QUICK, "dict_size": window}
    block = lzma.compress(data, lzma.FORMAT_XZ, filters=[{**settings, "lc": 4, "lp": 0, "pb": 0}])
    if lzma.decompress(block, lzma.FORMAT_XZ) != data:  # that the data gives the same lines back is proven already
        raise StoreNotWritable(
            "what was compressed does not give the same lines back", hint="Check this machine's memory."
        )
    return block


def unpacked(block: bytes, *, short: bool = True) -> bytes:
    """The lines of a block; ``short``: they are lean. Raises :class:`ValueError` for what is no block."""
    import lzma

    try:
        data = lzma.decompress(block, lzma.FORMAT_XZ)
    except (lzma.LZMAError, EOFError) as error:
        raise ValueError(str(error)) from error
    return whole(data) if short else data


def slowly(lines: bytes, *, tail: bool) -> list[tuple[bytes, int]]:
    """Blocks as small as they get, and the bytes of lines in each; with ``tail`` the last lines in one of their own."""
    cut = lines.rfind(b"\n", 0, max(len(lines) - TAIL, 0)) + 1 if tail else len(lines)
    found = [*parts(lines[:cut], THOROUGH), *parts(lines[cut:], THOROUGH)]
    return [(packed(part, slowly=True), len(part)) for part in found]


def table(lengths: list[int], *, thorough: bool) -> bytes:
    """The last stream of a file whose blocks have these bytes of lines."""
    import lzma

    line = json.dumps({"blocks": lengths, "thorough": thorough}, separators=(",", ":"))
    return lzma.compress(line.encode() + b"\n", lzma.FORMAT_XZ, preset=0)


def blocks_of(data: bytes, *, short: bool = True) -> tuple[list[tuple[int, int]], bool]:
    """Of each block of a file its size in it and the bytes of its lines; and whether they were compressed slowly.

    Without ``short`` it is a file of an earlier version, without a table. Raises ValueError or IndexError for what is no such
    file.
    """
    found = streams(data)
    if not short:
        return found, False
    size, length = found.pop()
    if length > _LONGEST_TABLE:
        raise ValueError("no table of blocks")
    try:
        read = json.loads(unpacked(data[-size:], short=False))
        lengths, thorough = read["blocks"], read["thorough"]
    except (KeyError, TypeError) as error:
        raise ValueError("no table of blocks") from error
    if not isinstance(lengths, list) or len(lengths) != len(found):
        raise ValueError("a table of other blocks")
    if not all(type(each) is int and each > 0 for each in lengths):
        raise ValueError("a table without lengths")
    return [(size, length) for (size, _), length in zip(found, lengths)], thorough is True


def parts(data: bytes, size: int) -> Iterator[bytes]:
    """Whole lines of some ``size`` bytes each."""
    start = 0
    while start < len(data):
        end = data.find(b"\n", min(start + size, len(data)) - 1) + 1 or len(data)
        yield data[start:end]
        start = end


def streams(data: bytes) -> list[tuple[int, int]]:
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
        count, at = _number(index, 1)
        blocks = length = 0
        for _ in range(count):
            unpadded, at = _number(index, at)
            size, at = _number(index, at)
            blocks += (unpadded + 3) // 4 * 4
            length += size
        whole = _FOOTER + blocks + index_size + _FOOTER  # a stream's header is as long as its footer
        found.append((whole, length))
        end -= whole
    if end:
        raise ValueError("streams of another length")
    return found[::-1]


def _number(data: bytes, at: int) -> tuple[int, int]:
    """A number in seven bits a byte, the lowest first, and where it ends."""
    value = shift = 0
    while True:
        byte = data[at]
        at += 1
        value |= (byte & 0x7F) << shift
        if byte < 0x80:
            return value, at
        shift += 7
