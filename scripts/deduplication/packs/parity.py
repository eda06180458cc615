"""Parity of a pack: from what is left of a damaged one, the bytes that were written. docs/archive.md describes it.

The bytes are laid out in blocks, the blocks in rows, one below the other; each column is a group of a Reed-Solomon code over
GF(256) whose matrix is Cauchy's, so that any blocks of a column come back as long as there are no more of them than spare
ones are left. Neighbours lie in different columns: a stretch of damage is spread over all of them. A CRC-32 of each block
says which ones are damaged. Its halves lie at the two ends of the parity, so that damage to one end still leaves the other.
"""

from __future__ import annotations

import struct
import zlib
from functools import lru_cache
from typing import TYPE_CHECKING, Final

from ..start.late_tuple import NamedTuple

if TYPE_CHECKING:
    from collections.abc import Callable

_SMALL, _LARGE = 512, 4096
"""Bytes of a block: that of the smallest sector of a disk, in a large pack that of a page."""
_LARGE_FROM: Final = 1024 * 1024
_ROWS: Final = 200
"""Rows at most: with the spare ones they must not be more than the field has elements."""
_SHARE: Final = 25
"""A spare block for so many blocks: 4 %."""
_SPARE: Final = 8
"""Spare blocks of a column at most, and of a small pack: as many as there are in a page of 4 KiB, the unit that disks lose."""
_POLYNOMIAL: Final = 0x11D
_PART: Final = 1024 * 1024


class Layout(NamedTuple):
    """How ``covered`` bytes are laid out: so many blocks of ``block`` bytes in ``rows`` rows of ``groups`` columns.

    ``spare`` rows of parity follow. It is a function of ``covered`` alone, so that it is known whatever is damaged.
    """

    covered: int
    block: int
    blocks: int
    groups: int
    rows: int
    spare: int

    @property
    def width(self) -> int:
        """Bytes of a row."""
        return self.groups * self.block

    def spare_block(self, row: int, group: int) -> int:
        """The number of a spare block among its kind. A row begins where the last row of data ends, so that neighbours there, too,
        lie in different columns.
        """
        return row * self.groups + (group - self.blocks) % self.groups

    @property
    def checks(self) -> int:
        """Blocks that have a checksum: those of the pack, then the spare ones, row by row."""
        return self.blocks + self.spare * self.groups

    @property
    def size(self) -> int:
        """Bytes of the parity: half of each checksum, the spare rows, the other halves."""
        return 4 * self.checks + self.spare * self.width


def layout(covered: int) -> Layout:
    """The layout of ``covered`` bytes, more than none."""
    block = _SMALL if covered <= _LARGE_FROM else _LARGE
    blocks = -(-covered // block)
    groups = -(-blocks // _ROWS)
    rows = -(-blocks // groups)
    spare = min(rows, max(rows // _SHARE, -(-_SPARE // groups)))
    return Layout(covered, block, blocks, groups, rows, spare)


class Encoder:
    """Makes the parity of bytes that come one after another, of which it holds one row."""

    def __init__(self, covered: int) -> None:
        self._layout = layout(covered)
        self._waiting = bytearray()
        self._row = 0
        self._spare = [0] * self._layout.spare
        self._checks: list[int] = []

    def update(self, data: bytes) -> None:
        """Take the next bytes."""
        width = self._layout.width
        for start in range(0, len(data), _PART):
            self._waiting += data[start : start + _PART]
            at = 0
            while len(self._waiting) - at >= width:
                self._take(bytes(self._waiting[at : at + width]))
                at += width
            del self._waiting[:at]

    def _take(self, row: bytes) -> None:
        shape = self._layout
        left = shape.blocks - len(self._checks)
        self._checks += _checks(row[: left * shape.block], shape.block)
        for number in range(shape.spare):
            part = row.translate(_times(_coefficient(number, self._row)))
            self._spare[number] ^= int.from_bytes(part, "little")
        self._row += 1

    def parity(self) -> bytes:
        """The parity of all bytes; they must have come."""
        shape = self._layout
        if self._waiting:
            self._take(bytes(self._waiting).ljust(shape.width, b"\0"))
            self._waiting.clear()
        turn = shape.blocks % shape.groups * shape.block
        rows = [number.to_bytes(shape.width, "little") for number in self._spare]
        spare = b"".join(row[turn:] + row[:turn] for row in rows)
        checks = [*self._checks, *_checks(spare, shape.block)]
        halves = f"<{len(checks)}H"
        low = struct.pack(halves, *(check & 0xFFFF for check in checks))
        return b"".join([low, spare, struct.pack(halves, *(check >> 16 for check in checks))])


def recovered(
    read: Callable[[int, int], bytes], covered: int, parity: bytes, *, strict: bool = True
) -> dict[int, bytes]:
    """The damaged blocks as they were written, by the offset where they begin; of a column with too many of them, none.

    ``read`` gives bytes from an offset on, fewer where the file ends. ``strict``: both halves of a block's checksum must be
    right, else one of them, for where an end of the parity is damaged. Whoever calls this checks the outcome.
    """
    shape = layout(covered)
    checked = _Checked(shape, parity.ljust(shape.size, b"\0"), strict=strict)
    found: dict[int, bytes] = {}
    for group, rows in checked.damaged(read).items():
        spare = checked.spare(group)
        if len(rows) <= len(spare):
            for row, data in _solved(shape, read, group, rows, spare).items():
                at = (row * shape.groups + group) * shape.block
                found[at] = data[: covered - at]
    return found


class _Checked:
    """The checksums and the spare blocks of a parity that may be damaged itself."""

    def __init__(self, shape: Layout, parity: bytes, *, strict: bool) -> None:
        self._shape = shape
        self._least = 2 if strict else 1
        """Halves of a checksum that must be right."""
        halves, end = f"<{shape.checks}H", 2 * shape.checks
        self._low = struct.unpack_from(halves, parity)
        self._high = struct.unpack_from(halves, parity, end + shape.spare * shape.width)
        self._spare = parity[end : end + shape.spare * shape.width]

    def _right(self, number: int, check: int) -> bool:
        agree: int = (self._low[number] == check & 0xFFFF) + (self._high[number] == check >> 16)
        return agree >= self._least

    def damaged(self, read: Callable[[int, int], bytes]) -> dict[int, list[int]]:
        """The damaged blocks: their rows, by their columns."""
        shape = self._shape
        found: dict[int, list[int]] = {}
        for row in range(shape.rows):
            first = row * shape.groups
            for number, check in enumerate(_checks(_row(shape, read, row), shape.block), first):
                if number < shape.blocks and not self._right(number, check):
                    found.setdefault(number - first, []).append(row)
        return found

    def spare(self, group: int) -> dict[int, bytes]:
        """The spare blocks of a column that are whole, by their rows."""
        shape = self._shape
        found = {}
        for row in range(shape.spare):
            number = shape.spare_block(row, group)
            data = self._spare[number * shape.block : (number + 1) * shape.block]
            if self._right(shape.blocks + number, zlib.crc32(data)):
                found[row] = data
        return found


def _row(shape: Layout, read: Callable[[int, int], bytes], row: int) -> bytes:
    at = row * shape.width
    return read(at, max(min(shape.width, shape.covered - at), 0)).ljust(shape.width, b"\0")


def _checks(data: bytes, block: int) -> list[int]:
    return [zlib.crc32(data[at : at + block]) for at in range(0, len(data), block)]


def _solved(
    shape: Layout, read: Callable[[int, int], bytes], group: int, damaged: list[int], spare: dict[int, bytes]
) -> dict[int, bytes]:
    """The damaged blocks of a column, by their rows."""
    use = sorted(spare)[: len(damaged)]
    sums = [int.from_bytes(spare[number], "little") for number in use]
    for row in range(shape.rows):
        if row in damaged:
            continue
        at = (row * shape.groups + group) * shape.block
        data = read(at, max(min(shape.block, shape.covered - at), 0)).ljust(shape.block, b"\0")
        for n, number in enumerate(use):
            sums[n] ^= int.from_bytes(data.translate(_times(_coefficient(number, row))), "little")
    parts = [each.to_bytes(shape.block, "little") for each in sums]
    solution = _inverse([[_coefficient(number, row) for row in damaged] for number in use])
    found = {}
    for row, factors in zip(damaged, solution):
        total = 0
        for factor, part in zip(factors, parts):
            total ^= int.from_bytes(part.translate(_times(factor)), "little")
        found[row] = total.to_bytes(shape.block, "little")
    return found


# --- the field ------------------------------------------------------------------------------------------------------


@lru_cache(maxsize=1)
def _logarithms() -> tuple[bytes, bytes]:
    """The powers of 2, and to which power 2 must be raised for each element; 255 for 0, which is none."""
    powers, value = bytearray(), 1
    for _ in range(255):
        powers.append(value)
        value = value << 1 ^ (_POLYNOMIAL if value & 0x80 else 0)
    logarithms = bytearray(b"\xff" * 256)
    for power, each in enumerate(powers):
        logarithms[each] = power
    return bytes(powers), bytes(logarithms)


@lru_cache(maxsize=256)
def _times(factor: int) -> bytes:
    """A table for ``bytes.translate`` that multiplies by ``factor``."""
    powers, logarithms = _logarithms()
    at = logarithms[factor]
    return logarithms.translate(powers[at:] + powers[:at] + b"\0") if factor else bytes(256)


def _reciprocal(value: int) -> int:
    powers, logarithms = _logarithms()
    return powers[-logarithms[value] % 255]


def _coefficient(spare: int, row: int) -> int:
    """Cauchy's matrix: 1 / (x + y) with x in 0..7 for the spare rows, y from 8 on for the others."""
    return _reciprocal(spare ^ (_SPARE + row))


def _inverse(matrix: list[list[int]]) -> list[list[int]]:
    """The inverse of a square part of the matrix, which always has one."""
    size = len(matrix)
    rows = [[*row, *(int(n == m) for m in range(size))] for n, row in enumerate(matrix)]
    for n in range(size):
        pivot = next(m for m in range(n, size) if rows[m][n])
        rows[n], rows[pivot] = rows[pivot], rows[n]
        scale = _times(_reciprocal(rows[n][n]))
        rows[n] = [scale[value] for value in rows[n]]
        for m in range(size):
            if m != n and rows[m][n]:
                factor = _times(rows[m][n])
                rows[m] = [value ^ factor[own] for value, own in zip(rows[m], rows[n])]
    return [row[size:] for row in rows]
