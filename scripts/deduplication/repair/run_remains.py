"""What is left of runs in a damaged stretch of the log: whole lines, commit records, damaged lines that prove themselves."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Optional

from ..start.late_dataclass import dataclass, field, replace
from ..storage.log.lines import encode_line, is_commit
from ..storage.log.records import PURGED, SAME
from . import damage, partial_lines

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from ..storage.log.salvage import Piece
    from ..storage.replay import Replay
    from .damage import Finding
    from .evidence import Evidence
    from .partial_lines import PartialLine


@dataclass
class RunRemains:
    """What is left of a run: the whole lines that it brought, by sequence number, and its commit record with its line."""

    conversation_id: str
    digits: str
    survivors: dict[int, Piece] = field(default_factory=dict)
    commit: Optional[dict[str, Any]] = None
    line: bytes = b""
    same: list[bytes] = field(default_factory=list)
    """Its lines that say that another conversation is this one."""

    def record(self, number: int) -> Optional[dict[str, Any]]:
        """The record of a line that is whole."""
        piece = self.survivors.get(number)
        return piece.record if piece is not None else None

    def hashes(self) -> dict[int, str]:
        """The content hash of each line that is whole and no tombstone: in that one it may be anything."""
        return {
            number: piece.record["content_hash"]
            for number, piece in self.survivors.items()
            if piece.record and PURGED not in piece.record
        }


def remains_of(
    group: Sequence[Piece],
    replay: Replay,
    evidence: Evidence,
    tells: Sequence[PartialLine],
    found: Callable[[Finding], None],
) -> list[RunRemains]:
    """The runs of which lines are left in ``group``, in order. ``tells``: what its damaged lines still say."""
    runs: list[RunRemains] = []
    for piece in group:
        record = piece.record if piece.record is not None else _proven(piece, replay, evidence, found)
        if record is None:
            continue
        if is_commit(record):
            run = _of(runs, record["conversation_id"], record["export"]["sha256"][:16])
            run.commit, run.line = record, piece.data
            continue
        if SAME in record:
            _of(runs, record["conversation_id"], "").same.append(piece.data)
            continue
        data = piece.data if piece.record is not None else encode_line(record)
        run = _of(runs, record["conversation_id"], record["source"]["export"] if "source" in record else "")
        run.survivors[record["index"]] = replace(piece, record=record, data=data)
    for each in tells:
        if each.export and each.conversation and not any(run.digits == each.export[:16] for run in runs):
            at = len(runs) - (runs[-1].commit is not None if runs else 0)
            runs.insert(at, RunRemains(each.conversation, each.export[:16]))
    return runs


def _proven(
    piece: Piece, replay: Replay, evidence: Evidence, found: Callable[[Finding], None]
) -> Optional[dict[str, Any]]:
    """The record of a damaged line that its own content hash proves, where its number is not another one's."""
    record = partial_lines.proven(piece.data, replay.blobs)
    if record is None or record["index"] in evidence.present.get(record["conversation_id"], {}):
        return None
    name, number = record["conversation_id"], record["index"]
    file = "the line itself, which its content hash proves"
    found(damage.of_messages(piece.where, piece.fault, name, [number], export="", file=file, repaired=True))
    return record


def _of(runs: list[RunRemains], conversation_id: str, digits: str) -> RunRemains:
    """The run that is at hand, or a new one where this line is another one's. A tombstone does not say whose it is: ""."""
    last = runs[-1] if runs else None
    if last is not None and last.commit is None and last.conversation_id == conversation_id:
        digits = digits or last.digits
        last.digits = last.digits or digits
    if last is None or last.commit is not None or (last.conversation_id, last.digits) != (conversation_id, digits):
        runs.append(RunRemains(conversation_id, digits))
    return runs[-1]
