"""What one export shows, in the terms of alignment, and what becomes of it once a plan is made."""

from __future__ import annotations

from bisect import bisect_left
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from . import columns, fingerprint, overlap, tombstone
from .clock import timestamp
from .model import BANNER, EXACT, Export, Message
from .storage.base import NewOccurrence

if TYPE_CHECKING:
    from collections.abc import Container, Sequence

    from .alignment import Plan


@dataclass(frozen=True)
class Shown:
    """What an export shows, once a second copy of itself is left out."""

    messages: list[Message]
    rows: columns.Columns
    prints: list[fingerprint.Fingerprint]
    marks: list[tuple[str, int]]
    """Kind and the position before which it stands."""
    warnings: tuple[str, ...] = ()

    def after(self, messages: list[Message]) -> Shown:
        """What is shown, behind ``messages``; marks and warnings are left out."""
        if not messages:
            return self
        prints = [*fingerprint.fingerprints(messages), *self.prints]
        return Shown([*messages, *self.messages], columns.columns(prints), prints, [])

    def only(self, positions: list[int]) -> Shown:
        """What stands at ``positions``; a mark before a message that is left out stands before the next one."""
        if len(positions) == len(self.messages):
            return self
        return Shown(
            [self.messages[p] for p in positions],
            self.rows.take(positions),
            [self.prints[p] for p in positions],
            [(kind, bisect_left(positions, before)) for kind, before in self.marks],
            self.warnings,
        )


def shown_by(export: Export) -> Shown:
    """The rows of an export; where a file shows its own conversation twice, the second copy is left out.

    So is what our own archive put in the place of purged messages.
    """
    shown = _all_of(export)
    kept = [p for p, message in enumerate(shown.messages) if not tombstone.is_marker(message.content)]
    return shown.only(kept)


def _all_of(export: Export) -> Shown:
    prints = fingerprint.fingerprints(export.messages)
    rows = columns.columns(prints)
    marks = [(mark.kind, mark.before) for mark in export.marks]
    twice = overlap.without_second_copy(rows, [before for kind, before in marks if kind == BANNER and before])
    if twice is None:
        return Shown(list(export.messages), rows, prints, marks)
    keep = [position for position in range(len(rows)) if position not in twice]
    kept_marks = [
        (kind, before if before <= twice.start else before - len(twice))
        for kind, before in marks
        if before not in twice or before == 0
    ]
    return Shown(
        [export.messages[p] for p in keep],
        rows.take(keep),
        [prints[p] for p in keep],
        kept_marks,
        (f"the file shows the conversation twice; the second copy ({len(twice)} messages) is counted once",),
    )


def new_occurrences(
    shown: Shown, plan: Plan, first: int, bans: tombstone.Bans, drawn: Container[int] = ()
) -> tuple[list[tuple[int, NewOccurrence]], list[int]]:
    """What is to be stored, with sequence numbers from ``first`` on, and the number of every shown position.

    Of a message that was purged everywhere (``bans``) only the place is stored. ``drawn``: the numbers of which a screen drew
    what is stored.
    """
    now = timestamp()
    fresh: list[tuple[int, NewOccurrence]] = []
    numbers: list[int] = []
    ids: dict[str, int] = {}
    for position, known in enumerate(plan.matches):
        if known is not None and position not in plan.grown:
            numbers.append(known)
            continue
        message = shown.messages[position]
        number = first + len(fresh)
        extends = known
        if known is None and message.uuid:  # the same id again, with other content: a further version
            extends = ids.get(message.uuid)
            ids[message.uuid] = number
        occurrence = NewOccurrence(
            fingerprint=shown.prints[position],
            message=message,
            timestamp=message.timestamp or now,
            clock="source" if message.timestamp else "capture",
            extends=extends,
            purged=_banned(bans, message, shown.prints[position]),
            redrawn=message.fidelity == EXACT and known in drawn,
        )
        fresh.append((number, occurrence))
        numbers.append(number)
    return fresh, numbers


def _banned(bans: tombstone.Bans, message: Message, item: fingerprint.Fingerprint) -> tombstone.Tombstone | None:
    return tombstone.tombstone_of(message, item, everywhere=True) if bans.has(message, item) else None


def placed_marks(marks: Sequence[tuple[str, int]], numbers: Sequence[int]) -> list[list[Any]]:
    """Marks with sequence numbers instead of positions; a banner at the very beginning says nothing."""
    return [
        [kind, numbers[before] if before < len(numbers) else -1] for kind, before in marks if kind != BANNER or before
    ]


def message_dict(occurrence: NewOccurrence, number: int) -> dict[str, Any]:
    """A new message as the public interface returns it."""
    message = occurrence.message
    result: dict[str, Any] = {
        "index": number,
        "role": message.role,
        "kind": message.kind,
        "content": message.content,
        "content_hash": occurrence.fingerprint.content_hash,
        "timestamp": occurrence.timestamp,
    }
    if message.source_index is not None:
        result["source_index"] = message.source_index
    if message.uuid:
        result["uuid"] = message.uuid
    if occurrence.extends is not None:
        result["extends"] = occurrence.extends
    return result
