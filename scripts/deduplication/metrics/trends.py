"""How the figures of a store go: for each day, each week, each conversation."""

from __future__ import annotations

import math
from datetime import date, timedelta
from typing import TYPE_CHECKING, Any, Final, Optional

from ..start.late_tuple import NamedTuple
from .audited_runs import audited_runs, rate
from .measurement import day_of

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from ..storage.contract import Store
    from .audited_runs import AuditedRun

DAY: Final = "day"
WEEK: Final = "week"
CONVERSATION: Final = "conversation"
EVERY: Final = (DAY, WEEK, CONVERSATION)
_DAYS: Final = {DAY: 1, WEEK: 7}


class Period(NamedTuple):
    """What was stored in a day, or a week from Monday on, of the user's own clock, or of a conversation.

    ``added`` are the messages that were in no form stored before, ``new`` those that exports announced; ``dedup_rate`` is that of
    the exports in percent, None where they had no message; ``mean_ms`` is how long an export took.
    """

    name: str
    """``2026-03-02``, or the conversation's id."""
    exports: int = 0
    captures: int = 0
    messages: int = 0
    new: int = 0
    added: int = 0
    duplicates: int = 0
    dedup_rate: Optional[float] = None
    raw_bytes: int = 0
    log_bytes: int = 0
    mean_ms: float = 0.0
    last: float = 0.0
    """When the last of it was stored, in seconds since 1970; 0 where there was nothing."""

    def as_dict(self) -> dict[str, Any]:
        """For ``--json``."""
        return {**self._asdict(), "mean_ms": round(self.mean_ms, 3)}


def trend(store: Store, by: str, most: int, now: float) -> list[Period]:
    """The last ``most`` days or weeks, the oldest first and empty ones too; or the ``most`` conversations with the most messages.

    ``by`` is one of :data:`EVERY`. Call it outside of a transaction. Raises ``StoreError``.
    """
    logged = store.log_backed()
    with store.transaction(write=False):
        runs = list(audited_runs(logged.audit())) if logged is not None else []
        if by == CONVERSATION:
            return _conversations(store, runs, most)
    return periods(runs, by, most, now)


def periods(runs: Iterable[AuditedRun], by: str, most: int, now: float) -> list[Period]:
    """The last ``most`` days or weeks until ``now``, the oldest first, but none before the first run."""
    step = timedelta(days=_DAYS[by])
    end = _begin(day_of(now), by)
    first = end - (most - 1) * step
    found: dict[date, list[AuditedRun]] = {}
    for run in runs:
        begin = _begin(day_of(run.moment), by)
        if first <= begin <= end:
            found.setdefault(begin, []).append(run)
    begin = min(found, default=end)
    told: list[Period] = []
    while begin <= end:
        told.append(_period(begin.isoformat(), found.get(begin, [])))
        begin += step
    return told


def _begin(day: date, by: str) -> date:
    return day - timedelta(days=day.weekday()) if by == WEEK else day


def _conversations(store: Store, runs: Iterable[AuditedRun], most: int) -> list[Period]:
    """Those of which the most messages were stored; what turned out to be one conversation is one."""
    found: dict[str, list[AuditedRun]] = {}
    for run in runs:
        found.setdefault(run.conversation, []).append(run)
    united: dict[str, list[AuditedRun]] = {}
    for name, some in found.items():
        united.setdefault(store.canonical(name), []).extend(some)
    told = [_period(name, some) for name, some in united.items()]
    return sorted(told, key=lambda each: (-each.added, each.name))[:most]


def _period(name: str, runs: Sequence[AuditedRun]) -> Period:
    exports = [run for run in runs if not run.captures]
    return Period(
        name=name,
        exports=len(exports),
        captures=len(runs) - len(exports),
        messages=sum(run.total for run in runs),
        new=sum(run.new for run in runs),
        added=sum(run.added for run in runs),
        duplicates=sum(run.duplicates for run in runs),
        dedup_rate=rate(exports),
        raw_bytes=sum(run.raw for run in runs),
        log_bytes=sum(run.stored for run in runs),
        mean_ms=math.fsum(run.milliseconds for run in exports) / max(1, len(exports)),
        last=max((run.moment for run in runs), default=0.0),
    )
