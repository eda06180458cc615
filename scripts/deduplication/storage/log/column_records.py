"""What the lines of a block of columns say of their messages, without the lines.

A line is made to be shown, and its checksum is made of it. Whoever only asks which messages there are takes them from the columns:
that those are what was written is proven when the stream is unpacked, by xz's own checksum, and that archived bytes are, by that of
their frame. So nothing is believed that is not proven; what is left out is to make the lines and their checksum again.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, NamedTuple

from .column_format import SHAPES, SpanLost, framed
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
    where archived bytes are gone.
    """
    try:
        reader = _Records(block, archive)
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

    def record(self) -> tuple[int, Record | None]:
        """The size of the next line, and its record."""
        number = self._number["shape"]()
        if number < SHAPES:
            line = self.literal(number)
            return len(line), occurrence_in(line)
        parts = self.parts(number)
        if isinstance(parts, SpanLost):
            raise parts
        of = self._of.get(number) or self._of.setdefault(number, _told_by(parts.shape))
        record: Record = {
            "conversation_id": of.conversation,
            "index": parts.number,
            "content_hash": parts.identity.decode(),
            "uuid": parts.uuid.decode(),
        }
        if of.kind:
            # A content that is kept may have other members of the message behind it.
            message = (
                {"content": self.value} if self.value is not None else json.loads(b'{"content":%s}' % parts.content)
            )
            record["message"] = {**message, "role": of.role, "kind": of.kind, "fidelity": of.fidelity}
        return of.size + size_of_own(parts), record

    def _end_of_run(self, before: bytes, named: str) -> bytes:  # noqa: ARG002 - which head it names is not asked
        """A line that is as long as that one."""
        return framed(before + b',"previous":"%064d"}' % 0) + b"\n"


def _told_by(shape: Shape) -> _Of:
    bare = Parts(shape, 0, b"", b"", b"", 0, 0, b"", 0, 0)
    size = len(put_together(bare)) - size_of_own(bare) + FRAME_LENGTH
    name = json.loads(shape.conversation + b"}")["conversation_id"]
    return _Of(size, name, shape.role.decode(), shape.kind.decode(), shape.fidelity.decode())
