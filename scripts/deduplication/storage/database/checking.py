"""What a database has of a store, held against the lines of its log; and made again from them."""

from __future__ import annotations

import json
import tempfile
from functools import lru_cache
from itertools import zip_longest
from typing import TYPE_CHECKING, Any, Final

from ...alignment.fingerprint import Fingerprint, fingerprint_of
from ..index.conversation_head import head_of
from ..index.index import Index
from ..index.table_entries import FORMS, dumps
from ..log.chain import Chain
from ..log.lines import Damaged, decode_line
from ..log.records import PURGED, message_of, tombstone_from
from ..recount import recount
from ..verification import Verified, nothing
from . import changes
from .clean_text import name_of, named
from .database_blobs import DatabaseBlobs
from .database_log import DatabaseLog
from .message_rows import MessageRow, Told, message_row, parted, whole
from .row_places import Noted
from .session import NOTHING

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from ..log.lines import Record
    from ..state.blobs import Blobs
    from ..state.log_state import State
    from .session import End, Session
    from .written import Written

_MADE_AGAIN: Final = "(it follows from the log; 'rebuild' makes it again)"
_MOST: Final = 100
"""Rows of a table that are named one by one."""
_MESSAGES: Final = f"""
SELECT {", ".join(f"m.{name}" for name in MessageRow._fields)}, b.body
FROM messages AS m LEFT JOIN messages AS b
    ON b.conversation_id = m.conversation_id AND b.owner = m.owner AND b.content_hash = m.content_hash AND b.body IS NOT NULL
WHERE m.owner = %s ORDER BY m.log_start
"""
_CONVERSATIONS: Final = """
SELECT c.conversation_id, c.number, c.state, c.adopted_by, c.total_messages, w.highest_index,
    (SELECT count(*) FROM messages AS m WHERE m.conversation_id = c.conversation_id AND m.owner = c.owner)
FROM conversations AS c LEFT JOIN watermarks AS w USING (conversation_id, owner) WHERE c.owner = %s ORDER BY c.number
"""
_ENTRIES: Final = "SELECT key, value FROM index_entries WHERE conversation_id = '' AND owner = %s AND name = %s"
_JSON: Final = ('"window"', "metadata")
_OF_RUNS: Final = ("process_export", "capture", "purge")
"""Operations in the audit log that follow from lines of the log."""
_EMPTIED: Final = (
    "messages",
    "runs",
    "watermarks",
    "index_entries",
    "conversations",
    "stores",
)


def check(session: Session, since: str, *, is_there: bool) -> Verified:
    """Recount everything from the lines of the log; a head that begins with ``since`` is looked for. In one snapshot."""
    end, about = session.store() if is_there else (NOTHING, "")
    if not about:
        return nothing(since)
    log, blobs, chain = DatabaseLog(session), DatabaseBlobs(session), Chain(since)
    log.sent(end.size)
    audit: list[bytes] = []
    with tempfile.TemporaryDirectory() as folder:
        index = Index(folder, log, blobs, _no_other)
        state, problems, _ = recount(log, index, audit.append, chain, blobs=blobs)
        if not state.unreadable:
            problems += _store(state, end, about)
            for problem in (
                _messages(session, blobs),
                _runs(session),
                _conversations(session, state),
                _entries(session, state),
                _audit(session, audit),
            ):
                problems += problem
    return Verified(problems, chain)


def rebuild(store: Written) -> list[str]:
    """Inside a transaction for writing: make all that follows from the lines anew, where it is not what they say.

    Needs the role that may purge where rows of messages are not what their lines say. Lines that cannot be read are named, and
    nothing is changed then: a backup of the database has them.
    """
    from .loading import load

    session = store.session
    found = check(session, "", is_there=True)
    log = DatabaseLog(session)
    log.sent(store.state.size)
    lines = [line.data for line in log.lines()] if found.problems else []
    if not lines or any(_is_damaged(line) for line in lines):
        return found.problems
    with session.whole() as connection:
        connection.execute("SET LOCAL export_dedup.purging = 'on'")
        for table in _EMPTIED:
            connection.execute(f"DELETE FROM {table} WHERE owner = current_user")
        connection.execute(
            "DELETE FROM deduplication_log WHERE owner = current_user AND operation = ANY(%s)", [[*_OF_RUNS]]
        )
        store.forget()
        for _ in load(store, lines):
            pass
    return found.problems


def _is_damaged(line: bytes) -> bool:
    try:
        decode_line(line)
    except Damaged:
        return True
    return False


def _no_other(_index: Index, _size: int) -> Any:
    """An index that is in memory is not made again."""
    raise AssertionError


def _store(state: State, end: End, about: str) -> list[str]:
    same = (*end, json.loads(about)) == (state.size, state.head, json.loads(changes.about(state)))
    return [] if same else [f"stores: the sums are not what the log says {_MADE_AGAIN}"]


def _named(table: str, wrong: Iterator[str]) -> list[str]:
    """A line for each thing that is wrong in a table, for very many of them one line."""
    found: list[str] = []
    for count, text in enumerate(wrong):
        if count == _MOST:
            return [*found, f"{table}: more than {_MOST} rows are not what the log says {_MADE_AGAIN}"]
        found.append(f"{table}: {text} {_MADE_AGAIN}")
    return found


def _messages(session: Session, blobs: Blobs) -> list[str]:
    return _named("messages", _wrong_messages(session, blobs))


def _wrong_messages(session: Session, blobs: Blobs) -> Iterator[str]:
    """Rows of which a column does not say what the line says, and bodies that are missing."""

    @lru_cache(maxsize=4096)
    def fingerprint(message: bytes, identity: str) -> Fingerprint:
        record = {"message": json.loads(message), "content_hash": identity}
        return blobs.fingerprint(record) or fingerprint_of(message_of(record), identity)

    for *columns, body in session.stream(_MESSAGES, [session.owner]):
        row = MessageRow(*columns)
        where = f"message {row.message_index} of '{named(row.conversation_id)}'"
        line = whole(row.entry, row.body_at, row.body)
        record = decode_line(line)
        message = bytes(body) if body is not None else None
        if message is None and PURGED not in record:
            yield f"{where} has no body"
            continue
        item = fingerprint(message, record["content_hash"]) if message is not None else _left(record)
        noted = Noted(item, row.body is not None)
        expected = message_row(Told(row.log_start, line, record, is_message=True), parted(line, record), noted, message)
        yield from (f"{where} has another {name}" for name in _differing(MessageRow._fields, row, expected))


def _left(record: Record) -> Fingerprint:
    """What is left of a message that was purged."""
    left = tombstone_from(record)
    return Fingerprint(left.identity, left.key, left.kind, "", left.weight)


def _runs(session: Session) -> list[str]:
    names = ", ".join(changes.RUN)
    return _named("runs", _wrong_runs(session, f"SELECT {names} FROM runs WHERE owner = %s ORDER BY log_start"))


def _wrong_runs(session: Session, sql: str) -> Iterator[str]:
    for row in session.stream(sql, [session.owner]):
        start, line = row[1], row[2]
        expected = changes.run_row(Told(start, line, decode_line(line), is_message=False))
        yield from (f"the run at byte {start} has another {name}" for name in _differing(changes.RUN, row, expected))


def _differing(names: Iterable[str], row: Sequence[Any], expected: Sequence[Any]) -> Iterator[str]:
    """The columns that say something else than they are to. A time that a line does not tell is that of its run."""
    for name, found, right in zip(names, row, expected):
        said = json.loads(right) if name in _JSON and right is not None else right
        if found != said and not (name == "created_at" and right is None):
            yield name


def _conversations(session: Session, state: State) -> list[str]:
    return _named("conversations", _wrong_conversations(session, state))


def _wrong_conversations(session: Session, state: State) -> Iterator[str]:
    rows = session.rows(_CONVERSATIONS, [session.owner])
    for row, expected in zip_longest(rows, state.conversations.items()):
        if row is None or expected is None:
            yield f"there are {len(rows):,}, and {state.begun:,} in the log"
            return
        name, found = expected
        stored, number, head, adopted_by, total, highest, count = row
        into = name_of(found.adopted_by.conversation_id) if found.adopted_by else None
        said = json.loads(dumps({**head_of(found), "chunks": []}))
        if (named(stored), number, adopted_by) != (name, found.number, into) or json.loads(head) != said:
            yield f"'{name}' is not what the log says"
        if total != count:
            yield f"'{name}' has {count:,} messages, and total_messages says {total:,}"
        if highest != len(found) - 1:
            yield f"'{name}' has the watermark {highest}, and its highest number is {len(found) - 1}"


def _entries(session: Session, state: State) -> list[str]:
    return _named("index_entries", _wrong_entries(session, state))


def _wrong_entries(session: Session, state: State) -> Iterator[str]:
    for name, form in FORMS.items():
        if name in changes.WITHOUT:
            continue
        expected = {form.key(key): form.write(value) for key, value in state.table(name).items()}
        is_there = {bytes(key): bytes(value) for key, value in session.rows(_ENTRIES, [session.owner, name])}
        wrong = sum(is_there.get(key) != value for key, value in expected.items()) + len(
            is_there.keys() - expected.keys()
        )
        if wrong:
            yield f"{wrong:,} of '{name}' are not what the log says"


def _audit(session: Session, lines: list[bytes]) -> list[str]:
    names = ", ".join(changes.AUDIT)
    sql = f"SELECT {names} FROM deduplication_log WHERE owner = %s AND operation = ANY(%s) ORDER BY log_id"
    rows = session.stream(sql, [session.owner, [*_OF_RUNS]])
    for row, line in zip_longest(rows, (line for line in lines if line)):
        expected = changes.audit_row(line) if line is not None else None
        if row is None or expected is None or not _same(row, expected):
            return [f"deduplication_log: does not say what the log says {_MADE_AGAIN}"]
    return []


def _same(row: Any, expected: list[Any]) -> bool:
    *columns, metadata = expected
    *found, is_there = row
    return is_there == json.loads(metadata) and all(
        one == other or (one is not None and other is not None and float(one) == float(other))
        if isinstance(other, float)
        else one == other
        for one, other in zip(found, columns)
    )
