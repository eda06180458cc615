"""What a store has come to over all its runs: counted from its records, never estimated."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from .storage.base import Store


def totals(store: Store) -> dict[str, int]:
    """Conversations, exports and parts of transcripts processed, messages in them, duplicates among these, different messages, bytes in and on disk."""
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
