"""Where the messages of an export stand in their conversation: each window aligned, what is new numbered."""

from __future__ import annotations

from array import array
from functools import partial
from typing import TYPE_CHECKING, Any

from ..alignment import plan as alignment
from ..alignment.comparison import Comparison
from ..alignment.junctions import at_junctions
from ..alignment.purged_places import PurgedPlaces
from ..start.late_dataclass import dataclass, field
from .export_view import new_occurrences
from .occurrences import Joined
from .projection import Projection

if TYPE_CHECKING:
    from collections.abc import Sequence

    from ..storage.contract import NewOccurrence, Store
    from .export_view import ExportView


@dataclass
class Placement:
    """What becomes of the messages shown: what is to be stored, by sequence number, and for each position its number.

    ``plan`` says for each position what it is. ``breaks`` are the positions before which a new window begins.
    """

    plan: alignment.Plan
    occurrences: Sequence[tuple[int, NewOccurrence]]
    numbers: Sequence[int]
    breaks: list[int] = field(default_factory=list)
    one: list[tuple[int, int]] = field(default_factory=list)
    """Pairs of stored messages that the windows show to be one."""


def place(store: Store, conversation_id: str, shown: ExportView, before: Sequence[Any] = ()) -> Placement:
    """Align ``shown`` with a conversation; ``before`` are messages that are stored and stand right before it."""
    windows = shown.windows()
    if len(windows) > 1 and not before:
        return _place_windows(store, conversation_id, shown, windows)
    conversation = store.conversation(conversation_id)
    seen = shown.after(list(before))
    body = partial(stored_body, store, conversation_id)
    places = PurgedPlaces(conversation, seen, lambda number: body(number)["tombstone"])
    plan = alignment.plan(
        conversation.columns,
        conversation.reading(),
        seen.rows,
        Comparison(body, seen, places),
        conversation.extends,
        begins=None if before else shown.begins,
        continuations=conversation.continuations,
    )
    plan = places.without_unproven(plan).without_first(len(before))
    placed = Placement(plan, *new_occurrences(shown, plan, len(conversation), store.bans()))
    placed.one = at_junctions(conversation.reading().runs(), conversation.columns.hashes, placed.numbers)
    return placed


def _place_windows(store: Store, conversation_id: str, shown: ExportView, windows: Sequence[range]) -> Placement:
    """Align each window by itself: a file that holds several exports, or a terminal's copy, shows turns again.

    A window that goes back to what was shown before does not follow what stands above it in the file.
    """
    known = Projection(store, conversation_id)
    plans: list[alignment.Plan] = []
    occurrences = Joined()
    numbers = array("q")
    breaks: list[int] = []
    one: list[tuple[int, int]] = []
    begun = 0
    for window in windows:
        seen = shown.only(list(window))
        places = known.purged_places(seen)
        plan = alignment.plan(
            known.whole.columns,
            known.whole.reading(),
            seen.rows,
            known.compare(seen, places),
            known.whole.extends,
            begins=seen.begins,
            continuations=known.whole.continuations,
        )
        plan = places.without_unproven(plan)
        fresh, own = new_occurrences(seen, plan, len(known.whole), store.bans())
        if numbers and own and _goes_back(known, plan.matches, numbers[-1]):
            breaks.append(window.start)
            begun = len(numbers)
        plans.append(plan)
        occurrences.add(fresh)
        numbers.extend(own)
        one += at_junctions(known.whole.reading().runs(), known.whole.columns.hashes, own)
        known.add(fresh)
        known.show(numbers[begun:], shown.begins if begun == 0 else seen.begins)
    return Placement(alignment.join(plans), occurrences, numbers, breaks, one)


def _goes_back(known: Projection, matches: Sequence[int | None], last: int) -> bool:
    """Is the first message of a window that is known read before the last one of the window above it, or is it that one?"""
    first = next((number for number in matches if number is not None), None)
    if first is None:
        return False
    order = known.whole.reading().order
    places = {number: place for place, number in enumerate(order)}
    return places.get(first, len(order)) <= places.get(last, -1)


def stored_body(store: Store, conversation_id: str, number: int) -> dict[str, Any]:
    """The stored message with this sequence number, as ``Store.bodies`` gives it."""
    return next(iter(store.bodies(conversation_id, [number])))
