"""An export that is read into a store: find its conversation, align it, store what is new, and say what became of it."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any, Final

from ..alignment import gaps
from ..alignment.message_sequence import each_body
from ..alignment.reading_order import ranges
from ..model import PURGED, Message, counts
from . import placement, unite
from .conversation_match import Belonging, conversation_of
from .export_view import message_of, view_of
from .new_bodies import Run
from .proven_prefix import noted
from .run_commit import commit_run

if TYPE_CHECKING:
    from ..model import Export
    from ..storage.contract import Store
    from ..storage.conversation import Conversation
    from .export_view import ExportView
    from .proven_prefix import Beginning
    from .result import Ingest, Input

_CONTEXT: Final = 20
"""Messages read before a part of a growing file that are aligned along with it."""


def store_export(
    store: Store,
    export: Export,
    source: Input,
    conversation_id: str | None = None,
    *,
    dry_run: bool = False,
    counted: set[str] | None = None,
    beginning: Beginning | None = None,
    keep: bool = True,
) -> Ingest:
    """Align an export with its conversation and store what is new; durable when this returns.

    ``beginning``: that of its file, to be noted for a later export that begins so. ``keep``: see :class:`one_export.Asked`.

    ``counted``: bodies that count as announced, those of this export are added. Only with ``dry_run``, for exports that would be
    processed one after the other: the store does not know of the one before.
    """
    started = time.perf_counter()
    shown = view_of(export)
    with store.transaction(write=not dry_run):
        belongs = conversation_of(store, export, shown, source.name) if not conversation_id else None
        target, others, alone = belongs or Belonging(store.canonical(conversation_id or ""))
        conversation = store.conversation(target)
        placed = placement.place(store, target, shown, _read_before(store, target, conversation, source.follows))
        found = _gaps(store, target, conversation, shown, placed) if source.cursor is None else []
        same = unite.shown_to_be_one(store, target, others, shown, placed) if others else []
        prefix = None
        if beginning is not None and not same:
            prefix = noted(store, beginning, export, shown, placed, conversation, alone=alone)
        run = Run(placed.occurrences, placed.numbers, found, conversation)
        return commit_run(
            store,
            target,
            export,
            source,
            shown,
            run,
            started,
            windows={**_windows(placed), "prefix": prefix},
            same=same,
            dry_run=dry_run,
            counted=counted,
            keep=keep,
        )


def _gaps(
    store: Store, target: str, conversation: Conversation, shown: ExportView, placed: placement.Placement
) -> list[str]:
    """The gaps that an export shows, a line each."""
    return gaps.describe(
        shown.marks,
        placed.plan.matches,
        each_body(shown.messages, lambda message: message.source_index),
        known=len(conversation.columns),
        stored=lambda: _numbered(store, target, conversation),
    )


def _windows(placed: placement.Placement) -> dict[str, Any]:
    """The ranges of all windows, one after another, and the places in that list at which a further one begins."""
    window: list[list[int]] = []
    breaks: list[int] = []
    bounds = [0, *placed.breaks, len(placed.numbers)]
    for start, end in zip(bounds, bounds[1:]):
        breaks += [len(window)] if start else []
        window += ranges(placed.numbers[start:end])
    return {"window": window, "breaks": breaks, "one": placed.one}


def _numbered(store: Store, conversation_id: str, conversation: Conversation) -> list[gaps.Numbered]:
    """What is stored of a conversation, in reading order, with the numbers that its sources gave; client commands left out."""
    order = conversation.reading().order
    return [
        gaps.Numbered(body["index"], body.get("source_index"))
        for body in store.bodies(conversation_id, order)
        if counts(body["kind"]) or body["kind"] == PURGED
    ]


def _read_before(store: Store, conversation_id: str, conversation: Conversation, follows: int) -> list[Message]:
    """The messages that are read last up to number ``follows``: with them a part of a file finds its place."""
    order = conversation.reading().order
    if follows < 0 or follows not in order:
        return []
    end = order.index(follows) + 1
    return [
        message_of(body)
        for body in store.bodies(conversation_id, order[max(0, end - _CONTEXT) : end])
        if body["kind"] != PURGED
    ]
