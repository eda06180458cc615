"""A part of a growing file stored right behind what the file brought before, where nothing else was told since."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

from ..alignment import plan as alignment
from ..alignment import same_source
from ..model import LAYOUT, Message, counts
from .export_view import new_occurrences, view_of
from .new_bodies import Run
from .run_commit import commit_run

if TYPE_CHECKING:
    from collections.abc import Sequence

    from ..model import Export
    from ..storage.contract import Store
    from .result import Ingest, Input


def append(store: Store, export: Export, source: Input, conversation_id: str) -> Ingest:
    """Store a part of a growing file behind what the file brought before; durable when this returns.

    Only for a conversation of which no other source told anything since then: nothing of it is read but what has the same ids.
    The caller holds the transaction in which that was seen.
    """
    started = time.perf_counter()
    shown = view_of(export)
    versions: dict[int, int] = {}
    known = store.known_uuids(conversation_id, [message.uuid for message in shown.messages if message.uuid])
    purged = store.conversation(conversation_id).purged
    repeated: set[int] = set()
    gone = 0
    for position, message in enumerate(shown.messages):
        numbers = known.get(message.uuid or "", [])
        if not numbers:
            continue
        if adds_nothing(store, conversation_id, numbers, message, shown.prints[position].content_hash):
            repeated.add(position)
            gone += counts(message.kind) and not purged.isdisjoint(numbers)
        else:
            versions[position] = numbers[-1]
    kept = [position for position in range(len(shown.messages)) if position not in repeated]
    shown = shown.only(kept)
    matches = [versions.get(position) for position in kept]
    grown = frozenset(new for new, position in enumerate(kept) if position in versions)
    plan = alignment.Plan(matches, grown)
    run = Run(*new_occurrences(shown, plan, store.tip(conversation_id), store.bans()), [], None)
    return commit_run(store, conversation_id, export, source, shown, run, started, gone=gone)


def adds_nothing(store: Store, conversation_id: str, numbers: Sequence[int], message: Message, identity: str) -> bool:
    """True where a line that is known by its id says again what it said, was emptied, cut short, or purged."""
    if not store.conversation(conversation_id).purged.isdisjoint(numbers):
        return True
    if any(store.body_hash(conversation_id, number) == identity for number in numbers):
        return True
    last = next(iter(store.bodies(conversation_id, numbers[-1:])))
    same_kind = last["kind"] == message.kind and last.get("fidelity", LAYOUT) == message.fidelity
    return same_kind and same_source.relation(message.kind, last["content"], message.content) == same_source.PART
