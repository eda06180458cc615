"""Whole numbers in as few bytes as they need: seven bits a byte, low ones first, the top bit says "more follows"."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable

_MAX_BITS = 70


def encode(numbers: Iterable[int]) -> bytes:
    """The numbers, none of them negative, one after the other."""
    out = bytearray()
    for number in numbers:
        while number > 0x7F:
            out.append(number & 0x7F | 0x80)
            number >>= 7  # noqa: PLW2901 - seven bits of it are written
        out.append(number)
    return bytes(out)


def signed(number: int) -> int:
    """A number of either sign as one that is not negative: 0, -1, 1, -2 become 0, 1, 2, 3."""
    return number << 1 if number >= 0 else (-number << 1) - 1


def unsigned(number: int) -> int:
    """The inverse of :func:`signed`."""
    return -(number + 1 >> 1) if number & 1 else number >> 1


def every(data: bytes) -> list[int]:
    """The numbers that ``data`` is. Raises :class:`ValueError` where it ends within one."""
    if data.isascii():  # a byte each
        return list(data)
    found: list[int] = []
    number = shift = 0
    for byte in data:
        number |= (byte & 0x7F) << shift
        if byte < 0x80:
            found.append(number)
            number = shift = 0
        else:
            shift += 7
            if shift > _MAX_BITS:
                break
    if shift:
        raise ValueError("a number is not whole")
    return found


class Reader:
    """Takes numbers and bytes off the front of ``data``. Raises :class:`ValueError` where it ends too early."""

    def __init__(self, data: bytes, at: int = 0) -> None:
        self._data, self.at = data, at

    def number(self) -> int:
        """The next number."""
        data, at = self._data, self.at
        number = shift = 0
        while True:
            if at >= len(data) or shift > _MAX_BITS:
                raise ValueError("a number is not whole")
            byte = data[at]
            at += 1
            number |= (byte & 0x7F) << shift
            if byte < 0x80:
                self.at = at
                return number
            shift += 7

    def numbers(self, count: int) -> list[int]:
        """The next ``count`` numbers."""
        number = self.number
        return [number() for _ in range(count)]

    def end(self) -> None:
        """Raises :class:`ValueError` where anything is left."""
        if self.at != len(self._data):
            raise ValueError("there are bytes left over")

    def take(self, size: int) -> bytes:
        """The next ``size`` bytes."""
        part = self._data[self.at : self.at + size]
        if len(part) != size:
            raise ValueError("bytes are missing")
        self.at += size
        return part

    def text(self) -> bytes:
        """The next bytes up to a NUL, which is left out."""
        end = self._data.find(b"\0", self.at)
        if end < 0:
            raise ValueError("a text is not whole")
        return self.take(end + 1 - self.at)[:-1]
