"""What a run brings: the occurrences that carry a body, those that are new to their conversation, what it shows besides."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ..alignment.byte_coverage import covered, covered_in_order
from ..alignment.message_sequence import Messages
from ..model import counts
from ..start.late_dataclass import dataclass
from ..storage.carriers import Carriers

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Sequence

    from ..model import Message
    from ..storage.contract import NewOccurrence, Store
    from ..storage.conversation import Conversation


def _never(_: str) -> bool:
    return False


@dataclass(frozen=True)
class Run:
    """What is to be stored, the number of every message shown, and the gaps; the conversation before it, where it was read.

    ``holds``: whether the conversation had a message with this body, where its rows were not read.
    """

    occurrences: Sequence[tuple[int, NewOccurrence]]
    numbers: Sequence[int]
    gaps: list[str]
    conversation: Conversation | None
    holds: Callable[[str], bool] = _never


def shown_bodies(run: Run) -> Iterator[str]:
    """The bodies that a run shows, of those of messages that it knew as far as it read the conversation."""
    if run.conversation is not None:
        hashes, purged = run.conversation.columns.hashes, run.conversation.purged
        yield from (hashes[n] for n in run.numbers if n < len(hashes) and n not in purged)
    yield from (new.fingerprint.content_hash for _, new in run.occurrences if new.purged is None)


def new_here(run: Run) -> list[tuple[int, NewOccurrence]]:
    """The messages that the conversation did not have in any form, each once."""
    if not run.occurrences:
        return []
    taken: set[str] = set()
    if run.conversation is not None:
        purged = run.conversation.purged
        taken = {each for n, each in enumerate(run.conversation.columns.hashes) if n not in purged}
    found: list[tuple[int, NewOccurrence]] = []
    for number, new in run.occurrences:
        identity = new.fingerprint.content_hash
        fresh = new.purged is None and not new.redrawn and counts(new.fingerprint.kind)
        if fresh and identity not in taken and not run.holds(identity):
            found.append((number, new))
        taken.add(identity)
    return found


def carrying_bodies(
    store: Store, occurrences: Sequence[tuple[int, NewOccurrence]], counted: Iterable[str]
) -> list[tuple[int, NewOccurrence]]:
    """The occurrences whose body is not stored yet, each body once; none that was purged."""
    store.expect_bodies(new.fingerprint.content_hash for _, new in occurrences if new.purged is None)
    carriers = Carriers(store.has_body, counted)
    return [
        (number, new)
        for number, new in occurrences
        if new.purged is None and carriers.carries(new.fingerprint.content_hash)
    ]


def span_bytes(messages: Sequence[Message]) -> int:
    """Bytes of the export that show these messages."""
    if isinstance(messages, Messages):
        return covered_in_order(messages.places())
    return covered((message.start, message.end) for message in messages)
