"""A purge in conversations that turned out to be one: the log has their messages under several ids."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping

    from ..storage.contract import Store


def ids_of(store: Store, name: str) -> list[str]:
    """The ids under which the log has a conversation: its own, and those of others that turned out to be it."""
    return [name, *(whose for _, _, whose, _ in store.conversation(name).adopted)]


def with_united(
    store: Store, rows: Mapping[str, Mapping[int, Any]], chosen: dict[str, set[int]]
) -> dict[str, set[int]]:
    """With every occurrence that turned out to be one message with one that is chosen."""
    found = {name: set(numbers) for name, numbers in chosen.items()}
    for name in store.conversations():
        conversation = store.conversation(name)
        if not conversation.adopted:
            continue
        pairs = [
            (conversation.origin(later) or (name, later), conversation.origin(earlier) or (name, earlier))
            for later, earlier in conversation.extends.items()
        ]
        # Forms that the log itself ties together were looked at one by one; here it is two ids for one message.
        across = [(one, other) for one, other in pairs if one[0] != other[0]]
        for one, other in [*across, *((other, one) for one, other in across)]:
            if one[1] in found.get(one[0], ()) and other[1] in rows.get(other[0], ()):
                found.setdefault(other[0], set()).add(other[1])
    return {name: numbers for name, numbers in found.items() if numbers}
