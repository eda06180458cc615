"""A file whose very bytes were processed before: its result, without reading it once more."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

from ..alignment.reading_order import numbers_of
from ..model import LOST, counts
from . import result
from .result import record_of, result_of

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from ..storage.contract import SeenExport, Store
    from ..storage.conversation import Conversation
    from .result import Ingest, Input


def known_file(store: Store, source: Input, conversation_id: str | None, *, dry_run: bool) -> Ingest | None:
    """The result for a file whose very bytes were processed before, by this parser: nothing of it is stored.

    Nothing of it is new either, unless what stored it announced nothing.
    """
    started = time.perf_counter()
    with store.transaction(write=False):
        if not store.seen(source.sha256):
            return None
    with store.transaction(write=not dry_run):
        seen = [entry for entry in store.seen(source.sha256) if entry.parser == result.PARSER_VERSION]
        asked = None if conversation_id is None else store.canonical(conversation_id)
        seen = [entry for entry in seen if asked in (None, entry.conversation_id)]
        # Where a damaged log lost a message, the export that had it is read again: it brings the message back.
        seen = [entry for entry in seen if not _has_lost(store, entry)]
        if not seen:
            return None
        known = seen[0]
        found = store.run_of(known.conversation_id, (), known.window, captures=source.captures)
        record = record_of(
            source,
            known.format,
            total=known.total,
            window=known.window,
            breaks=known.breaks,
            new=found.new,
            captured=found.captured,
        )
        if not dry_run:
            store.commit(known.conversation_id, [], record, started)
        said = _said_of_purged(store.conversation(known.conversation_id), known.window)
    return result_of(store, known.conversation_id, record, said, [], known_before=True)


def _said_of_purged(conversation: Conversation, window: Iterable[Sequence[int]]) -> tuple[str, ...]:
    """What is to be said of those messages of a window that were purged."""
    if not conversation.purged:
        return ()
    from ..alignment.purged_places import purged_warning

    kinds = conversation.columns.kinds
    return purged_warning(sum(counts(kinds[n]) and n in conversation.purged for n in numbers_of(window)))


def _has_lost(store: Store, seen: SeenExport) -> bool:
    """Was one of the messages lost? Only then all of the conversation is looked at."""
    if not seen.lost:
        return False
    kinds = store.conversation(seen.conversation_id).columns.kinds
    return LOST in kinds and any(kinds[n] == LOST for n in numbers_of(seen.window))
