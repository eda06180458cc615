"""Occurrences as rows: the line of the log, its body beside it, and in columns what the line says."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any, Final

from ...alignment.plain_text import is_own_output, readable
from ...model import counts
from ...start.late_tuple import NamedTuple
from ...words.lexemes import tsvector_of
from ..log.records import PURGED
from .clean_text import cleaned, cleaned_json, moment, name_of, now

if TYPE_CHECKING:
    import datetime as dt
    from collections.abc import Callable, Iterable, Sequence

    from ..log.lines import Record
    from .row_places import Noted

_MESSAGE: Final = b'"message":'
_LARGEST: Final = 1 << 63
_SHOWN: Final = frozenset({"conversation_id", "index", "timestamp", "content_hash", "source_index", "message"})
"""What has a column of its own, or is the body."""
_ENCODERS: Final = tuple(json.JSONEncoder(ensure_ascii=each, separators=(",", ":")).encode for each in (False, True))
"""As lines are written: those with lone surrogates in ASCII."""


class Told(NamedTuple):
    """The byte at which a line begins, the line, and what it says; ``is_message``: it is an occurrence of one."""

    start: int
    line: bytes
    record: Record
    is_message: bool


class MessageRow(NamedTuple):
    """A row of ``messages``; the columns are explained in the first migration."""

    conversation_id: str
    message_index: int
    content_hash: str
    role: str | None
    content: str
    created_at: dt.datetime | None
    metadata: str
    source_index: int | None
    kind: str
    uuid: str | None
    alignment_key: str
    weight: int
    log_start: int
    entry: bytes
    body_at: int | None
    body: bytes | None
    extends: int | None
    words: str | None
    words_cut: bool


TYPES: Final = {
    "conversation_id": "text",
    "message_index": "integer",
    "content_hash": "text",
    "role": "text",
    "content": "text",
    "created_at": "timestamptz",
    "metadata": "jsonb",
    "source_index": "bigint",
    "kind": "text",
    "uuid": "text",
    "alignment_key": "text",
    "weight": "bigint",
    "log_start": "bigint",
    "entry": "bytea",
    "body_at": "integer",
    "body": "bytea",
    "extends": "integer",
    "words": "tsvector",
    "words_cut": "boolean",
}
"""Of each column."""


class MessageRows:
    """Makes rows of lines. ``asked`` gives what the database has of the bodies with these content hashes."""

    def __init__(self, asked: Callable[[list[str]], Iterable[tuple[str, bytes]]]) -> None:
        self._asked = asked
        self._wanted: set[str] = set()
        self._bodies: dict[str, bytes] = {}
        self._times: dict[int, str] = {}

    def expect(self, told: Sequence[Told]) -> None:
        """These are next: have at hand what their lines do not say themselves."""
        occurrences = [each.record for each in told if each.is_message and PURGED not in each.record]
        self._wanted = {each["content_hash"] for each in occurrences if "message" not in each}
        carried = {each["content_hash"] for each in occurrences if "message" in each}
        missing = self._wanted - carried - self._bodies.keys()
        if missing:
            self._bodies.update((identity, bytes(body)) for identity, body in self._asked([*missing]))
        self._times = _times(told)

    def of(self, told: Sequence[Told], noted: Callable[[int], Noted]) -> list[MessageRow]:
        """The rows of the occurrences among these lines; ``noted`` says what is known of the one at a byte of the log."""
        rows = []
        for each in told:
            if not each.is_message:
                continue
            parts, identity = parted(each.line, each.record), each.record["content_hash"]
            if parts.body is not None and identity in self._wanted:
                self._bodies[identity] = parts.body
            message = parts.body if parts.body is not None or PURGED in each.record else self._bodies[identity]
            row = message_row(each, parts, noted(each.start), message)
            if row.created_at is None:
                row = row._replace(created_at=moment(self._times[each.start]) or now())
            rows.append(row)
        return rows


def _times(told: Sequence[Told]) -> dict[int, str]:
    """For each line the time of its run; where its end is not among them, of the next line that tells one."""
    found: dict[int, str] = {}
    time = ""
    for each in reversed(told):
        if not (each.is_message and time):
            time = each.record.get("timestamp", time)
        found[each.start] = time
    return found


class Parts(NamedTuple):
    """A line without its body, where the body belongs, and the body: its bytes, as they stand in the line."""

    entry: bytes
    body_at: int | None = None
    body: bytes | None = None


def parted(line: bytes, record: Record) -> Parts:
    """The parts of a line."""
    if "message" not in record:
        return Parts(line)
    at = line.index(_MESSAGE) + len(_MESSAGE)  # in a text before it each quotation mark is escaped
    for encode in _ENCODERS:
        body = encode(record["message"]).encode("utf-8", "surrogatepass")
        if line.startswith(body, at):
            return Parts(line[:at] + line[at + len(body) :], at, body)
    _, end = json.JSONDecoder().raw_decode(line[at:].decode())
    body = line[at:].decode()[:end].encode()
    return Parts(line[:at] + line[at + len(body) :], at, body)


def whole(entry: bytes, body_at: int | None, body: bytes | None) -> bytes:
    """The line that :func:`parted` took apart."""
    return entry if body_at is None or body is None else entry[:body_at] + body + entry[body_at:]


def message_row(told: Told, parts: Parts, noted: Noted, message: bytes | None) -> MessageRow:
    """The row of a line.

    ``message`` is the body that it stands for, whichever line carries it; None where it was purged. ``created_at`` is None where
    the line does not tell a time.
    """
    record = told.record
    said = record.get("message") or (json.loads(message) if message is not None else None)
    words, words_cut = _words(said) if said else (None, False)
    return MessageRow(
        conversation_id=name_of(record["conversation_id"]),
        message_index=record["index"],
        content_hash=name_of(record["content_hash"]),
        role=said["role"] if said else None,
        content=_text(said["content"]) if said else "",
        created_at=moment(record.get("timestamp")),
        metadata=cleaned_json({name: value for name, value in record.items() if name not in _SHOWN}),
        source_index=_number(record.get("source_index")),
        kind=noted.item.kind,
        uuid=name_of(record["uuid"]) if record.get("uuid") else None,
        alignment_key=name_of(noted.item.key),
        weight=noted.item.weight,
        log_start=told.start,
        entry=parts.entry,
        body_at=parts.body_at,
        body=message if parts.body is not None or noted.first else None,
        extends=record.get("extends"),
        words=words,
        words_cut=words_cut,
    )


def _words(message: dict[str, Any]) -> tuple[str | None, bool]:
    """What a search finds in a message, and whether it has more than that; of what is not to be found there is nothing."""
    text = readable(message["content"])
    if not counts(message["kind"]) or is_own_output(message["kind"], text):
        return None, False
    return tsvector_of(text)


def _number(found: Any) -> int | None:
    """A source's own number, where it is one that fits."""
    return found if isinstance(found, int) and -_LARGEST <= found < _LARGEST else None


def _text(content: Any) -> str:
    """What a message says, to be read: a text as it is, anything else as JSON."""
    return cleaned(content) if isinstance(content, str) else cleaned_json(content)
