"""What the runs of a conversation logged besides messages: marks between them, where they came from, the gaps they noted.

Read from the conversation's commit records, and only from those that were added since the last time: a reader keeps the
:class:`Evidence` that it had, with the place in the log up to which it goes, as JSON.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any, Final

from ..start.late_dataclass import dataclass, field, replace
from ..storage.conversation import Adopted
from ..storage.log.records import PURGE
from ..storage.log.title_records import is_titling

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from ..storage.contract import Store
    from ..storage.log_backed import LogBackedStore

_SEAL: Final = 10
"""Bytes at the end of a line that tell whether the log up to there is the one that was read."""
_KEPT: Final = 12
"""Sources and gaps that are named one by one; the rest is counted."""


@dataclass(frozen=True)
class Evidence:
    """Up to ``position`` in the log, whose last bytes there are ``seal``.

    ``marks`` are [kind, sequence number, side]: side 0 stands before that message, 1 after it. ``sources`` are [name, format, time
    of its last run, runs], the last ones; ``exports`` and ``captures`` count the runs that brought something.
    """

    position: int = 0
    seal: str = ""
    marks: list[list[Any]] = field(default_factory=list)
    sources: list[list[Any]] = field(default_factory=list)
    gaps: list[str] = field(default_factory=list)
    exports: int = 0
    captures: int = 0
    adopted: list[Adopted] = field(default_factory=list)
    """Which other conversations turned out to be this one, as the store has it: their runs are told as well."""

    def as_json(self) -> dict[str, Any]:
        """Everything, for :func:`from_json`."""
        return {**vars(self), "adopted": [list(each) for each in self.adopted]}


def from_json(value: Any) -> Evidence:
    """What :meth:`Evidence.as_json` gave; nothing at all where it is something else."""
    try:
        found = Evidence(**value)
        found = replace(found, adopted=[Adopted(*each) for each in found.adopted])
        json.dumps(found.as_json())
        whole = isinstance(found.position, int) and isinstance(found.seal, str)
        pairs = all(len(mark) == 3 and isinstance(mark[1], int) for mark in found.marks)
        sources = all(len(source) == 4 for source in found.sources)
    except (TypeError, ValueError):
        return Evidence()
    return found if whole and pairs and sources else Evidence()


def gather(store: Store, conversation_id: str, known: Evidence) -> Evidence:
    """``known`` with what was logged since; from the beginning where the log is another one. Call it in a transaction.

    A store without a log of its own gives nothing. Raises :class:`StoreError` where the log cannot be read.
    """
    backed = store.log_backed()
    if backed is None:
        return Evidence()
    if known.position and _seal(backed, known.position) != known.seal:
        known = Evidence()
    adopted = store.conversation(conversation_id).adopted
    if known.adopted != adopted:
        known = Evidence(adopted=adopted)
    end = backed.log_size()
    if end <= known.position:
        return known
    ids = {conversation_id, *(whose for _, _, whose, _ in adopted)}
    runs = backed.runs_of(ids, known.position)
    found = with_runs(
        known, (run if run["conversation_id"] == conversation_id else _moved(run, adopted) for run in runs)
    )
    return replace(found, position=end, seal=_seal(backed, end))


def _seal(store: LogBackedStore, position: int) -> str:
    return store.log_span(max(0, position - _SEAL), position).decode("latin-1")


def _moved(record: dict[str, Any], adopted: list[Adopted]) -> dict[str, Any]:
    """A run of a conversation that turned out to be part of another, with the numbers that it has there."""

    def here(number: int) -> int:
        for at, count, whose, first in adopted:
            if whose == record["conversation_id"] and first <= number < first + count:
                return int(at + number - first)
        return -1

    moved: dict[str, Any] = {"window": [[here(first), here(last)] for first, last in record["window"]]}
    moved["marks"] = [[kind, here(before)] for kind, before in record.get("marks", [])]
    if record.get("cursor"):
        moved["cursor"] = {**record["cursor"], "last": here(record["cursor"]["last"])}
    return {**record, **moved}


def with_runs(known: Evidence, runs: Iterable[Mapping[str, Any]]) -> Evidence:
    """``known`` and what these commit records say, in their order."""
    marks = [list(mark) for mark in known.marks]
    sources = {(name, form): [name, form, last, count] for name, form, last, count in known.sources}
    gaps = dict.fromkeys(known.gaps)
    exports, captures = known.exports, known.captures
    for run in runs:
        export = run["export"]
        if PURGE in run or is_titling(run):
            continue
        for mark in _marks(run):
            if mark not in marks:
                marks.append(mark)
        key = (str(export.get("name") or "—"), str(export.get("format", "")))
        for gap in run.get("gaps", []):
            gaps[gap] = None
            _limit(gaps)
        if key in sources and not export.get("new"):
            continue  # the same again: a file that tells of it would change for nothing
        count = sources.pop(key)[3] if key in sources else 0
        sources[key] = [*key, run["timestamp"], count + 1]
        _limit(sources)
        captures += bool(run.get("cursor"))
        exports += not run.get("cursor")
    return replace(
        known,
        marks=marks,
        sources=list(sources.values()),
        gaps=list(gaps),
        exports=exports,
        captures=captures,
    )


def _limit(kept: dict[Any, Any]) -> None:
    """Only the last ones stay: what is left must not depend on where a reader paused."""
    if len(kept) > _KEPT:
        del kept[next(iter(kept))]


def _marks(run: Mapping[str, Any]) -> Iterable[list[Any]]:
    window = run["window"]
    last = window[-1][1] if window else (run.get("cursor") or {}).get("last", -1)
    for kind, before in run.get("marks", []):
        if before >= 0:
            yield [kind, before, 0]
        elif last >= 0:
            yield [kind, last, 1]
