"""All that follows from the lines of a store's log made anew, in one transaction of the database."""

from __future__ import annotations

import tempfile
from typing import TYPE_CHECKING

from ...log.lines import Damaged, decode_line
from ..database_log import DatabaseLog
from ..loading import replace
from .checking import check, size_of

if TYPE_CHECKING:
    from ..written import Written


def rebuild(store: Written) -> list[str]:
    """Inside a transaction for writing: make it anew where it is not what the lines say; a line for what is wrong after that.

    Lines that cannot be read are named, and nothing is changed then: a backup of the database has them. Raises
    ``DatabaseNotAllowed`` for who may only add to the log.
    """
    session = store.session
    problems, chain = check(session, "", is_there=True)
    (end, _), size = session.store(), size_of(session)
    if not problems or (size < end.size and chain.head.digest != end.head):
        return problems
    log = DatabaseLog(session)
    log.sent(size)
    with tempfile.TemporaryFile() as lines:
        for line in log.lines():
            if _is_damaged(line.data):
                return problems
            lines.write(line.data)
        lines.seek(0)
        replace(store, lines)
    return check(session, "", is_there=True).problems


def _is_damaged(line: bytes) -> bool:
    try:
        decode_line(line)
    except Damaged:
        return True
    return False
