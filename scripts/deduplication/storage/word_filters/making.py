"""Blocks of the log made into filters, one after the other, in the order of the log.

Where a block ends follows from the log alone: with the first line that ends ``SPAN`` bytes behind its beginning, or later.
"""

from __future__ import annotations

import time
import zlib
from bisect import bisect_right
from typing import TYPE_CHECKING, Any

from ...alignment.plain_text import readable
from ...files.clock import microseconds
from ...model import counts
from ...words.lexemes import lexemes_of
from ..log.lines import Damaged, decode_line
from ..log.records import PURGED, SAME
from . import block
from .block import NEVER, PARTS, Again, Said, again_key, conversation_key, hash_key, kind_keys, part_of, place_key
from .filter_file import PROOF
from .record import encode
from .table import key_bytes

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Sequence

    from ..log.append_log import Log
    from ..log.lines import Line, Record
    from .filter_file import FilterFile


def bring_up(
    file: FilterFile, log: Log, size: int, carrier: Callable[[str], int | None], seconds: float | None = None
) -> bool:
    """Make filters of the whole blocks in the first ``size`` bytes of the log that have none; True where some are left.

    ``carrier`` gives the byte of the line that carries a body. Ends after ``seconds`` of processor time, at least with one block
    more. A line that cannot be read is the end. Raises ``StoreNotWritable``.
    """
    file.load(log)
    unsound = file.unsound() if size - file.covered >= block.SPAN else None
    if unsound is not None:
        file.cut(unsound)
    ends = [each.end for each in file.blocks]
    until = None if seconds is None else time.process_time() + seconds
    for lines in blocks_of(log, file.covered, size):
        try:
            said, keys = told(lines, ends, carrier)
        except Damaged:
            return False
        file.add(encode([said.encode()], keys))
        ends.append(lines[-1].end)
        if until is not None and time.process_time() >= until:
            left: int = size - ends[-1]
            return left >= block.SPAN
    return False


def blocks_of(log: Log, start: int, size: int) -> Iterator[list[Line]]:
    """The lines of each whole block from byte ``start`` on."""
    lines: list[Line] = []
    for line in log.lines(start, size):
        lines.append(line)
        if line.end - lines[0].offset >= block.SPAN and line.end <= size:
            yield lines
            lines = []


def told(
    lines: Sequence[Line], ends: Sequence[int], carrier: Callable[[str], int | None]
) -> tuple[Said, dict[bytes, list[int]]]:
    """What is said of a block with these lines, and its keys; ``ends``: where the blocks before it end. Raises :class:`Damaged`."""
    start, found = lines[0].offset, _Maker()
    bounds = [lines[-1].end - start] * PARTS
    for line in reversed(lines):
        bounds[part_of(line.offset, start, block.SPAN)] = line.offset - start
    for number in reversed(range(PARTS - 1)):
        bounds[number] = min(bounds[number], bounds[number + 1])
    for line in lines:
        found.take(decode_line(line.data), part_of(line.offset, start, block.SPAN))
    said = Said(
        start,
        lines[-1].end,
        min(found.moments, default=NEVER),
        max(found.moments, default=NEVER),
        zlib.crc32(b"".join(line.data for line in lines[-PROOF:])[-PROOF:]),
        tuple(bounds),
        tuple(found.newest),
        tuple(_again(found, [*ends, lines[-1].end], carrier)),
        tuple(sorted(found.extends)),
        tuple(found.same),
    )
    return said, found.keys


def _again(found: _Maker, ends: Sequence[int], carrier: Callable[[str], int | None]) -> list[Again]:
    """What comes again in a block that ends where the last one of ``ends`` is, in the order of its keys."""
    known: dict[tuple[int, int, int], int] = {}
    for identity, parts in found.again.items():
        at = carrier(identity)
        if at is None or at >= ends[-1]:
            continue
        number = bisect_right(ends, at)
        place = again_key(identity), number, part_of(at, ends[number - 1] if number else 0, block.SPAN)
        known[place] = known.get(place, 0) | parts
    return [Again(*place, known[place]) for place in sorted(known)]


class _Maker:
    """What the lines of a block come to."""

    def __init__(self) -> None:
        self.newest = [""] * PARTS
        self.moments: list[int] = []
        self.again: dict[str, int] = {}
        """Content hashes of bodies that lines name and do not carry, with the parts of those."""
        self.extends: set[tuple[int, int]] = set()
        self.same: list[dict[str, Any]] = []
        self.keys: dict[bytes, list[int]] = {}

    def take(self, record: Record, part: int) -> None:
        """The next line."""
        if SAME in record:
            self.same.append({"conversation_id": record["conversation_id"], SAME: record[SAME]})
        if "content_hash" not in record or "index" not in record or PURGED in record:
            return
        identity, stamp = record["content_hash"], record["timestamp"]
        self._add([conversation_key(record["conversation_id"])], part)
        self.newest[part] = max(self.newest[part], stamp)
        moment = microseconds(stamp)
        if moment is not None:
            self.moments.append(moment)
        if "extends" in record:
            self.extends.add((place_key(record["conversation_id"], record["extends"]), part))
        message = record.get("message")
        if message is None:
            self.again[identity] = self.again.get(identity, 0) | 1 << part
            return
        self._add([hash_key(identity)], part)
        if counts(message["kind"]):
            self._add(kind_keys(message["role"], message["kind"]), part)
            self._add(lexemes_of(readable(message["content"])), part)

    def _add(self, keys: Iterable[str], part: int) -> None:
        for key in keys:
            parts = self.keys.setdefault(key_bytes(key), [])
            if not parts or parts[-1] != part:
                parts.append(part)
