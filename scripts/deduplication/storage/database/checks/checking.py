"""What a database has of a store, held against the lines of its log."""

from __future__ import annotations

import tempfile
from itertools import chain as joined
from typing import TYPE_CHECKING, Any, Final

from ...index.index import Index
from ...log.chain import Chain
from ...recount import recount
from ...verification import Verified, nothing
from ..database_blobs import DatabaseBlobs
from ..database_log import DatabaseLog
from ..session import NOTHING
from . import wrong_rows, wrong_tables

if TYPE_CHECKING:
    from collections.abc import Iterator

    from ..session import Session

_LAST: Final = """
(SELECT log_start + length(entry) + CASE WHEN body_at IS NULL THEN 0 ELSE length(body) END FROM messages
    WHERE owner = %(owner)s ORDER BY log_start DESC LIMIT 1)
UNION ALL
(SELECT log_start + length(entry) FROM runs WHERE owner = %(owner)s ORDER BY log_start DESC LIMIT 1)
"""
_MADE_AGAIN: Final = "(it follows from the log; 'rebuild' makes it again)"
_MOST: Final = 100
"""Rows of a table that are named one by one."""


def size_of(session: Session) -> int:
    """Bytes of the log up to the end of its last line, whatever the store says of it."""
    return max((end for (end,) in session.rows(_LAST, {"owner": session.owner})), default=0)


def check(session: Session, since: str, *, is_there: bool) -> Verified:
    """Recount everything from the lines of the log; a head that begins with ``since`` is looked for. In one snapshot."""
    end, about = session.store() if is_there else (NOTHING, "")
    log, blobs, chain = DatabaseLog(session), DatabaseBlobs(session), Chain(since)
    size = size_of(session) if is_there else 0
    if not about and not size:
        return nothing(since)
    log.sent(size)
    audit: list[bytes] = []
    referred: set[tuple[str, str]] = set()
    with tempfile.TemporaryDirectory() as folder:
        index = Index(folder, log, blobs, _no_other)
        state, problems, _ = recount(log, index, audit.append, chain, blobs=blobs)
        if size < end.size and state.head != end.head:
            problems.append(f"{log.path}: {end.size - size:,} bytes at its end are missing; their messages are lost")
        elif not state.unreadable:
            rows = joined(wrong_rows.wrong_messages(session, blobs, referred), wrong_rows.wrong_bodies(session))
            problems += _named("stores", wrong_tables.wrong_store(state, end, about))
            problems += _named("messages", rows)
            problems += _named("runs", wrong_rows.wrong_runs(session))
            problems += _named("conversations", wrong_tables.wrong_conversations(session, state))
            problems += _named("watermarks", wrong_tables.wrong_watermarks(session, state))
            problems += _named("index_entries", wrong_tables.wrong_entries(session, state))
            problems += _named("deduplication_log", wrong_tables.wrong_audit(session, audit))
            problems += _named("blobs", wrong_tables.wrong_blobs(session, referred))
    return Verified(problems, chain)


def _no_other(_index: Index, _size: int) -> Any:
    """An index that is in memory is not made again."""
    raise AssertionError


def _named(table: str, wrong: Iterator[str]) -> list[str]:
    """A line for each thing that is wrong in a table, for very many of them one line."""
    found: list[str] = []
    for count, text in enumerate(wrong):
        if count == _MOST:
            return [*found, f"{table}: more than {_MOST} rows are not what the log says {_MADE_AGAIN}"]
        found.append(f"{table}: {text} {_MADE_AGAIN}")
    return found
