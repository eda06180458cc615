"""A sealed file as bytes: xz streams one after another, each a block of lines, and a table of them at the end.

The table is a stream of its own with one line of JSON, the members of :class:`Table`.
"""

from __future__ import annotations

import json
import zlib
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from ...errors import StoreNotWritable
from ...files import varint
from .column_format import Wanted
from .sealed_files import COLUMNS, LEAN, PLAIN

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    from .column_format import Archived

BLOCK: Final = 1024 * 1024
"""Bytes of lines in a block, or one line where it is longer."""
PART: Final = 64 * 1024
"""Bytes of lines in a part of a block: what is made again to read one line. The parts of a block are compressed together."""
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
_MEMORY: Final = "Check this machine's memory."
_LITTLE: Final = 4096
"""Bytes of contents of one file below which it is not noted that they are kept."""
_LONGEST_TABLE: Final = 1_000_000
"""Bytes: a table of many thousand blocks."""


class Sealing(NamedTuple):
    """A block as it is written: its bytes, those of the lines in each part, and those of contents that it keeps, by file."""

    stream: bytes
    parts: Sequence[int]
    kept: Mapping[Wanted, int]

    @property
    def lines(self) -> int:
        """Bytes of all its lines."""
        return sum(self.parts)


def packed(lines: bytes, archive: Archived, *, slowly: bool = False) -> Sealing:
    """A block, proven to give the same lines back. Raises ``StoreNotWritable`` where it does not."""
    import lzma

    from .column_writer import encode

    lengths, blocks = [], []
    kept: dict[Wanted, int] = {}
    try:
        for part in parts(lines, PART):
            block, own = encode(part, archive)
            lengths.append(len(part))
            blocks.append(varint.encode([len(block)]) + block)
            kept = {**kept, **{wanted: size + kept.get(wanted, 0) for wanted, size in own.items()}}
    except ValueError as error:
        raise StoreNotWritable(f"a block of the log: {error}", hint=_MEMORY) from error
    data = varint.encode([len(blocks)]) + b"".join(blocks)
    window = min(max(1 << (len(data) - 1).bit_length(), _WINDOW), THOROUGH)
    settings: dict[str, Any] = {"id": lzma.FILTER_LZMA2, "preset": _SMALLEST if slowly else _QUICK, "dict_size": window}
    stream = lzma.compress(data, lzma.FORMAT_XZ, filters=[{**settings, "lc": 4, "lp": 0, "pb": 0}])
    if lzma.decompress(stream, lzma.FORMAT_XZ) != data:  # that the data gives the same lines back is proven already
        raise StoreNotWritable("what was compressed does not give the same lines back", hint=_MEMORY)
    return Sealing(stream, lengths, kept)


def unpacked(stream: bytes, form: str, archive: Archived) -> bytes:
    """The lines of a block. Raises :class:`ValueError` for what is no block, or where archived bytes are lost."""
    return b"".join(lines_of(part, form, archive) for part in split(unxz(stream), form))


def split(data: bytes, form: str) -> list[bytes]:
    """The parts of a block that was decompressed. Raises :class:`ValueError`."""
    if form != COLUMNS:
        return [data]
    reader = varint.Reader(data)
    found = [reader.take(reader.number()) for _ in range(reader.number())]
    reader.end()
    return found


def lines_of(part: bytes, form: str, archive: Archived) -> bytes:
    """The lines of a part of a block. Raises :class:`ValueError`."""
    if form == COLUMNS:
        from .column_reader import decode  # a run that finds the index up to the log reads no sealed line

        return decode(part, archive)
    if form == LEAN:
        from .compact_lines import whole

        return whole(part)
    return part


def unxz(stream: bytes) -> bytes:
    """A stream, decompressed. Raises :class:`ValueError`."""
    import lzma

    try:
        return lzma.decompress(stream, lzma.FORMAT_XZ)
    except (lzma.LZMAError, EOFError) as error:
        raise ValueError(str(error)) from error


def slowly(lines: bytes, archive: Archived, *, tail: bool) -> list[Sealing]:
    """Blocks as small as they get; with ``tail`` the last lines in one of their own."""
    cut = lines.rfind(b"\n", 0, max(len(lines) - TAIL, 0)) + 1 if tail else len(lines)
    found = [*parts(lines[:cut], THOROUGH), *parts(lines[cut:], THOROUGH)]
    return [packed(part, archive, slowly=True) for part in found]


class Table(NamedTuple):
    """The last stream of a file: the bytes of lines in each part of each block, whether all were compressed slowly, what is kept.

    ``kept`` are bytes of contents by the file that the archive did not have.
    """

    blocks: list[Sequence[int]]
    thorough: bool
    kept: Mapping[Wanted, int]

    def encode(self) -> bytes:
        """As a stream."""
        import lzma

        kept = [[*wanted, size] for wanted, size in self.kept.items()]
        line = json.dumps({"blocks": self.blocks, "thorough": self.thorough, "kept": kept}, separators=(",", ":"))
        return lzma.compress(line.encode() + b"\n", lzma.FORMAT_XZ, preset=0)


def blocks_of(data: bytes, form: str) -> tuple[list[tuple[int, Sequence[int]]], Table]:
    """Of each block of a file its size in it and the bytes of lines in its parts; and the table, made up where there is none.

    Raises ValueError or IndexError for what is no such file.
    """
    found = streams(data)
    if form == PLAIN:
        return [(size, [length]) for size, length in found], Table([], thorough=False, kept={})
    size, length = found.pop()
    if length > _LONGEST_TABLE:
        raise ValueError("no table of blocks")
    try:
        read = json.loads(unxz(data[-size:]))
        table = Table(
            read["blocks"], read["thorough"] is True, {Wanted(*file): size for *file, size in read.get("kept", ())}
        )
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        raise ValueError("no table of blocks") from error
    if not isinstance(table.blocks, list) or len(table.blocks) != len(found):
        raise ValueError("a table of other blocks")
    # Those of version 0.1 have one length for a block.
    told: list[Any] = table.blocks
    lengths: list[list[int]] = [each if isinstance(each, list) else [each] for each in told]
    if not all(each and all(type(length) is int and length > 0 for length in each) for each in lengths):
        raise ValueError("a table without lengths")
    return [(size, own) for (size, _), own in zip(found, lengths)], table


def kept_in(blocks: Iterable[Sealing], before: Mapping[Wanted, int]) -> dict[Wanted, int]:
    """What these blocks keep, and ``before`` besides; little of a file is not worth its name."""
    found = dict(before)
    for block in blocks:
        for wanted, size in block.kept.items():
            found[wanted] = found.get(wanted, 0) + size
    return {wanted: size for wanted, size in found.items() if size >= _LITTLE}


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
