"""Which longer and shorter forms of a message that is to go are that message, and which only begin as it does."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from ..alignment.cross_source import relation_across
from ..alignment.purged_places import last_shown
from ..alignment.same_source import GROWN, PART, relation
from ..model import EXACT, LAYOUT, TEXT, THINKING

if TYPE_CHECKING:
    from ..storage.contract import Store

_SAID: Final = frozenset({TEXT, THINKING})
"""Kinds in which another answer may begin with all of an earlier one; a result in the same place is that result."""


def with_versions(store: Store, name: str, numbers: set[int], standing: set[int]) -> set[int]:
    """With every other form of the same messages of a conversation, as far as they are ``standing``."""
    conversation = store.conversation(name)
    linked: dict[int, list[tuple[int, int]]] = {}
    for later, earlier in conversation.extends.items():
        linked.setdefault(later, []).append((earlier, later))
        linked.setdefault(earlier, []).append((earlier, later))
    unfinished = last_shown(conversation) if linked else frozenset()
    found, waiting = set(numbers), list(numbers)
    while waiting:
        for earlier, later in linked.get(waiting.pop(), ()):
            for other in {earlier, later} - found:
                if other in standing and (earlier in unfinished or _is(store, name, earlier, later)):
                    found.add(other)
                    waiting.append(other)
    return found


def _is(store: Store, name: str, earlier: int, later: int) -> bool:
    """False where the later form is an answer that begins with all of the earlier one, and nothing says that it is the same."""
    before, after = store.bodies(name, [earlier, later])
    if before["kind"] not in _SAID or after["kind"] not in _SAID or _id(before) == _id(after) != "":
        return True
    if before.get("fidelity", LAYOUT) == after.get("fidelity", LAYOUT):
        return relation(after["kind"], before["content"], after["content"]) != GROWN
    exact, drawn = (before, after) if before.get("fidelity", LAYOUT) == EXACT else (after, before)
    return relation_across(after["kind"], exact["content"], drawn["content"]) != PART


def _id(body: dict[str, Any]) -> str:
    return body.get("uuid") or ""
