"""A state folder of the original project taken into a store, and the proof that every message of it is there."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ..alignment.fingerprint import fingerprint
from ..exchange.uniting import Held, message_of
from ..model import LOST, PURGED
from ..original.into_store import OriginalImport, store_original
from ..start.late_tuple import NamedTuple

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from ..model import Message
    from ..original.into_store import Imported
    from ..original.state import OriginalState
    from ..storage.log_backed import LogBackedStore


class Taken(NamedTuple):
    """What was taken; ``missing`` are messages that the target does not have, nothing where all is well."""

    done: OriginalImport
    missing: list[str]


def take(state: OriginalState, target: LogBackedStore, told: Callable[[Imported], None]) -> Taken:
    """Take all of it; ``told`` hears of each conversation once it is durable. Done again it adds nothing, and goes on."""
    done = store_original(target, state, told=told)
    with target.transaction(write=False):
        return Taken(done, list(_missing(state, target, done)))


def _missing(state: OriginalState, target: LogBackedStore, done: OriginalImport) -> Iterator[str]:
    """The folder is read once more; each content hash of what the target answers is recomputed."""
    for conversation, imported in zip(state.conversations(), done.conversations):
        messages = conversation.export.messages
        name = target.canonical(imported.conversation_id)
        if _hashes(messages) != _read(
            target, name
        ):  # it goes on from what was there before, or was there in another form
            held = Held(target, name)
            yield from (
                f"'{conversation.name}', message {at}" for at, each in enumerate(messages) if not held.has(each)
            )


def _hashes(messages: Sequence[Message]) -> list[str]:
    return [fingerprint(each).content_hash for each in messages]


def _read(target: LogBackedStore, name: str) -> list[str]:
    """What a conversation says as it is read, hashed anew."""
    order = target.conversation(name).reading().order
    found = (body for body in target.bodies(name, order) if body["kind"] not in (LOST, PURGED))
    return [fingerprint(message_of(body)).content_hash for body in found]
