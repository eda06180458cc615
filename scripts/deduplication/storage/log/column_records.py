"""What the lines of a block of columns say of their messages, without the lines where nothing but the block is needed for them.

A line is made to be shown, and the block's checksum is that of the lines. Where the block has all that they say, the SHA-256 of its
frame has proven it by the time it is unpacked, and nobody needs the lines to ask which messages there are. Where bytes of the
archive are needed that says nothing of those: then the lines are made, and believed once the checksum is theirs.
"""

from __future__ import annotations

import json
import zlib
from typing import TYPE_CHECKING

from ...start.late_tuple import NamedTuple
from .column_format import CRC, SHAPES, SpanLost, framed
from .column_reader import NO_BLOCK, Reader
from .line_parts import Parts, put_together, size_of_own
from .lines import FRAME_LENGTH
from .records import occurrence_in

if TYPE_CHECKING:
    from collections.abc import Iterator

    from .column_format import Archived
    from .line_parts import Shape
    from .lines import Record


def each_record(block: bytes, archive: Archived) -> Iterator[tuple[int, Record | None]]:
    """Of each line its bytes with its line feed, and what it says of its message; None where it has none.

    That is its conversation, number, content hash and id, and the message. Raises :class:`ValueError` for what is no block, and
    where archived bytes are gone or others.
    """
    try:
        reader = _Records(block, archive)
        if reader.needs_archive:
            yield from reader.proven(CRC.unpack_from(block)[0])
        else:
            for _ in range(reader.count):
                yield reader.record()
        reader.end()
    except NO_BLOCK as error:
        raise ValueError("no block of columns") from error


class _Of(NamedTuple):
    """What the lines of a shape have in common: the bytes of one without what is its own, and what it says."""

    size: int
    conversation: str
    role: str
    kind: str
    fidelity: str


class _Records(Reader):
    """The records of one block."""

    def __init__(self, block: bytes, archive: Archived) -> None:
        super().__init__(block, archive)
        self._of: dict[int, _Of] = {}
        self._last: tuple[int, Parts] | None = None
        """The parts of the line that was read last, and the number of its shape; None of one that stands in the block itself."""

    def record(self) -> tuple[int, Record | None]:
        """The size of the next line, and its record; the line is not made."""
        number = self._number["shape"]()
        if number < SHAPES:
            line = self.literal(number)
            return len(line), occurrence_in(line)
        parts = self.parts(number)
        if isinstance(parts, SpanLost):
            raise parts
        return self._of_shape(number, parts.shape).size + size_of_own(parts), self._said(number, parts)

    def proven(self, crc32: int) -> list[tuple[int, Record | None]]:
        """The same of all lines, which are made for it. Raises :class:`ValueError` where they do not have this checksum."""
        found: list[tuple[int, Record | None]] = []
        so_far = 0
        for _ in range(self.count):
            self._last = None
            line = self.line()
            if isinstance(line, SpanLost):
                raise line
            so_far = zlib.crc32(line, so_far)
            found.append((len(line), self._said(*self._last) if self._last else occurrence_in(line)))
        if so_far != crc32:
            raise ValueError("the lines are not those that were written")
        return found

    def parts(self, shape_number: int) -> Parts | SpanLost:
        """The parts of a line, which are kept for its record."""
        found = super().parts(shape_number)
        self._last = None if isinstance(found, SpanLost) else (shape_number, found)
        return found

    def _of_shape(self, number: int, shape: Shape) -> _Of:
        found = self._of.get(number)
        if found is None:
            found = self._of[number] = _told_by(shape)
        return found

    def _said(self, number: int, parts: Parts) -> Record:
        of = self._of_shape(number, parts.shape)
        record: Record = {
            "conversation_id": of.conversation,
            "index": parts.number,
            "content_hash": parts.identity.decode(),
        }
        if parts.shape.named:
            record["uuid"] = parts.uuid.decode()
        if of.kind:
            # A content that is kept may have other members of the message behind it.
            message = (
                {"content": self.value} if self.value is not None else json.loads(b'{"content":%s}' % parts.content)
            )
            record["message"] = {"role": of.role, "kind": of.kind, **message}
            if of.fidelity:
                record["message"]["fidelity"] = of.fidelity
        return record

    def _end_of_run(self, before: bytes, named: str) -> bytes:
        """The line itself where lines are made, else one that is as long: which head it names is not asked."""
        if self.needs_archive:
            return super()._end_of_run(before, named)
        return framed(before + b',"previous":"%064d"}' % 0) + b"\n"


def _told_by(shape: Shape) -> _Of:
    bare = Parts(shape, 0, b"", b"", b"", 0, 0, b"", 0, 0)
    size = len(put_together(bare)) - size_of_own(bare) + FRAME_LENGTH
    name = json.loads(shape.conversation + b"}")["conversation_id"]
    return _Of(size, name, shape.role.decode(), shape.kind.decode(), shape.fidelity.decode())
