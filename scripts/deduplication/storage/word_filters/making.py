"""Blocks of the log made into filters, one after the other, in the order of the log.

Where a block ends follows from the log alone: with the first line that ends :data:`SPAN` bytes behind its beginning, or later.
"""

from __future__ import annotations

import time
import zlib
from bisect import bisect_right
from typing import TYPE_CHECKING, Any, Final

from ...alignment.plain_text import readable
from ...files.clock import microseconds
from ...model import counts
from ...words.filter_keys import keys_of
from ...words.lexemes import lexemes_of
from ..log.lines import Damaged, decode_line
from ..log.records import PURGED, SAME
from . import bits
from .block import (
    NEVER,
    Said,
    again_key,
    conversation_key,
    hash_key,
    kind_keys,
    place_key,
    record_of,
)
from .filter_file import PROOF

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from ..log.append_log import Log
    from ..log.lines import Line, Record
    from .filter_file import FilterFile

SPAN: Final = 1024 * 1024
"""Bytes of lines in a block: as many as are unpacked at once to read one of them."""
SHARE: Final = 0.08
"""Bytes of a filter for each byte of text in its block, at most."""


def bring_up(
    file: FilterFile, log: Log, size: int, carrier: Callable[[str], int | None], seconds: float | None = None
) -> bool:
    """Make filters of the whole blocks in the first ``size`` bytes of the log that have none; True where some are left.

    ``carrier`` gives the byte of the line that carries a body. Ends after ``seconds`` of processor time, at least with one block
    more. A line that cannot be read is the end. Raises ``StoreNotWritable``.
    """
    file.load(log)
    unsound = file.unsound() if size - file.covered >= SPAN else None
    if unsound is not None:
        file.cut(unsound)
    ends = [block.end for block in file.blocks]
    until = None if seconds is None else time.process_time() + seconds
    for lines in blocks_of(log, file.covered, size):
        try:
            record = made(lines, ends, carrier)
        except Damaged:
            return False
        file.add(record)
        ends.append(lines[-1].end)
        if until is not None and time.process_time() >= until:
            left: int = size - ends[-1]
            return left >= SPAN
    return False


def blocks_of(log: Log, start: int, size: int) -> Iterator[list[Line]]:
    """The lines of each whole block from byte ``start`` on."""
    lines: list[Line] = []
    for line in log.lines(start, size):
        lines.append(line)
        if line.end - lines[0].offset >= SPAN and line.end <= size:
            yield lines
            lines = []


def made(lines: Sequence[Line], ends: Sequence[int], carrier: Callable[[str], int | None]) -> bytes:
    """The record of a block with these lines; ``ends``: where the blocks before it end. Raises :class:`Damaged`."""
    block = _Maker()
    for line in lines:
        block.take(decode_line(line.data))
    again: dict[int, int] = {}
    for identity in block.again:
        at = carrier(identity)
        if at is not None and at < lines[0].offset:
            again[again_key(identity)] = bisect_right(ends, at)
    data = b"".join(line.data for line in lines)
    said = Said(
        lines[0].offset,
        lines[-1].end,
        min(block.moments, default=NEVER),
        max(block.moments, default=NEVER),
        zlib.crc32(data),
        zlib.crc32(data[-PROOF:]),
        block.newest,
        tuple(sorted(again)),
        tuple(again[each] for each in sorted(again)),
        tuple(sorted(block.extends)),
        tuple(block.same),
    )
    return record_of(said, *bits.made(block.keys(), int(SHARE * block.text_bytes)))


class _Maker:
    """What the lines of a block come to."""

    def __init__(self) -> None:
        self.newest = ""
        self.moments: list[int] = []
        self.again: dict[str, None] = {}
        self.extends: set[int] = set()
        self.same: list[dict[str, Any]] = []
        self.text_bytes = 0
        self._lexemes: set[str] = set()
        self._others: set[str] = set()
        self._carried: set[str] = set()

    def keys(self) -> set[str]:
        """All that the filter is to have."""
        return keys_of(self._lexemes) | self._others

    def take(self, record: Record) -> None:
        """The next line."""
        if SAME in record:
            self.same.append({"conversation_id": record["conversation_id"], SAME: record[SAME]})
        if "content_hash" not in record or "index" not in record or PURGED in record:
            return
        identity, stamp = record["content_hash"], record["timestamp"]
        self._others.add(conversation_key(record["conversation_id"]))
        self.newest = max(self.newest, stamp)
        moment = microseconds(stamp)
        if moment is not None:
            self.moments.append(moment)
        if "extends" in record:
            self.extends.add(place_key(record["conversation_id"], record["extends"]))
        message = record.get("message")
        if message is None:
            if identity not in self._carried:
                self.again[identity] = None
            return
        self._carried.add(identity)
        self._others.add(hash_key(identity))
        if counts(message["kind"]):
            self._others.update(kind_keys(message["role"], message["kind"]))
            text = readable(message["content"])
            self.text_bytes += len(text.encode("utf-8", "surrogatepass"))
            self._lexemes.update(lexemes_of(text))
