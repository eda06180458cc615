"""One line of the log accounted for in a state. The same lines, in their order, always come to the same state."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ...alignment.fingerprint import Fingerprint, fingerprint
from ...model import counts
from ..log.audit import audit_line
from ..log.lines import Damaged, is_commit
from ..log.records import (
    PURGE,
    PURGED,
    SAME,
    base64_size,
    blob_bytes,
    blobs_of,
    cursor_of,
    message_of,
    tombstone_from,
)
from ..log.title_records import is_titling
from .checks import check_occurrence, check_run
from .exports import add_export
from .figures import add_run
from .placing import stand
from .run_at_hand import announce
from .showing import show
from .titled import note
from .uniting import adopt, unite_messages

if TYPE_CHECKING:
    from ..log.lines import Extent, Line, Record
    from .log_state import State


def apply(state: State, record: Record, line: Line | Extent, item: Fingerprint | None = None) -> bytes:
    """Account for one log line; returns the audit line that follows from it (empty for an occurrence).

    ``item`` is the fingerprint of the message where the caller just computed it; without it the message's content
    hash is checked. Raises :class:`Damaged` where the record contradicts what came before.
    """
    try:
        if SAME in record:
            state.pending.append((record, line))
            audit = b""
        else:
            audit = _commit(state, record, line) if is_commit(record) else _occurrence(state, record, line, item)
    except Damaged:
        raise
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        raise Damaged(f"a record of another form ({error!r})") from error
    state.size = line.end
    return audit


def _occurrence(state: State, record: Record, line: Line | Extent, item: Fingerprint | None) -> bytes:
    _adopt_pending(state)  # where the end of their run was lost
    identity, number = check_occurrence(record)
    tombstone = tombstone_from(record) if PURGED in record else None
    conversation = state.entered(record["conversation_id"])
    if number < len(conversation):
        raise Damaged(f"sequence number {number} is taken")
    if number > len(conversation) + state.missing:
        raise Damaged(f"sequence number {number} follows {len(conversation) - 1}")
    brings = False
    if tombstone is not None:
        item = Fingerprint(identity, tombstone.key, tombstone.kind, "", tombstone.weight)
    elif "message" in record:
        item = item or fingerprint(message_of(record))
        brings = _carried(state, record, line, item)
    else:
        item = _known(state, record)
    conversation.keep_lost(number)
    if tombstone is None:
        if not brings:
            state.bodies.came_again(identity)
        if counts(item.kind):
            state.at_hand.count(conversation, record, identity, brings=brings)
            stand(state, conversation, identity, brings=brings)
    uuid = record.get("uuid") or ""
    if item.uuid != uuid:
        item = item._replace(uuid=uuid)
    if isinstance(record.get("extends"), int):
        conversation.extends[number] = record["extends"]
    if tombstone is not None:
        conversation.purged.add(number)
        state.ban(tombstone)
    conversation.add(item, line.offset)
    state.whereabouts.note(conversation, item, number, line.offset, brings=brings)
    state.occurrences += 1
    state.fresh += 1
    conversation.figures["stored_bytes"] = conversation.figures.get("stored_bytes", 0) + line.size + blob_bytes(record)
    return b""


def _carried(state: State, record: Record, line: Line | Extent, item: Fingerprint) -> bool:
    """Account for the body of a line and its blobs; False where another line carries it already."""
    identity = record["content_hash"]
    if item.content_hash != identity:
        raise Damaged("the message does not have the content hash it is stored under")
    if state.has_body(identity):
        return False
    state.bodies.add(identity, line.offset, item)
    state.at_hand.brings(record)
    for digest, size in blobs_of(record).items():
        state.pictures[identity] = (state.pictures.get(identity) or 0) + base64_size(size)
        if state.blobs.get(digest) is None:
            state.blobs[digest] = size
            state.seen_bytes = state.seen_bytes.plus(blobs=size)
        else:
            state.at_hand.blob_again(record, size)
    return True


def _known(state: State, record: Record) -> Fingerprint:
    """What is known of the body of a line that does not carry it.

    Never that of the drawing at hand: one content hash can be drawn with two alignment keys, and an index made again from
    the log has only the drawing that the log holds. So the occurrences of a body share one text of its hash, too.
    """
    identity = record["content_hash"]
    item = state.bodies.fingerprint(identity)
    if item is None or not state.has_body(identity):
        raise Damaged(f"no line carries the body {identity[:12]}…")
    pictures = state.pictures.get(item.content_hash) if state.seen_bytes.blobs else 0
    if pictures:
        state.at_hand.pictures_again(record, pictures)
    return item


def _commit(state: State, record: Record, line: Line | Extent) -> bytes:
    conversation_id = record["conversation_id"]
    conversation = state.entered(conversation_id)
    highest, known = check_run(record, len(conversation) + state.missing)
    audit = audit_line(record, line.end - state.at_hand.start)
    announce(state, conversation, record, line)
    note(conversation, record)
    if PURGE in record or is_titling(record):
        conversation.figures["updated_at"] = record["timestamp"]
        conversation.figures["stored_bytes"] = conversation.figures.get("stored_bytes", 0) + line.size
        state.at_hand.start = line.end
        return audit
    cursor = cursor_of(record.get("cursor"))
    follows = record.get("follows", -1)
    conversation.keep_lost(highest + 1)
    position = show(state, conversation, record, cursor, follows)
    add_run(state, conversation, record, line.size, captures=cursor is not None)
    unite_messages(state, conversation, record)
    _adopt_pending(state)
    state.at_hand.start = line.end
    if cursor is None:
        add_export(state, conversation, record, position, known)
    else:
        size = record["export"]["bytes"]
        doubled = state.at_hand.doubled()
        state.seen_bytes = state.seen_bytes.plus(distinct=size, captured=size, known=known, doubled=doubled)
        conversation.figures["raw_bytes"] = conversation.figures.get("raw_bytes", 0) + size
    return audit


def _adopt_pending(state: State) -> None:
    pending, state.pending = state.pending, []
    for record, line in pending:
        adopt(state, record, line)
