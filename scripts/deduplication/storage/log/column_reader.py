"""A block of columns back into the lines of the log, byte for byte; of one whose archived bytes are gone the others still."""

from __future__ import annotations

import json
import struct
import zlib
from typing import TYPE_CHECKING, Any, Final

from ...files import varint
from . import views
from .column_format import (
    BACK,
    BY_VIEW,
    COLUMNS,
    CRC,
    DERIVED,
    FIELDS,
    FOLLOWS,
    FRAMED,
    KEPT,
    LITERAL,
    SAME,
    SHAPES,
    TEXT,
    UNKNOWN,
    WHOLE,
    Before,
    File,
    SpanLost,
    Spans,
    framed,
    identity_of,
    json_of,
    shape_of,
)
from .line_parts import Parts, put_together
from .lines import digest_of

if TYPE_CHECKING:
    from collections.abc import Iterator

    from .column_format import Archived
    from .line_parts import Shape

NO_BLOCK: Final = (IndexError, StopIteration, struct.error, UnicodeError, RecursionError)
"""What reading bytes that are no block may raise, besides :class:`ValueError`."""
_VALUE: Final = json.JSONDecoder().decode
"""``json.loads``, without asking what the bytes are encoded as."""
_HASH: Final = 32
_PREFIX: Final = 8


def decode(block: bytes, archive: Archived) -> bytes:
    """The lines of a block. Raises :class:`ValueError` for what is none, :class:`SpanLost` where archived bytes are gone."""
    out: list[bytes] = []
    for line in each_line(block, archive):
        if isinstance(line, SpanLost):
            raise line
        out.append(line)
    lines = b"".join(out)
    if zlib.crc32(lines) != CRC.unpack_from(block)[0]:
        raise ValueError("the lines are not those that were written")
    return lines


def each_line(block: bytes, archive: Archived) -> Iterator[bytes | SpanLost]:
    """The lines of a block one by one, each with its line feed, or why it is lost. Raises :class:`ValueError` for what is none."""
    try:
        reader = Reader(block, archive)
        for _ in range(reader.count):
            yield reader.line()
        reader.end()
    except NO_BLOCK as error:
        raise ValueError("no block of columns") from error


def stands_alone(block: bytes, archive: Archived) -> bool:
    """Whether bytes are a block that has all that its lines say: contents as JSON, and content hashes as 32 bytes."""
    try:
        return not Reader(block, archive).needs_archive
    except (ValueError, *NO_BLOCK):
        return False


class Heads:
    """The lines of a block since the run that ended last in it, and of that run."""

    def __init__(self) -> None:
        self._run: list[bytes] = []
        self._ended: list[bytes] | None = None
        self._lost = False
        """Whether some of the run at hand is lost: then nobody can tell its head."""

    def take(self, line: bytes | SpanLost, *, ends: bool = False) -> None:
        """The next line, or that there is none; ``ends``: it ends a run and names the head before that."""
        if isinstance(line, SpanLost):
            self._lost = True
        else:
            self._run.append(line)
        if ends:
            self._ended, self._run, self._lost = (None if self._lost else self._run), [], False

    def last(self) -> str:
        """The head behind the run that ended last, so far as it stands in this block; empty where it cannot be told."""
        return digest_of(self._ended) if self._ended else ""


class Reader:
    """The lines of one block, taken from its columns in the order in which they were written."""

    def __init__(self, block: bytes, archive: Archived) -> None:
        self._spans = Spans(archive)
        reader = varint.Reader(block, CRC.size)
        self.count, shapes = reader.number(), reader.number()
        self._shapes: list[Shape] = []
        for _ in range(shapes):
            fields = []
            for _ in range(FIELDS):
                fields.append(reader.take(block.index(b"\0", reader.at) - reader.at))
                reader.take(1)
            self._shapes.append(shape_of(fields))
        self._files: dict[bytes, File] = {}
        for _ in range(reader.number()):
            export = reader.take(_PREFIX).hex().encode()
            self._files[export] = File(reader.take(_HASH), reader.number())
        columns = {name: reader.take(reader.number()) for name in COLUMNS}
        reader.end()
        self._texts = varint.Reader(columns.pop(TEXT))
        self._left = {name: iter(varint.every(column)) for name, column in columns.items()}
        self._number = {name: left.__next__ for name, left in self._left.items()}
        self._before = Before({}, {})
        self._moment: bytes | SpanLost = b""
        self._hashes: list[bytes | SpanLost] = []
        self._heads = Heads()
        self.value: Any = None
        """The content of the line that was read last, where its hash was made of it; None where that says nothing."""

    @property
    def needs_archive(self) -> bool:
        """Whether some of its lines follow from archived bytes."""
        return bool(self._files)

    def line(self) -> bytes | SpanLost:
        """The next line. Raises :class:`ValueError`: then nothing behind it can be read."""
        number = self._number["shape"]()
        if number >= SHAPES:
            found = self.parts(number)
            line = found if isinstance(found, SpanLost) else framed(put_together(found)) + b"\n"
            self._heads.take(line)
            return line
        return self.literal(number)

    def literal(self, number: int) -> bytes:
        """A line that stands in the block itself."""
        self._hashes.append(b"")
        body = self._text()
        if number == FRAMED and body.endswith((KEPT, FOLLOWS)):
            return self._end_of_run(body[: -len(KEPT)], self._text().hex() if body.endswith(KEPT) else "")
        line = (body if number == WHOLE else framed(body)) + b"\n"
        self._heads.take(line)
        return line

    def _end_of_run(self, before: bytes, named: str) -> bytes:
        """The line that ends a run; ``named`` is the head that it names, empty where that follows from the lines before."""
        named = named or self._heads.last()
        line = framed(before + (b',"previous":"%s"}' % named.encode() if named else UNKNOWN)) + b"\n"
        self._heads.take(line if named else SpanLost("a head of lines that are lost"), ends=True)
        return line

    def end(self) -> None:
        """Raises :class:`ValueError` where a column has more than the lines took."""
        self._texts.end()
        if any(number is not None for left in self._left.values() for number in left):
            raise ValueError("there are numbers left over")

    def _text(self) -> bytes:
        return self._texts.take(self._texts.number())

    def parts(self, shape_number: int) -> Parts | SpanLost:
        """The parts of a line of such a shape. Each column gives what it has of it even where the line is lost."""
        shape = self._shapes[shape_number - SHAPES]
        before, number = self._before, self._number
        index = before.numbers.get(shape.conversation, -1) + 1 + varint.unsigned(number["index"]())
        before.numbers[shape.conversation] = index
        start = end = 0
        if shape.placed:
            start = before.ends.get(shape.export, 0) + varint.unsigned(number["gap"]())
            end = start + varint.unsigned(number["length"]())
            before.ends[shape.export] = end
        place = (self._files.get(shape.export), start, end)
        moment = self._moment = self._told("moment", "timestamp", place)
        uuid = self._told("uuid", "uuid", place) if shape.named else b""
        source_index = number["number"]() if shape.numbered else 0
        extends = index - varint.unsigned(number["extends"]()) if shape.extends else 0
        content, identity = self._message(shape, place) if shape.kind else (b"", self._known(place))
        self._hashes.append(identity)
        if SpanLost in map(type, (moment, uuid, content, identity)):
            return next(each for each in (moment, uuid, content, identity) if isinstance(each, SpanLost))
        return Parts(shape, index, moment, identity, uuid, source_index, extends, content, start, end)  # type: ignore[arg-type]

    def _span(self, place: tuple[File | None, int, int]) -> views.Span | SpanLost:
        try:
            return self._spans.at(*place)
        except SpanLost as error:
            return error

    def _told(self, column: str, member: str, place: tuple[File | None, int, int]) -> bytes | SpanLost:
        how = self._number[column]()
        if how == SAME:
            return self._moment
        if how == LITERAL:
            return self._text()
        if how != DERIVED:
            raise ValueError("told in a way that this version does not know")
        span = self._span(place)
        return span if isinstance(span, SpanLost) else (span.member(member) or "").encode("utf-8", "surrogatepass")

    def _message(self, shape: Shape, place: tuple[File | None, int, int]) -> tuple[bytes | SpanLost, bytes | SpanLost]:
        """Content and hash of a line that carries a body. A content that is kept may be no JSON by itself."""
        rule = self._number["view"]()
        content = self._text() if rule == views.NONE else b""
        how = self._number["identity"]()
        identity = self._text().hex().encode() if how == LITERAL else b""
        self.value = None
        if content:
            if not identity:
                self.value = _VALUE(content.decode("utf-8", "surrogatepass"))
            return content, identity or identity_of(shape, self.value)
        span = self._span(place)
        if isinstance(span, SpanLost):
            return span, span
        self.value = views.content(rule, span)
        return json_of(self.value), identity or identity_of(shape, self.value)

    def _known(self, place: tuple[File | None, int, int]) -> bytes | SpanLost:
        """The hash of a line without a body."""
        how = self._number["identity"]()
        if how == LITERAL:
            return self._text().hex().encode()
        if how == BY_VIEW:
            shape, rule = self._shapes[self._number["view"]()], self._number["view"]()
            span = self._span(place)
            return span if isinstance(span, SpanLost) else identity_of(shape, views.content(rule, span))
        back = how - BACK + 1
        if not 0 < back <= len(self._hashes):
            raise ValueError("a hash of no line before this one")
        return self._hashes[-back]
