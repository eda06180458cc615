"""A sorted table of keys, each with the numbers of the parts that have it, in small pages: to ask for a key is to read one or two.

Each page has its checksum. Of one that is not what was written nothing is believed: every part may have its keys.
"""

from __future__ import annotations

import struct
import zlib
from bisect import bisect_left, bisect_right
from itertools import accumulate
from typing import TYPE_CHECKING, Final

from ...start.late_tuple import NamedTuple

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

PARTS: Final = 256
"""Parts that a table may number."""
EVERYWHERE: Final = (1 << PARTS) - 1
"""All of them, as bits."""
KEYS: Final = 512
"""Keys of a page."""
_BEHIND: Final = b"\xff"
"""What begins with a key comes before the key with this behind it, which is in no UTF-8."""
_SIZES: Final = struct.Struct("<III")
_CRC: Final = struct.Struct("<I")


class Key:
    """A key that is asked for in many tables; ``begun``: whatever begins with it."""

    def __init__(self, key: str, *, begun: bool = False) -> None:
        self.data, self.begun = key_bytes(key), begun
        self._parts: dict[Table, int] = {}

    def parts_in(self, table: Table) -> int:
        """The parts that have it, as bits; at least those."""
        if table not in self._parts:
            self._parts[table] = table.parts_of(self.data, begun=self.begun)
        return self._parts[table]


class _Page(NamedTuple):
    """``counts``: the parts of each key, one less; ``gaps``: from each part of a key to the next one, one less."""

    keys: list[bytes]
    counts: bytes
    gaps: bytes

    def bits(self, first: int, end: int) -> int:
        """The parts that have one of some keys that follow each other, as bits; those of the most frequent keys first."""
        if PARTS - 1 in self.counts[first:end]:
            return EVERYWHERE
        starts = [0, *accumulate(count + 1 for count in self.counts[:end])]
        found = 0
        for at in sorted(range(first, end), key=self.counts.__getitem__, reverse=True):
            if found == EVERYWHERE:
                break
            bit = -1
            for gap in self.gaps[starts[at] : starts[at + 1]]:
                bit += gap + 1
                found |= 1 << bit
        return found

    def lists(self, first: int, end: int) -> list[list[int]]:
        """The parts of some keys that follow each other."""
        at = sum(self.counts[:first]) + first
        found = []
        for count in self.counts[first:end]:
            gaps = self.gaps[at : at + count + 1]
            found.append([part + number for number, part in enumerate(accumulate(gaps))])
            at += count + 1
        return found


class Table:
    """The table whose ``directory`` this is; ``read`` gives bytes of its pages, by their place and their number."""

    def __init__(self, directory: bytes, read: Callable[[int, int], bytes]) -> None:
        self._directory, self._read = directory, read
        self._starts: list[int] = []
        self._firsts: list[bytes] = []
        self._pages: dict[int, _Page | None] = {}

    def _open(self) -> None:
        """Raises :class:`ValueError` where the directory is none."""
        if self._starts:
            return
        try:
            raw = zlib.decompress(self._directory)
            (count,) = _CRC.unpack_from(raw)
            sizes = struct.unpack_from(f"<{count}I", raw, _CRC.size)
        except (zlib.error, struct.error) as error:
            raise ValueError("no directory") from error
        self._firsts = raw[_CRC.size * (count + 1) :].split(b"\n") if count else []
        self._starts = [0, *accumulate(sizes)]

    def parts_of(self, key: bytes, *, begun: bool = False) -> int:
        """The parts that have a key, or one that begins with it, as bits; at least those."""
        self._open()
        found = 0
        at = max(bisect_right(self._firsts, key) - 1, 0)
        for number in range(at, len(self._firsts)):
            if number > at and not (begun and self._firsts[number].startswith(key)):
                break
            found |= self._parts_in(number, key, begun=begun)
            if found == EVERYWHERE:
                break
        return found

    def _parts_in(self, number: int, key: bytes, *, begun: bool) -> int:
        page = self._page(number)
        if page is None:
            return EVERYWHERE
        first = bisect_left(page.keys, key)
        end = bisect_left(page.keys, key + _BEHIND) if begun else bisect_right(page.keys, key)
        return page.bits(first, end) if end > first else 0

    def _page(self, number: int) -> _Page | None:
        """A page; None where it is not what was written."""
        if number not in self._pages:
            start, end = self._starts[number], self._starts[number + 1]
            self._pages[number] = _unpacked(self._read(start, end - start))
        return self._pages[number]

    def is_sound(self) -> bool:
        """Whether every page is what was written."""
        try:
            self._open()
        except ValueError:
            return False
        return all(self._page(number) is not None for number in range(len(self._firsts)))

    def all_keys(self) -> dict[bytes, list[int]]:
        """Every key with its parts. Raises :class:`ValueError` where a page is not what was written."""
        self._open()
        found: dict[bytes, list[int]] = {}
        for number in range(len(self._firsts)):
            page = self._page(number)
            if page is None:
                raise ValueError("a page that is not what was written")
            found.update(zip(page.keys, page.lists(0, len(page.keys))))
        return found


def made(keys: Mapping[bytes, Sequence[int]]) -> tuple[bytes, bytes]:
    """Directory and pages of a table of these keys, each with its parts in order."""
    order = sorted(keys)
    pages, firsts = [], []
    for start in range(0, len(order), KEYS):
        own = order[start : start + KEYS]
        pages.append(_packed(own, [keys[key] for key in own]))
        firsts.append(own[0])
    sizes = struct.pack(f"<I{len(pages)}I", len(pages), *map(len, pages))
    return zlib.compress(sizes + b"\n".join(firsts), 9), b"".join(pages)


def key_bytes(key: str) -> bytes:
    """A key as a table has it."""
    return key.encode("utf-8", "surrogatepass")


def _packed(keys: Sequence[bytes], lists: Sequence[Sequence[int]]) -> bytes:
    counts = bytes([len(parts) - 1 for parts in lists])
    gaps = bytes([part - before - 1 for parts in lists for before, part in zip((-1, *parts), parts)])
    columns = [zlib.compress(column, 9) for column in (b"\n".join(keys), counts, gaps)]
    body = b"".join([_SIZES.pack(*map(len, columns)), *columns])
    return body + _CRC.pack(zlib.crc32(body))


def _unpacked(data: bytes) -> _Page | None:
    if len(data) < _SIZES.size + _CRC.size or data[-_CRC.size :] != _CRC.pack(zlib.crc32(data[: -_CRC.size])):
        return None
    at, columns = _SIZES.size, []
    for size in _SIZES.unpack_from(data):
        columns.append(zlib.decompress(data[at : at + size]))
        at += size
    return _Page(columns[0].split(b"\n"), columns[1], columns[2])
