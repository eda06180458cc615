"""How a file is put together: the beginning of an earlier file, runs of consecutive segments, drawings, and bytes of its own.

A cumulative export repeats what was there before, so its recipe is "all of the file before, then segments 812 to 840":
a few bytes. Numbers are those of the whole archive, so a recipe reaches into any pack. What stood in a window of another width
is "bytes of segments, drawn from 100 columns at 80" (``redraw``); an image in a line of JSON is "the Base64 of segment 813".
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, NamedTuple, Union

from ..files import varint
from ..start.late_dataclass import dataclass
from .segmenter import text_size

if TYPE_CHECKING:
    from collections.abc import Sequence


class Run(NamedTuple):
    """``length`` segments from number ``first`` on."""

    first: int
    length: int


class Encoded(NamedTuple):
    """The Base64 of segment ``first``, which has ``size`` bytes: with padding, without line breaks."""

    first: int
    size: int

    @property
    def length(self) -> int:
        """Bytes that it gives."""
        return text_size(self.size)


class Widths(NamedTuple):
    """Columns of the window of the drawing that is there, and of the other; a tool's result ends ``narrower`` columns earlier.

    ``hyphens``: a line may end behind the hyphen of a word. The same width twice: nothing is drawn anew.
    """

    before: int
    after: int
    narrower: int = 0
    hyphens: bool = False


class Gap(NamedTuple):
    """What lies before the ``place``-th byte or character of ink, where the rule would guess another gap."""

    place: int
    text: str


class Drawn(NamedTuple):
    """``length`` bytes: what ``redraw`` makes of the ``size`` bytes from ``skip`` bytes into segment ``first`` on."""

    first: int
    skip: int
    size: int
    length: int
    widths: Widths
    gaps: tuple[Gap, ...]


Item = Union[Run, Encoded, Drawn, bytes]
_ENCODED: Final = 1
"""What stands before the Base64 of a segment: there is no run of half a segment, and nobody writes no bytes."""
_BLANKS: Final = 4096
"""A gap of so many blanks is written out: no number that is damaged makes a text of all memory."""
_NOWHERE: Final = Drawn(0, 0, 0, 0, Widths(0, 0), ())
"""What a recipe's first drawing is counted from."""


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
        last = _NOWHERE._replace(first=expected)
        for item in self.items:
            if isinstance(item, Run):
                out.append(varint.encode([item.length << 1, varint.signed(item.first - expected)]))
                expected = item.first + item.length
            elif isinstance(item, Encoded):
                out.append(varint.encode([_ENCODED, varint.signed(item.first - expected), item.size]))
                expected = item.first + 1
            elif isinstance(item, Drawn):
                out.append(_encoded(item, last))
                last = item
            else:
                out.append(varint.encode([len(item) << 1 | 1]) + item)
        return b"".join(out)


def decode(data: bytes, number: int, expected: int) -> Recipe:
    """The inverse of :meth:`Recipe.encode`. Raises :class:`ValueError` where ``data`` is none."""
    reader = varint.Reader(data)
    back = reader.number()
    base, prefix = (number - back, reader.number()) if back else (-1, 0)
    items: list[Item] = []
    last = _NOWHERE._replace(first=expected)
    for _ in range(reader.number()):
        head = reader.number()
        if head == _ENCODED:
            expected += varint.unsigned(reader.number()) + 1
            items.append(Encoded(expected - 1, reader.number()))
        elif head & 1:
            items.append(reader.take(head >> 1))
        elif head:
            first = expected + varint.unsigned(reader.number())
            items.append(Run(first, head >> 1))
            expected = first + (head >> 1)
        else:
            last = _decoded(reader, last)
            items.append(last)
    if reader.at != len(data) or base >= number or (back and base < 0):
        raise ValueError("it is no recipe")
    return Recipe(base, prefix, tuple(items))


def _encoded(item: Drawn, last: Drawn) -> bytes:
    """A drawing, counted from the one before it: a run of no segments, from where, how much, widths if they changed, gaps."""
    step, same = item.first - last.first, item.widths == last.widths
    skip = item.skip if step else varint.signed(item.skip - last.skip - last.size)
    numbers = [0, varint.signed(step), skip, item.size, varint.signed(item.length - item.size)]
    numbers.append(len(item.gaps) << 1 | (not same))
    if not same:
        before, after, narrower, hyphens = item.widths
        # The bits from 64 on say which rule, and there is one.
        numbers += [before, after, narrower << 1 | hyphens]
    out, place = [varint.encode(numbers)], 0
    for gap in item.gaps:
        lines, blanks = gap.text.count("\n"), len(gap.text) - gap.text.count("\n")
        out.append(varint.encode([gap.place - place]))
        place = gap.place
        if gap.text == "\n" * lines + " " * blanks and lines <= 1 and blanks < _BLANKS:
            out.append(varint.encode([blanks << 2 | lines]))
        else:
            out.append(varint.encode([len(gap.text) << 2 | 2]) + gap.text.encode())
    return b"".join(out)


def _decoded(reader: varint.Reader, last: Drawn) -> Drawn:
    step = varint.unsigned(reader.number())
    skip = reader.number() if step else last.skip + last.size + varint.unsigned(reader.number())
    size = reader.number()
    length = size + varint.unsigned(reader.number())
    head = reader.number()
    widths = last.widths
    if head & 1:
        before, after, how = reader.numbers(3)
        if how >> 6:
            raise ValueError("it is drawn by a rule of a newer version")
        widths = Widths(before, after, how >> 1, bool(how & 1))
    gaps, place = [], 0
    for _ in range(head >> 1):
        place += reader.number()
        form = reader.number()
        if form >> 2 > _BLANKS and not form & 2:
            raise ValueError("a gap that is too wide")
        text = reader.take(form >> 2).decode("ascii") if form & 2 else "\n" * (form & 1) + " " * (form >> 2)
        gaps.append(Gap(place, text))
    if skip < 0 or length < 0:
        raise ValueError("a drawing of nothing")
    return Drawn(last.first + step, skip, size, length, widths, tuple(gaps))


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
        elif isinstance(last, bytes) and isinstance(item, bytes):
            out[-1] = last + item
        else:
            out.append(item)
    return tuple(out)
