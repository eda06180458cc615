"""What is missing between the messages of one stored conversation, told by their order and their numbers alone."""

from __future__ import annotations

from functools import cached_property
from typing import TYPE_CHECKING, Any, Final

from ..alignment.gaps import jumps
from ..alignment.reading_order import root_of
from ..formats import ANY_OBJECT
from ..start.late_dataclass import dataclass, field
from . import elsewhere
from .gap import CERTAIN, COMPACTION, INDEX_JUMP, LIKELY, TIME_HOLE, Gap

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from ..storage.contract import Store
    from ..storage.conversation import Conversation
    from ..storage.runs import LoggedRun

_NUMBERED: Final = frozenset((ANY_OBJECT,))
"""Formats whose messages have numbers of their source."""
_MOST_NAMED: Final = 5
"""Runs of numbers that are named one by one."""
_ANOTHER_EXPORT: Final = "an export, or the session's transcript, that shows what was said in between"
_EARLIER_EXPORT: Final = "an earlier export, or the session's transcript"


@dataclass(frozen=True)
class Stored:
    """A conversation in a transaction that is open: ``order`` are sequence numbers as they are read, without what was purged."""

    store: Store
    conversation_id: str
    conversation: Conversation
    order: Sequence[int]
    component: Sequence[int]
    runs: list[LoggedRun] = field(default_factory=list)

    @cached_property
    def others(self) -> Sequence[elsewhere.Other]:
        """Other conversations that have messages of this one. It costs as much as reading it."""
        return elsewhere.others(self)

    @property
    def kinds(self) -> Sequence[str]:
        """The kind of each message, by sequence number."""
        return self.conversation.columns.kinds

    def has_format(self, names: frozenset[str]) -> bool:
        """Whether any run of it was of one of these formats."""
        return any(run.format in names for run in self.runs)

    def bodies(self, numbers: Sequence[int]) -> Iterator[dict[str, Any]]:
        """The messages with these numbers."""
        return self.store.bodies(self.conversation_id, numbers)


def stored(store: Store, conversation_id: str) -> Stored:
    """The conversation of this very id. Inside a transaction."""
    conversation = store.conversation(conversation_id)
    reading = conversation.reading()
    runs = list(store.logged_runs(conversation_id))
    return Stored(store, conversation_id, conversation, reading.order, reading.component, runs)


def index_jumps(of: Stored) -> Iterator[Gap]:
    """Numbers of a source that no message has. What was purged is not missing, and has no number any more."""
    if not of.has_format(_NUMBERED):
        return
    kept = [number for number in of.order if number not in of.conversation.purged]
    bodies = dict(zip(kept, of.bodies(kept)))
    indexes = [bodies[number].get("source_index") if number in bodies else None for number in of.order]
    found = jumps(indexes)
    if not found:
        return
    at = {index: number for number, index in zip(of.order, indexes) if index is not None}
    missing = sum(last - first + 1 for first, last in found)
    before, after = at.get(found[0][0] - 1, -1), at.get(found[-1][1] + 1, -1)
    yield Gap(
        INDEX_JUMP,
        f"messages {_named(found)} of the source are missing",
        CERTAIN if len(of.runs) == 1 else LIKELY,
        "an export of the same source that has them",
        of.conversation_id,
        missing,
        since=_time(bodies.get(before)),
        until=_time(bodies.get(after)),
        ranges=tuple(found),
        source=of.runs[-1].name,
        place=before,
    )


def _named(ranges: Sequence[tuple[int, int]]) -> str:
    named = [f"{first}" if first == last else f"{first} to {last}" for first, last in ranges[:_MOST_NAMED]]
    more = len(ranges) - len(named)
    return ", ".join(named) + (f" and {more:,} more runs" if more else "")


def unconnected(of: Stored) -> Iterator[Gap]:
    """Places in the reading order where nothing that was seen ties what stands after to what stands before.

    What a fork begins with, its origin has behind what it was forked from: where another conversation has both, nothing is missing.
    """
    order, extends = of.order, of.conversation.extends
    continuations = {root_of(number, extends) for number in of.conversation.continuations}
    if order and root_of(order[0], extends) in continuations:
        first = order[0]
        if not any(other.follows_something(first) for other in of.others):
            yield _begins_late(of, first)
    for position in _breaks(order, of.component):
        before, after = order[position - 1], order[position]
        if not any(other.ties(before, after) for other in of.others):
            yield _untied(of, before, after, compacted=root_of(after, extends) in continuations)


def _begins_late(of: Stored, first: int) -> Gap:
    (body,) = of.bodies([first])
    return Gap(
        COMPACTION,
        "it begins after a compaction: what was said before that is not stored",
        CERTAIN,
        _EARLIER_EXPORT,
        of.conversation_id,
        until=_time(body),
        source=of.runs[0].name if of.runs else "",
    )


def _untied(of: Stored, before: int, after: int, *, compacted: bool) -> Gap:
    one, other = of.bodies([before, after])
    text = (
        "an export begins after a compaction, and shares nothing with what is stored before it"
        if compacted
        else "nothing that was seen ties what stands here to what stands before it"
    )
    return Gap(
        COMPACTION if compacted else TIME_HOLE,
        text,
        LIKELY,
        _ANOTHER_EXPORT,
        of.conversation_id,
        since=_time(one),
        until=_time(other),
        place=before,
    )


def _breaks(order: Sequence[int], component: Sequence[int]) -> Iterator[int]:
    if not any(component):
        return
    for position in range(1, len(order)):
        if component[order[position]] != component[order[position - 1]]:
            yield position


def _time(body: dict[str, Any] | None) -> str:
    return str(body.get("timestamp", "")) if body is not None else ""
