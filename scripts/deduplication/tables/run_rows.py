"""The runs of a store as rows, by conversation, each in the order of the log."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ..errors import StoreError
from ..files import clock
from ..sessions.redaction import Cleaner, unchanged
from ..storage.log.audit import PROCESS_EXPORT
from ..storage.log.records import CAPTURE
from . import values
from .columns import RUNS, row_of

if TYPE_CHECKING:
    from collections.abc import Iterator

    from ..sessions.redaction import Redact
    from ..storage.contract import Store
    from ..storage.runs import LoggedRun
    from .choice import Choice, Tally
    from .columns import Value


def run_rows(store: Store, choice: Choice, tally: Tally, redact: Redact | None = None) -> Iterator[tuple[Value, ...]]:
    """The rows of :data:`RUNS`. Call it outside a transaction. ``redact`` takes secrets out of names and gaps.

    Raises :class:`StoreError` where conversations turned out to be one meanwhile, so that runs would come twice.
    """
    clean = Cleaner(redact or unchanged)
    with store.transaction(write=False):
        names = store.conversations() if choice.conversation_id is None else [choice.conversation_id]
    told: set[str] = set()
    for name in names:
        before = tally.rows
        for run in _runs(store, name, told):
            moment = clock.microseconds(run.timestamp)
            if choice.takes(moment):
                tally.rows += 1
                yield _row(run, moment, clean)
        tally.conversations += tally.rows > before
    tally.redacted = clean.redacted


def _runs(store: Store, conversation_id: str, told: set[str]) -> list[LoggedRun]:
    """The runs of a conversation that were not told with another one; ``told`` are the ids of which they were.

    Raises :class:`StoreError` where it turned out meanwhile that one whose runs were told is part of this one.
    """
    with store.transaction(write=False):
        if conversation_id in told:
            return []
        ids = {conversation_id, *(each.conversation_id for each in store.conversation(conversation_id).adopted)}
        if ids & told:
            raise StoreError(
                f"two conversations turned out to be one meanwhile: {conversation_id}", hint="Run the command again."
            )
        told |= ids
        return list(store.logged_runs(conversation_id))


def _row(run: LoggedRun, moment: int | None, clean: Cleaner) -> tuple[Value, ...]:
    return row_of(
        RUNS,
        {
            "conversation_id": values.text(run.conversation_id),
            "operation": PROCESS_EXPORT if run.announces else CAPTURE,
            "created_at": moment,
            "messages_processed": run.total,
            "new_messages": run.new if run.announces else 0,
            "captured_messages": 0 if run.announces else run.new,
            "captured_before": run.captured,
            "duplicates_filtered": run.duplicates,
            "purged_messages": run.purged,
            "processing_time_ms": run.processing_time_ms,
            "export_name": values.text(clean.redacted_text(run.name)),
            "export_sha256": run.sha256,
            "export_bytes": run.bytes,
            "known_bytes": run.known_bytes,
            "format": values.text(run.format),
            "parser": run.parser,
            "session": values.optional_text(run.session),
            "gaps": values.content([values.text(clean.redacted_text(gap)) for gap in run.gaps])[0],
        },
    )
