"""A set of keys as bits: what is in it is always found, and of what is not, one in a hundred or in many thousands.

The bits lie in pages, each with its checksum, and a key has all of its bits in one of them: to ask is to read one page. Of a page
that is not what was written nothing is believed: it may have every key.
"""

from __future__ import annotations

import struct
import zlib
from hashlib import blake2b
from typing import TYPE_CHECKING, Final

from ...start.late_tuple import NamedTuple

if TYPE_CHECKING:
    from collections.abc import Callable, Collection

PAGE: Final = 2048
"""Bytes of a page, its checksum among them."""
_CRC: Final = struct.Struct("<I")
_MOST_BITS: Final = 24
"""Bits for a key: one in a hundred thousand is found without being there, and more would be of no use."""
_LEAST: Final = 64
"""Bytes that a filter has at least."""


class Shape(NamedTuple):
    """How a filter is laid out: pages, bytes of each, and bits of a key."""

    pages: int
    size: int
    each: int


class Key:
    """A key that is asked for in many filters."""

    def __init__(self, key: str) -> None:
        self._number = _number(key)
        self._places: dict[Shape, tuple[list[tuple[int, int]], int]] = {}

    def may_be_in(self, shape: Shape, read: Callable[[int, int], bytes]) -> bool:
        """False where it is not in a filter; ``read`` gives bytes of that, by their place and their number."""
        if shape not in self._places:
            size = shape.size - _CRC.size
            page, places = _bits(self._number, shape.pages, 8 * size, shape.each)
            self._places[shape] = [(place >> 3, 1 << (place & 7)) for place in places], page * shape.size
        bits, start = self._places[shape]
        data = read(start, shape.size)
        return all(data[at] & bit for at, bit in bits) or not is_sound(data)


def made(keys: Collection[str], most: int) -> tuple[Shape, bytes]:
    """A filter of these keys that has ``most`` bytes at most, but for a small one."""
    wanted = max(min(_MOST_BITS * len(keys) // 8, most), _LEAST)
    pages = max(round(wanted / PAGE), 1)
    size = PAGE if pages > 1 else min(max(wanted, _LEAST) + _CRC.size, PAGE)
    bits = 8 * (size - _CRC.size)
    each = min(max(round(0.69 * bits * pages / max(len(keys), 1)), 2), 12)
    found = [bytearray(size - _CRC.size) for _ in range(pages)]
    for key in keys:
        page, places = _bits(_number(key), pages, bits, each)
        own = found[page]
        for place in places:
            own[place >> 3] |= 1 << (place & 7)
    return Shape(pages, size, each), b"".join(bytes(page) + _CRC.pack(zlib.crc32(page)) for page in found)


def is_sound(page: bytes) -> bool:
    """Whether a page is what was written."""
    return len(page) > _CRC.size and page[-_CRC.size :] == _CRC.pack(zlib.crc32(page[: -_CRC.size]))


def _number(key: str) -> int:
    return int.from_bytes(blake2b(key.encode("utf-8", "surrogatepass"), digest_size=8).digest(), "big")


def _bits(number: int, pages: int, bits: int, each: int) -> tuple[int, list[int]]:
    """The page of a key, and its bits there."""
    first, step = number & 0xFFFFF, (number >> 20 & 0xFFFFF) | 1
    return (number >> 40) % pages, [(first + count * step) % bits for count in range(each)]
