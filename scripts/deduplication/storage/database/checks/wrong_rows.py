"""Rows of messages and runs whose columns do not say what their lines say."""

from __future__ import annotations

import json
from functools import lru_cache
from typing import TYPE_CHECKING, Any, Final

from ....alignment.fingerprint import Fingerprint, fingerprint_of
from ...log.lines import Damaged, decode_line
from ...log.records import PURGED, blobs_of, message_of, tombstone_from
from .. import changes
from ..clean_text import named
from ..message_rows import MessageRow, Told, message_row, parted, whole
from ..row_places import Noted

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from ...log.lines import Record
    from ...state.blobs import Blobs
    from ..session import Session


def _column(name: str) -> str:
    return "tsvector_to_array(m.words)" if name == "words" else f"m.{name}"


_MESSAGES: Final = f"""
SELECT {", ".join(_column(name) for name in MessageRow._fields)}, (
    SELECT b.body FROM messages AS b
    WHERE b.conversation_id = m.conversation_id AND b.owner = m.owner AND b.content_hash = m.content_hash AND b.body IS NOT NULL
    ORDER BY b.log_start LIMIT 1
)
FROM messages AS m WHERE m.owner = %s ORDER BY m.log_start
"""
_RUNS: Final = f"SELECT {', '.join(changes.RUN)} FROM runs WHERE owner = %s ORDER BY log_start"
_BODIES: Final = """
SELECT conversation_id, content_hash FROM (
    SELECT conversation_id, content_hash, count(body) AS bodies,
        min(log_start) FILTER (WHERE body IS NOT NULL) AS first_body,
        min(log_start) FILTER (WHERE NOT metadata ? 'purged') AS first
    FROM messages WHERE owner = %s GROUP BY 1, 2
) AS found
WHERE bodies > 1 OR first_body IS DISTINCT FROM first ORDER BY 1, 2
"""
"""The first row of a content in a conversation has its body, no other one has; but the rows of lines that carry one again."""
_COPIES: Final = """
SELECT m.conversation_id, m.message_index FROM messages AS m
WHERE m.owner = %s AND m.body IS NOT NULL AND m.body_at IS NULL AND NOT EXISTS (
    SELECT FROM messages AS c
    WHERE c.owner = m.owner AND c.content_hash = m.content_hash AND c.body_at IS NOT NULL AND c.body = m.body
)
ORDER BY 1, 2
"""
_JSON: Final = ('"window"', "metadata")


def wrong_messages(session: Session, blobs: Blobs, referred: set[tuple[str, str]]) -> Iterator[str]:
    """Columns that do not say what the line says, and bodies that are missing.

    ``referred`` is given which images and documents which conversation has.
    """

    @lru_cache(maxsize=4096)
    def fingerprint(message: bytes, identity: str) -> Fingerprint:
        record = {"message": json.loads(message), "content_hash": identity}
        return blobs.fingerprint(record) or fingerprint_of(message_of(record), identity)

    for *columns, body in session.stream(_MESSAGES, [session.owner]):
        row = MessageRow(*columns)
        where = f"message {row.message_index} of '{named(row.conversation_id)}'"
        line = whole(row.entry, row.body_at, row.body)
        record = decode_line(line)
        referred.update((digest, row.conversation_id) for digest in blobs_of(record))
        message = bytes(body) if body is not None else None
        if message is None and PURGED not in record:
            yield f"{where} has no body"
            continue
        try:
            item = fingerprint(message, record["content_hash"]) if message is not None else _left(record)
        except (Damaged, ValueError, TypeError, LookupError, AttributeError):
            yield f"{where} has a body that is no message"
            continue
        if not blobs.lost.keys().isdisjoint(blobs_of(record)):  # without its image nobody can tell these
            item = item._replace(key=named(row.alignment_key), weight=row.weight)
        noted = Noted(item, row.body is not None)
        expected = message_row(Told(row.log_start, line, record, is_message=True), parted(line, record), noted, message)
        yield from (f"{where} has another {name}" for name in _differing(MessageRow._fields, row, expected))


def _left(record: Record) -> Fingerprint:
    """What is left of a message that was purged."""
    left = tombstone_from(record)
    return Fingerprint(left.identity, left.key, left.kind, "", left.weight)


def wrong_bodies(session: Session) -> Iterator[str]:
    """Bodies in other rows than they are to be in, and copies that are none."""
    for name, identity in session.stream(_BODIES, [session.owner]):
        yield f"the body {identity[:12]}… of '{named(name)}' is not in the first row with this content, and in no other one"
    for name, number in session.stream(_COPIES, [session.owner]):
        yield f"message {number} of '{named(name)}' has another body than the line that carries it"


def wrong_runs(session: Session) -> Iterator[str]:
    """Columns that do not say what the line says."""
    for row in session.stream(_RUNS, [session.owner]):
        start, line = row[1], row[2]
        expected = changes.run_row(Told(start, line, decode_line(line), is_message=False))
        yield from (f"the run at byte {start} has another {name}" for name in _differing(changes.RUN, row, expected))


def _differing(names: Iterable[str], row: Sequence[Any], expected: Sequence[Any]) -> Iterator[str]:
    """The columns that say something else than they are to. A time that a line does not tell is that of its run."""
    for name, found, right in zip(names, row, expected):
        if _said(name, found) != _said(name, right) and not (name == "created_at" and right is None):
            yield name.strip('"')


def _said(name: str, value: Any) -> Any:
    """A value as it can be compared, whether a row or a line has it."""
    if name in _JSON and isinstance(value, str):
        return json.loads(value)
    if name == "words" and value is not None:
        return set(value.split() if isinstance(value, str) else value)
    return value
