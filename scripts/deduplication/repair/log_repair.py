"""The log made whole: run by run, in its order, each damaged run from its archived export, each line in its old place.

A run that can be done again gives its lines back, its commit record too. Where it cannot (an earlier loss, another version
of a parser), what the windows of the runs say decides which message of an export belongs to which sequence number.
Nothing is written here: :class:`RepairedLog` is what the log is to be.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Optional

from ..start.late_dataclass import dataclass, field, replace
from ..storage.log.lines import encode_line, is_commit
from ..storage.log.records import PURGED, SAME
from ..storage.replay import Replay
from ..storage.state.blobs import Blobs
from . import chained, damage, lost_runs, rerun
from .evidence import Evidence
from .run_lines import Line, RunLines
from .run_remains import RunRemains, remains_of

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from ..storage.log.append_log import Log
    from ..storage.log.salvage import Piece, Salvaged
    from ..storage.log_backed import Remembered
    from .damage import Finding
    from .raw_sources import Sources
    from .rerun import Rerun


@dataclass
class RepairedLog:
    """What the log is to be: the ``lines`` of each of its places.

    ``unfinished`` stood behind the last run: no part of it. ``blobs``: data of messages that were taken from elsewhere.
    """

    lines: list[list[bytes]]
    evidence: Evidence
    replay: Replay
    findings: list[Finding] = field(default_factory=list)
    unfinished: list[bytes] = field(default_factory=list)
    blobs: dict[str, bytes] = field(default_factory=dict)
    made: int = 0
    proven: int = 0
    """Runs that are not what lay there, and how many of them the log proves to be what they were."""


def repair_log(
    salvaged: Salvaged, sources: Sources, log: Log, remembered: Remembered, *, accept: bool = False
) -> RepairedLog:
    """What the log must be for everything to be in it that it or the archive has, and every damage that was found.

    ``log`` is the one that was salvaged, ``remembered`` what its index has of the log. ``accept``: a run that follows on
    nothing is to follow on what is there.
    """
    return _LogRepair(salvaged, sources, Blobs.beside(log), remembered).mended(accept=accept)


class _LogRepair:
    def __init__(self, salvaged: Salvaged, sources: Sources, blobs: Blobs, remembered: Remembered) -> None:
        self._salvaged = salvaged
        self._evidence = Evidence(salvaged.pieces, sources, remembered)
        self._replay = Replay(blobs)
        self._done = RepairedLog([[] for _ in salvaged.places], self._evidence, self._replay)
        self._lines = RunLines(self._replay, self._evidence)
        self._place = 0
        self._damaged: list[Piece] = []
        self._pieces: Sequence[Piece] = ()
        self._named = chained.NamedHeads(salvaged.pieces, remembered.head)

    def mended(self, *, accept: bool) -> RepairedLog:
        for place in self._salvaged.places:
            if place.mended:
                self._found(
                    damage.Finding(damage.BIT, place.name, f"{place.fault}: nothing of it is lost", repaired=True)
                )
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
        self._lines.read_damaged([])
        lost_runs.accept_unknown_files(self._replay, self._evidence, lambda redone: self._accept(redone, empty=True))
        self._report_lost_end()
        self._done.blobs = self._lines.blobs
        relinked = chained.relink(self._done.lines, self._named, accept=accept)
        self._done.findings += relinked.findings
        self._done.made, self._done.proven = relinked.made, relinked.proven
        return self._done

    def _found(self, finding: Finding) -> None:
        self._done.findings.append(finding)

    def _put(self, data: bytes) -> None:
        self._done.lines[self._place].append(data)
        self._replay.take(data)

    # --- a group: all up to a commit record that is whole -------------------------------------------------------------

    def _group(self, group: list[Piece], *, ended: bool) -> None:
        self._place, self._pieces = group[-1].place, group
        if ended and self._is_complete(group):
            for data in self._as_named(group):
                self._put(data)
            return
        self._damaged = [piece for piece in group if piece.record is None]
        self._lines.read_damaged(self._damaged)
        told = len(self._done.findings)
        runs = remains_of(group, self._replay, self._evidence, self._lines.damaged, self._found)
        for position, run in enumerate(runs):
            self._run(run, last=not ended and position == len(runs) - 1)
        if not ended and not runs:
            self._done.unfinished += [piece.data for piece in group]
        if told == len(self._done.findings):
            for piece in self._damaged[:1]:
                torn = not ended and bool(piece.data) and not piece.data.endswith(b"\n")
                kind = damage.UNFINISHED if torn else damage.MESSAGES
                self._found(damage.Finding(kind, piece.where, piece.fault, repaired=ended))

    def _as_named(self, group: Sequence[Piece]) -> list[bytes]:
        """The lines of a run of which all can be read; as the run behind it proves that they were, where a source has that."""
        found, expected = None, self._named.expected.get(id(group[-1]))
        if expected is not None:
            found = chained.as_named(group, expected, self._replay, self._evidence, self._lines)
        if found is None:
            return [piece.data for piece in group]
        commit: Any = group[-1].record
        name, export = commit["conversation_id"], commit["export"]["name"]
        self._found(
            damage.of_messages(
                group[0].where, chained.CHANGED, name, found.numbers, export=export, file=found.file, repaired=True
            )
        )
        return found.lines

    def _is_complete(self, group: Sequence[Piece]) -> bool:
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

    def _run(self, remains: RunRemains, *, last: bool) -> None:
        """``last``: nothing stands behind it, so that without a commit record it is no part of the store."""
        redone = self._rerun(remains)
        while redone is None and lost_runs.accept_one_before(self._replay, self._evidence, remains, self._accept):
            redone = self._rerun(remains)
        if redone is not None:
            self._finish_run(remains, list(self._lines.of_rerun(remains, redone)), redone)
        elif last and not self._was_complete(remains):
            self._set_aside(remains)
        else:
            self._finish_run(remains, list(self._lines.by_window(remains)), None)

    def _was_complete(self, remains: RunRemains) -> bool:
        """Whether the last run had its commit record: an index has its messages, or the damaged record can still be read."""
        name = remains.conversation_id
        if any(self._evidence.was_stored(name, number) for number in remains.hashes()):
            return True
        survivors = [Line(number, piece.data) for number, piece in remains.survivors.items()]
        return self._lines.readable_commit(remains, survivors, self._damaged) is not None

    def _rerun(self, remains: RunRemains) -> Optional[Rerun]:
        """The run done once more, where that agrees with all that is left of it."""
        if remains.commit is not None:
            redone = rerun.of_commit(self._replay, self._evidence, remains.commit)
        else:
            redone = rerun.of_prefix(self._replay, self._evidence, remains.digits, remains.conversation_id)
        return redone if redone is not None and self._agrees(redone, remains) else None

    def _agrees(self, redone: Rerun, remains: RunRemains) -> bool:
        taken = self._evidence.present.get(redone.run.conversation_id, {})
        return redone.run.conversation_id == remains.conversation_id and rerun.agrees(
            redone, remains.hashes(), remains.commit, taken
        )

    def _accept(self, redone: Rerun, *, empty: bool = False) -> bool:
        """Take a run of which no line is left, where its numbers are free. ``empty``: also one that brought nothing."""
        if not (redone.run.occurrences or empty):
            return False
        remains = RunRemains(redone.run.conversation_id, redone.run.record.sha256[:16])
        if not self._agrees(redone, remains):
            return False
        self._finish_run(remains, list(self._lines.of_rerun(remains, redone)), redone)
        return True

    def _finish_run(self, remains: RunRemains, lines: Sequence[Line], redone: Optional[Rerun]) -> None:
        """Put the lines of a run and its commit record: as it is, recounted, or made once more."""
        for line in lines:
            self._put(line.data)
            if line.lost:
                self._replay.lose(remains.conversation_id, line.number)
        for data in remains.same or (self._lines.same_of_rerun(remains, redone) if redone is not None else ()):
            self._put(data)
        self._report_messages(remains, lines, redone)
        if remains.commit is not None:
            self._put(self._lines.recounted_commit(remains, lines))
            return
        where, fault = self._damage_at_hand()
        export, file = "", ""
        record: Optional[dict[str, Any]] = None
        if redone is not None:
            export, file = redone.run.record.name, redone.file
            self._put(self._lines.commit_of_rerun(remains, redone))
        else:
            record = self._lines.readable_commit(remains, lines, self._damaged)
            if record is not None:
                export, file = record["export"]["name"], "the line itself, which what it counts proves"
            self._put(encode_line(record) if record is not None else self._lines.substitute_commit(remains, lines))
        repaired = redone is not None or record is not None
        self._found(
            damage.Finding(
                damage.RUN, where, fault, repaired, conversation=remains.conversation_id, export=export, file=file
            )
        )

    def _set_aside(self, remains: RunRemains) -> None:
        """What stands behind the last commit record is no part of the store, and the archive does not have its export."""
        whole = {piece.where for piece in remains.survivors.values()}
        own = [piece for piece in self._pieces if piece.record is None or piece.where in whole]
        self._done.unfinished += [piece.data for piece in own]
        where, fault = self._damage_at_hand()
        torn = not any(piece.data.endswith(b"\n") or not piece.data for piece in self._damaged)
        finding = damage.of_messages(
            where,
            "the last run did not finish" if torn else fault,
            remains.conversation_id,
            sorted(remains.survivors),
            export="",
            file="",
            repaired=False,
        )
        self._found(replace(finding, kind=damage.UNFINISHED if torn else damage.MESSAGES))

    # --- what is told -------------------------------------------------------------------------------------------------

    def _damage_at_hand(self) -> tuple[str, str]:
        """Where the damage at hand is, and what."""
        for piece in self._damaged:
            return piece.where, piece.fault
        return self._salvaged.places[self._place].name, "lines are missing"

    def _report_messages(self, remains: RunRemains, lines: Iterable[Line], redone: Optional[Rerun]) -> None:
        """The messages that were lost, or taken from elsewhere."""
        where, fault = self._damage_at_hand()
        export = (
            remains.commit["export"]["name"] if remains.commit is not None else redone.run.record.name if redone else ""
        )
        files: dict[tuple[str, bool], list[int]] = {}
        for line in lines:
            if line.file or line.lost:
                files.setdefault((line.file, line.lost), []).append(line.number)
        for (file, gone), numbers in files.items():
            name = remains.conversation_id
            self._found(damage.of_messages(where, fault, name, numbers, export=export, file=file, repaired=not gone))

    def _report_lost_end(self) -> None:
        """What an index remembers of messages behind the last one that there is."""
        for name, kinds in self._evidence.remembered.kinds.items():
            tip = self._replay.tip(name)
            behind = [number for number in range(tip, len(kinds)) if self._evidence.was_stored(name, number)]
            said = {
                n for f in self._done.findings if f.conversation == name for a, b in f.numbers for n in range(a, b + 1)
            }
            numbers = [number for number in behind if number not in said]
            if numbers:
                where, fault = self._salvaged.places[-1].name, "the log is shorter than it was"
                self._found(damage.of_messages(where, fault, name, numbers, export="", file="", repaired=False))
