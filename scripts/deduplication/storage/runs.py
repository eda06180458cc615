"""The runs that filled a conversation, as a store tells them: for tables and figures."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

from ..start.late_tuple import NamedTuple

if TYPE_CHECKING:
    from collections.abc import Iterator


class LoggedRun(NamedTuple):
    """An export that was processed, or a part of a growing file that was read; bytes and counts are whole numbers.

    ``conversation_id`` is the one it is part of today, ``timestamp`` when it was stored (UTC). ``name``, ``sha256``, ``bytes``,
    ``format``, ``parser``, ``total``, ``new``, ``captured``, ``known_bytes``, ``purged``, ``session`` and ``gaps`` are those of its
    :class:`~.contract.ExportRecord`. ``announces`` is False for a part of a growing file, and for an export that was only to be
    known: what it brought waits for the export that announces it.
    """

    conversation_id: str
    timestamp: str
    announces: bool
    name: str
    sha256: str
    bytes: int
    format: str
    parser: int
    total: int
    new: int
    captured: int
    known_bytes: int
    purged: int
    session: str
    processing_time_ms: int
    gaps: tuple[str, ...]

    @property
    def duplicates(self) -> int:
        """Messages that it shows and that were there before."""
        return self.total - self.new


class LoggedRuns(Protocol):
    """What a store is asked of the runs that filled it."""

    def logged_runs(self, conversation_id: str) -> Iterator[LoggedRun]:
        """Which exports were processed into this conversation, in the order of the log?

        Those of conversations that turned out to be this one belong to it, a purge does not. Inside a transaction.
        """
