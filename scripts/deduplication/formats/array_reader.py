"""The elements of a JSON array of any size, each as the bytes it is, without having more than one of them in memory.

Only boundaries are looked for (strings, escapes, brackets): what an element says is for its reader to find out. Runs without an
escape or a bracket are passed over by one regular expression, long strings by looking for their end. Where the file is no array,
its values are the elements: one object, or JSON Lines.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from ..errors import ExportUnreadable
from ..start.late_pattern import late_pattern
from ..start.late_tuple import NamedTuple

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

LARGEST: Final = 512 * 1024 * 1024
"""Bytes of one element; no conversation has that many, and a file that was made to fill the memory would."""

_BOM: Final = b"\xef\xbb\xbf"
_SPACE: Final = late_pattern(rb"[ \t\r\n]*")
_PLAIN: Final = late_pattern(rb'(?:[^"\[\]{}]+|"[^"\\]*")*')
"""Up to a bracket, a string with an escape in it, or one that goes on behind the end. It cannot fail: nothing is tried twice."""
_SCALAR: Final = late_pattern(rb'[^ \t\r\n,\[\]{}"]*')
_OPENING: Final = frozenset(b"[{")
_CLOSING: Final = frozenset(b"]}")
_QUOTE: Final = 0x22
_BACKSLASH: Final = 0x5C


class Element(NamedTuple):
    """One element: byte offsets in the file, half open, and its bytes (empty where they were not asked for)."""

    start: int
    end: int
    data: bytes


def elements(chunks: Iterable[bytes], *, keep: bool = True) -> Iterator[Element]:
    """The elements of the array that ``chunks`` are together; ``keep`` False tells only where they are.

    Between them are white space and commas, before the first and after the last one the brackets. Raises
    :class:`ExportUnreadable` with the byte where the file is no such array, is cut, or has an element above :data:`LARGEST`.
    """
    reader = _Reader(keep=keep)
    for chunk in chunks:
        yield from reader.feed(chunk)
    yield from reader.close()


class Scanner:
    """Finds the end of a value that begins with a bracket or a quote, over any number of chunks."""

    def __init__(self) -> None:
        self._depth = 0
        self._in_string = False
        self._escaped = False

    def end(self, chunk: bytes, position: int) -> int:
        """Where the value ends in ``chunk``, looked for from ``position`` on; -1 where it goes on behind it."""
        while position < len(chunk):
            if self._in_string:
                position = self._string_end(chunk, position)
                if position < 0:
                    return -1
                if not self._depth:
                    return position
            if self._depth:
                position = _PLAIN.match(chunk, position).end()  # type: ignore[union-attr]
                if position == len(chunk):
                    return -1
            sign = chunk[position]
            position += 1
            if sign == _QUOTE:
                self._in_string = True
            elif sign in _OPENING:
                self._depth += 1
            else:
                self._depth -= 1
                if not self._depth:
                    return position
        return -1

    def _string_end(self, chunk: bytes, position: int) -> int:
        first = position + self._escaped  # what a backslash at the end of the last chunk belongs to
        position = first
        while True:
            quote = chunk.find(b'"', position)
            end = len(chunk) if quote < 0 else quote
            run = end
            while run > first and chunk[run - 1] == _BACKSLASH:
                run -= 1
            escaped = (end - run) % 2 == 1
            if quote < 0:
                self._escaped = escaped
                return -1
            position = quote + 1
            if not escaped:
                self._escaped = self._in_string = False
                return position


class _Reader:
    """The state between two chunks."""

    def __init__(self, *, keep: bool) -> None:
        self._keep = keep
        self._base = 0
        """The offset of the chunk's first byte in the file."""
        self._state = self._begin
        self._array = False
        self._some = False
        self._scanner = Scanner()
        self._start = 0
        self._held: list[bytes] = []
        self._found: list[Element] = []

    def feed(self, chunk: bytes) -> list[Element]:
        """The elements that end in this chunk."""
        position = 0
        self._found = []
        while position < len(chunk):
            position = self._state(chunk, position)
        self._base += len(chunk)
        return self._found

    def close(self) -> list[Element]:
        """What the end of the file ends. Raises :class:`ExportUnreadable` where the file must go on."""
        if self._state == self._scalar and not self._array:
            return [Element(self._start, self._base, b"".join(self._held))]
        if self._state == self._end or (self._state == self._value and not self._array):
            return []
        raise ExportUnreadable(f"the file ends too early, after {self._base:,} bytes")

    def _begin(self, chunk: bytes, position: int) -> int:
        at = self._base + position
        if at < len(_BOM) and chunk[position] == _BOM[at]:
            return position + 1
        position = _SPACE.match(chunk, position).end()  # type: ignore[union-attr]
        if position < len(chunk):
            self._state = self._value
            if chunk[position] == ord("["):
                self._array = True
                return position + 1
        return position

    def _value(self, chunk: bytes, position: int) -> int:
        """A value, or the end of an array that has none."""
        position = _SPACE.match(chunk, position).end()  # type: ignore[union-attr]
        if position == len(chunk):
            return position
        sign = chunk[position]
        if sign == ord("]") and self._array and not self._some:
            self._state = self._end
            return position + 1
        if sign in b",]}:":
            raise self._unexpected(chunk, position, "a value")
        self._some = True
        self._start = self._base + position
        self._state = self._nested if sign in b'[{"' else self._scalar
        return position

    def _nested(self, chunk: bytes, position: int) -> int:
        end = self._scanner.end(chunk, position)
        return self._take(chunk, position, end, complete=end >= 0)

    def _scalar(self, chunk: bytes, position: int) -> int:
        end = _SCALAR.match(chunk, position).end()  # type: ignore[union-attr]
        return self._take(chunk, position, end, complete=end < len(chunk))

    def _take(self, chunk: bytes, position: int, end: int, *, complete: bool) -> int:
        stop = end if complete else len(chunk)
        if self._base + stop - self._start > LARGEST:
            raise ExportUnreadable(f"byte {self._start:,}: a value of more than {LARGEST:,} bytes")
        if self._keep:
            self._held.append(chunk[position:stop])
        if complete:
            self._found.append(Element(self._start, self._base + stop, b"".join(self._held)))
            self._held = []
            self._state = self._after if self._array else self._value
        return stop

    def _after(self, chunk: bytes, position: int) -> int:
        """A comma or the end of the array."""
        position = _SPACE.match(chunk, position).end()  # type: ignore[union-attr]
        if position == len(chunk):
            return position
        if chunk[position] == ord(","):
            self._state = self._value
        elif chunk[position] == ord("]"):
            self._state = self._end
        else:
            raise self._unexpected(chunk, position, "',' or ']'")
        return position + 1

    def _end(self, chunk: bytes, position: int) -> int:
        position = _SPACE.match(chunk, position).end()  # type: ignore[union-attr]
        if position < len(chunk):
            raise self._unexpected(chunk, position, "the end of the file")
        return position

    def _unexpected(self, chunk: bytes, position: int, wanted: str) -> ExportUnreadable:
        sign = ascii(chr(chunk[position]))
        return ExportUnreadable(f"byte {self._base + position:,}: {sign} stands where {wanted} should")
