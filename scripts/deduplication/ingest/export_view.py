"""What one export shows, in the terms of alignment, and what becomes of it once a plan is made."""

from __future__ import annotations

from array import array
from bisect import bisect_left
from typing import TYPE_CHECKING, Any, Final

from ..alignment import columns, fingerprint, overlap, tombstone
from ..alignment.message_sequence import Messages, each_body
from ..alignment.seams import Beginning
from ..figures.counted import counted
from ..files.clock import timestamp
from ..model import BANNER, COMPACTION, LAYOUT, TRUNCATION, Export, Message
from ..start.late_dataclass import dataclass
from ..storage.contract import Mark, NewOccurrence
from .occurrences import Occurrences

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from ..alignment.plan import Plan

_MOST_WINDOWS: Final = 100
"""Windows of one file that are aligned one by one."""


@dataclass(frozen=True)
class ExportView:
    """What an export shows, once a second copy of itself is left out."""

    messages: Sequence[Message]
    rows: columns.Columns
    prints: list[fingerprint.Fingerprint]
    marks: list[tuple[str, int]]
    """Kind and the position before which it stands."""
    warnings: tuple[str, ...] = ()

    @property
    def begins(self) -> Beginning | None:
        """What the first message comes after; None where the source itself says that something is left out."""
        first = {kind for kind, before in self.marks if before == 0}
        if COMPACTION in first:
            return Beginning.COMPACTION
        return None if TRUNCATION in first else Beginning.START

    def after(self, messages: list[Message]) -> ExportView:
        """What is shown, behind ``messages``; marks and warnings are left out."""
        if not messages:
            return self
        prints = [*fingerprint.fingerprints(messages), *self.prints]
        return ExportView([*messages, *self.messages], columns.columns(prints), prints, [])

    def windows(self) -> list[range]:
        """The positions of each window: in a text, one begins with each further banner and each compaction."""
        begins = {at for kind, at in self.marks if kind in (BANNER, COMPACTION) and 0 < at < len(self.rows)}
        if not begins or len(begins) > _MOST_WINDOWS or any(self.rows.uuids):
            return [range(len(self.rows))]
        starts = [0, *sorted(begins)]
        return [range(start, end) for start, end in zip(starts, [*starts[1:], len(self.rows)])]

    def only(self, positions: list[int]) -> ExportView:
        """What stands at ``positions``; a mark before a message that is left out stands before the next one."""
        if len(positions) == len(self.messages):
            return self
        return ExportView(
            _chosen(self.messages, positions),
            self.rows.take(positions),
            [self.prints[p] for p in positions],
            [(kind, bisect_left(positions, before)) for kind, before in self.marks],
            self.warnings,
        )


def view_of(export: Export) -> ExportView:
    """The rows of an export; where a file shows its own conversation twice, the second copy is left out.

    So is what our own archive put in the place of purged messages.
    """
    shown = _all_of(export)
    markers = each_body(shown.messages, lambda message: tombstone.is_marker(message.content))
    return shown.only([p for p, marker in enumerate(markers) if not marker]) if any(markers) else shown


def _all_of(export: Export) -> ExportView:
    prints = fingerprint.fingerprints(export.messages)
    rows = columns.columns(prints)
    marks = [(mark.kind, mark.before) for mark in export.marks]
    twice = overlap.without_second_copy(rows, [before for kind, before in marks if kind == BANNER and before])
    if twice is None:
        return ExportView(export.messages, rows, prints, marks)
    keep = [position for position in range(len(rows)) if position not in twice]
    kept_marks = [
        (kind, before if before <= twice.start else before - len(twice))
        for kind, before in marks
        if before not in twice or before == 0
    ]
    return ExportView(
        _chosen(export.messages, keep),
        rows.take(keep),
        [prints[p] for p in keep],
        kept_marks,
        (f"the file shows the conversation twice; the second copy ({counted(len(twice), 'message')}) is counted once",),
    )


def _chosen(messages: Sequence[Message], positions: Sequence[int]) -> Sequence[Message]:
    return messages.at(positions) if isinstance(messages, Messages) else [messages[p] for p in positions]


def new_occurrences(
    shown: ExportView, plan: Plan, first: int, bans: tombstone.Bans
) -> tuple[Sequence[tuple[int, NewOccurrence]], Sequence[int]]:
    """What is to be stored, with sequence numbers from ``first`` on, and the number of every shown position.

    Of a message that was purged everywhere (``bans``) only the place is stored.
    """
    now = timestamp()
    if isinstance(shown.messages, Messages):
        return _many_occurrences(shown, shown.messages, plan, first, bans, now)
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
        banned = _banned(bans, message, shown.prints[position])
        occurrence = NewOccurrence(
            fingerprint=shown.prints[position],
            message=message,
            timestamp=message.timestamp or now,
            clock="source" if message.timestamp else "capture",
            extends=None if banned else extends,  # a shorter form that stays must not be hidden by nothing
            redrawn=position in plan.redrawn and not banned,
            purged=banned,
        )
        fresh.append((number, occurrence))
        numbers.append(number)
    return fresh, numbers


def _many_occurrences(
    shown: ExportView, messages: Messages, plan: Plan, first: int, bans: tombstone.Bans, now: str
) -> tuple[Occurrences, Sequence[int]]:
    """The same of messages that have no id and no time, as many as a large text has."""
    positions, numbers = array("q"), array("q")
    extends: dict[int, int] = {}
    purged: dict[int, tombstone.Tombstone] = {}
    banning = bool(bans)
    for position, known in enumerate(plan.matches):
        if known is not None and position not in plan.grown:
            numbers.append(known)
            continue
        banned = _banned(bans, messages[position], shown.prints[position]) if banning else None
        if banned is not None:
            purged[position] = banned
        elif known is not None:
            extends[position] = known
        numbers.append(first + len(positions))
        positions.append(position)
    redrawn = plan.redrawn.difference(purged)
    return Occurrences(first, positions, shown.prints, messages, now, extends, redrawn, purged), numbers


def _banned(bans: tombstone.Bans, message: Message, item: fingerprint.Fingerprint) -> tombstone.Tombstone | None:
    return tombstone.tombstone_of(message, item, everywhere=True) if bans.has(message, item) else None


def placed_marks(marks: Sequence[tuple[str, int]], numbers: Sequence[int]) -> list[Mark]:
    """Marks with sequence numbers instead of positions; a banner at the very beginning says nothing."""
    return [
        Mark(kind, numbers[before] if before < len(numbers) else -1)
        for kind, before in marks
        if kind != BANNER or before
    ]


def message_of(body: Mapping[str, Any]) -> Message:
    """A message of the store (a dictionary of ``Store.bodies``) as a parser would have given it; it has no bytes in a file."""
    return Message(
        body["role"], body["kind"], body["content"], uuid=body.get("uuid"), fidelity=body.get("fidelity", LAYOUT)
    )


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
