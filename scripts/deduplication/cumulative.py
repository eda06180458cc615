"""What a store has come to over all its runs: counted from its records, never estimated."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from .storage.base import Store


def totals(store: Store) -> dict[str, int]:
    """Counts of the store as a whole, bookkeeping aside.

    Exports and parts of transcripts (``captures``) that were processed, the messages in them, how many of these were
    duplicates, different messages stored, bytes of what went in and bytes on disk.
    """
    with store.transaction(write=False):
        figures = [store.figures(conversation) for conversation in store.conversations()]
        raw, stored = store.byte_counts()
        return {
            "conversations": len(figures),
            "exports_processed": sum(one.exports for one in figures),
            "captures": sum(one.captures for one in figures),
            "messages_processed": sum(one.messages_seen for one in figures),
            "duplicates_filtered": sum(one.duplicates for one in figures),
            "unique_messages": store.unique_count(),
            "raw_bytes": raw,
            "stored_bytes": stored,
        }
