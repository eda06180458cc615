"""The log as a snapshot has it: whole runs only, as if whoever was at work had just finished."""

from __future__ import annotations

import io
import os

from ..start.late_tuple import NamedTuple
from ..storage.log import bit_flips
from ..storage.log.append_log import Log
from ..storage.log.lines import Damaged, decode_line, is_commit
from ..storage.log.opening import opening_line


class Cut(NamedTuple):
    """The open part up to the last commit record, the names of the sealed files that count, and what is damaged in it."""

    data: bytes
    sealed: frozenset[str]
    faults: list[str]


def cut(state: str) -> Cut:
    """What counts of the log in the folder ``state``. Whoever calls this holds the store's lock. Raises ``StoreError``.

    Lines that are sealed already, by a process that was killed before it could take them away, are left out, and so is what
    a run left behind that did not finish.
    """
    log = Log.of(state)
    log.recover(write=False)
    data = log.tail(log.sealed.end)
    committed, faults = _committed(data)
    if committed < len(data) and bit_flips.patches(data[committed:]):
        # One flipped bit, which 'rebuild' sets right: this was a whole run.
        committed = len(data)
        faults.append("the last line is damaged")
    data = opening_line(log.sealed.end, log.ends(log.sealed.end)) + data[:committed]
    return Cut(data, frozenset(os.path.basename(each.path) for each in log.sealed.segments), faults)


def _committed(data: bytes) -> tuple[int, list[str]]:
    """Where the last complete run ends, and the damaged lines before that."""
    at = committed = 0
    faults: list[str] = []
    waiting: list[str] = []
    for line in io.BytesIO(data):
        at += len(line)
        try:
            record = decode_line(line)
        except Damaged as error:
            waiting.append(f"byte {at - len(line)}: {error}")
            continue
        if is_commit(record):
            committed = at
            faults += waiting
            waiting = []
    return committed, faults
