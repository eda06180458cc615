"""Sorted entries on the disk: what was added together is a run, what is asked for is looked up in each run, the newest first.

A run is a row of blocks and a table of them, which has of each block its first key, its length and its CRC-32; whoever knows a run
has the CRC-32 of its table. So no answer is given, that there is no such entry included, but from bytes that are what was written.
Runs of like size become one, so that there are few.
"""

from __future__ import annotations

import heapq
import zlib
from bisect import bisect_left, bisect_right
from collections.abc import Sequence
from itertools import groupby, islice, repeat
from typing import TYPE_CHECKING, Any, Final

from ...start.late_tuple import NamedTuple

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

    Entry = tuple[bytes, bytes]
    Table = tuple[list[bytes], list[tuple[int, int, int]]]
    Block = tuple[Sequence[bytes], Sequence[bytes]]  # keys in ascending order, and their values

BLOCK: Final = 4096
"""Bytes of keys and values, about, that are read together."""
SMALL: Final = 1024
"""Entries up to which there is one run: the same entries are the same bytes then, however they came."""
LARGEST: Final = 1 << 19
"""Entries of a run above which it is joined with others only when nobody waits."""
_CACHED: Final = 256
_FILTER: Final = 1 << 24
"""Bits of a filter that tells of most keys that are nowhere that they are."""


class IndexDamaged(Exception):
    """The bytes of an index are not what was written."""


class Run(NamedTuple):
    """Where in a file a run stands: its first byte, its bytes with its table, those of the table, and the table's CRC-32."""

    start: int
    size: int
    table: int
    crc32: int
    length: int
    """How many entries it has."""


class SortedRuns:
    """``runs`` of a file, the oldest first; ``read`` gives bytes of it (first, how many). ``width``: all keys have so many bytes
    and no values.

    ``anew``: all that is ever added is added here, so that a filter can tell at once what is not there.
    """

    def __init__(
        self, read: Callable[[int, int], bytes], runs: Iterable[Sequence[int]], *, width: int = 0, anew: bool = False
    ) -> None:
        self.runs = [Run(*each) for each in runs]
        self._read, self._width = read, width
        self._tables: dict[Run, Table] = {}
        self._cache: dict[tuple[Run, int], Block] = {}
        self._anew = anew
        self._filter = bytearray()

    def get(self, key: bytes) -> bytes | None:
        """The value of a key, the newest one; None where there is none. Raises :class:`IndexDamaged`."""
        if self._is_nowhere(key):
            return None
        for run in reversed(self.runs):
            at = bisect_right(self._table(run)[0], key) - 1
            if at >= 0:
                keys, values = self._block(run, at)
                position = bisect_left(keys, key)
                if position < len(keys) and keys[position] == key:
                    return values[position]
        return None

    def beginning(self, prefix: bytes) -> list[Entry]:
        """Every entry whose key begins so, by key. Raises :class:`IndexDamaged`."""
        if self._width and self._is_nowhere(prefix):
            return []
        found: dict[bytes, bytes] = {}
        for run in self.runs:
            firsts, _ = self._table(run)
            for at in range(max(bisect_left(firsts, prefix) - 1, 0), len(firsts)):
                keys, values = self._block(run, at)
                position = bisect_left(keys, prefix)
                while position < len(keys) and keys[position].startswith(prefix):
                    found[keys[position]] = values[position]
                    position += 1
                if position < len(keys):
                    break
        return sorted(found.items())

    def everything(self) -> Iterator[Entry]:
        """Every entry by key, of several with one key the newest. Raises :class:`IndexDamaged`."""
        return merged([self._entries(run) for run in self.runs])

    def joined(self, entries: dict[bytes, bytes]) -> tuple[int, Iterable[Entry]]:
        """Which runs stay when these entries are added, from the oldest on, and what the new run has."""
        stay, total = len(self.runs), len(entries)
        if total + sum(run.length for run in self.runs) <= SMALL:
            stay = 0
        while stay and self.runs[stay - 1].length <= 2 * total and self.runs[stay - 1].length + total <= LARGEST:
            stay -= 1
            total += self.runs[stay].length
        parts = [self._entries(run) for run in self.runs[stay:]]
        if self._width:  # of keys without values none is newer than another
            keys = heapq.merge(sorted(entries), *((key for key, _ in part) for part in parts))
            return stay, zip((key for key, _ in groupby(keys)), repeat(b""))
        return stay, merged([*parts, iter(sorted(entries.items()))])

    def added(self, stay: int, run: Run, keys: Iterable[bytes]) -> None:
        """``run`` came behind the first ``stay`` ones; ``keys`` are new."""
        self.runs[stay:] = [run] if run.length else []
        if self._anew:
            self._filter = self._filter or bytearray(_FILTER // 8)
            for key in keys:
                for bit in self._bits(key):
                    self._filter[bit >> 3] |= 1 << (bit & 7)

    def moved(self, runs: list[Run]) -> None:
        """The runs stand elsewhere in the file now."""
        self.runs = runs
        self._cache.clear()
        self._tables.clear()

    def _is_nowhere(self, key: bytes) -> bool:
        bits = self._filter
        if not bits:
            return False
        one, other = self._bits(key)
        return not (bits[one >> 3] >> (one & 7) & bits[other >> 3] >> (other & 7) & 1)

    def _bits(self, key: bytes) -> tuple[int, int]:
        """Two places in the filter: of keys of one width by their first five bytes."""
        crc32 = zlib.crc32(key[:5] if self._width else key)
        return crc32 % _FILTER, zlib.adler32(crc32.to_bytes(4, "big")) * 2654435761 % _FILTER

    def _entries(self, run: Run) -> Iterator[Entry]:
        for at in range(len(self._table(run)[0])):
            yield from zip(*self._block(run, at, keep=False))

    def _table(self, run: Run) -> Table:
        """The first key of each block; and of each its first byte in the file, its length, its CRC-32."""
        table = self._tables.get(run)
        if table is None:
            data = self._read(run.start + run.size - run.table, run.table)
            if zlib.crc32(data) != run.crc32:
                raise IndexDamaged("the table of a run does not agree with its checksum")
            table, start = ([], []), run.start
            for key, value in _entries_of(data):
                length = int.from_bytes(value[4:], "big")
                table[0].append(key)
                table[1].append((start, length, int.from_bytes(value[:4], "big")))
                start += length
            self._tables[run] = table
        return table

    def _block(self, run: Run, at: int, *, keep: bool = True) -> Block:
        found = self._cache.get((run, at))
        if found is None:
            start, length, crc32 = self._table(run)[1][at]
            data = self._read(start, length)
            if zlib.crc32(data) != crc32:
                raise IndexDamaged("a block does not agree with its checksum")
            found = decoded(data, self._width)
            if keep:
                while len(self._cache) >= _CACHED:
                    del self._cache[next(iter(self._cache))]
                self._cache[run, at] = found
        return found


def merged(parts: list[Iterator[Entry]]) -> Iterator[Entry]:
    """The entries of several runs, the newest last, by key; of several with one key that of the newest run."""
    if len(parts) == 1:
        yield from parts[0]
        return
    last = None
    for key, _, value in heapq.merge(*(_aged(part, age) for age, part in enumerate(parts))):
        if key != last:
            yield key, value
            last = key


def _aged(part: Iterable[Entry], age: int) -> Iterator[tuple[bytes, int, bytes]]:
    """Of entries with one key that of the newest run comes first."""
    for key, value in part:
        yield key, -age, value


def run_of(entries: Iterable[Entry], start: int, width: int) -> tuple[bytes, Run]:
    """A run of entries that are sorted, to stand at byte ``start`` of its file."""
    blocks: list[bytes] = []
    table: list[Entry] = []
    count = 0
    for together in _parted(entries, width):
        data = encoded(together, width)
        table.append((together[0][0], zlib.crc32(data).to_bytes(4, "big") + len(data).to_bytes(4, "big")))
        blocks.append(data)
        count += len(together)
    end = _bytes_of(table)
    data = b"".join((*blocks, end))
    return data, Run(start, len(data), len(end), zlib.crc32(end), count)


def _parted(entries: Iterable[Entry], width: int) -> Iterator[list[Entry]]:
    """The entries of each block."""
    if width:
        entries = iter(entries)
        yield from iter(lambda: list(islice(entries, -(-BLOCK // width))), [])
        return
    together, size = [], 0
    for entry in entries:
        together.append(entry)
        size += len(entry[0]) + len(entry[1])
        if size >= BLOCK:
            yield together
            together, size = [], 0
    if together:
        yield together


def encoded(entries: list[Entry], width: int) -> bytes:
    """A block: compressed keys by their columns of bytes, which are alike as the keys are sorted; or keys and values."""
    if width:
        whole = b"".join(key for key, _ in entries)
        return zlib.compress(b"".join(whole[at::width] for at in range(width)), 6)
    return zlib.compress(_bytes_of(entries), 6)


def decoded(data: bytes, width: int) -> Block:
    """What :func:`encoded` made. Raises :class:`IndexDamaged`."""
    try:
        data = zlib.decompress(data)
    except zlib.error as error:
        raise IndexDamaged(str(error)) from error
    if width:
        keys = _Keys(data, width)
        return keys, (b"",) * len(keys)
    found = list(_entries_of(data))
    return [key for key, _ in found], [value for _, value in found]


class _Keys(Sequence[bytes]):
    """The keys of a block of which the bytes stand by columns, each put together when somebody asks."""

    def __init__(self, data: bytes, width: int) -> None:
        self._data, self._size = data, len(data) // width

    def __len__(self) -> int:
        return self._size

    def __iter__(self) -> Iterator[bytes]:
        data, size = self._data, self._size
        return (data[at::size] for at in range(size))

    def __getitem__(self, at: Any) -> Any:
        if at >= self._size:
            raise IndexError(at)
        return self._data[at :: self._size]


def _bytes_of(entries: Iterable[Entry]) -> bytes:
    """Keys and values, each behind its length."""
    return b"".join(varint(len(part)) + part for entry in entries for part in entry)


def _entries_of(data: bytes) -> Iterator[Entry]:
    at, end = 0, len(data)
    while at < end:
        size, at = (data[at], at + 1) if data[at] < 128 else varint_in(data, at)
        key, at = data[at : at + size], at + size
        size, at = (data[at], at + 1) if data[at] < 128 else varint_in(data, at)
        yield key, data[at : at + size]
        at += size


def varint(number: int) -> bytes:
    """A number from 0 on in as few bytes as it needs: seven bits each, the lowest first; the highest bit says that one follows."""
    found = bytearray()
    while number > 127:
        found.append(number & 127 | 128)
        number >>= 7
    found.append(number)
    return bytes(found)


def varint_in(data: bytes, at: int = 0) -> tuple[int, int]:
    """The number that begins at a byte, and where the next one does. Raises IndexError."""
    number = shift = 0
    while data[at] > 127:
        number |= (data[at] & 127) << shift
        shift, at = shift + 7, at + 1
    return number | data[at] << shift, at + 1
