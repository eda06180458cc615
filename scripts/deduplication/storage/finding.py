"""Found in a state: conversations by turns and bodies, messages by their ids."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

from ..alignment.overlap import telling
from ..alignment.seams import at_seams
from ..model import TURNS

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    from ..alignment.columns import Columns
    from ..alignment.fingerprint import Fingerprint
    from .state.conversation import ConversationState
    from .state.log_state import State


def with_turns(state: State, shown: Columns) -> Mapping[str, int]:
    """Which conversations have telling turns of a sequence, and how many, by their keys."""
    turns = list(telling(shown))
    state.whereabouts.expect(turns=turns)
    return _owners(state, map(state.whereabouts.owners_of_turn, turns))


def with_bodies(state: State, shown: Columns) -> Mapping[str, int]:
    """Which conversations hold bodies that stand at the ends of a sequence, and how many."""
    bodies = list(at_seams(shown))
    state.whereabouts.expect(bodies=bodies)
    return _owners(state, map(state.whereabouts.owners, bodies))


def _owners(state: State, each: Iterable[set[int]]) -> Mapping[str, int]:
    """Those that share as much come in the order in which they were begun."""
    found = Counter(owner for owners in each for owner in owners)
    return {state.names.get(str(number)) or "": found[number] for number in sorted(found)}


def holds(state: State, conversation_id: str, content_hash: str) -> bool:
    """Whether a message of this conversation has the body, one that was not purged. Read from the log, not believed of an index."""
    if not state.has_body(content_hash):
        return False
    conversation = state.conversation(conversation_id)
    rows = _all(conversation) if conversation.adopted else state.whereabouts.with_body(conversation, content_hash)
    return any(item.content_hash == content_hash and number not in conversation.purged for number, item in rows)


def turns_with(state: State, conversation_id: str, key: str) -> int:
    """How many prompts and answers of this conversation have the alignment key."""
    conversation = state.conversation(conversation_id)
    rows = _all(conversation) if conversation.adopted else state.whereabouts.with_turn(conversation, key)
    return sum(item.key == key and item.kind in TURNS for _, item in rows)


def _all(conversation: ConversationState) -> Iterator[tuple[int, Fingerprint]]:
    return enumerate(item for item, _ in conversation.rows_from(0))


def known_uuids(state: State, conversation_id: str, uuids: Sequence[str]) -> dict[str, list[int]]:
    """Under which sequence numbers the conversation has these ids, in ascending order."""
    conversation = state.conversation(conversation_id)
    begins = {conversation.number: [(0, len(conversation), 0)]}
    for each in conversation.adopted:
        owner = state.conversation(each.conversation_id).number
        begins.setdefault(owner, []).append((each.first, each.length, each.at))
    wanted = set(uuids)
    found: dict[str, set[int]] = {}
    for owner, number, uuid in state.whereabouts.ids(begins, wanted):
        for first, length, at in begins[owner] if uuid in wanted else ():
            if first <= number < first + length:
                found.setdefault(uuid, set()).add(at + number - first)
    return {uuid: sorted(numbers) for uuid, numbers in found.items()}
