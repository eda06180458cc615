"""A JSON file as values with the bytes they came from: every value is decoded once, wherever its span is wanted.

Python's own decoder does the work and tells where a value ends; only the containers on the way to the wanted elements are
walked here. Offsets are characters while a document is read; :func:`tile` turns them into bytes in one pass at the end.
"""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING, Any, Final, Optional

from ..errors import ExportUnreadable
from ..model import Message, Span
from ..start.late_dataclass import replace
from ..start.late_pattern import late_pattern
from ..start.late_tuple import NamedTuple

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Sequence

STRUCTURE: Final = "structure"
"""Label of the bytes between messages: brackets, keys, titles."""

MAX_DEPTH: Final = 100
"""Containers inside one another; far more than any tool call has, far less than what exhausts the interpreter's stack."""

EVERY: Final = "*"
"""In a :data:`Spec`: the elements of an array."""

Spec = Optional[dict[str, Any]]
"""Which containers to walk: keys of an object, or :data:`EVERY`, each with a spec of its own. ``None``: decode, do not walk."""

_SPACE: Final = " \t\r\n"
_SKIP: Final = late_pattern(f"[{_SPACE}]*")
_COLON: Final = late_pattern(f"[{_SPACE}]*:[{_SPACE}]*")
_NEXT: Final = late_pattern(f"[{_SPACE}]*([,\\]}}])[{_SPACE}]*")
_FIRST_BYTE: Final = late_pattern(rb"(?:\xef\xbb\xbf)?[ \t\r\n]*[\[{]")
_FOREIGN: Final = late_pattern("[\ud800-\udfff]")
_UTF16: Final = {b"\xff\xfe": "utf-16-le", b"\xfe\xff": "utf-16-be"}
_LONGEST_NUMBER: Final = 4000
"""Digits; Python refuses to convert longer ones, so they stay text."""


class _NotANumber(ValueError):
    """NaN or Infinity, which JSON does not have; the message is the name."""


class Node(NamedTuple):
    """One value and the characters it came from, half open. ``parts``: what was walked inside it, keys repeated as written."""

    start: int
    end: int
    value: Any
    parts: Sequence[tuple[str, Node]] = ()

    def get(self, key: str) -> Node | None:
        """The value of ``key``, the last one where it is written twice (as every JSON reader does)."""
        return next((node for name, node in reversed(self.parts) if name == key), None)


class CharSpan(NamedTuple):
    """A run of characters, half open, its label, and the message it is, if it is one."""

    start: int
    end: int
    label: str
    message: Message | None = None


def looks_like_json(data: bytes) -> bool:
    """True where the first sign is ``{`` or ``[``; costs the same for a file of any size."""
    return data[:2] in _UTF16 or _FIRST_BYTE.match(data) is not None


def decoder() -> json.JSONDecoder:
    """Python's decoder without what JSON does not have: NaN raises :class:`ValueError`, numbers past every limit stay text."""
    return json.JSONDecoder(strict=False, parse_int=_whole_number, parse_float=_real_number, parse_constant=_refuse)


class Document:
    """The text of a JSON file and how its characters were bytes."""

    def __init__(self, data: bytes) -> None:
        """Raises :class:`ExportUnreadable` only for UTF-16 that is cut; bytes that are no UTF-8 are carried through."""
        self.size = len(data)
        self.encoding, self._errors, self._mark = (
            "utf-8",
            "surrogateescape",
            3 if data.startswith(b"\xef\xbb\xbf") else 0,
        )
        if data[:2] in _UTF16:
            self.encoding, self._errors, self._mark = _UTF16[data[:2]], "surrogatepass", 2
        try:
            self.text = str(data[self._mark :] if self._mark else data, self.encoding, self._errors)
        except UnicodeDecodeError as error:
            raise ExportUnreadable(f"byte {error.start + self._mark}: {error.reason}") from error
        self._source = self.text
        self._forgiven = False
        self._decoder = decoder()

    def raw(self, node: Node) -> str:
        """The node as the file has it."""
        return self._source[node.start : node.end]

    def has_foreign_bytes(self) -> bool:
        """True where some bytes are not of the file's encoding; they are carried as lone surrogates."""
        return not self._source.isascii() and _FOREIGN.search(self._source) is not None

    def line(self, position: int) -> int:
        """The line of a character, from 1."""
        return self._source.count("\n", 0, position) + 1

    def skip(self, position: int) -> int:
        """The first character from ``position`` on that is no white space."""
        return _SKIP.match(self.text, position).end()  # type: ignore[union-attr]

    def read(self, position: int = 0, spec: Spec = None, *, forgiving: bool = False) -> Node:
        """The value that starts at ``position``; ``forgiving`` of commas before a closing bracket.

        Raises :class:`ExportUnreadable` with line and column.
        """
        try:
            return self._read(position, spec)
        except ValueError as error:
            if forgiving and isinstance(error, json.JSONDecodeError) and self._forgive_commas(position):
                return self.read(position, spec)
            raise self._unreadable(error, position) from None

    def fail(self, reason: str, position: int) -> ExportUnreadable:
        """The error to raise for something wrong at a character."""
        column = position - (self._source.rfind("\n", 0, position) + 1) + 1
        return ExportUnreadable(f"line {self.line(position)}, column {column}: {reason}")

    def byte_offsets(self, positions: Iterable[int]) -> Iterator[int]:
        """The byte offset of each character offset; they must not fall."""
        if self.encoding == "utf-8" and self._source.isascii():
            yield from (position + self._mark for position in positions)
            return
        seen, offset = 0, self._mark
        for position in positions:
            if position != seen:
                offset += len(self._source[seen:position].encode(self.encoding, self._errors))
                seen = position
            yield offset

    def _read(self, position: int, spec: Spec) -> Node:
        opening = self.text[position : position + 1]
        if spec and opening == "{":
            return self._object(position, spec)
        if spec and opening == "[":
            return self._array(position, spec)
        try:
            value, end = self._decoder.raw_decode(self.text, position)
        except RecursionError:
            raise self.fail("nested too deeply", position) from None
        if opening in ("{", "["):
            check_depth(value, lambda: self.fail("nested too deeply", position))
        return Node(position, end, value)

    def _array(self, start: int, spec: dict[str, Any]) -> Node:
        parts: list[tuple[str, Node]] = []
        inner = spec.get(EVERY)
        position = self.skip(start + 1)
        if self.text[position : position + 1] == "]":
            return Node(start, position + 1, [], parts)
        while True:
            node = self._read(position, inner)
            parts.append((EVERY, node))
            position, done = self._next(node.end, "]")
            if done:
                return Node(start, position, [part.value for _, part in parts], parts)

    def _object(self, start: int, spec: dict[str, Any]) -> Node:
        parts: list[tuple[str, Node]] = []
        position = self.skip(start + 1)
        if self.text[position : position + 1] == "}":
            return Node(start, position + 1, {}, parts)
        while True:
            if self.text[position : position + 1] != '"':
                raise json.JSONDecodeError("Expecting property name enclosed in double quotes", self.text, position)
            key, position = self._decoder.raw_decode(self.text, position)
            colon = _COLON.match(self.text, position)
            if colon is None:
                raise json.JSONDecodeError("Expecting ':' delimiter", self.text, self.skip(position))
            node = self._read(colon.end(), spec.get(key))
            parts.append((key, node))
            position, done = self._next(node.end, "}")
            if done:
                return Node(start, position, {name: part.value for name, part in parts}, parts)

    def _next(self, position: int, closing: str) -> tuple[int, bool]:
        """Where the next member starts; or where the container ends, and True."""
        found = _NEXT.match(self.text, position)
        if found is None or found.group(1) not in (",", closing):
            raise json.JSONDecodeError("Expecting ',' delimiter", self.text, self.skip(position))
        return (found.end(), False) if found.group(1) == "," else (found.end(1), True)

    def _forgive_commas(self, position: int) -> bool:
        """Put a blank in place of each comma before a closing bracket, so that no offset moves; True where there was one."""
        pieces, done = [], 0
        if not self._forgiven:
            for comma in _outside_strings(self.text, f",(?=[{_SPACE}]*[\\]}}])", position):
                pieces += [self.text[done:comma], " "]
                done = comma + 1
            self.text = "".join([*pieces, self.text[done:]])
        self._forgiven = True
        return bool(pieces)

    def _unreadable(self, error: ValueError, position: int) -> ExportUnreadable:
        if isinstance(error, json.JSONDecodeError):
            return self.fail(error.msg, error.pos)
        if isinstance(error, _NotANumber):
            where = next(_outside_strings(self.text, re.escape(str(error)), position), position)
            return self.fail(f"{error} is not JSON", where)
        return self.fail(str(error), position)


def check_depth(value: Any, error: Callable[[], Exception]) -> None:
    """Raise ``error()`` where containers lie more than :data:`MAX_DEPTH` deep. Looks at each once a level, without recursion."""
    level = [value]
    for _ in range(MAX_DEPTH):
        inner = (child for outer in level for child in (outer.values() if isinstance(outer, dict) else outer))
        level = list({id(child): child for child in inner if isinstance(child, (dict, list))}.values())
        if not level:
            return
    raise error()


def encode(obj: Any) -> bytes:
    """A Python object as the JSON file it would be, so that objects and files share one reader.

    Tuples become arrays, what JSON does not know (dates, paths) becomes text. Raises :class:`ExportUnreadable`.
    """
    try:
        return json.dumps(obj, default=str, allow_nan=False).encode("ascii")
    except (TypeError, ValueError, RecursionError) as error:
        raise ExportUnreadable(f"the object cannot be written as JSON: {str(error) or type(error).__name__}") from error


def tile(document: Document, pieces: Sequence[CharSpan]) -> tuple[tuple[Message, ...], tuple[Span, ...]]:
    """The messages with their bytes, and spans that cover the file: the pieces and :data:`STRUCTURE` between them.

    The pieces stand in the order of the file and do not overlap.
    """
    borders = document.byte_offsets(border for piece in pieces for border in (piece.start, piece.end))
    messages, spans, done = [], [], 0
    for piece, start, end in zip(pieces, borders, borders):
        if start > done:
            spans.append(Span(done, start, STRUCTURE))
        spans.append(Span(start, end, piece.label))
        if piece.message is not None:
            messages.append(replace(piece.message, start=start, end=end))
        done = end
    if done < document.size:
        spans.append(Span(done, document.size, STRUCTURE))
    return tuple(messages), tuple(spans)


def _outside_strings(text: str, pattern: str, position: int = 0) -> Iterator[int]:
    inside = False
    for match in re.compile(rf'\\.|"|{pattern}', re.DOTALL).finditer(text, position):
        sign = match.group()
        if sign == '"':
            inside = not inside
        elif not inside and not sign.startswith("\\"):
            yield match.start()


def _whole_number(digits: str) -> Any:
    return int(digits) if len(digits) <= _LONGEST_NUMBER else digits


def _real_number(digits: str) -> Any:
    number = float(digits)
    return digits if number in (float("inf"), float("-inf")) else number


def _refuse(name: str) -> Any:
    raise _NotANumber(name)
