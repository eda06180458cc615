"""Lines of the log into a block of columns; what was written is read again before anybody relies on it."""

from __future__ import annotations

import json
import zlib
from typing import TYPE_CHECKING, Final

from ...files import varint
from . import views
from .column_format import (
    BACK,
    BY_VIEW,
    COLUMNS,
    CRC,
    DERIVED,
    FOLLOWS,
    FRAMED,
    HEAD,
    HEAD_BYTES,
    KEPT,
    LITERAL,
    SAME,
    SHAPES,
    WHOLE,
    Before,
    SpanLost,
    Spans,
    Wanted,
    fields_of,
    framed,
    identity_of,
    json_of,
)
from .column_reader import Heads, decode
from .line_parts import take_apart
from .lines import FRAME_LENGTH

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from .column_format import Archived, File
    from .line_parts import Parts, Shape

_CURSOR: Final = b'"cursor":{"source":'
_SHORT: Final = 4096
"""Bytes of a span up to which the hash of a message that was said before is sought in it."""


def encode(lines: bytes, archive: Archived) -> tuple[bytes, dict[Wanted, int]]:
    """A block of whole lines, each with its line feed, and how many bytes of contents it keeps of each file not in the archive.

    Proven to give the lines back. Raises :class:`ValueError` where it does not.
    """
    each = lines.split(b"\n")[:-1]
    writer = _Writer(archive, _growing(each))
    for line in each:
        writer.add(line)
    block = writer.block(lines)
    if decode(block, archive) != lines:
        raise ValueError("the block does not give its lines back")
    return block, writer.kept


class _Writer:
    """The columns of the lines of one block."""

    def __init__(self, archive: Archived, growing: Mapping[bytes, Wanted]) -> None:
        self._archive, self._spans = archive, Spans(archive)
        self._growing = growing
        self._columns = {name: bytearray() for name in COLUMNS}
        self._shapes: dict[Shape, int] = {}
        self._files: dict[bytes, File | None] = {}
        self._before = Before({}, {})
        self._moment = b""
        self._hashes: dict[bytes, int] = {}
        self._heads = Heads()
        self._rules: dict[bytes, int] = {}
        self._count = 0
        self.kept: dict[Wanted, int] = {}
        """Bytes of contents by the file that is not in the archive."""

    def add(self, line: bytes) -> None:
        """The next line, without its line feed."""
        body = line[:-FRAME_LENGTH] + b"}"
        whole = framed(body) != line or body.endswith((KEPT, FOLLOWS))
        parts = None if whole else take_apart(body)
        head = HEAD.search(body, max(len(body) - HEAD_BYTES, 0)) if parts is None and not whole else None
        if parts is not None:
            self._add(parts)
        else:
            self._number("shape", WHOLE if whole else FRAMED)
            if head is None:
                self._text(line if whole else body)
            else:
                self._head(body[: head.start()], head[1].decode())
        self._heads.take(line + b"\n", ends=head is not None)
        self._count += 1

    def _head(self, before: bytes, named: str) -> None:
        """The line of a run, as far as it says something else, and what it names."""
        follows = named == self._heads.last()
        self._text(before + (FOLLOWS if follows else KEPT))
        if not follows:
            self._text(bytes.fromhex(named))

    def block(self, lines: bytes) -> bytes:
        """The block; ``lines`` are what was added."""
        files = [
            bytes.fromhex(export.decode()) + file.sha256 + varint.encode([file.shift])
            for export, file in self._files.items()
            if file is not None
        ]
        return b"".join(
            [
                CRC.pack(zlib.crc32(lines)),
                varint.encode([self._count, len(self._shapes)]),
                *map(fields_of, self._shapes),
                varint.encode([len(files)]),
                *files,
                *(varint.encode([len(column)]) + column for column in self._columns.values()),
            ]
        )

    def _number(self, column: str, *numbers: int) -> None:
        self._columns[column] += varint.encode(numbers)

    def _text(self, data: bytes) -> None:
        self._columns["text"] += varint.encode([len(data)]) + data

    def _told(self, column: str, data: bytes, *, derived: bool) -> None:
        self._number(column, DERIVED if derived else LITERAL)
        if not derived:
            self._text(data)

    def _add(self, parts: Parts) -> None:
        shape, before = parts.shape, self._before
        self._number("shape", self._shapes.setdefault(shape, len(self._shapes)) + SHAPES)
        self._number("index", varint.signed(parts.number - before.numbers.get(shape.conversation, -1) - 1))
        before.numbers[shape.conversation] = parts.number
        if shape.placed:
            self._number("gap", varint.signed(parts.start - before.ends.get(shape.export, 0)))
            self._number("length", varint.signed(parts.end - parts.start))
            before.ends[shape.export] = parts.end
        span = self._span(parts)
        if parts.moment == self._moment:
            self._number("moment", SAME)
        else:
            self._told("moment", parts.moment, derived=_says(span, "timestamp", parts.moment))
        self._moment = parts.moment
        if shape.named:
            self._told("uuid", parts.uuid, derived=_says(span, "uuid", parts.uuid))
        if shape.numbered:
            self._number("number", parts.source_index)
        if shape.extends:
            self._number("extends", varint.signed(parts.number - parts.extends))
        if shape.kind:
            self._content(parts, span)
        else:
            self._known(parts, span)
        self._hashes[parts.identity] = self._count

    def _span(self, parts: Parts) -> views.Span | None:
        """The archived bytes of a line; None where the archive does not have them."""
        export = parts.shape.export
        if not parts.shape.placed or not 0 <= parts.start <= parts.end:
            return None
        if export not in self._files:
            self._files[export] = self._archive.find(self._wanted(export))
        file = self._files[export]
        try:
            return self._spans.at(file, parts.start, parts.end) if file is not None else None
        except SpanLost:
            return None

    def _wanted(self, export: bytes) -> Wanted:
        return self._growing.get(export) or Wanted(export.decode())

    def _content(self, parts: Parts, span: views.Span | None) -> None:
        rule = self._rule(parts, span) if span is not None else views.NONE
        self._number("view", rule)
        if rule == views.NONE:
            self._text(parts.content)
            if self._files.get(parts.shape.export) is None:
                wanted = self._wanted(parts.shape.export)
                self.kept[wanted] = self.kept.get(wanted, 0) + len(parts.content)
        try:
            derived = identity_of(parts.shape, json.loads(parts.content)) == parts.identity
        except (ValueError, RecursionError):
            derived = False
        self._number("identity", DERIVED if derived else LITERAL)
        if not derived:
            self._text(bytes.fromhex(parts.identity.decode()))

    def _rule(self, parts: Parts, span: views.Span) -> int:
        """The rule that gives a content; the one that gave the last content of its kind is tried first."""
        for rule in views.candidates(span, self._rules.get(parts.shape.kind, views.NONE)):
            try:
                found = json_of(views.content(rule, span))
            except ValueError:
                continue
            if found == parts.content:
                self._rules[parts.shape.kind] = rule
                return rule
        return views.NONE

    def _known(self, parts: Parts, span: views.Span | None) -> None:
        """The hash of a message whose body stands elsewhere: that of a line of this block, or what its own span comes to."""
        back = self._hashes.get(parts.identity)
        if back is not None:
            self._number("identity", BACK + self._count - back - 1)
            return
        if span is not None and parts.end - parts.start <= _SHORT:
            for shape, number in self._shapes.items():
                rule = self._rules.get(shape.kind, views.NONE)
                if rule and _gives(rule, span, shape, parts.identity):
                    self._number("identity", BY_VIEW)
                    self._number("view", number, rule)
                    return
        self._number("identity", LITERAL)
        self._text(bytes.fromhex(parts.identity.decode()))


def _growing(lines: Sequence[bytes]) -> dict[bytes, Wanted]:
    """By their 16 digits the parts of growing files that the commit records among these lines tell of."""
    found = {}
    for line in lines:
        if _CURSOR in line:
            try:
                record = json.loads(line)
                export, end = record["export"], record["cursor"]["offset"]
                part = Wanted(export["sha256"], export["name"], end - export["bytes"], export["bytes"])
            except (ValueError, KeyError, TypeError):
                continue
            found[part.sha256[:16].encode()] = part
    return found


def _says(span: views.Span | None, name: str, text: bytes) -> bool:
    member = span.member(name) if span is not None else None
    return member is not None and member.encode("utf-8", "surrogatepass") == text


def _gives(rule: int, span: views.Span, shape: Shape, identity: bytes) -> bool:
    try:
        return identity_of(shape, views.content(rule, span)) == identity
    except ValueError:
        return False
