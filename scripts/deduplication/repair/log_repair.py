"""The log made whole: run by run, in its order, each damaged run from its archived export, each line in its old place.

A run that can be done again gives its lines back, its commit record too. Where it cannot (an earlier loss, another version
of a parser), what the windows of the runs say decides which message of an export belongs to which sequence number.
Nothing is written here: :class:`Mended` is what the log is to be.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any, Optional

from ..storage.log.lines import encode_line, is_commit
from ..storage.log.records import PURGED, SAME
from ..storage.replay import Replay
from . import damage, lost_runs, rerun
from .evidence import Evidence
from .run_lines import Line, RunLines
from .run_remains import RunRemains, remains_of

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from ..storage.log.salvage import Piece, Salvaged
    from ..storage.log_store import Remembered
    from .damage import Finding
    from .raw_sources import Sources
    from .rerun import Again


@dataclass
class Mended:
    """What the log is to be: the ``lines`` of each of its places.

    ``unfinished`` stood behind the last run: no part of it. ``blobs``: data of messages that were taken from elsewhere.
    """

    lines: list[list[bytes]]
    evidence: Evidence
    replay: Replay
    findings: list[Finding] = field(default_factory=list)
    unfinished: list[bytes] = field(default_factory=list)
    blobs: dict[str, bytes] = field(default_factory=dict)


def mend(salvaged: Salvaged, sources: Sources, blobs: str, remembered: Remembered) -> Mended:
    """What the log must be for everything to be in it that it or the archive has, and every damage that was found.

    ``blobs`` is the folder of the store's blobs, ``remembered`` what its index has of the log.
    """
    return _Mending(salvaged, sources, blobs, remembered).mended()


class _Mending:
    def __init__(self, salvaged: Salvaged, sources: Sources, blobs: str, remembered: Remembered) -> None:
        self._salvaged = salvaged
        self._evidence = Evidence(salvaged.pieces, sources, remembered)
        self._replay = Replay(blobs)
        self._done = Mended([[] for _ in salvaged.places], self._evidence, self._replay)
        self._lines = RunLines(self._replay, self._evidence)
        self._place = 0
        self._damaged: list[Piece] = []
        self._pieces: Sequence[Piece] = ()

    def mended(self) -> Mended:
        for piece in self._salvaged.pieces:
            if piece.healed:
                self._found(damage.Finding(damage.BIT, piece.where, "one bit was flipped", repaired=True))
        group: list[Piece] = []
        for piece in self._salvaged.pieces:
            group.append(piece)
            if piece.record is not None and is_commit(piece.record):
                self._group(group, ended=True)
                group = []
        if group:
            self._group(group, ended=False)
        self._place, self._damaged = len(self._salvaged.places) - 1, []
        self._lines.look_at([])
        lost_runs.unknown_files(self._replay, self._evidence, lambda again: self._accept(again, empty=True))
        self._gone()
        self._done.blobs = self._lines.blobs
        return self._done

    def _found(self, finding: Finding) -> None:
        self._done.findings.append(finding)

    def _put(self, data: bytes) -> None:
        self._done.lines[self._place].append(data)
        self._replay.take(data)

    # --- a group: all up to a commit record that is whole -------------------------------------------------------------

    def _group(self, group: list[Piece], *, ended: bool) -> None:
        self._place, self._pieces = group[-1].place, group
        if ended and self._whole(group):
            for piece in group:
                self._put(piece.data)
            return
        self._damaged = [piece for piece in group if piece.record is None]
        self._lines.look_at(self._damaged)
        told = len(self._done.findings)
        left = remains_of(group, self._replay, self._evidence, self._lines.tells, self._found)
        for position, run in enumerate(left):
            self._run(run, last=not ended and position == len(left) - 1)
        if not ended and not left:
            self._done.unfinished += [piece.data for piece in group]
        if told == len(self._done.findings):
            for piece in self._damaged[:1]:
                torn = not ended and bool(piece.data) and not piece.data.endswith(b"\n")
                kind = damage.UNFINISHED if torn else damage.MESSAGES
                self._found(damage.Finding(kind, piece.where, piece.fault, repaired=ended))

    def _whole(self, group: Sequence[Piece]) -> bool:
        """Whether nothing is missing in a group, nor before it."""
        commit: Any = group[-1].record
        if any(piece.record is None for piece in group):
            return False
        tip = self._replay.tip(commit["conversation_id"])
        carried: set[str] = set()
        for piece in group[:-1]:
            record: Any = piece.record
            if SAME in record:
                continue
            if (record["conversation_id"], record.get("index")) != (commit["conversation_id"], tip):
                return False
            if "message" in record:
                carried.add(record["content_hash"])
            elif (
                PURGED not in record
                and record["content_hash"] not in carried
                and not self._replay.has_body(record["content_hash"])
            ):
                return False
            tip += 1
        return all(last < tip for _, last in commit["window"])

    # --- one run --------------------------------------------------------------------------------------------------------

    def _run(self, left: RunRemains, *, last: bool) -> None:
        """``last``: nothing stands behind it, so that without a commit record it is no part of the store."""
        again = self._again(left)
        while again is None and lost_runs.find(self._replay, self._evidence, left, self._accept):
            again = self._again(left)
        if again is not None:
            self._ended(left, list(self._lines.redone(left, again)), again)
        elif last and not self._was_complete(left):
            self._unfinished(left)
        else:
            self._ended(left, list(self._lines.by_window(left)), None)

    def _was_complete(self, left: RunRemains) -> bool:
        """Whether the last run had its commit record: an index has its messages, or the damaged record can still be read."""
        name = left.conversation_id
        if any(self._evidence.identity(name, number) == identity for number, identity in left.hashes().items()):
            return True
        survivors = [Line(number, piece.data) for number, piece in left.survivors.items()]
        return self._lines.commit_legible(left, survivors, self._damaged) is not None

    def _again(self, left: RunRemains) -> Optional[Again]:
        """The run done again, where that agrees with all that is left of it."""
        if left.commit is not None:
            again = rerun.of_commit(self._replay, self._evidence, left.commit)
        else:
            again = rerun.of_prefix(self._replay, self._evidence, left.digits, left.conversation_id)
        return again if again is not None and self._agrees(again, left) else None

    def _agrees(self, again: Again, left: RunRemains) -> bool:
        taken = self._evidence.present.get(again.run.conversation_id, {})
        return again.run.conversation_id == left.conversation_id and rerun.agrees(
            again, left.hashes(), left.commit, taken
        )

    def _accept(self, again: Again, *, empty: bool = False) -> bool:
        """Take a run of which no line is left, where its numbers are free. ``empty``: also one that brought nothing."""
        if not (again.run.occurrences or empty):
            return False
        left = RunRemains(again.run.conversation_id, again.run.record.sha256[:16])
        if not self._agrees(again, left):
            return False
        self._ended(left, list(self._lines.redone(left, again)), again)
        return True

    def _ended(self, left: RunRemains, lines: Sequence[Line], again: Optional[Again]) -> None:
        """Put the lines of a run and its commit record: as it is, counted anew, or made again."""
        for line in lines:
            self._put(line.data)
            if line.lost:
                self._replay.lose(left.conversation_id, line.number)
        for data in left.same or (self._lines.same_again(left, again) if again is not None else ()):
            self._put(data)
        self._tell(left, lines, again)
        if left.commit is not None:
            self._put(self._lines.commit_counted(left))
            return
        where, fault = self._named()
        export, file = "", ""
        record: Optional[dict[str, Any]] = None
        if again is not None:
            export, file = again.run.record.name, again.file
            self._put(self._lines.commit_again(left, again))
        else:
            record = self._lines.commit_legible(left, lines, self._damaged)
            if record is not None:
                export, file = record["export"]["name"], "the line itself, which what it counts proves"
            self._put(encode_line(record) if record is not None else self._lines.commit_in_its_place(left, lines))
        repaired = again is not None or record is not None
        self._found(
            damage.Finding(
                damage.RUN, where, fault, repaired, conversation=left.conversation_id, export=export, file=file
            )
        )

    def _unfinished(self, left: RunRemains) -> None:
        """What stands behind the last commit record is no part of the store, and the archive does not have its export."""
        whole = {piece.where for piece in left.survivors.values()}
        own = [piece for piece in self._pieces if piece.record is None or piece.where in whole]
        self._done.unfinished += [piece.data for piece in own]
        where, fault = self._named()
        torn = not any(piece.data.endswith(b"\n") or not piece.data for piece in self._damaged)
        finding = damage.of_messages(
            where,
            "the last run did not finish" if torn else fault,
            left.conversation_id,
            sorted(left.survivors),
            export="",
            file="",
            repaired=False,
        )
        self._found(replace(finding, kind=damage.UNFINISHED if torn else damage.MESSAGES))

    # --- what is told -------------------------------------------------------------------------------------------------

    def _named(self) -> tuple[str, str]:
        """Where the damage at hand is, and what."""
        for piece in self._damaged:
            return piece.where, piece.fault
        return self._salvaged.places[self._place].name, "lines are missing"

    def _tell(self, left: RunRemains, lines: Iterable[Line], again: Optional[Again]) -> None:
        """The messages that were lost, or taken from elsewhere."""
        where, fault = self._named()
        export = left.commit["export"]["name"] if left.commit is not None else again.run.record.name if again else ""
        files: dict[tuple[str, bool], list[int]] = {}
        for line in lines:
            if line.file or line.lost:
                files.setdefault((line.file, line.lost), []).append(line.number)
        for (file, gone), numbers in files.items():
            name = left.conversation_id
            self._found(damage.of_messages(where, fault, name, numbers, export=export, file=file, repaired=not gone))

    def _gone(self) -> None:
        """What an index remembers of messages behind the last one that there is."""
        for name, hashes in self._evidence.remembered.hashes.items():
            tip = self._replay.tip(name)
            behind = [number for number in range(tip, len(hashes)) if hashes[number]]
            said = {
                n for f in self._done.findings if f.conversation == name for a, b in f.numbers for n in range(a, b + 1)
            }
            numbers = [number for number in behind if number not in said]
            if numbers:
                where, fault = self._salvaged.places[-1].name, "the log is shorter than it was"
                self._found(damage.of_messages(where, fault, name, numbers, export="", file="", repaired=False))
