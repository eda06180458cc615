"""Count from the log: what an index lacks, or everything anew, as verify compares with and rebuild begins with."""

from __future__ import annotations

import contextlib
import os
import re
from typing import TYPE_CHECKING, Final

from ..alignment.byte_coverage import covered
from ..errors import StoreDamaged
from ..model import LOST, counts
from ..start.late_tuple import NamedTuple
from .carriers import spans_of
from .index.audit_mark import AuditMark
from .log.lines import Damaged, decode_line, digest_of, head_after, is_commit
from .log.records import RECOUNTED, blobs_of, new_of
from .state.apply import apply
from .state.blobs import Blobs

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from .index.index import Index
    from .log.append_log import Log
    from .log.chain import Chain
    from .log.lines import Line, Record
    from .state.log_state import State


MANY: Final = 4_096
"""Messages that are told of a log before they go into an index."""
_SHORTEST: Final = 200
"""Bytes that no line of the log is shorter than: its checksum, content hash, time and names."""


class Recount(NamedTuple):
    """What the whole log comes to: the state, what is wrong, and where the last complete run ends."""

    state: State
    problems: list[str]
    committed: int


def recount(
    log: Log,
    index: Index,
    audit: Callable[[bytes], object],
    chain: Chain | None = None,
    lines: Iterator[Line] | None = None,
    blobs: Blobs | None = None,
) -> Recount:
    """Read the whole log into ``index``; ``audit`` is told each line of the audit file that follows, ``chain`` those of the log.

    ``lines`` are those of the log, for who reads them in a way of his own; ``blobs`` those that do not lie beside it.
    """
    from .log.chain import Chain

    state, mark, chain = index.begin(), AuditMark(), chain or Chain()
    name = os.path.basename(log.path)
    problems = _check_opening(log, name)
    blobs = blobs or Blobs.beside(log)
    committed = unreadable = 0
    spans: list[tuple[int, int]] = []
    for line in lines or log.lines():
        try:
            record = decode_line(line.data)
            said = apply(state, record, line, blobs.fingerprint(record))
            audit(said)
            mark = mark.plus(said)
        except Damaged as error:
            state.unreadable += most_lines(line)
            chain.take(line.data, readable=False)
            problems.append(f"{name}, line {line.number} (byte {line.offset}): {_unreadable(line, error)}")
            continue
        chain.take(line.data)
        if is_commit(record):
            problems.extend(_check_head(chain, record, f"{name}, line {line.number}"))
            state.head = chain.head.digest
            if state.unreadable == unreadable:  # else the counts cannot agree, and the reason was named
                problems.extend(_check_run(state, record, covered(spans), line, name))
            committed, unreadable, spans = line.end, state.unreadable, []
            spill(index, state, mark)
        else:
            spans += spans_of(record)
    size = log.size()
    if committed < size and not problems:
        problems.append(f"{name}: the last run did not finish ({size - committed:,} bytes)")
    state.size = size
    index.save(state, mark, keep=False)
    problems += blobs.problems()
    return Recount(state, problems, max(committed, log.sealed.end))


def _check_opening(log: Log, name: str) -> list[str]:
    fault, missing = log.opening.fault, log.missing()
    found = [f"{name}: its first line, which says where the older ones are: {fault}"] if fault else []
    return [*found, *([f"{name}: {missing:,} bytes of sealed lines before it are missing"] if missing else [])]


def _unreadable(line: Line, error: Damaged) -> str:
    if line.lost > 1:
        return f"{len(line.data):,} sealed bytes cannot be read; their messages are lost"
    return f"{error}; {_cost(line.data)}"


def most_lines(line: Line) -> int:
    """How many lines a damaged one may have been, at most: a line feed may be gone, and then two or more look like one."""
    return max(line.lost, len(line.data) // _SHORTEST)


def replay(log: Log, state: State, end: int | None = None) -> Iterator[bytes]:
    """Apply the complete runs that ``state`` lacks; yields the audit lines of each. Raises :class:`StoreDamaged`."""
    blobs = Blobs.beside(log)
    pending: list[tuple[Line, Record]] = []
    for line in log.lines(state.size, end):
        where = f"{log.path}, byte {line.offset}"
        try:
            record = decode_line(line.data)
        except Damaged as error:
            if not _is_torn(log, line):
                raise StoreDamaged(f"{where}: {error}") from error
            return
        pending.append((line, record))
        if is_commit(record):
            try:
                audit = b"".join(apply(state, one, of, blobs.fingerprint(one)) for of, one in pending)
                state.head = head_after(state.head, digest_of(of.data for of, _ in pending), record)
            except Damaged as error:
                raise StoreDamaged(f"{where}: {error}") from error
            pending = []
            yield audit


def clean_blobs(log: Log) -> None:
    """Delete the blobs that no line refers to; only where every line can be read."""
    blobs = Blobs.beside(log)
    if blobs.exist():
        with contextlib.suppress(Damaged):  # what could be read a moment ago cannot be read now
            blobs.clean({digest for line in log.lines() for digest in blobs_of(decode_line(line.data))})


def fill(log: Log, index: Index, size: int) -> AuditMark:
    """Have in an empty index what the first ``size`` bytes of the log say. Raises :class:`StoreDamaged`."""
    state, mark = index.begin(), AuditMark()
    for audit in replay(log, state, size):
        mark = mark.plus(audit)
        spill(index, state, mark)
    index.save(state, mark, keep=False)
    return mark


def spill(index: Index, state: State, mark: AuditMark) -> None:
    """Between two runs of a log that is read: what was told goes into the index once it is much, and out of the memory."""
    if state.fresh >= MANY:
        index.save(state, mark, keep=False)
        state.let_go()


def _is_torn(log: Log, bad: Line) -> bool:
    """Did a run that was cut off write this line? Not if a run is complete behind it or one bit flipped in it."""
    if bad.offset < log.sealed.end:
        return False  # only complete runs are sealed
    for line in log.lines(bad.end):
        with contextlib.suppress(Damaged):
            if is_commit(decode_line(line.data)):
                return False
    from .log import bit_flips

    return not bit_flips.patches(log.tail(bad.offset))


def heal(log: Log) -> list[str]:
    """Set flipped bits of the log right: each file anew, atomically, of the same length."""
    from .log import bit_flips, sealed_check

    problems = sealed_check.heal(log.sealed)
    content = log.tail()
    patches = bit_flips.patches(content)
    healed = bytearray(content)
    sealed = sum(1 for _ in log.lines(0, log.sealed.end)) if patches else 0
    for offset, data in patches:
        healed[offset : offset + len(data)] = data
        where = f"line {sealed + content.count(10, 0, offset) + 1} (byte {log.sealed.end + offset})"
        problems.append(f"{os.path.basename(log.path)}, {where}: one flipped bit was found and set right")
    if log.opening.fault:
        problems.append(f"{os.path.basename(log.path)}: its first line was written anew")
    if patches or log.opening.fault:
        log.replace_open(bytes(healed))
    return problems


def _check_run(state: State, record: Record, brought: int, line: Line, name: str) -> list[str]:
    kinds = state.conversation(record["conversation_id"]).kinds
    shown = (kind for first, last in record["window"] for kind in kinds[first : last + 1])
    total = sum(counts(kind) or kind == LOST for kind in shown)
    where = f"{name}, line {line.number}"
    problems = []
    export = record["export"]
    new, says = new_of(record, state.run), export.get(RECOUNTED, export["new"])
    if new != says:
        problems.append(f"{where}: says {says} new messages, {new} were counted")
    captured = export.get("captured", state.run.captured)
    if captured != state.run.captured and RECOUNTED not in export:
        problems.append(f"{where}: says {captured} of them were captured before, {state.run.captured} were counted")
    known, size = export.get("known_bytes", 0), export["bytes"]
    if brought + known > size:
        problems.append(f"{where}: says {known:,} bytes were known, but {brought:,} of {size:,} brought new messages")
    if total != export["total"]:
        problems.append(f"{where}: says {export['total']} messages in all, {total} were counted")
    return problems


def _check_head(chain: Chain, record: Record, where: str) -> list[str]:
    before = chain.head
    if chain.commit(record):
        return []
    run = f"run {before.run}, of {before.at}" if before.run else "its beginning"
    changed = "a line there was changed, or a run was put in, taken out or moved"
    return [f"{where}: the run does not follow on the log before it, which ends with {run}: {changed}"]


def _cost(line: bytes) -> str:
    """What a damaged line held, as far as its beginning can still be read."""
    name = re.match(rb'\{"conversation_id":"((?:[^"\\]|\\.){1,200})"', line)
    number = re.search(rb'"index":(\d{1,12})', line[:600])
    if name is None:
        return "it cannot be told whose it was"
    whose = name.group(1).decode("utf-8", "replace")
    return (
        f"message {number.group(1).decode()} of '{whose}' is lost" if number else f"a run of '{whose}' is not counted"
    )
