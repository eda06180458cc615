"""The lines that were added to a transcript since it was read last, as far as they are whole. Nothing is stored here."""

from __future__ import annotations

import calendar
import os
import time
from typing import TYPE_CHECKING, Final

from ..errors import ExportUnreadable
from ..files.prefix_proof import PrefixProof, proof_of
from ..files.safe_read import check_size, open_regular, take
from ..formats import line_order
from ..formats.json_spans import decoder
from ..start.late_dataclass import dataclass
from ..start.late_pattern import late_pattern

if TYPE_CHECKING:
    from pathlib import Path

    from ..storage.contract import Cursor

_LONGEST_HOLE: Final = 64 * 1024 * 1024
"""Bytes that are no JSON and have no line feed: a power cut may leave so many zeros, and what follows is still read."""
PART: Final = 8 * 1024 * 1024
"""Bytes of a transcript that are read, stored and committed at a time; more where one line is longer."""
_MOMENT: Final = late_pattern(rb'"timestamp":"(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d)')
_YOUNG: Final = 6.0
"""Seconds in which the line before a line must have been written: the client takes some milliseconds."""


@dataclass(frozen=True)
class NewLines:
    """Whole lines that were added to a file, and the cursor as it is once they are stored."""

    data: bytes
    proof: PrefixProof
    known: tuple[str, Cursor, int] | None
    """What the store had of the file when they were read; None where it is read from its first line."""


def read_new(file: Path, before: tuple[str, Cursor, int] | None, *, thorough: bool) -> NewLines | int:
    """The next lines; where there are none, the bytes of a last one that nobody has gone on with for a while."""
    descriptor, identity = open_regular(file)
    try:
        proof, rest = PrefixProof(), b""
        if before is not None:
            stored = PrefixProof.loads(before[1].offset, before[1].prefix)
            if identity.size >= stored.offset:
                proof, rest = _proven(descriptor, stored, thorough=thorough)
        if identity.size <= proof.offset:
            return 0
        os.lseek(descriptor, proof.offset, os.SEEK_SET)
        data = _whole_lines(descriptor)
    finally:
        os.close(descriptor)
    waiting = not data
    data = _without_early_children(data, rest)
    if not data:
        return identity.size - proof.offset if waiting and time.time() - identity.mtime_ns / 1e9 > _YOUNG else 0
    return NewLines(data, proof.extended(rest, data), before if proof.offset else None)


def _proven(descriptor: int, stored: PrefixProof, *, thorough: bool) -> tuple[PrefixProof, bytes]:
    """The stored proof and the bytes it goes on from, where it still holds; else the proof of nothing."""
    if thorough:
        os.lseek(descriptor, 0, os.SEEK_SET)
        if proof_of(lambda size: take(descriptor, size), stored.offset) != stored:
            return PrefixProof(), b""
    os.lseek(descriptor, stored.begins, os.SEEK_SET)
    rest = take(descriptor, stored.offset - stored.begins)
    return (stored, rest) if stored.proves(rest) else (PrefixProof(), b"")


def _whole_lines(descriptor: int) -> bytes:
    """The next lines up to some :data:`PART` bytes; the last one of the file without a line feed only where it is an object."""
    held: list[bytes] = []
    size = 0
    while True:
        more = take(descriptor, PART)
        end = more.rfind(b"\n") + 1
        if len(more) < PART or end:
            data = b"".join((*held, more))
            whole = len(data) - len(more) + end
            if len(more) < PART and _is_object(data[whole:] if end else data):
                return data
            return data[:whole] if end else b""
        held.append(more)
        size += len(more)
        if size > _LONGEST_HOLE and held[0].lstrip()[:1] != b"{":  # a sparse file is not read to its end
            raise ExportUnreadable(
                f"more than {_LONGEST_HOLE:,} bytes without a line feed that are no line of a session"
            )
        check_size("a line of it", size)


def _is_object(line: bytes) -> bool:
    """True for one whole JSON object, which no beginning of one is."""
    if not line.rstrip().endswith(b"}"):
        return False
    try:
        return isinstance(decoder().decode(line.decode(errors="surrogateescape")), dict)
    except (ValueError, RecursionError):
        return False


def _without_early_children(data: bytes, before: bytes) -> bytes:
    """``data`` up to the first line that was just written, while the line that it goes on from was not.

    The client writes lines side by side. ``before`` is the end of what was read already; a parent that lies further back is
    waited for in vain, which :data:`_YOUNG` bounds.
    """
    for start, later in line_order.orphans(data, before):
        if not later and _young(data[start:].partition(b"\n")[0]):
            return data[:start]
    return data


def _young(line: bytes) -> bool:
    moment = _MOMENT.search(line)
    if moment is None:
        return False
    try:
        written = calendar.timegm(time.strptime(moment.group(1).decode(), "%Y-%m-%dT%H:%M:%S"))
    except (ValueError, OverflowError):
        return False
    return abs(time.time() - written) < _YOUNG


def stands_before(file: Path, end: int, uuid: str) -> tuple[bool, bool]:
    """Have the first ``end`` bytes of a file a line of this id, and have they one that names it as its parent?"""
    own, child = (f'"{key}":"{uuid}"'.encode() for key in ("uuid", "parentUuid"))
    descriptor, _ = open_regular(file)
    try:
        found = {own: False, child: False}
        rest, left = b"", end
        while left > 0 and not all(found.values()):
            block = take(descriptor, min(PART, left))
            if not block:
                break
            left -= len(block)
            data = rest + block
            found = {mark: seen or mark in data for mark, seen in found.items()}
            rest = data[-len(child) :]
        return found[own], found[child]
    finally:
        os.close(descriptor)
