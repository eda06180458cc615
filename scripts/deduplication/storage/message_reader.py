"""Messages read back from the lines of the log, each with its body, whichever line carries that, and its images."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from ..errors import StoreDamaged
from ..model import LOST, PURGED, SYSTEM
from .log.records import PURGED as TOMBSTONE
from .log.records import tombstone_from

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from .known import Known
    from .log.lines import Record

_SHORT: Final = 200
"""Characters of a body up to which it is kept while many messages are read: short ones repeat."""
_REMEMBERED: Final = 1_000


def read_messages(known: Known, conversation_id: str, numbers: Sequence[int]) -> Iterator[dict[str, Any]]:
    """Messages by sequence number: ``index``, ``role``, ``kind``, ``content``, ``content_hash``, ``timestamp`` ..."""
    state = known.state.conversation(conversation_id)
    places = state.places(numbers)
    own = known.log.records(place for place in places if place >= 0)
    carried: dict[str, dict[str, Any]] = {}
    for number, place in zip(numbers, places):
        if place < 0:
            yield {"index": number, "role": "system", "kind": LOST, "content": "", "content_hash": ""}
            continue
        record = next(own)
        if (record["conversation_id"], record.get("index")) != (state.origin(number) or (conversation_id, number)):
            raise StoreDamaged(f"{known.log.path}, byte {place}: not the message that the index says")
        identity = record["content_hash"]
        if TOMBSTONE in record:
            yield _purged(record, number)
            continue
        if "message" in record:
            message = record["message"]
        else:
            message = carried.get(identity) or _carried(known, identity)
            if identity not in carried and _is_short(message):
                if len(carried) >= _REMEMBERED:
                    carried.clear()
                carried[identity] = message
        yield {
            "index": number,
            "role": message["role"],
            "kind": message["kind"],
            "content": known.blobs.restored(message),
            "content_hash": identity,
            "timestamp": record["timestamp"],
            "clock": record["source"]["clock"],
            "fidelity": message.get("fidelity", "layout"),
            **{name: record[name] for name in ("source_index", "uuid") if name in record},
            **({"extends": state.extends[number]} if number in state.extends else {}),
        }


def _carried(known: Known, identity: str) -> dict[str, Any]:
    """The body that another line carries."""
    offset = known.state.bodies.offset(identity)
    if offset is None:
        raise StoreDamaged(f"{known.log.path}: no line carries the body {identity[:12]}…")
    message: dict[str, Any] = known.log.record(offset)["message"]
    return message


def _is_short(message: Record) -> bool:
    content = message["content"]
    return isinstance(content, str) and len(content) <= _SHORT


def _purged(record: Record, number: int) -> dict[str, Any]:
    """What can be told of a message that was purged."""
    return {
        "index": number,
        "role": SYSTEM,
        "kind": PURGED,
        "content": "",
        "content_hash": "",
        "tombstone": tombstone_from(record),
        **{name: record[name] for name in ("source_index", "uuid", "extends") if name in record},
    }
