"""Found in a state: conversations by turns and bodies, messages by their ids."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

from ..alignment.overlap import telling
from ..alignment.seams import at_seams
from ..model import TURNS
from .state.places import body_prefix, turn_prefix, uuid_prefix

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    from ..alignment.columns import Columns
    from ..alignment.fingerprint import Fingerprint
    from .state.conversation import ConversationState
    from .state.log_state import State


def with_turns(state: State, shown: Columns) -> Mapping[str, int]:
    """Which conversations have telling turns of a sequence, and in how many places, by the beginnings of their keys."""
    return _owners(state, map(turn_prefix, telling(shown)))


def with_bodies(state: State, shown: Columns) -> Mapping[str, int]:
    """Which conversations hold bodies that stand at the ends of a sequence, and how many, by the beginnings of their hashes."""
    return _owners(state, map(body_prefix, at_seams(shown)))


def _owners(state: State, prefixes: Iterable[bytes]) -> Mapping[str, int]:
    """Those that share as much come in the order in which they were begun."""
    found = Counter(state.chunks[chunk].owner for prefix in prefixes for chunk in state.places.of(prefix))
    return {state.names.get(str(number)) or "": found[number] for number in sorted(found)}


def holds(state: State, conversation_id: str, content_hash: str) -> bool:
    """Whether a message of this conversation has the body, one that was not purged. Read from the log, not believed of an index."""
    if not state.has_body(content_hash):
        return False
    conversation = state.conversation(conversation_id)
    return any(
        item.content_hash == content_hash and number not in conversation.purged
        for number, item in _rows_by(state, conversation, body_prefix(content_hash))
    )


def turns_with(state: State, conversation_id: str, key: str) -> int:
    """How many prompts and answers of this conversation have the alignment key."""
    rows = _rows_by(state, state.conversation(conversation_id), turn_prefix(key))
    return sum(item.key == key and item.kind in TURNS for _, item in rows)


def _rows_by(state: State, conversation: ConversationState, prefix: bytes) -> Iterator[tuple[int, Fingerprint]]:
    """Numbers and fingerprints in the stretches of a conversation that a prefix names; all of one that adopted others."""
    if conversation.adopted:
        yield from enumerate(item for item, _ in conversation.rows_from(0))
        return
    for chunk in (state.chunks[each] for each in state.places.of(prefix)):
        if chunk.owner == conversation.number:
            yield from conversation.items(chunk.first, chunk.first + chunk.length)


def known_uuids(state: State, conversation_id: str, uuids: Sequence[str]) -> dict[str, list[int]]:
    """Under which sequence numbers the conversation has these ids, in ascending order."""
    conversation = state.conversation(conversation_id)
    begins = {conversation.number: [(0, len(conversation), 0)]}
    for each in conversation.adopted:
        owner = state.conversation(each.conversation_id).number
        begins.setdefault(owner, []).append((each.first, each.length, each.at))
    wanted: set[str] = set()
    chunks: set[int] = set()
    for uuid in uuids:
        of_it = [chunk for chunk in state.places.of(uuid_prefix(uuid)) if state.chunks[chunk].owner in begins]
        chunks.update(of_it)
        wanted.update([uuid] if of_it else [])
    found: dict[str, list[int]] = {}
    if state.ids is None:
        for number, uuid in enumerate(conversation.columns.uuids if wanted else ()):
            if uuid in wanted:
                found.setdefault(uuid, []).append(number)
        return found
    for chunk in chunks:
        for number, uuid in state.ids(chunk):
            for first, length, at in begins[state.chunks[chunk].owner] if uuid in wanted else ():
                if first <= number < first + length:
                    found.setdefault(uuid, []).append(at + number - first)
    return {uuid: sorted(numbers) for uuid, numbers in found.items()}
