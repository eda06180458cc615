"""What a log says of its messages, stretch by stretch: the records of occurrences, of sealed blocks without their lines."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from .records import occurrence_in
from .sealed_files import PACK

if TYPE_CHECKING:
    from collections.abc import Iterator

    from .append_log import Log
    from .lines import Record
    from .sealed_files import Block

    Told = tuple[int, Record]
    """The byte at which a line begins, and what it says of its message."""

_KEPT: Final = 4
"""Blocks of which the records are kept: what is asked for next mostly stands in one of them."""


class MessageRecords:
    """The records of the occurrences of ``log``. One that cannot be read is left out."""

    def __init__(self, log: Log) -> None:
        self._log = log
        self._of_blocks: dict[Block, tuple[list[Told], Iterator[Told]]] = {}
        """What was read of a block, and what reads the rest of it."""

    def between(self, start: int, end: int, holding: bytes = b"") -> Iterator[Told]:
        """Those that begin at bytes from ``start`` to ``end`` (half open), each with its byte.

        Of lines that are not sealed only those with the bytes ``holding`` in them.
        """
        for block in self._log.sealed.blocks(start):
            if block.start >= end:
                return
            for offset, record in self._of_block(block):
                if start <= offset < end:
                    yield offset, record
        for line in self._log.lines(max(start, self._log.sealed.end), end):
            told = occurrence_in(line.data) if holding in line.data else None
            if told is not None:
                yield line.offset, told

    def _of_block(self, block: Block) -> Iterator[Told]:
        """Those of a block, read as far as somebody asks."""
        if block not in self._of_blocks:
            while len(self._of_blocks) >= _KEPT:
                del self._of_blocks[next(iter(self._of_blocks))]
            self._of_blocks[block] = [], self._read(block)
        found, rest = self._of_blocks[block]
        at = 0
        while True:
            if at == len(found):
                following = next(rest, None)
                if following is None:
                    return
                found.append(following)
            yield found[at]
            at += 1

    def _read(self, block: Block) -> Iterator[Told]:
        """Those of a block, up to where it cannot be read."""
        offset = block.start
        try:
            for size, record in self._told(block):
                if record is not None:
                    yield offset, record
                offset += size
        except ValueError:  # it is damaged, or the disk failed for a moment: whoever asks again has it read again
            self._of_blocks.pop(block, None)

    def _told(self, block: Block) -> Iterator[tuple[int, Record | None]]:
        """Bytes of each line, and the record of its message."""
        sealed = self._log.sealed
        if block.segment.form == PACK:
            from .column_records import each_record  # a run that finds the index up to the log reads no sealed line

            return each_record(sealed.part(block), sealed.archive)
        return ((len(line), occurrence_in(line)) for line in sealed.read(block).splitlines(keepends=True))
