"""Two conversations that an export showed to be one: the pairs of what both of them hold, as a ``same`` record keeps them.

The older one goes on, with what the export brought; what the other one holds is aligned with it as if an export showed it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from ..alignment import plan as alignment
from ..alignment.columns import columns
from ..alignment.fingerprint import fingerprint
from ..model import COMPACTION, LOST, PURGED
from ..storage.contract import Same
from .export_view import ExportView, message_of
from .projection import Projection

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from ..storage.contract import Store
    from . import placement


def shown_to_be_one(
    store: Store, target: str, others: Iterable[str], shown: ExportView, placed: placement.Placement
) -> list[Same]:
    """What to log of the ``others`` that an export shows to be ``target``, where it was ``placed``."""
    known = Projection(store, target)
    known.add(placed.occurrences)
    bounds = [0, *placed.breaks, len(placed.numbers)]
    for start, end in zip(bounds, bounds[1:]):
        known.show(placed.numbers[start:end], shown.begins if start == 0 else None)
    known.unite(placed.one)
    return unite(store, known, others)


def unite(store: Store, target: Projection, others: Iterable[str]) -> list[Same]:
    """What to log so that ``others`` are part of ``target`` from now on. Inside a transaction of ``store``."""
    found = []
    for name in others:
        pairs = tuple(_pairs(store, target, name))
        found.append(Same(name, len(target.whole), len(store.conversation(name)), pairs))
        target.adopt(found[-1])
    return found


def _pairs(store: Store, target: Projection, name: str) -> list[tuple[int, int, bool]]:
    """(number here, number in ``name``, does that one take the place of this one), in ascending order."""
    found: dict[int, tuple[int, bool]] = {}
    other, whole = store.conversation(name), target.whole
    continuations = set(other.continuations)
    for run in other.reading().runs():
        shown, kept = as_shown(store, name, run, continued=run[0] in continuations)
        plan = alignment.plan(
            whole.columns,
            whole.reading(),
            shown.rows,
            target.compare(shown),
            whole.extends,
            begins=shown.begins,
            continuations=whole.continuations,
        )
        for position, here in enumerate(plan.matches):
            if here is not None and here not in whole.purged:
                found.setdefault(here, (kept[position], position in plan.grown))
    return sorted((here, there, better) for here, (there, better) in found.items())


def as_shown(store: Store, name: str, run: Sequence[int], *, continued: bool) -> tuple[ExportView, list[int]]:
    """A run of a conversation as if an export showed it, and the number of each position."""
    bodies = [body for body in store.bodies(name, run) if body["kind"] not in (LOST, PURGED)]
    messages = [message_of(body) for body in bodies]
    prints = [fingerprint(message) for message in messages]
    marks = [(COMPACTION, 0)] if continued else []
    return ExportView(messages, columns(prints), prints, marks), [body["index"] for body in bodies]
