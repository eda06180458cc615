"""A record of the file of filters: what is said of its blocks, and the table of their words."""

from __future__ import annotations

import struct
import zlib
from typing import TYPE_CHECKING, Final

from ...start.late_dataclass import dataclass
from . import table
from .block import PARTS, Block
from .table import Table

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

MARK: Final = b"\0\xffWORDS\n"
_HEAD: Final = struct.Struct("<8sIIIII")
_CRC: Final = struct.Struct("<I")
HEAD: Final = _HEAD.size + _CRC.size
"""Bytes of the head of a record: :data:`MARK`, how many blocks, how many bytes are said of them, those of the directory and of the
pages of their table, the CRC-32 of what is said and of the directory, and that of the head."""
_LENGTH: Final = struct.Struct("<I")


@dataclass(frozen=True)
class Record:
    """One record: its blocks, and from where to where it stands in the file."""

    blocks: list[Block]
    table: Table
    at: int
    end: int


def encode(said: Sequence[bytes], keys: Mapping[bytes, Sequence[int]]) -> bytes:
    """The record of these blocks, with the keys of their parts."""
    first = b"".join(_LENGTH.pack(len(each)) + each for each in said)
    directory, pages = table.made(keys)
    crc32 = zlib.crc32(first + directory)
    head = _HEAD.pack(MARK, len(said), len(first), len(directory), len(pages), crc32)
    return b"".join([head, _CRC.pack(zlib.crc32(head)), first, directory, pages])


def together(records: Sequence[Record]) -> bytes:
    """One record in the place of some. Raises :class:`ValueError` where one is not what was written."""
    keys: dict[bytes, list[int]] = {}
    said: list[bytes] = []
    for record in records:
        before = PARTS * len(said)
        for key, parts in record.table.all_keys().items():
            keys.setdefault(key, []).extend([part + before for part in parts] if before else parts)
        said += [block.said for block in record.blocks]
    return encode(said, keys)


def read(number: int, at: int, whole: int, data: Callable[[int, int], bytes]) -> Record | None:
    """The record at byte ``at`` of a file of ``whole`` bytes, which ``data`` gives; None where there is none that can be believed.

    ``number`` is that of its first block.
    """
    numbers = _numbers(data(at, HEAD))
    if numbers is None:
        return None
    count, said, directory, pages, crc32 = numbers
    start = at + HEAD + said + directory
    end = start + pages
    if end > whole:
        return None
    body = data(at + HEAD, said + directory)
    if zlib.crc32(body) != crc32:
        return None
    own = Table(body[said:], lambda place, size: data(start + place, size))
    blocks: list[Block] = []
    place = 0
    for _ in range(count):
        (length,) = _LENGTH.unpack_from(body, place)
        place += _LENGTH.size
        blocks.append(Block(number + len(blocks), body[place : place + length], own, len(blocks)))
        place += length
    return Record(blocks, own, at, end)


def is_begun(rest: bytes, left: int) -> bool:
    """Whether bytes are the beginning of a record of more than the ``left`` ones that there are."""
    if len(rest) < HEAD:
        return rest[: len(MARK)] == MARK[: len(rest)]
    numbers = _numbers(rest)
    return numbers is not None and HEAD + sum(numbers[1:4]) > left


def _numbers(head: bytes) -> tuple[int, ...] | None:
    """What a head says behind its mark; None where it is none."""
    if len(head) < HEAD or head[-_CRC.size :] != _CRC.pack(zlib.crc32(head[: -_CRC.size])):
        return None
    mark, *numbers = _HEAD.unpack_from(head)
    return tuple(numbers) if mark == MARK else None
