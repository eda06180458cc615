"""The lines of one run, each as it is where it is whole, else made again from what a source has of it."""

from __future__ import annotations

import json
from time import perf_counter
from typing import TYPE_CHECKING, Any, Final, Optional

from ..alignment.reading_order import ranges
from ..files.clock import timestamp
from ..model import LOST, counts
from ..start.late_dataclass import replace
from ..start.late_tuple import NamedTuple
from ..storage.carriers import Carriers, brought
from ..storage.contract import NewOccurrence
from ..storage.log.lines import encode_line
from ..storage.log.records import (
    PURGED,
    RECOUNTED,
    announces,
    commit_record,
    new_of,
    occurrence_record,
    same_record,
)
from ..storage.state.references import lift
from . import partial_lines

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from ..storage.contract import Counts
    from ..storage.log.salvage import Piece
    from ..storage.replay import Replay
    from .evidence import Evidence, FoundMessage
    from .partial_lines import PartialLine
    from .rerun import Rerun
    from .run_remains import RunRemains

PLACEHOLDER: Final = "a damaged line was here; nothing has what it said"
"""In the place of what is lost: a line that every reader passes over, and that keeps its sequence number taken."""


class Line(NamedTuple):
    """A line of a run: ``file`` is where it was taken from, empty where it is what it was."""

    number: int
    data: bytes
    file: str = ""
    lost: bool = False


class RunLines:
    """Makes the lines of runs. ``damaged``: what the damaged lines at hand still say; ``blobs``: data lifted out of messages."""

    def __init__(self, replay: Replay, evidence: Evidence) -> None:
        self._replay, self._evidence = replay, evidence
        self._told: dict[tuple[str, int], PartialLine] = {}
        self.damaged: list[PartialLine] = []
        self.blobs: dict[str, bytes] = {}

    def read_damaged(self, damaged: Sequence[Piece]) -> None:
        """Read what can be read of the damaged lines of a group."""
        self.damaged = [partial_lines.parse_partial(piece.data) for piece in damaged]
        for each in self.damaged:
            if each.conversation and each.number >= 0:
                self._told.setdefault((each.conversation, each.number), each)

    def of_rerun(self, remains: RunRemains, redone: Rerun) -> Iterator[Line]:
        """The lines of a run that was done once more."""
        carriers = Carriers(self._replay.has_body)
        for number, item in redone.run.occurrences:
            yield self._line(remains, number, item, redone.file, carriers)

    def by_window(self, remains: RunRemains) -> Iterator[Line]:
        """The whole lines of a run that cannot be done again, and between them what windows say that belongs there."""
        highest = max(remains.survivors, default=-1)
        if remains.commit is not None:
            highest = max([highest, *(last for _, last in remains.commit["window"])])
        taken = self._evidence.present.get(remains.conversation_id, {})
        carriers = Carriers(self._replay.has_body)
        for number in range(self._replay.tip(remains.conversation_id), highest + 1):
            record = remains.record(number)
            if record is None and number in taken:
                continue  # a later line has it: lines that stand in another order are left to themselves
            if record is not None and PURGED in record:
                yield Line(number, remains.survivors[number].data)
                continue
            if record is None and self._was_purged(remains, number):
                yield lost_line(remains.conversation_id, number)
                continue
            identity = record["content_hash"] if record is not None else self._identity(remains, number)
            if record is not None and ("message" in record or carriers.has(identity)):
                carriers.carries(identity)
                yield Line(number, remains.survivors[number].data)
                continue
            shown = self._evidence.found(remains.conversation_id, number, identity, exactly=record is not None)
            if shown is None:
                yield lost_line(remains.conversation_id, number)
            else:
                yield self._line(remains, number, self._occurrence(remains, number, shown), shown.file, carriers)

    def _was_purged(self, remains: RunRemains, number: int) -> bool:
        """Whether the line of this number was a tombstone: what it stood for must not come back, whatever source has it."""
        told = self._told.get((remains.conversation_id, number))
        return (told is not None and told.purged) or self._evidence.was_purged(remains.conversation_id, number)

    def _identity(self, remains: RunRemains, number: int) -> str:
        """The content hash that the line of this number had, as far as anything says it."""
        told = self._told.get((remains.conversation_id, number))
        return told.content_hash if told is not None else ""

    def _line(self, remains: RunRemains, number: int, item: NewOccurrence, file: str, carriers: Carriers) -> Line:
        identity = item.fingerprint.content_hash
        old = remains.record(number)
        if old is not None and PURGED in old:
            return Line(number, remains.survivors[number].data)
        if old is None and self._was_purged(remains, number):
            return lost_line(remains.conversation_id, number)
        carries = carriers.carries(identity)
        if old is not None and ("message" in old or not carries):
            return Line(number, remains.survivors[number].data)
        if item.clock == "capture":
            told = self._told.get((remains.conversation_id, number))
            item = replace(item, timestamp=(told.timestamp if told else "") or self._moment(remains))
        digits = remains.commit["export"]["sha256"] if remains.commit is not None else remains.digits
        record = occurrence_record(remains.conversation_id, number, item, digits, carries=carries)
        if old is not None:
            record = {name: old.get(name, record.get(name)) for name in record}
        return Line(number, encode_line(self._lifted(record)), file)

    def _lifted(self, record: dict[str, Any]) -> dict[str, Any]:
        message = record.get("message")
        content, found = lift(message["content"]) if message else ("", {})
        if not found or message is None:
            return record
        self.blobs.update(found)
        sizes = {digest: len(data) for digest, data in found.items()}
        return {**record, "message": {**message, "content": content, "blobs": sizes}}

    def _occurrence(self, remains: RunRemains, number: int, shown: FoundMessage) -> NewOccurrence:
        told = self._told.get((remains.conversation_id, number))
        return NewOccurrence(
            shown.item,
            shown.message,
            shown.message.timestamp or "",
            "source" if shown.message.timestamp else "capture",
            told.extends if told is not None else None,
        )

    def _moment(self, remains: RunRemains) -> str:
        """When the run was stored: its own lines say so, else what is left of the damaged ones."""
        for piece in remains.survivors.values():
            if piece.record is not None and piece.record.get("source", {}).get("clock") == "capture":
                return str(piece.record["timestamp"])
        if remains.commit is not None:
            return str(remains.commit["timestamp"])
        own = [each.timestamp for each in self.damaged if each.timestamp]
        return own[-1] if own else timestamp()

    # --- the commit record ----------------------------------------------------------------------------------------------

    def commit_of_rerun(self, remains: RunRemains, redone: Rerun) -> bytes:
        """The commit record of a run that was done once more."""
        record = commit_record(remains.conversation_id, redone.run.record, perf_counter())
        record["timestamp"] = self._moment(remains)
        record["processing_time_ms"] = next((each.took for each in self.damaged if each.took is not None), 0)
        return encode_line(record)

    def same_of_rerun(self, remains: RunRemains, redone: Rerun) -> list[bytes]:
        """What a run that was done once more shows of conversations that are one."""
        return [encode_line(same_record(remains.conversation_id, each)) for each in redone.run.same]

    def recounted_commit(self, remains: RunRemains, lines: Sequence[Line]) -> bytes:
        """The commit record as it is; with other counts where lines came to the run that it did not count.

        What was lost may have been bookkeeping, which is not counted: then its own counts stay.
        """
        record: Any = remains.commit
        kinds = self._replay.conversation(remains.conversation_id).columns.kinds
        if any(LOST in kinds[first : last + 1] for first, last in record["window"]):
            return remains.line
        export = record["export"]
        total, found = self._counts(record)
        new = new_of(record, found)
        if (total, new) == (export["total"], export.get(RECOUNTED, export["new"])):
            return remains.line
        # What came to the run now was announced by nothing else: the log says what it comes to.
        counted = {**export, "total": total, "new": new}
        counted.pop(RECOUNTED, None)
        if "captured" in counted:
            counted["captured"] = found.captured
        if "known_bytes" in counted:  # what an earlier run brought, of which nothing is left, was known to this one
            carried = brought(json.loads(line.data) for line in lines)
            counted["known_bytes"] = min(counted["known_bytes"], counted["bytes"] - carried)
        return encode_line({name: counted if name == "export" else value for name, value in record.items()})

    def readable_commit(
        self, remains: RunRemains, lines: Sequence[Line], damaged: Sequence[Piece]
    ) -> Optional[dict[str, Any]]:
        """A damaged commit record that can still be read, where it counts what is there."""
        for piece in damaged:
            record = partial_lines.commit(piece.data)
            if record is None or record["conversation_id"] != remains.conversation_id:
                continue
            export = record["export"]
            if str(export.get("sha256"))[:16] == remains.digits and not any(line.lost for line in lines):
                try:
                    total, found = self._counts(record)
                except (TypeError, ValueError):
                    continue
                says = export.get(RECOUNTED, export.get("new"))
                if (total, new_of(record, found)) == (export.get("total"), says):
                    return record
        return None

    def substitute_commit(self, remains: RunRemains, lines: Sequence[Line]) -> bytes:
        """A commit record for a run of which nothing has the real one: it holds together what is left of it.

        Its export has no name, no bytes and no format; of the SHA-256 the digits are known that the lines name, zeros follow.
        """
        numbers = [line.number for line in lines if not line.lost]
        window = [list(each) for each in ranges(numbers)]
        export = {"name": "", "sha256": remains.digits.ljust(64, "0"), "bytes": 0, "format": "", "parser": 0}
        record = {
            "conversation_id": remains.conversation_id,
            "timestamp": self._moment(remains),
            "export": {**export, "total": 0, "new": 0, "captured": 0},
            "window": window,
            "processing_time_ms": 0,
        }
        total, found = self._counts(record)
        record["export"] = {**export, "total": total, "new": found.new, "captured": found.captured}
        return encode_line(record)

    def _counts(self, commit: dict[str, Any]) -> tuple[int, Counts]:
        """The messages in all that a run shows of which the lines are there, and what it comes to."""
        name, window = commit["conversation_id"], commit["window"]
        kinds = self._replay.conversation(name).columns.kinds
        shown = [kinds[n] for first, last in window for n in range(first, last + 1) if n < len(kinds)]
        total = sum(counts(kind) or kind == LOST for kind in shown)
        return total, self._replay.run_at_hand(name, window, captures=not announces(commit))


def lost_line(conversation_id: str, number: int) -> Line:
    """In the place of an occurrence that nothing has any more."""
    record = {"conversation_id": conversation_id, "index": number, "lost": PLACEHOLDER}
    return Line(number, json.dumps(record, separators=(",", ":"), ensure_ascii=False).encode() + b"\n", lost=True)
