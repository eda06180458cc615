"""What is read of a state at each beginning: the sums, how much of the log they account for, and its head then."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ...figures.savings import Seen
from ...start.late_dataclass import asdict
from ..contract import StoreFigures

if TYPE_CHECKING:
    from ..state.log_state import State


def about_of(state: State) -> dict[str, Any]:
    """It, as JSON."""
    return {
        "size": state.size,
        "head": state.head,
        "begun": state.begun,
        "occurrences": state.occurrences,
        "seen_bytes": asdict(state.seen_bytes),
        "figures": state.figures._asdict(),
        "announced": [state.announced.unique, state.announced.waiting, state.announced.redrawn],
        "banned": state.banned,
    }


def take_about(state: State, about: dict[str, Any]) -> None:
    """Take over what :func:`about_of` gave. Raises KeyError, TypeError, ValueError."""
    state.begins_at(about["size"])
    state.head = about["head"]
    state.begun, state.occurrences = about["begun"], about["occurrences"]
    state.seen_bytes, state.figures = Seen(**about["seen_bytes"]), StoreFigures(**about["figures"])
    counted = state.announced
    counted.unique, counted.waiting, counted.redrawn = about["announced"]
    state.banned = about["banned"]
