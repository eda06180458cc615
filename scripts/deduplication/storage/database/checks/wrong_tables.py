"""Tables whose rows are not what the lines of the log come to, the rows of messages and runs aside."""

from __future__ import annotations

import json
from itertools import zip_longest
from typing import TYPE_CHECKING, Any, Final

from ....figures.counted import counted
from ...audit_entries import OF_RUNS
from ...index.conversation_head import head_of
from ...index.table_entries import FORMS, dumps
from .. import changes
from ..clean_text import moment, name_of, named

if TYPE_CHECKING:
    from collections.abc import Iterator

    from ...state.log_state import State
    from ..session import End, Session

_CONVERSATIONS: Final = """
SELECT c.conversation_id, c.number, c.state, c.adopted_by, c.total_messages, c.created_at, c.last_updated,
    (SELECT count(*) FROM messages AS m WHERE m.conversation_id = c.conversation_id AND m.owner = c.owner)
FROM conversations AS c WHERE c.owner = %s ORDER BY c.number
"""
_WATERMARKS: Final = "SELECT conversation_id, highest_index FROM watermarks WHERE owner = %s ORDER BY 1"
_ENTRIES: Final = "SELECT key, value FROM index_entries WHERE conversation_id = '' AND owner = %s AND name = %s"
_BLOBS: Final = "SELECT digest, conversation_id FROM blobs WHERE owner = %s ORDER BY 1, 2"
_AUDIT: Final = (
    f"SELECT {', '.join(changes.AUDIT)} FROM deduplication_log WHERE owner = %s AND operation = ANY(%s) ORDER BY log_id"
)


def wrong_store(state: State, end: End, about: str) -> Iterator[str]:
    """Where the log ends, and the sums."""
    if not about:
        yield "there is no row that says where the log ends"
    elif (*end, _of_json(about)) != (state.size, state.head, json.loads(changes.about(state))):
        yield "the sums are not what the log says"


def _of_json(text: str) -> Any:
    """What it says; None where it is none."""
    try:
        return json.loads(text)
    except ValueError:
        return None


def wrong_conversations(session: Session, state: State) -> Iterator[str]:
    """Heads, counts and times."""
    rows = session.rows(_CONVERSATIONS, [session.owner])
    for row, expected in zip_longest(rows, state.conversations.items()):
        if row is None or expected is None:
            yield f"there are {len(rows):,}, and {state.begun:,} in the log"
            return
        name, found = expected
        stored, number, head, adopted_by, total, created, updated, count = row
        into = name_of(found.adopted_by.conversation_id) if found.adopted_by else None
        said = json.loads(dumps({**head_of(found), "chunks": []}))
        if (named(stored), number, adopted_by) != (name, found.number, into) or _of_json(head) != said:
            yield f"'{name}' is not what the log says"
        times = moment(found.figures.get("created_at")), moment(found.figures.get("updated_at"))
        if any(right not in (None, is_there) for right, is_there in zip(times, (created, updated))):
            yield f"'{name}' has other times"
        if total != count:
            yield f"'{name}' has {counted(count, 'message')}, and total_messages says {total:,}"


def wrong_watermarks(session: Session, state: State) -> Iterator[str]:
    """The highest numbers."""
    is_there = {named(name): highest for name, highest in session.rows(_WATERMARKS, [session.owner])}
    for name, found in state.conversations.items():
        highest = is_there.pop(name, None)
        if highest != len(found) - 1:
            yield f"that of '{name}' is {highest}, and its highest number is {len(found) - 1}"
    for name in is_there:
        yield f"there is one of '{name}', and no such conversation"


def wrong_entries(session: Session, state: State) -> Iterator[str]:
    """What an index in files has besides."""
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


def wrong_audit(session: Session, lines: list[bytes]) -> Iterator[str]:
    """The entries of runs; one that is missing moves all behind it, so the first one that is wrong is named."""
    rows = session.stream(_AUDIT, [session.owner, [*OF_RUNS]])
    for number, (row, line) in enumerate(zip_longest(rows, (line for line in lines if line)), 1):
        expected = changes.audit_row(line) if line is not None else None
        if row is None or expected is None or not _same(row, expected):
            yield f"entry {number:,} of the runs does not say what the log says"
            return


def _same(row: Any, expected: list[Any]) -> bool:
    *columns, metadata = expected
    *found, is_there = row
    return is_there == json.loads(metadata) and all(
        one == other or (one is not None and other is not None and float(one) == float(other))
        if isinstance(other, float)
        else one == other
        for one, other in zip(found, columns)
    )


def wrong_blobs(session: Session, referred: set[tuple[str, str]]) -> Iterator[str]:
    """Those of conversations that have none of them; that one is missing is said where it is read."""
    digests = {digest for digest, _ in referred}
    for digest, name in session.rows(_BLOBS, [session.owner]):
        if digest in digests and (digest, name) not in referred:
            yield f"{digest} is said to be of '{named(name)}'"
