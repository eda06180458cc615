"""What is looked up in the tables of an index when lines of a log are applied: told by the lines."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ..log.records import PREFIX, PURGED, blobs_of
from ..state.announcements import KEY

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from ..state.log_state import State
    from .message_rows import Told


def of(told: Iterable[Told], state: State) -> dict[str, set[str]]:
    """The keys by table. What a line does not have in the form that it should have is asked for later, if at all."""
    found: dict[str, set[str]] = {}

    def note(table: str, key: object) -> None:
        if isinstance(key, str) and key:
            found.setdefault(table, set()).add(key)

    for _, _, record, is_message in told:
        if is_message and "message" in record:
            for digest in blobs_of(record):
                note("blobs", digest)
        elif is_message and PURGED not in record:
            identity = record["content_hash"]
            note("pictures", identity)
            number = state.conversation(record["conversation_id"]).number
            note("standing", f"{number:08x}{identity[:KEY]}" if number >= 0 else "")
        if is_message:
            continue
        note("exports", _member(record.get("export"), "sha256"))
        note("cursors", _member(record.get("cursor"), "source"))
        note("prefixes", _member(record.get(PREFIX), "head"))
        note("sessions", record.get("session"))
    return found


def known_bodies(told: Iterable[Told], state: State) -> Iterator[tuple[int, str]]:
    """The number of its conversation, and the body, of each line that does not carry it."""
    for _, _, record, is_message in told:
        if is_message and "message" not in record and PURGED not in record:
            yield state.conversation(record["conversation_id"]).number, record["content_hash"]


def _member(value: object, name: str) -> object:
    return value.get(name) if isinstance(value, dict) else None
