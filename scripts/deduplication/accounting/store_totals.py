"""What a store has come to over all its runs: counted from its records, never estimated."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from ..figures.savings import Savings
    from ..storage.contract import Store


def totals(store: Store, storage: Savings) -> dict[str, int]:
    """Counts of the store as a whole, bookkeeping aside.

    Exports and parts of transcripts (``captures``) that were processed, the messages in them, how many of these were
    duplicates, different messages stored; how many messages were announced as new, how many that were captured no export
    announced yet, and by how much both are more than the messages stored since drawings turned out to be the same
    (see ``storage/state/announcements.py``); and of ``storage`` the raw bytes seen and the bytes on disk.
    """
    with store.transaction(write=False):
        figures, announced = store.store_figures(), store.announced()
        return {
            "conversations": figures.conversations,
            "exports_processed": figures.exports,
            "captures": figures.captures,
            "messages_processed": figures.messages_seen,
            "duplicates_filtered": figures.duplicates,
            "unique_messages": store.unique_count(),
            "announced_messages": announced.announced,
            "waiting_messages": announced.waiting,
            "redrawn_messages": announced.redrawn,
            "raw_bytes": storage.seen.raw,
            "stored_bytes": storage.stored,
        }
