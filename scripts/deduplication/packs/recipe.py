"""How a file is put together: the beginning of an earlier file, runs of consecutive segments, and bytes of its own.

A cumulative export repeats what was there before, so its recipe is "all of the file before, then segments 812 to 840":
a few bytes. Numbers are those of the whole archive, so a recipe reaches into any pack.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple, Union

from ..files import varint
from ..start.late_dataclass import dataclass

if TYPE_CHECKING:
    from collections.abc import Sequence


class Run(NamedTuple):
    """``length`` segments from number ``first`` on."""

    first: int
    length: int


Item = Union[Run, bytes]


@dataclass(frozen=True)
class Recipe:
    """The first ``prefix`` bytes of the file with number ``base`` (-1 and 0 where there is none), then ``items``."""

    base: int
    prefix: int
    items: tuple[Item, ...]

    def encode(self, number: int, expected: int) -> bytes:
        """As bytes, in the file record with this ``number``; a first run is counted from segment ``expected`` on."""
        numbers = [0] if self.base < 0 else [number - self.base, self.prefix]
        out = [varint.encode([*numbers, len(self.items)])]
        for item in self.items:
            if isinstance(item, Run):
                out.append(varint.encode([item.length << 1, varint.signed(item.first - expected)]))
                expected = item.first + item.length
            else:
                out.append(varint.encode([len(item) << 1 | 1]) + item)
        return b"".join(out)


def decode(data: bytes, number: int, expected: int) -> Recipe:
    """The inverse of :meth:`Recipe.encode`. Raises :class:`ValueError` where ``data`` is none."""
    reader = varint.Reader(data)
    back = reader.number()
    base, prefix = (number - back, reader.number()) if back else (-1, 0)
    items: list[Item] = []
    for _ in range(reader.number()):
        head = reader.number()
        if head & 1:
            items.append(reader.take(head >> 1))
        else:
            first = expected + varint.unsigned(reader.number())
            items.append(Run(first, head >> 1))
            expected = first + (head >> 1)
    if reader.at != len(data) or base >= number or (back and base < 0):
        raise ValueError("it is no recipe")
    return Recipe(base, prefix, tuple(items))


def joined(items: Sequence[Item]) -> tuple[Item, ...]:
    """The same with neighbouring runs as one, where their segments follow each other, and neighbouring bytes as one."""
    out: list[Item] = []
    for item in items:
        last = out[-1] if out else None
        if isinstance(item, Run):
            if isinstance(last, Run) and last.first + last.length == item.first:
                out[-1] = Run(last.first, last.length + item.length)
            else:
                out.append(item)
        elif isinstance(last, bytes):
            out[-1] = last + item
        else:
            out.append(item)
    return tuple(out)
