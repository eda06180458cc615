"""What the lines of the client's own transcripts tell of things that lie elsewhere: read once, part by part, never changed.

Parents, other sessions, results that were put aside, exports that were made. A file is read as far as it goes at that moment; one
that cannot be read, or is no regular file, tells nothing and is named.
"""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Any, Final, Optional

from ..errors import DedupError, ExportTooLarge
from ..files.safe_read import open_regular, take
from ..formats.json_spans import decoder
from ..formats.line_order import lines_of, orphans, own_ids
from ..formats.transcript_lines import read_line
from ..formats.transcript_types import LINEAGE, lineage_of
from ..ingest.persisted_output import PERSISTED, place_of_output
from ..model import TOOL_RESULT
from ..project.named_exports import notices_in
from ..start.late_dataclass import dataclass, field
from ..start.late_tuple import NamedTuple

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from ..project.client_transcripts import Transcript
    from ..project.named_exports import ExportNotice

_PART: Final = 8 * 1024 * 1024
"""Bytes that are read at a time; a line that is longer is read whole, if it may be."""
_LONGEST_LINE: Final = 256 * 1024 * 1024
_MOST: Final = 1_000
"""Lines of a file that are named for one thing."""
_FORKED: Final = b'"forkedFrom":'
_LINEAGE: Final = tuple(f'"{each}"'.encode() for each in LINEAGE)


class LineId(NamedTuple):
    """A line: its id, and its time, both empty where it has none."""

    uuid: str
    timestamp: str


class Orphan(NamedTuple):
    """A line that goes on from ``parent``, which is not in the file."""

    line: LineId
    parent: str


class Origin(NamedTuple):
    """Another session that a line names, and how: ``forkedFrom``, or a type of :data:`~..transcript_types.LINEAGE`."""

    line: LineId
    relation: str
    session: str


class PutAside(NamedTuple):
    """A result that the client wrote to a file of its own: where, how many bytes (0: it does not say), what the line has of it."""

    line: LineId
    path: Path
    size: int
    shown: int


@dataclass
class TranscriptFacts:
    """What one transcript tells; ``whole`` False: it could not be read to its end."""

    transcript: Transcript
    orphans: list[Orphan] = field(default_factory=list)
    origins: dict[tuple[str, str], Origin] = field(default_factory=dict)
    outputs: list[PutAside] = field(default_factory=list)
    exports: list[ExportNotice] = field(default_factory=list)
    whole: bool = True


def facts_of(transcript: Transcript) -> TranscriptFacts:
    """What the file says; nothing is raised."""
    found = TranscriptFacts(transcript)
    waiting: dict[bytes, bytes] = {}
    ids: set[bytes] = set()
    try:
        for part in _parts(transcript.path):
            _look_at(found, part, ids, waiting)
    except DedupError:
        found.whole = False
    for parent, raw in waiting.items():
        value = _object(raw)
        if parent not in ids and value is not None and value.get("parentUuid") == parent.decode("ascii", "replace"):
            found.orphans.append(Orphan(_line(value), str(value["parentUuid"])))
    return found


def exports_in(path: Path, start: int = 0) -> Iterator[ExportNotice]:
    """What a transcript tells of exports alone, from the line on that begins at byte ``start``; nothing where it cannot be read."""
    try:
        for part in _parts(path, start):
            yield from notices_in(part)
    except DedupError:
        return


def ids_among(path: Path, wanted: set[bytes]) -> set[bytes]:
    """Those of the ids ``wanted`` that lines of a transcript have, or that stand in them like one."""
    found: set[bytes] = set()
    try:
        for part in _parts(path):
            found |= wanted.intersection(own_ids(part))
    except DedupError:
        pass
    return found


def _look_at(found: TranscriptFacts, part: bytes, ids: set[bytes], waiting: dict[bytes, bytes]) -> None:
    first = own_ids(part)
    for each in orphans(part, first=first):
        raw = _line_at(part, each.start)
        value = None if each.later else _parent_in(raw)
        if value is not None and value not in ids and len(waiting) < _MOST:
            waiting.setdefault(value, raw)
    ids.update(first)
    found.exports += notices_in(part)
    if PERSISTED.encode() in part:
        found.outputs += list(_put_aside(found.transcript.path, part))[: _MOST - len(found.outputs)]
    if _FORKED in part or any(each in part for each in _LINEAGE):
        for origin in _origins(part):
            if len(found.origins) < _MOST:
                found.origins.setdefault((origin.relation, origin.session), origin)


def _parent_in(raw: bytes) -> Optional[bytes]:
    head, mark, rest = raw[:64].partition(b'"parentUuid":"')
    return rest.partition(b'"')[0] if mark and head == b"{" else None


def _put_aside(path: Path, part: bytes) -> Iterator[PutAside]:
    for value in _lines_with(part, (PERSISTED.encode(),)):
        reading = read_line(value)
        for _, message in reading.parts if reading is not None else ():
            content = message.content
            if message.kind == TOOL_RESULT and isinstance(content, str) and content.startswith(PERSISTED):
                place = place_of_output(path, content)
                if place is not None:
                    result = value.get("toolUseResult")
                    size = result.get("persistedOutputSize") if isinstance(result, dict) else None
                    yield PutAside(_line(value), place, size if isinstance(size, int) else 0, len(content))


def _origins(part: bytes) -> Iterator[Origin]:
    for value in _lines_with(part, (_FORKED, *_LINEAGE)):
        forked = value.get("forkedFrom")
        session = forked.get("sessionId") if isinstance(forked, dict) else None
        if isinstance(session, str) and session and session != value.get("sessionId"):
            yield Origin(_line(value), "forkedFrom", session)
        if value.get("type") in LINEAGE:
            for each in lineage_of(value):
                yield Origin(_line(value), each.relation, each.target)


def _lines_with(part: bytes, marks: tuple[bytes, ...]) -> Iterator[dict[str, Any]]:
    """The lines that have one of the marks, as objects."""
    for start, end in lines_of(part):
        if any(part.find(mark, start, end) >= 0 for mark in marks):
            value = _object(part[start:end])
            if value is not None:
                yield value


def _line_at(part: bytes, start: int) -> bytes:
    end = part.find(b"\n", start)
    return part[start : end if end >= 0 else len(part)]


def _object(raw: bytes) -> Optional[dict[str, Any]]:
    try:
        value = decoder().decode(raw.decode(errors="surrogateescape").strip())
    except (ValueError, RecursionError):
        return None
    return value if isinstance(value, dict) else None


def _line(value: dict[str, Any]) -> LineId:
    uuid, timestamp = value.get("uuid"), value.get("timestamp")
    return LineId(uuid if isinstance(uuid, str) else "", timestamp if isinstance(timestamp, str) else "")


def _parts(path: Path, start: int = 0) -> Iterator[bytes]:
    """The file in parts of whole lines, as far as it went when it was opened. Raises the ``ExportError`` family."""
    descriptor, identity = open_regular(path)
    try:
        os.lseek(descriptor, start, os.SEEK_SET)
        left, rest = identity.size - start, b""
        while left > 0:
            part = take(descriptor, min(_PART, left))
            if not part:
                break
            left -= len(part)
            whole, line_feed, rest = (rest + part).rpartition(b"\n")
            if whole or line_feed:
                yield whole + line_feed
            elif len(rest) > _LONGEST_LINE:
                raise ExportTooLarge(f"{path.name} has a line of more than {_LONGEST_LINE:,} bytes")
        if rest:
            yield rest
    finally:
        os.close(descriptor)
