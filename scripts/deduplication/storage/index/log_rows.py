"""Rows read from the log: what an index does not keep of a message, because its line says it."""

from __future__ import annotations

from array import array
from typing import TYPE_CHECKING, cast

from ...alignment.columns import Columns
from ...alignment.fingerprint import Fingerprint, fingerprint_of
from ...errors import StoreDamaged
from ...model import LOST
from ..log.message_records import MessageRecords
from ..log.records import PURGED, message_of, tombstone_from
from ..state.adopting import origins

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from ..log.append_log import Log
    from ..log.lines import Record
    from ..state.blobs import Blobs
    from ..state.chunks import Chunks
    from ..state.conversation import ConversationState
    from ..state.log_state import State
    from ..state.stored_rows import Row, Rows
    from ..state.stretches import Stretches

_LOST = Fingerprint("", "", LOST, "", 0)


class LogRows:
    """The occurrences of ``log``, found by the stretches of a state that accounts for them."""

    def __init__(self, log: Log, blobs: Blobs) -> None:
        self._log, self._blobs = log, blobs
        self._records = MessageRecords(log)
        self.state: State
        """Whose stretches they are: set by whoever makes it."""

    @property
    def _chunks(self) -> Chunks:
        return cast("Stretches", self.state.whereabouts).chunks

    def rows(self, name: str, conversation: ConversationState) -> Rows:
        """Those of a conversation that an index has, from number 0 on."""
        count = conversation.stored
        items: list[Fingerprint] = [_LOST] * count
        lines = array("q", [-1]) * count
        known: dict[str, Fingerprint] = {}
        for start, whose, first, length in origins(name, conversation, count):
            for number, offset, record in self._between(whose, first, first + length):
                items[start + number - first] = self._item(record, known)
                lines[start + number - first] = offset
        columns = Columns()
        for item in items:
            columns.append(item)
        return columns, lines

    def offsets(self, name: str, conversation: ConversationState, first: int, end: int) -> array[int]:
        """The byte offset of the line of each from one number up to another, -1 where it was lost."""
        lines = array("q", [-1]) * (end - first)
        for start, whose, origin, length in origins(name, conversation, conversation.stored):
            low, high = max(start, first), min(start + length, end)
            if low < high:
                for number, offset, _ in self._between(whose, origin + low - start, origin + high - start):
                    lines[number - origin + start - first] = offset
        return lines

    def row(self, name: str, conversation: ConversationState, number: int) -> Row:
        """One of them."""
        whose, at = conversation.origin(number) or (name, number)
        for _, offset, record in self._between(whose, at, at + 1):
            return self._item(record, {}), offset
        return _LOST, -1

    def some(self, name: str, first: int, end: int) -> Iterator[tuple[int, Fingerprint]]:
        """Number and fingerprint of each own one of a conversation, from one number up to another."""
        known: dict[str, Fingerprint] = {}
        for number, _, record in self._between(name, first, end):
            yield number, self._item(record, known)

    def prove(self, identity: str, chunks: Sequence[int]) -> tuple[int, Fingerprint] | None:
        """The first line in these stretches that carries the body with this content hash, and what is known of the body.

        Raises :class:`StoreDamaged` where none does and not all lines can be read: one of them may be that line.
        """
        wanted = identity.encode(errors="replace")
        for all_lines in (False, True):
            for chunk in chunks:
                for offset, record in self._lines(chunk, b"" if all_lines else wanted):
                    if record.get("content_hash") == identity and "message" in record:
                        return offset, self._item({**record, "uuid": ""}, {})
        return None

    def ids(self, chunk: int) -> Iterator[tuple[int, str]]:
        """The sequence number and the id of each occurrence in a stretch that has an id."""
        for _, record in self._lines(chunk, b'"uuid"'):
            if record.get("uuid"):
                yield record["index"], record["uuid"]

    def _between(self, name: str, first: int, end: int) -> Iterator[tuple[int, int, Record]]:
        """Number, offset and record of each own occurrence of a conversation from one number up to another.

        Raises :class:`StoreDamaged` where one of them cannot be read.
        """
        for chunk in self._stretches(name, first, end):
            stretch = self._chunks[chunk]
            last = min(stretch.first + stretch.length, end) - 1
            expected = last + 1 - max(stretch.first, first)
            for offset, record in self._lines(chunk, b""):
                if first <= record["index"] <= last:
                    yield record["index"], offset, record
                    expected -= 1
                    if not expected:
                        break

    def _stretches(self, name: str, first: int, end: int) -> Iterator[int]:
        """The stretches of a conversation that have these numbers."""
        chunks = self._chunks
        for low, high in self.state.conversation(name).chunks:
            if chunks[high].first + chunks[high].length <= first:
                continue
            at, top = low, high
            while at < top:  # the first one that ends behind ``first``
                middle = (at + top) // 2
                if chunks[middle].first + chunks[middle].length <= first:
                    at = middle + 1
                else:
                    top = middle
            for chunk in range(at, high + 1):
                if chunks[chunk].first >= end:
                    return
                yield chunk

    def _lines(self, chunk: int, holding: bytes) -> Iterator[tuple[int, Record]]:
        """Offset and record of each occurrence in a stretch; those of which the line does not hold these bytes may be left out.

        Where there are no such bytes it raises :class:`StoreDamaged` if fewer can be read than there are.
        A stretch has its numbers in order and without a gap: a line between them with another was refused when it was read first.
        """
        chunks = self._chunks
        stretch = chunks[chunk]
        name = self.state.names.get(str(stretch.owner))
        number, end = stretch.first, stretch.first + stretch.length
        left = stretch.length
        for offset, record in self._records.between(stretch.offset, chunks.end(chunk, self.state.size), holding):
            place = record.get("index")
            if record["conversation_id"] != name or type(place) is not int:
                continue
            if number <= place < end:
                yield offset, record
                number, left = place + 1, left - 1
                if not left:
                    return
        if not holding:
            raise self._damaged(stretch.offset)

    def _damaged(self, offset: int) -> StoreDamaged:
        return StoreDamaged(f"{self._log.path}: a message behind byte {offset} cannot be read")

    def _item(self, record: Record, known: dict[str, Fingerprint]) -> Fingerprint:
        identity, uuid = record["content_hash"], record.get("uuid") or ""
        if PURGED in record:
            left = tombstone_from(record)
            return Fingerprint(identity, left.key, left.kind, "", left.weight, uuid)
        item = known.get(identity)
        if item is None:
            if "message" in record:
                item = self._blobs.fingerprint(record) or fingerprint_of(message_of(record), identity)
                item = Fingerprint(identity, item.key, item.kind, "", item.weight)
            else:
                item = self.state.bodies.fingerprint(identity)
                if item is None:
                    raise StoreDamaged(f"{self._log.path}: no line carries the body {identity[:12]}…")
            known[identity] = item
        return item._replace(uuid=uuid) if uuid else item
