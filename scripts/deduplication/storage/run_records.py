"""The commit records of some conversations, read from where a state knows them to stand: not from the whole log."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from .log.lines import COMMIT, Damaged, decode_line, is_commit
from .log.records import PURGE, announces
from .log.title_records import is_titling
from .runs import LoggedRun
from .state.run_places import joined

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Iterator

    from .known import Known
    from .log.lines import Record


def read_runs(known: Known, conversation_ids: Collection[str], start: int) -> Iterator[Record]:
    """The commit records of these conversations from byte ``start`` of the log on, in its order; damaged lines are passed over."""
    names = [json.dumps(each, ensure_ascii=False).encode(errors="replace") for each in conversation_ids]
    places = [each for name in conversation_ids for each in known.state.conversation(name).runs]
    for first, end in joined(places, start):
        for line in known.log.lines(first, end):
            if COMMIT in line.data and (b"\\u" in line.data or any(name in line.data for name in names)):
                try:
                    record = decode_line(line.data)
                except Damaged:
                    continue  # the store says so to whoever asks it for messages
                if is_commit(record) and record["conversation_id"] in conversation_ids:
                    yield record


def logged_runs(known: Known, conversation_id: str) -> Iterator[LoggedRun]:
    """The runs of a conversation, those of others that turned out to be this one included, in the order of the log."""
    adopted = known.state.conversation(conversation_id).adopted
    for record in read_runs(known, {conversation_id, *(each.conversation_id for each in adopted)}, 0):
        if PURGE not in record and not is_titling(record):
            yield logged_run(record, conversation_id)


def logged_run(record: Record, conversation_id: str) -> LoggedRun:
    """What the commit record of a run says, as a run of ``conversation_id``."""
    export = record["export"]
    return LoggedRun(
        conversation_id=conversation_id,
        timestamp=record["timestamp"],
        announces=announces(record),
        name=export["name"],
        sha256=export["sha256"],
        bytes=export["bytes"],
        format=export["format"],
        parser=export["parser"],
        total=export["total"],
        new=export["new"],
        captured=export.get("captured", 0),
        known_bytes=export.get("known_bytes", 0),
        purged=export.get("purged", 0),
        session=record.get("session", ""),
        processing_time_ms=record["processing_time_ms"],
        gaps=tuple(record.get("gaps", ())),
    )


def commits_in(lines: Iterable[bytes]) -> Iterator[Record]:
    """The commit records among lines; damaged ones are passed over."""
    for line in lines:
        if COMMIT in line:
            try:
                record = decode_line(line)
            except Damaged:
                continue
            if is_commit(record):
                yield record
