"""The entries of an audit in numbers, the same for every backend."""

from __future__ import annotations

import contextlib
from typing import TYPE_CHECKING, Final

from ..accounting.run_history import seconds
from ..figures.savings import percent
from ..start.late_tuple import NamedTuple
from ..storage.log.audit import PROCESS_EXPORT
from ..storage.log.records import CAPTURE, PURGE

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from ..storage.audit_entries import AuditEntry

_RUNS: Final = (PROCESS_EXPORT, CAPTURE)


class AuditedRun(NamedTuple):
    """An export, or a part of a transcript (``captures``), that was stored at ``moment`` (seconds since 1970).

    ``new`` messages were announced by it, of which ``captured`` were stored before; ``added`` are those that were in no form
    stored before. ``raw`` are the bytes read, ``stored`` those that the log grew by; ``milliseconds`` is how long it took.
    """

    moment: float
    conversation: str
    captures: bool
    total: int
    duplicates: int
    new: int
    captured: int
    added: int
    raw: int
    stored: int
    milliseconds: int

    @property
    def told(self) -> int:
        """How many were new, as the run itself said: an export announces what was captured before it, too."""
        return self.added if self.captures else self.new


class Purges(NamedTuple):
    """How often something was removed for good, how many messages of how many conversations that were, and when last."""

    times: int = 0
    messages: int = 0
    last: float = 0.0


def audited_runs(audit: Iterable[AuditEntry]) -> Iterator[AuditedRun]:
    """The runs that an audit tells of, in its order. What cannot be read is passed over: ``verify`` tells of it."""
    for entry in audit:
        if entry.operation in _RUNS:
            with contextlib.suppress(KeyError, TypeError, ValueError):
                yield _run(entry)


def _run(entry: AuditEntry) -> AuditedRun:
    said = entry.metadata
    announces = entry.operation == PROCESS_EXPORT
    new = int(said["new_messages"]) if announces else 0
    captured = int(said.get("captured", 0))
    return AuditedRun(
        moment=seconds(entry.created_at),
        conversation=entry.conversation_id,
        captures=not announces and said.get("announces", True) is True,  # else an export only to be known
        total=int(entry.messages_processed),
        duplicates=int(entry.duplicates_filtered),
        new=new,
        captured=captured,
        added=new - captured if announces else int(said["captured_messages"]),
        raw=int(said["bytes"]),
        stored=int(said["stored_bytes"]),
        milliseconds=int(entry.processing_time_ms or 0),
    )


def purges(audit: Iterable[AuditEntry]) -> Purges:
    """What the audit says of purges: one that took from several conversations left an entry in each, at the same time."""
    moments: set[str] = set()
    messages = 0
    for entry in audit:
        if entry.operation == PURGE:
            moments.add(entry.created_at)
            with contextlib.suppress(KeyError, TypeError, ValueError):
                messages += int(entry.metadata["occurrences"])
    return Purges(len(moments), messages, max(map(_moment, moments), default=0.0))


def _moment(spelt: str) -> float:
    with contextlib.suppress(ValueError):
        return seconds(spelt)
    return 0.0


def rate(runs: Iterable[AuditedRun]) -> float | None:
    """Duplicates in percent of all messages of the exports among these, with one digit; None where there is no message."""
    total = duplicates = 0
    for run in runs:
        if not run.captures:
            total += run.total
            duplicates += run.duplicates
    return round(percent(duplicates, total), 1) if total else None
