"""What an index has of a conversation besides its rows, as JSON."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ...alignment.reading_order import ranges
from ..conversation import Adopted
from ..state.conversation import AdoptedBy

if TYPE_CHECKING:
    from collections.abc import Iterable

    from ..state.conversation import ConversationState


def head_of(state: ConversationState) -> dict[str, Any]:
    """Everything but the rows."""
    rare: dict[str, Any] = {"purged": ranges(sorted(state.purged)), "passed": ranges(sorted(state.passed))}
    rare.update(adopted=state.adopted, adopted_by=state.adopted_by, unannounced=state.unannounced)
    rare.update(redrawn={str(number): taking for number, taking in state.redrawn.items()})
    return {
        "number": state.number,
        "count": len(state),
        "chunks": state.chunks,
        "windows": state.windows,
        "growing": state.growing,
        "extends": {str(number): root for number, root in state.extends.items()},
        "continuations": state.continuations,
        "figures": state.figures,
        "has_session": state.has_session,
        "runs": state.runs,
        **{name: value for name, value in rare.items() if value},
    }


def take_head(state: ConversationState, head: dict[str, Any]) -> None:
    """Take over what :func:`head_of` gave. Raises KeyError, TypeError, ValueError, AttributeError."""
    state.number, state.chunks = head["number"], head["chunks"]
    state.windows, state.growing = head["windows"], head["growing"]
    state.extends = {int(number): root for number, root in head["extends"].items()}
    state.continuations, state.figures = head["continuations"], head["figures"]
    state.has_session, state.runs = head["has_session"], head["runs"]
    state.purged, state.passed = _numbers(head.get("purged", ())), _numbers(head.get("passed", ()))
    state.adopted = [Adopted(*each) for each in head.get("adopted", ())]
    state.adopted_by = AdoptedBy(*head["adopted_by"]) if head.get("adopted_by") else None
    state.unannounced = head.get("unannounced", [])
    state.redrawn = {int(number): taking for number, taking in head.get("redrawn", {}).items()}


def _numbers(found: Iterable[tuple[int, int]]) -> set[int]:
    return {number for first, last in found for number in range(first, last + 1)}
