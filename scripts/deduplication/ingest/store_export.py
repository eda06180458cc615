"""An export that is read into a store: find its conversation, align it, store what is new, and say what became of it."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any, Final

from ..alignment import gaps, same_source
from ..alignment import plan as alignment
from ..alignment.message_sequence import each_body
from ..alignment.purged_places import purged_warning
from ..alignment.reading_order import ranges
from ..model import LAYOUT, PURGED, Message, counts
from ..start.late_dataclass import replace
from ..storage.contract import Mark
from . import placement, unite
from .conversation_match import Belonging, conversation_of, session_of
from .export_view import message_dict, message_of, new_occurrences, placed_marks, view_of
from .new_bodies import Run, carrying_bodies, new_here, shown_bodies, span_bytes
from .proven_prefix import Above, noted
from .result import record_of, result_of

if TYPE_CHECKING:
    from collections.abc import Sequence

    from ..model import Export
    from ..storage.contract import Same, Store
    from ..storage.conversation import Conversation
    from ..storage.prefix import Prefix
    from .export_view import ExportView
    from .proven_prefix import Beginning
    from .result import Ingest, Input

_NOTHING: Final = Above()
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
) -> Ingest:
    """Align an export with its conversation and store what is new; durable when this returns.

    ``beginning``: that of its file, to be noted for a later export that begins so.

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
        found: list[str] = []
        if source.cursor is None:
            indexes = each_body(shown.messages, lambda message: message.source_index)
            found = gaps.describe(
                shown.marks,
                placed.plan.matches,
                indexes,
                known=len(conversation.columns),
                stored=lambda: _numbered(store, target, conversation),
            )
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
            windows=_windows(placed),
            same=same,
            dry_run=dry_run,
            counted=counted,
            prefix=prefix,
        )


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
        if _adds_nothing(store, conversation_id, numbers, message, shown.prints[position].content_hash):
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


def _adds_nothing(store: Store, conversation_id: str, numbers: Sequence[int], message: Message, identity: str) -> bool:
    """True where a line that is known by its id says again what it said, was emptied, cut short, or purged."""
    if not store.conversation(conversation_id).purged.isdisjoint(numbers):
        return True
    if any(store.body_hash(conversation_id, number) == identity for number in numbers):
        return True
    last = next(iter(store.bodies(conversation_id, numbers[-1:])))
    same_kind = last["kind"] == message.kind and last.get("fidelity", LAYOUT) == message.fidelity
    return same_kind and same_source.relation(message.kind, last["content"], message.content) == same_source.PART


def commit_run(
    store: Store,
    target: str,
    export: Export,
    source: Input,
    shown: ExportView,
    run: Run,
    started: float,
    *,
    windows: dict[str, Any] | None = None,
    same: Sequence[Same] = (),
    dry_run: bool = False,
    counted: set[str] | None = None,
    gone: int = 0,
    above: Above = _NOTHING,
    prefix: Prefix | None = None,
) -> Ingest:
    """Log the run: its new occurrences, then the record with the number of every message shown.

    ``windows`` is what the record says of them where they are not just one; ``gone`` messages of the export are left out of
    ``shown``, because they were purged. ``above``: what the file has above what was read of it, ``prefix`` what is noted of it.
    """
    numbers, cursor = run.numbers, source.cursor
    besides = frozenset(counted or ())
    carrying = carrying_bodies(store, run.occurrences, besides)
    windows = windows or {"window": ranges(numbers)}
    found = store.run_of(target, run.occurrences, windows["window"], captures=source.captures, besides=besides)
    if counted is not None:
        counted.update(shown_bodies(run))
    purged = store.conversation(target).purged.union(n for n, new in run.occurrences if new.purged is not None)
    gone += sum(counts(kind) and number in purged for kind, number in zip(shown.rows.kinds, numbers))
    record = record_of(
        source,
        export.format,
        total=above.counted + sum(counts(kind) for kind in shown.rows.kinds),
        new=found.stored if source.captures else found.new,
        captured=found.captured,
        **windows,
        marks=[*_ended(above.marks, numbers), *placed_marks(shown.marks, numbers)],
        gaps=run.gaps,
        session=session_of(export),
        cursor=cursor and replace(cursor, last=numbers[-1] if numbers else cursor.last),
        follows=source.follows if numbers else -1,
        purged=gone,
        known_bytes=above.shown + span_bytes(export.messages) - span_bytes([new.message for _, new in carrying]),
        prefix=prefix,
    )
    new_messages = [message_dict(occurrence, number) for number, occurrence in new_here(run)]
    if not dry_run:
        store.commit(target, run.occurrences, record, started, same)
    warnings = (*export.warnings, *shown.warnings, *purged_warning(gone))
    return result_of(store, target, record, warnings, new_messages, known_before=False)


def _ended(marks: Sequence[tuple[str, int]], numbers: Sequence[int]) -> list[Mark]:
    """Marks of what stands above ``numbers``: behind its last message now comes the first of these."""
    return [Mark(kind, number if number >= 0 or not numbers else numbers[0]) for kind, number in marks]


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
