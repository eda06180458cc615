"""A run done once more, against the store as it was then, so that it gives the lines that it gave.

What comes out is believed only where it agrees with every line of the run that is whole (:func:`agrees`).
"""

from __future__ import annotations

import hashlib
import io
from pathlib import Path
from typing import TYPE_CHECKING, Any, Optional

from .. import formats
from ..errors import DedupError
from ..files.prefix_proof import PrefixProof, proof_of
from ..ingest import transcript_capture
from ..ingest.deduplicator import ClaudeConversationDeduplicator
from ..ingest.new_lines import NewLines
from ..ingest.one_export import Asked, process
from ..ingest.result import Input
from ..start.late_tuple import NamedTuple
from ..storage.log.records import RECOUNTED
from .raw_sources import Part, is_transcript, source_of

if TYPE_CHECKING:
    from collections.abc import Mapping

    from ..formats.base import Member
    from ..storage.replay import Replay, Run
    from .evidence import Evidence
    from .raw_sources import Raw


class Rerun(NamedTuple):
    """A run as it was done again, and the name of the file that it was taken from."""

    run: Run
    file: str


def of_commit(replay: Replay, evidence: Evidence, record: Mapping[str, Any]) -> Optional[Rerun]:
    """The run of which this is the commit record; None where nothing has its export any more."""
    export, cursor, sources = record["export"], record.get("cursor"), evidence.sources
    if cursor:
        part = sources.part(cursor, export["bytes"], export["sha256"])
        return of_part(replay, part) if part is not None else None
    return of_digest(replay, evidence, export["sha256"], record["conversation_id"], export["name"])


def of_digest(
    replay: Replay, evidence: Evidence, sha256: str, conversation_id: Optional[str], name: str = ""
) -> Optional[Rerun]:
    """The run of the archived file, or of the conversation in one, that has this SHA-256."""
    member = evidence.sources.members().get(sha256)
    if member is not None:
        return of_member(replay, member, name or member.name, conversation_id)
    raw = evidence.sources.file(sha256)
    return of_file(replay, raw, conversation_id, name) if raw is not None else None


def of_prefix(replay: Replay, evidence: Evidence, digits: str, conversation_id: str) -> Optional[Rerun]:
    """The run of an export of which only the first digits of the SHA-256 are known: a file, or a part of a transcript."""
    for source in _captured(replay, evidence):
        before = replay.cursor(source)
        start = before[1].offset if before is not None else 0
        for whole, where in evidence.sources.transcript(source):
            data = _lines_with(whole, start, digits)
            if data:
                return of_part(replay, Part(data, whole, start, source, where))
    sha256 = evidence.sources.beginning_with(digits)
    return of_digest(replay, evidence, sha256, conversation_id) if sha256 is not None else None


def _captured(replay: Replay, evidence: Evidence) -> list[str]:
    """The paths of transcripts that were, or may have been, captured."""
    known = [cursor.source for _, cursor in replay.cursors()]
    archived = [source_of(entry.name) for entry in evidence.sources.entries if is_transcript(entry)]
    return list(dict.fromkeys([*reversed(known), *evidence.sources_captured(), *archived]))


def of_gap(replay: Replay, evidence: Evidence, source: str) -> Optional[Rerun]:
    """What was captured of a transcript between the last part that is known and the next one, in one run."""
    before = replay.cursor(source)
    start = before[1].offset if before is not None else 0
    end = evidence.next_part(source, start)
    for whole, where in evidence.sources.transcript(source) if end is not None else ():
        data = whole[start:end]
        if data.endswith(b"\n") and end is not None and len(whole) >= end:
            return of_part(replay, Part(data, whole, start, source, where))
    return None


def of_file(replay: Replay, raw: Raw, conversation_id: Optional[str], name: str = "") -> Optional[Rerun]:
    """The run of an archived file that holds one conversation."""

    def again() -> None:
        ClaudeConversationDeduplicator.over(replay).ingest(
            raw.data, name=name or raw.name, conversation_id=conversation_id
        )

    return _only(replay, again, raw.name)


def of_member(replay: Replay, member: Member, name: str, conversation_id: Optional[str]) -> Optional[Rerun]:
    """The run of one conversation of a file that holds several."""
    part = Input(name, member.sha256, member.size)

    def again() -> None:
        process(replay, part, lambda: member.export, Asked(conversation_id))

    return _only(replay, again, name)


def of_part(replay: Replay, part: Part) -> Optional[Rerun]:
    """The run that captured these lines of a transcript."""
    known = replay.cursor(part.source)
    if known is not None and known[1].offset != part.start:
        known = None
    file = io.BytesIO(part.whole)
    proof = proof_of(file.read, part.start + len(part.data)) if part.start else PrefixProof().extended(b"", part.data)

    def again() -> None:
        lines = NewLines(part.data, proof, known)
        slice_ = formats.client_transcript().parse_slice(part.data, known[1].after if known is not None else "")
        transcript_capture.store_lines(ClaudeConversationDeduplicator.over(replay), Path(part.source), lines, slice_)

    return _only(replay, again, part.where)


def agrees(
    again: Rerun, survivors: Mapping[int, str], record: Optional[Mapping[str, Any]], taken: Mapping[int, str]
) -> bool:
    """Whether a run done again is the one of these whole lines.

    ``survivors``: content hash by sequence number of the run's own lines; ``record``: its commit record; ``taken``: those of
    all whole lines of its conversation.
    """
    hashes = {number: item.fingerprint.content_hash for number, item in again.run.occurrences}
    if any(hashes.get(number) != identity for number, identity in survivors.items()):
        return False
    if any(number in taken and number not in survivors for number in hashes):
        return False
    if record is None:
        return True
    export, made = record["export"], again.run.record
    # A run that announced nothing, and one of version 0.1, says what it brought.
    new = made.new if made.cursor is not None or "captured" in export else made.new - made.captured
    return (made.window, made.total, new) == (record["window"], export["total"], export.get(RECOUNTED, export["new"]))


def _only(replay: Replay, again: Any, name: str) -> Optional[Rerun]:
    replay.runs.clear()
    try:
        again()
    except DedupError:
        return None
    finally:
        runs, replay.runs = replay.runs, []
    return Rerun(runs[0], name) if len(runs) == 1 else None


def _lines_with(whole: bytes, start: int, digits: str) -> bytes:
    """Lines of a transcript from byte ``start`` on of which the SHA-256 begins with ``digits``; empty where none do."""
    digest = hashlib.sha256()
    at = start
    while at < len(whole):
        end = whole.find(b"\n", at) + 1
        if not end:
            break
        digest.update(whole[at:end])
        at = end
        if digest.copy().hexdigest().startswith(digits):
            return whole[start:at]
    return b""
