"""Found in a state: conversations by turns and bodies, messages by their ids."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

from .state.places import body_prefix, turn_prefix, uuid_prefix

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from .state.log_state import State


def with_turns(state: State, keys: Iterable[str]) -> Mapping[str, int]:
    """Which conversations have turns with these alignment keys, and in how many places, by the beginnings of the keys."""
    return _owners(state, map(turn_prefix, keys))


def with_bodies(state: State, hashes: Iterable[str]) -> Mapping[str, int]:
    """Which conversations hold bodies with these content hashes, and how many, by the beginnings of the hashes."""
    return _owners(state, map(body_prefix, hashes))


def _owners(state: State, prefixes: Iterable[bytes]) -> Mapping[str, int]:
    """Those that share as much come in the order in which they were begun."""
    found = Counter(state.chunks[chunk].owner for prefix in prefixes for chunk in state.places.of(prefix))
    return {state.names.get(str(number)) or "": found[number] for number in sorted(found)}


def known_uuids(state: State, conversation_id: str, uuids: Sequence[str]) -> dict[str, list[int]]:
    """Under which sequence numbers the conversation has these ids. Its rows are read only where it may have one."""
    conversation = state.conversation(conversation_id)
    own = {conversation.number, *(state.conversation(each.conversation_id).number for each in conversation.adopted)}
    wanted = {
        uuid
        for uuid in uuids
        if any(state.chunks[chunk].owner in own for chunk in state.places.of(uuid_prefix(uuid)))
    }
    found: dict[str, list[int]] = {}
    for number, uuid in enumerate(conversation.columns.uuids if wanted else ()):
        if uuid in wanted:
            found.setdefault(uuid, []).append(number)
    return found
