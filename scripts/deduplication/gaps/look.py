"""Look for everything that is missing: in a store, and in what the client keeps of the same sessions. Nothing is changed."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ..ingest.conversation_choice import choose
from . import hidden_lines, sequences
from .found import Found
from .gap import KINDS

if TYPE_CHECKING:
    from collections.abc import Iterator

    from ..storage.contract import Store
    from .gap import Gap


def look(store: Store, conversation: str | None = None) -> Found:
    """Every gap of a store of any kind; of one conversation only, where ``conversation`` names it as ``choose`` takes it.

    The store is held for no longer than one conversation takes. Raises ``ConversationUnclear`` and the ``StoreError`` family.
    """
    with store.transaction(write=False):
        names = [choose(store, conversation)] if conversation is not None else store.conversations()
    found: list[Gap] = []
    for name in names:
        found += in_conversation(store, name)
    found.sort(key=lambda gap: KINDS.index(gap.kind))
    return Found(tuple(found), len(names))


def in_conversation(store: Store, name: str) -> list[Gap]:
    """The gaps that the store itself shows in one of its conversations."""
    with store.transaction(write=False):
        return list(_of(sequences.stored(store, name)))


def _of(of: sequences.Stored) -> Iterator[Gap]:
    yield from sequences.index_jumps(of)
    yield from sequences.unconnected(of)
    yield from hidden_lines.gaps(of)
