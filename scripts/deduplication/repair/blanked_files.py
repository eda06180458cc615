"""Archived files that are exports without what was purged from them, although no note says so: the log proves it.

The note is written before such a file, but it is a file of its own and can be lost. Without it the bytes are unknown to the log;
their messages are not. So the file is neither damage nor a run that the log lacks, and its note can be made again.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Optional

from .. import formats
from ..alignment.tombstone import MARKER
from ..archive import purged_files
from ..archive.purged_files import PurgedFile
from ..errors import DedupError
from ..ingest.export_view import view_of
from . import damage

if TYPE_CHECKING:
    from ..archive.entry import Entry
    from ..project.paths import Project
    from .damage import Finding
    from .evidence import Evidence


def purged_in(evidence: Evidence, entry: Entry) -> int:
    """How many messages of its export are not in a file of which no note says so; 0 where it is no such file, or not proven."""
    sha256 = evidence.sources.sha256(entry)
    if sha256 in evidence.digests:
        return 0
    if sha256 not in evidence.blanked:
        evidence.blanked[sha256] = _proven(evidence, entry)
    return evidence.blanked[sha256]


def noted(project: Project, evidence: Evidence) -> list[Finding]:
    """Have the note of each of them; what there is to be told. Under the archive's lock. Raises ``StoreNotWritable``."""
    notes = [finding for _, finding in found(evidence)]
    purged_files.add(str(project.archive), *(PurgedFile(note.sha256, note.messages) for note in notes))
    return notes


def found(evidence: Evidence) -> list[tuple[Entry, Finding]]:
    """Every such file with what is to be told of it."""
    return [(entry, _finding(entry, evidence)) for entry in evidence.sources.entries if purged_in(evidence, entry)]


def _finding(entry: Entry, evidence: Evidence) -> Finding:
    return damage.Finding(
        damage.NOTE,
        entry.name,
        "messages of it were purged, and the note of that is missing",
        repaired=True,
        name=entry.name,
        sha256=evidence.sources.sha256(entry),
        bytes=entry.size,
        date=entry.day,
        messages=purged_in(evidence, entry),
    )


def _proven(evidence: Evidence, entry: Entry) -> int:
    data = evidence.sources.bytes_of(entry)
    if data is None or MARKER.encode() not in data:
        return 0
    for record in reversed(evidence.commits):
        if evidence.is_named(record, entry.name) and not evidence.sources.has(record["export"]["sha256"]):
            hashes = _hashes(data, record["export"]["format"])
            gone = _missing(evidence, record, hashes) if hashes is not None else 0
            if gone:
                return gone
    return 0


def _hashes(data: bytes, name: str) -> Optional[list[str]]:
    """The content hash of each message that a file shows, what stands in the place of purged ones left out."""
    try:
        return [item.content_hash for item in view_of(formats.load(name).parse(data)).prints]
    except (DedupError, KeyError, AttributeError, ValueError):
        return None  # it is in another form, or holds several conversations: those are never blanked


def _missing(evidence: Evidence, record: dict[str, Any], hashes: list[str]) -> int:
    """How many purged messages a run showed whose others are these in this order; 0 where the two do not fit together.

    Some may be drawn otherwise than they are stored; most are not, or another file has taken the export's place.
    """
    name = record["conversation_id"]
    numbers = [number for first, last in record["window"] for number in range(first, last + 1)]
    purged = evidence.purged.get(name, set())
    rest = [number for number in numbers if number not in purged]
    own = evidence.present.get(name, {})
    agree = sum(own.get(number) == identity for number, identity in zip(rest, hashes))
    fits = len(rest) == len(hashes) and 2 * agree >= len(rest)
    return len(numbers) - len(rest) if fits else 0
