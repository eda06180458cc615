"""Capture a session transcript into the store as it grows: only what was added since the last time is read.

How far a file was read stands in the commit record of the messages that it brought (``Cursor``), so both are stored or
neither. A file whose beginning is no longer what was read is read again from its first line; the ids of its lines tell what is
known of it. The last line needs no line feed: an object is whole once its last bracket stands, and no part of one is, so that a
file may still be growing. A last line that is not whole waits, and is told of where nobody goes on writing it.
"""

from __future__ import annotations

import calendar
import hashlib
import os
import re
import time
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Final

from ..errors import DedupError, ExportUnreadable
from ..files.prefix_proof import PrefixProof, proof_of
from ..files.safe_read import check_size, open_regular, take
from ..formats import client_transcript, line_order
from ..formats.json_spans import decoder
from ..model import TOOL_RESULT
from ..project.named_exports import told_in
from ..storage.contract import Cursor
from . import one_export, store_export
from .one_export import Asked
from .result import Input

if TYPE_CHECKING:
    from collections.abc import Iterable

    from ..formats.base import Slice
    from ..model import Message
    from ..project.client_transcripts import Transcript
    from ..project.named_exports import Told
    from .deduplicator import ClaudeConversationDeduplicator

_LONGEST_HOLE: Final = 64 * 1024 * 1024
"""Bytes that are no JSON and have no line feed: a power cut may leave so many zeros, and what follows is still read."""
PART: Final = 8 * 1024 * 1024
"""Bytes of a transcript that are read, stored and committed at a time; more where one line is longer."""
_PERSISTED: Final = "<persisted-output>"
_SAVED: Final = re.compile(
    r"Full output saved to: [^\n]*?[/\\]tool-results[/\\]([A-Za-z0-9_-][A-Za-z0-9_.-]{0,199})(?=\s|$)"
)
_MOMENT: Final = re.compile(rb'"timestamp":"(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d)')
_YOUNG: Final = 6.0
"""Seconds in which the line before a line must have been written: the client takes some milliseconds."""
_MOST_PERSISTED: Final = 64 * 1024 * 1024


@dataclass(frozen=True)
class Captured:
    """What one capture brought. ``total`` are the counted messages of the new lines, ``new`` those not stored before.

    ``source`` is an absolute path, ``end`` the byte up to which it is read now. ``exports`` is what the client says
    in the new lines of files that it exported to, in that order.
    """

    source: str
    session: str
    conversation_id: str
    total: int = 0
    new: int = 0
    read_bytes: int = 0
    end: int = 0
    exports: tuple[Told, ...] = ()
    warnings: tuple[str, ...] = ()


def capture_file(
    dedup: ClaudeConversationDeduplicator, path: str | os.PathLike[str], *, thorough: bool = False
) -> Captured | None:
    """Store what was added to the transcript at ``path``; None where nothing was. Durable when it returns.

    What was read before is taken on trust but for its last MiB; ``thorough`` compares all of it. Raises the
    ``ExportError`` and the ``StoreError`` family; what was captured up to there stays captured.
    """
    file = Path(os.path.realpath(path))
    result: Captured | None = None
    while True:
        part = _capture_part(dedup, file, thorough=thorough)
        if part is None:
            return result
        if isinstance(part, _Waiting):
            return part.told(str(file), result)
        thorough = False
        result = part if result is None else _joined(result, part)


def grown(dedup: ClaudeConversationDeduplicator, transcripts: Iterable[Transcript]) -> list[Transcript]:
    """Those of ``transcripts`` that are not, or not wholly, captured: told by their size alone."""
    with dedup.store.transaction(write=False):
        offsets = {cursor.source: cursor.offset for _, cursor in dedup.store.cursors()}
    return [each for each in transcripts if offsets.get(os.path.realpath(each.path), 0) != each.size]


@dataclass(frozen=True)
class Lines:
    """New lines of a file, and the cursor as it is once they are stored."""

    data: bytes
    proof: PrefixProof
    known: tuple[str, Cursor, int] | None
    """What the store had of the file when they were read; None where it is read from its first line."""


@dataclass(frozen=True)
class _Waiting:
    """The bytes of a last line that is not whole, and what was captured before it."""

    size: int
    conversation_id: str
    cursor: Cursor

    def told(self, source: str, result: Captured | None) -> Captured:
        name = os.path.basename(source)
        warning = f"the last line of {name} was cut while it was written: its {self.size:,} bytes wait for the rest"
        if result is None:
            result = Captured(source, self.cursor.session, self.conversation_id, end=self.cursor.offset)
        return replace(result, warnings=(*result.warnings, warning))


def _capture_part(dedup: ClaudeConversationDeduplicator, file: Path, *, thorough: bool) -> Captured | _Waiting | None:
    """Read and store the next part of a file; None where it has no further whole line."""
    source = str(file)
    while True:
        with dedup.store.transaction(write=False):
            before = dedup.store.cursor(source)
        read = _read(file, before, thorough=thorough)
        if not isinstance(read, Lines):
            return _Waiting(read, before[0], before[1]) if read and before is not None else None
        after, end = (read.known[1].after, read.known[1].offset) if read.known else ("", 0)
        part = client_transcript().parse_slice(read.data, after, partial(_stands, file, end))
        if (
            read.known is None
            and not part.export.messages
            and not client_transcript().recognises(read.data, strict=False)
        ):
            raise ExportUnreadable(f"{file.name} is no transcript of a session")
        with dedup.store.transaction():
            # Another hook may have stored the same lines meanwhile: then they are read again, from where it stopped.
            if dedup.store.cursor(source) == before:
                done = store_lines(dedup, file, read, part)
                return _told(done, before[1].offset) if before is not None and read.known is None else done


def _told(done: Captured, captured: int) -> Captured:
    """A source that has less than before, or something else, is worth a word: nothing of what was stored follows it."""
    warning = (
        f"{os.path.basename(done.source)} no longer begins with the {captured:,} bytes that were captured of it: it was cut, "
        "emptied or written anew. All of it was read again; what was stored before stays."
    )
    return replace(done, warnings=(*done.warnings, warning))


def _stands(file: Path, end: int, uuid: str) -> tuple[bool, bool]:
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


def _read(file: Path, before: tuple[str, Cursor, int] | None, *, thorough: bool) -> Lines | int:
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
    data = _without_lines_before_their_parents(data, rest)
    if not data:
        return identity.size - proof.offset if waiting and time.time() - identity.mtime_ns / 1e9 > _YOUNG else 0
    return Lines(data, proof.extended(rest, data), before if proof.offset else None)


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


def _without_lines_before_their_parents(data: bytes, before: bytes) -> bytes:
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


def store_lines(dedup: ClaudeConversationDeduplicator, file: Path, read: Lines, part: Slice) -> Captured:
    """Inside the transaction in which the cursor was seen to be as it was."""
    export = replace(part.export, messages=tuple(with_output(file, message) for message in part.export.messages))
    session = read.known[1].session if read.known else export.conversation_id or file.stem
    export = replace(export, conversation_id=session)
    cursor = Cursor(
        source=str(file),
        session=session,
        offset=read.proof.offset,
        prefix=read.proof.dumps(),
        after=part.after,
        last=read.known[1].last if read.known else -1,
    )
    source = Input(file.name, hashlib.sha256(read.data).hexdigest(), len(read.data), cursor)
    if read.known and dedup.store.tip(read.known[0]) == read.known[2]:
        done = store_export.append(dedup.store, export, source, read.known[0])
    else:  # the file is new, or another source told of this conversation since
        asked = Asked(read.known[0] if read.known else None)
        done = one_export.process(dedup.store, source, export, asked)
    return Captured(
        source=cursor.source,
        session=session,
        conversation_id=done.conversation_id,
        total=done.total,
        new=done.new,
        read_bytes=len(read.data),
        end=cursor.offset,
        exports=tuple(told_in(read.data)),
        warnings=done.warnings,
    )


def with_output(file: Path, message: Message) -> Message:
    """A result that the client wrote to a file of its own for its size, with what that file says behind its beginning.

    The file is looked for where the client puts it, beside this transcript, whatever path the line names.
    """
    content = message.content
    if message.kind != TOOL_RESULT or not isinstance(content, str) or not content.startswith(_PERSISTED):
        return message
    name = _SAVED.search(content)
    if name is None:
        return message
    folder = file.with_suffix("") if file.parent.name != "subagents" else file.parent.parent
    try:
        descriptor, identity = open_regular(folder / "tool-results" / name.group(1))
        try:
            output = take(descriptor, min(identity.size, _MOST_PERSISTED))
        finally:
            os.close(descriptor)
    except DedupError:
        return message  # gone, as the client deletes them; what the line itself says is kept
    return replace(message, content=f"{content}\n{output.decode(errors='surrogateescape')}")


def _joined(one: Captured, other: Captured) -> Captured:
    return replace(
        other,
        total=one.total + other.total,
        new=one.new + other.new,
        read_bytes=one.read_bytes + other.read_bytes,
        exports=one.exports + other.exports,
        warnings=one.warnings + other.warnings,
    )
