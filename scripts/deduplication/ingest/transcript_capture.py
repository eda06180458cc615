"""Capture a session transcript into the store as it grows: only what was added since the last time is read.

How far a file was read stands in the commit record of the messages that it brought (``Cursor``), so both are stored or
neither. A file whose beginning is no longer what was read is read again from its first line; the ids of its lines tell what is
known of it. The last line needs no line feed: an object is whole once its last bracket stands, and no part of one is, so that a
file may still be growing. A last line that is not whole waits, and is told of where nobody goes on writing it.
"""

from __future__ import annotations

import hashlib
import os
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from ..errors import ExportUnreadable
from ..formats import client_transcript
from ..project.named_exports import notices_in
from ..start.late_dataclass import dataclass, replace
from ..storage.contract import Cursor
from . import one_export
from .appended_lines import append
from .new_lines import NewLines, read_new, stands_before
from .one_export import Asked
from .persisted_output import with_output
from .result import Input

if TYPE_CHECKING:
    from collections.abc import Iterable

    from ..formats.base import Slice
    from ..project.client_transcripts import Transcript
    from ..project.named_exports import ExportNotice
    from .deduplicator import ClaudeConversationDeduplicator


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
    exports: tuple[ExportNotice, ...] = ()
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
            return part.result(str(file), result)
        thorough = False
        result = part if result is None else _joined(result, part)


def grown(dedup: ClaudeConversationDeduplicator, transcripts: Iterable[Transcript]) -> list[Transcript]:
    """Those of ``transcripts`` that are not, or not wholly, captured: told by their size alone."""
    with dedup.store.transaction(write=False):
        offsets = {cursor.source: cursor.offset for _, cursor in dedup.store.cursors()}
    return [each for each in transcripts if offsets.get(os.path.realpath(each.path), 0) != each.size]


@dataclass(frozen=True)
class _Waiting:
    """The bytes of a last line that is not whole, and what was captured before it."""

    size: int
    conversation_id: str
    cursor: Cursor

    def result(self, source: str, before: Captured | None) -> Captured:
        """What was captured, with a word about the bytes that wait."""
        name = os.path.basename(source)
        warning = f"the last line of {name} was cut while it was written: its {self.size:,} bytes wait for the rest"
        if before is None:
            before = Captured(source, self.cursor.session, self.conversation_id, end=self.cursor.offset)
        return replace(before, warnings=(*before.warnings, warning))


def _capture_part(dedup: ClaudeConversationDeduplicator, file: Path, *, thorough: bool) -> Captured | _Waiting | None:
    """Read and store the next part of a file; None where it has no further whole line."""
    source = str(file)
    while True:
        with dedup.store.transaction(write=False):
            before = dedup.store.cursor(source)
        read = read_new(file, before, thorough=thorough)
        if not isinstance(read, NewLines):
            return _Waiting(read, before[0], before[1]) if read and before is not None else None
        after, end = (read.known[1].after, read.known[1].offset) if read.known else ("", 0)
        part = client_transcript().parse_slice(read.data, after, partial(stands_before, file, end))
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
                return _with_cut_warning(done, before[1].offset) if before is not None and read.known is None else done


def _with_cut_warning(done: Captured, captured: int) -> Captured:
    """A source that has less than before, or something else, is worth a word: nothing of what was stored follows it."""
    warning = (
        f"{os.path.basename(done.source)} no longer begins with the {captured:,} bytes that were captured of it: it was cut, "
        "emptied or written anew. All of it was read again; what was stored before stays."
    )
    return replace(done, warnings=(*done.warnings, warning))


def store_lines(dedup: ClaudeConversationDeduplicator, file: Path, read: NewLines, part: Slice) -> Captured:
    """Inside the transaction in which the cursor was seen to be as it was."""
    export = replace(part.export, messages=tuple(with_output(file, message) for message in part.export.messages))
    session = read.known[1].session if read.known else export.conversation_id or file.stem
    named = export.conversation_id is not None or session.encode() in read.data
    export = replace(export, conversation_id=session, titles=export.titles if named else ())
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
        done = append(dedup.store, export, source, read.known[0])
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
        exports=tuple(notices_in(read.data)),
        warnings=done.warnings,
    )


def _joined(one: Captured, other: Captured) -> Captured:
    return replace(
        other,
        total=one.total + other.total,
        new=one.new + other.new,
        read_bytes=one.read_bytes + other.read_bytes,
        exports=one.exports + other.exports,
        warnings=one.warnings + other.warnings,
    )
