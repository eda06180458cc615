"""One run appended to the log: its occurrences line by line, its commit record last."""

from __future__ import annotations

import hashlib
from array import array
from typing import TYPE_CHECKING, Protocol

from ..alignment.message_sequence import MANY
from .carriers import Carriers
from .known import Known
from .log.lines import PREVIOUS, Extent, encode_line
from .log.records import commit_record, occurrence_record, same_record
from .state.apply import apply
from .state.checks import check_run

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from .contract import ExportRecord, NewOccurrence, Same
    from .log.lines import Record


class Written(Known, Protocol):
    """What a run is written to: ``unsaved`` are lines of the audit log that no index has yet."""

    unsaved: list[bytes]


def write_run(
    store: Written,
    conversation_id: str,
    occurrences: Sequence[tuple[int, NewOccurrence]],
    record: ExportRecord,
    started: float,
    same: Sequence[Same],
) -> None:
    """Append the run to the log, durably, and to the state. See ``contract.Store.commit``.

    Raises ``Damaged``, before anything is written, for a run that no reader of the log would take.
    """
    later = [same_record(conversation_id, each) for each in same]
    later.append({**commit_record(conversation_id, record, started), PREVIOUS: store.state.head})
    check_run(later[-1], len(store.state.conversation(conversation_id)) + store.state.missing + len(occurrences))
    endings = [encode_line(entry) for entry in later]
    # A million records would fill the memory: those are made once more instead of kept.
    few = list(_entries(store, conversation_id, occurrences, record.sha256)) if len(occurrences) <= MANY else None
    sizes = array("q")
    run = hashlib.sha256()
    lifted: dict[int, Record] = {}

    def lines() -> Iterator[bytes]:
        for entry in few or _entries(store, conversation_id, occurrences, record.sha256):
            stored = store.blobs.lifted(entry)
            if stored is not entry:
                lifted[len(sizes)] = stored
            data = encode_line(stored)
            sizes.append(len(data))
            run.update(data)
            yield data
        yield from endings[:-1]

    start = store.state.size
    store.log.append_run(lines(), endings[-1])
    entries = few or _entries(store, conversation_id, occurrences, record.sha256)
    for position, (entry, size, (_, new)) in enumerate(zip(entries, sizes, occurrences)):
        apply(store.state, lifted.get(position, entry), Extent(start, size), new.fingerprint)
        start += size
    audit = []
    for entry, data in zip(later, endings):
        audit.append(apply(store.state, entry, Extent(start, len(data))))
        start += len(data)
        run.update(data)
    store.state.head = run.hexdigest()
    store.unsaved += audit


def _entries(
    store: Written, conversation_id: str, occurrences: Sequence[tuple[int, NewOccurrence]], sha256: str
) -> Iterator[Record]:
    """The record of each occurrence; the first one of a body that is not stored carries it."""
    carriers = Carriers(store.state.has_body)
    for number, occurrence in occurrences:
        carries = occurrence.purged is None and carriers.carries(occurrence.fingerprint.content_hash)
        yield occurrence_record(conversation_id, number, occurrence, sha256, carries=carries)
