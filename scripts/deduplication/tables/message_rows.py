"""The messages of a store as rows, in reading order; never more than some megabytes of them are in memory."""

from __future__ import annotations

from array import array
from typing import TYPE_CHECKING, Any, Final, Optional

from ..files import clock
from ..model import PURGED
from ..sessions.redaction import Cleaner, unchanged
from ..start.late_tuple import NamedTuple
from . import values
from .columns import MESSAGES, row_of

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from ..sessions.redaction import Redact
    from ..storage.contract import Store
    from .choice import Choice, Tally
    from .columns import Value

_AT_ONCE: Final = 20_000
"""Messages that are read while the store is held."""
_BYTES_AT_ONCE: Final = 16 * 1024 * 1024
"""Characters of them after which the store is let go of: a slow reader keeps nobody from storing."""


class _Order(NamedTuple):
    """A conversation and the sequence numbers of its messages in reading order."""

    conversation_id: str
    numbers: Sequence[int]


def message_rows(
    store: Store, choice: Choice, tally: Tally, redact: Optional[Redact] = None
) -> Iterator[tuple[Value, ...]]:
    """The rows of :data:`MESSAGES`: what the store held when the first one was asked for, but for what is purged meanwhile.

    Call it outside a transaction. ``redact`` takes secrets out of what was said, while the store is free.
    """
    clean = Cleaner(redact or unchanged)
    for conversation_id, numbers in _orders(store, choice):
        before = tally.rows
        for position, message in _messages(store, conversation_id, numbers):
            row = _row(conversation_id, position, message, choice, clean if redact is not None else None)
            if row is not None:
                tally.rows += 1
                yield row
            elif message.get("kind") != PURGED and _moment(message) is None:
                tally.without_time += 1
        tally.conversations += tally.rows > before
    tally.redacted = clean.redacted


def _orders(store: Store, choice: Choice) -> list[_Order]:
    """All of them at one moment: no message comes twice, or not at all, because conversations turn out to be one meanwhile."""
    with store.transaction(write=False):
        names = store.conversations() if choice.conversation_id is None else [choice.conversation_id]
        return [_Order(name, _compact(store.conversation(name).reading().order)) for name in names]


def _compact(order: Sequence[int]) -> Sequence[int]:
    """The same numbers in four bytes each."""
    return order if isinstance(order, range) else array("I", order)


def _messages(store: Store, conversation_id: str, numbers: Sequence[int]) -> Iterator[tuple[int, dict[str, Any]]]:
    """Each message with its place in the reading order; the store is held for a part of them at a time."""
    at = 0
    while at < len(numbers):
        found: list[tuple[int, dict[str, Any]]] = []
        size = 0
        with store.transaction(write=False):
            for message in store.bodies(conversation_id, numbers[at : at + _AT_ONCE]):
                found.append((at, message))
                at += 1
                size += _size(message["content"])
                if size > _BYTES_AT_ONCE:
                    break
        yield from found


def _size(content: Any) -> int:
    """About how many characters a content has."""
    if isinstance(content, str):
        return len(content)
    if isinstance(content, dict):
        content = content.values()
    return sum(map(_size, content)) if not isinstance(content, (int, float, type(None))) else 8


def _moment(message: dict[str, Any]) -> int | None:
    return clock.microseconds(message.get("timestamp", ""))


def _row(
    conversation_id: str, position: int, message: dict[str, Any], choice: Choice, clean: Cleaner | None
) -> tuple[Value, ...] | None:
    """The row of a message; None where it is not to be told."""
    moment = _moment(message)
    if message["kind"] == PURGED or not choice.takes(moment):
        return None
    content, redacted = message["content"], 0
    if clean is not None:
        redacted = clean.redacted
        content = clean.value(content)
        redacted = clean.redacted - redacted
    text, form = values.content(content)
    return row_of(
        MESSAGES,
        {
            "conversation_id": values.text(conversation_id),
            "message_index": message["index"],
            "reading_position": position,
            "role": message["role"],
            "kind": message["kind"],
            "content": text,
            "content_type": form,
            "content_hash": message["content_hash"],
            "created_at": moment,
            "timestamp": values.optional_text(message.get("timestamp")),
            "clock": values.optional_text(message.get("clock")),
            "fidelity": values.optional_text(message.get("fidelity")),
            "source_index": values.whole(message.get("source_index")),
            "uuid": values.optional_text(message.get("uuid")),
            "extends": values.whole(message.get("extends")),
            "redacted": redacted,
        },
    )
