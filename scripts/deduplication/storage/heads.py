"""The head of a log before any of its runs, so that two logs can be told to be the same up to there."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

from .log.chain import Chain
from .log.lines import BEGINNING, PREVIOUS, Damaged, decode_line, is_commit

if TYPE_CHECKING:
    from collections.abc import Iterator

    from .log.lines import Line


class Logged(Protocol):
    """What is asked."""

    @property
    def head(self) -> str:
        """What is the head of the log?"""

    def log_size(self) -> int:
        """How many bytes does it have?"""

    def lines(self, start: int = 0, end: int | None = None) -> Iterator[Line]:
        """Which lines does it have?"""


def head_at(store: Logged, at: int) -> str:
    """The head of the log before byte ``at``; empty where no run begins there. Inside a transaction.

    The run that begins there names it. One of version 0.1 names none: then all that stands before it is hashed.
    """
    if at == store.log_size():
        return store.head
    if not 0 < at < store.log_size():
        return BEGINNING if at == 0 else ""
    for line in store.lines(at):
        try:
            record = decode_line(line.data)
        except Damaged:
            break
        if is_commit(record):
            return str(record[PREVIOUS]) if PREVIOUS in record else _hashed(store, at)
    return ""


def _hashed(store: Logged, at: int) -> str:
    chain, ends = Chain(), False
    for line in store.lines(0, at):
        chain.take(line.data)
        try:
            record = decode_line(line.data)
        except Damaged:
            return ""
        ends = is_commit(record)
        if ends:
            chain.commit(record)
    return chain.head.digest if ends else ""
