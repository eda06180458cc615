"""A block of the log as columns: what its writer and its reader share.

Of each line there is what it has of its own, kind by kind, and nothing that follows from something else. Left out are the checksum
of a line, the hash of a body, the head that a run names where all of the run before it stands in the block, what goes on where the
line before it ended, and a content that a *view* gives: a rule of :mod:`views` over bytes that the archive has. So a body is on
the disk once.

All numbers are as :mod:`varint` has them. A block is: the CRC-32 of its lines (4 bytes, the lowest first); how many lines; how many
shapes, then each as its fields with a zero behind each; how many archived files, then of each the first 8 bytes of the SHA-256
that the lines name, the 32 bytes of the one under which it is archived, and how many bytes into that file their spans begin to
count; then each column of :data:`COLUMNS` with its length before it.
"""

from __future__ import annotations

import json
import struct
import zlib
from typing import TYPE_CHECKING, Final, NamedTuple, Protocol

from ...alignment.fingerprint import content_hash
from ...model import EXACT, LAYOUT
from ...start.late_pattern import late_pattern
from . import views
from .line_parts import Shape
from .lines import FRAME

if TYPE_CHECKING:
    from typing import Any

COLUMNS: Final = ("shape", "index", "moment", "identity", "uuid", "number", "extends", "gap", "length", "view", "text")
TEXT: Final = "text"
"""The column that has bytes, each run of them with its length before it; the others have numbers."""
CRC: Final = struct.Struct("<I")
FRAMED: Final = 0
WHOLE: Final = 1
SHAPES: Final = 2
"""In the column of shapes: a line that stands itself, without its checksum or with it; from here on the number of a shape."""
LITERAL: Final = 0
DERIVED: Final = 1
SAME: Final = 2
BY_VIEW: Final = 3
BACK: Final = 4
"""How a moment, an id or a hash is told: itself; by the span or the content; as in the line before; of a hash, by a view and the
shape of some message, or as that of a line before it (from this number on)."""
_ENCODE: Final = json.JSONEncoder(ensure_ascii=False, separators=(",", ":")).encode


HEAD: Final = late_pattern(rb',"previous":"([0-9a-f]{64})"\}\Z')
"""How the line of a run that names the head before it ends, without its checksum."""
HEAD_BYTES: Final = 80
"""Bytes at the end of a line in which that stands."""
KEPT: Final = b',"previous":0}'
FOLLOWS: Final = b',"previous":1}'
"""What stands there in its place: its 32 bytes follow in the text; it is the SHA-256 of the run that ended last in the block, from
the line behind the one that ended the run before, or the block's first one, on."""
UNKNOWN: Final = b',"previous":""}'
"""The same of lines that are read one by one, where one of those is lost."""


class SpanLost(ValueError):
    """Archived bytes that cannot be read; the message says why."""


class File(NamedTuple):
    """An archived file: its SHA-256 (32 bytes), and how many bytes into it the spans begin to count."""

    sha256: bytes
    shift: int = 0


class Wanted(NamedTuple):
    """What lines name as their export: digits of its SHA-256, 16 or all.

    Of a part of a growing file also that file's name, where the part begins in it, and its size.
    """

    sha256: str
    name: str = ""
    start: int = 0
    size: int = 0


class Archived(Protocol):
    """The archived files, as a block refers to them."""

    def find(self, wanted: Wanted) -> File | None:
        """The file that has these bytes; None where there is none."""

    def read(self, sha256: bytes, start: int, end: int) -> bytes:
        """Bytes of a file. Raises :class:`SpanLost`."""

    def has_segment(self, sha256: bytes) -> bool:
        """Whether bytes with this SHA-256 stand by themselves in the archive, as far as can be told without reading them."""

    def segment(self, sha256: bytes) -> bytes:
        """These bytes, proven. Raises :class:`SpanLost`."""

    def sync(self) -> None:
        """Have on the disk what was added to the archive. Raises ``StoreNotWritable``."""

    def close(self) -> None:
        """Let go of what was opened; whoever asks again opens it again."""


class NoArchive:
    """No file at all: every content is kept itself."""

    def find(self, wanted: Wanted) -> File | None:  # noqa: ARG002 - as every archive has it
        """No file."""
        return None

    def read(self, sha256: bytes, start: int, end: int) -> bytes:  # noqa: ARG002 - as every archive has it
        """Raises :class:`SpanLost`."""
        raise SpanLost("there is no archive beside this log")

    def has_segment(self, sha256: bytes) -> bool:  # noqa: ARG002 - as every archive has it
        """Nothing."""
        return False

    def segment(self, sha256: bytes) -> bytes:  # noqa: ARG002 - as every archive has it
        """Raises :class:`SpanLost`."""
        raise SpanLost("there is no archive beside this log")

    def sync(self) -> None:
        """Nothing was added."""

    def close(self) -> None:
        """Nothing was opened."""


class Before(NamedTuple):
    """What the lines before one come to: the last number of each conversation, and where the last span of each file ended."""

    numbers: dict[bytes, int]
    ends: dict[bytes, int]


class Spans:
    """The spans of a block's lines; the last one is kept, because the blocks of one line of JSON follow each other."""

    def __init__(self, archive: Archived) -> None:
        self._archive = archive
        self._last: tuple[File | None, int, int] = (None, 0, 0)
        self._span = views.Span(b"")

    def at(self, file: File | None, start: int, end: int) -> views.Span:
        """The span of a file. Raises :class:`SpanLost`."""
        if file is None:
            raise SpanLost("the block does not say in which file")
        if self._last != (file, start, end):
            self._span = views.Span(self._archive.read(file.sha256, start + file.shift, end + file.shift))
            self._last = (file, start, end)
        return self._span


def framed(body: bytes) -> bytes:
    """A line with its checksum, without its line feed."""
    return b'%s%s%08x"}' % (body[:-1], FRAME, zlib.crc32(body))


def json_of(value: object) -> bytes:
    """A content as a line has it; nothing where UTF-8 cannot carry it: then the whole line is written otherwise."""
    try:
        return _ENCODE(value).encode()
    except (UnicodeEncodeError, TypeError, ValueError, RecursionError):
        return b""


def identity_of(shape: Shape, value: Any) -> bytes:
    """The content hash of a message of this shape."""
    fidelity = EXACT if shape.fidelity == EXACT.encode() else LAYOUT
    return content_hash(shape.role.decode(), shape.kind.decode(), value, fidelity).encode()


def fields_of(shape: Shape) -> bytes:
    """A shape as it stands in a block."""
    flags = b"".join(b"%d" % flag for flag in (shape.named, shape.numbered, shape.extends, shape.placed))
    fields = (shape.conversation, flags, shape.role, shape.kind, shape.fidelity, shape.export, shape.source)
    return b"".join(field + b"\0" for field in fields)


def shape_of(fields: list[bytes]) -> Shape:
    """The inverse of :func:`fields_of`, of the fields. Raises :class:`ValueError`."""
    conversation, flags, role, kind, fidelity, export, source = fields
    named, numbered, extends, placed = (flag == ord("1") for flag in flags)
    return Shape(conversation, named, numbered, extends, role, kind, fidelity, export, source, placed)


FIELDS: Final = 7
