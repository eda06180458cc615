"""The chain of a log that is repaired: what its heads prove, and each run made to follow on what stands before it now.

A run behind one that was repaired names the head that was there. Where the repaired run has that very head, it is proven to be what
it was, byte for byte; where it has another, whatever was lost is not all back, and the runs behind it name the new one. A run that
follows on nothing although every line can be read was put there by somebody else: that is said, and nothing hides it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final, Optional

from ..files.clock import timestamp
from ..start.late_tuple import NamedTuple
from ..storage.log.chain import REPAIR, REPLACED, Chain, Replaced, replaced_of
from ..storage.log.lines import (
    BEGINNING,
    COMMIT,
    PREVIOUS,
    Damaged,
    decode_line,
    digest_of,
    encode_line,
    head_after,
    is_commit,
)
from ..storage.log.records import SAME
from . import damage, rerun
from .run_remains import RunRemains

if TYPE_CHECKING:
    from collections.abc import Sequence

    from ..storage.log.salvage import Piece
    from ..storage.replay import Replay
    from .evidence import Evidence
    from .run_lines import RunLines

CHANGED: Final = "it was changed, and its checksum with it"
BROKEN: Final = (
    "the run does not follow on the log before it: a line there was changed, or a run was put in, taken out or moved"
)


class NamedHeads:
    """What the lines of a log as it lies there say of its heads."""

    def __init__(self, pieces: Sequence[Piece], remembered: str) -> None:
        """``remembered`` is the last head as an index has it, empty where there is none that can be believed."""
        self.lines: set[bytes] = set()
        """What can be read."""
        self.breaks: dict[bytes, str] = {}
        """Those that name another head than that before them although every line there can be read, and where they stand."""
        self.expected: dict[int, str] = {}
        """By the id of the piece that ends a run: the head that the run behind it names, where that is another."""
        self.heads: list[str] = []
        """The heads of the runs that can be read, as far as nothing that cannot be read is in them."""
        chain, last, sound = Chain(), 0, True
        for piece in pieces:
            record = piece.record
            # A sealed run names the head of lines that are lost: which one it was nobody can tell.
            chain.take(piece.data, readable=record is not None and record.get(PREVIOUS) != "")
            if record is not None:
                self.lines.add(piece.data)
            if record is None or not is_commit(record):
                continue
            if not chain.commit(record):
                self.breaks[piece.data] = piece.where
                self.expected[last] = record[PREVIOUS]
            sound = chain.readable and (sound or PREVIOUS in record)
            if sound:
                self.heads.append(chain.head.digest)
            last = id(piece)
        if remembered and not sound:
            self.heads.append(remembered)


class Relinked(NamedTuple):
    """``findings`` of runs that follow on nothing. ``made``: runs with lines that did not lie there, ``proven`` as they were."""

    findings: list[damage.Finding]
    made: int
    proven: int


def relink(places: list[list[bytes]], named: NamedHeads, *, accept: bool) -> Relinked:
    """Have each run in ``places``, the lines of a log, name the head before it; the last one says which head is no more.

    ``accept``: what follows on nothing goes on from what is there.
    """
    chain = _NewChain(named, accept=accept)
    for lines in places:
        for at, data in enumerate(lines):
            lines[at] = chain.take(data)
    last = next(((lines, at) for lines in places[::-1] for at in range(len(lines))[::-1] if _commit(lines[at])), None)
    if last is not None and named.heads and named.heads[-1] not in chain.heads:
        lines, at = last
        there = set(named.heads)
        kept = max((run for run, head in enumerate(chain.heads, 1) if head in there), default=0)
        lines[at] = _noted(
            lines[at], Replaced(named.heads[-1], len(chain.heads), kept, timestamp(), REPAIR), chain.before
        )
    return Relinked(chain.findings, chain.made, chain.proven)


class _NewChain:
    """The log as it is to be, told line by line."""

    def __init__(self, named: NamedHeads, *, accept: bool) -> None:
        self._named, self._accept = named, accept
        self.before = self._head = BEGINNING
        """The heads before the run that was told last, and behind it."""
        self._run: list[bytes] = []
        self._made = self._making = False
        """Whether lines of the run before, or of this one, did not lie there."""
        self.heads: list[str] = []
        self.made = self.proven = 0
        self.findings: list[damage.Finding] = []

    def take(self, data: bytes) -> bytes:
        """The next line, as it is to be."""
        record, known = _commit(data), data in self._named.lines
        self._making = self._making or not known
        if record is None:
            self._run.append(data)
            return data
        names = record.get(PREVIOUS)
        self.proven += self._made and known and names == self._head
        if names != self._head and (names is not None or not known):
            broken = self._named.breaks.get(data)
            if broken is not None and not self._accept:
                self.findings.append(damage.Finding(damage.CHAIN, broken, BROKEN, repaired=False))
            else:
                record = _following(record, self._head)
                data = encode_line(record)
            if broken is not None and self._accept:
                self.findings.append(damage.Finding(damage.CHAIN, broken, BROKEN, repaired=True))
        self.before, self._head = self._head, head_after(self._head, digest_of([*self._run, data]), record)
        self.made += self._making
        self.heads.append(self._head)
        self._run, self._made, self._making = [], self._making, False
        return data


def _commit(data: bytes) -> Optional[dict[str, Any]]:
    """The commit record that a line is."""
    if COMMIT not in data:
        return None
    try:
        record = decode_line(data)
    except Damaged:
        return None
    return record if is_commit(record) else None


def _following(record: dict[str, Any], head: str, **more: Any) -> dict[str, Any]:
    """A commit record that names this head, its last member."""
    return {**{name: value for name, value in record.items() if name != PREVIOUS}, **more, PREVIOUS: head}


def _noted(data: bytes, replaced: Replaced, head: str) -> bytes:
    """A commit record that says which head is no more; ``head`` is that before its run, where it names none yet."""
    record = decode_line(data)
    told = [each.as_member() for each in (*replaced_of(record), replaced)]
    return encode_line(_following(record, record.get(PREVIOUS, head), **{REPLACED: told}))


class AsNamed(NamedTuple):
    """A run as the one behind it proves that it was: its lines, which of them were others, and the file that has them."""

    lines: list[bytes]
    numbers: list[int]
    file: str


def as_named(
    group: Sequence[Piece], expected: str, replay: Replay, evidence: Evidence, lines: RunLines
) -> Optional[AsNamed]:
    """The run of which these are the lines, made of its export so that it has the head ``expected``; None where it cannot be."""
    commit: Any = group[-1].record
    redone = rerun.of_commit(replay, evidence, commit)
    if redone is None or PREVIOUS not in commit:
        return None
    said = {number: item.fingerprint.content_hash for number, item in redone.run.occurrences}
    records = [piece.record or {} for piece in group]
    alike = {each["index"]: piece for piece, each in zip(group, records) if _says(each, said)}
    for survivors in (alike, {}):
        remains = RunRemains(
            commit["conversation_id"], commit["export"]["sha256"][:16], survivors, commit, group[-1].data
        )
        made = list(lines.of_rerun(remains, redone))
        found = [line.data for line in made]
        found += [piece.data for piece, each in zip(group, records) if SAME in each]
        found.append(group[-1].data)
        if digest_of(found) == expected:
            there = {piece.data for piece in group}
            return AsNamed(found, [line.number for line in made if line.data not in there], redone.file)
    return None


def _says(record: dict[str, Any], said: dict[int, str]) -> bool:
    number = record.get("index")
    return type(number) is int and said.get(number) == record.get("content_hash")
