"""Every figure of a store of any backend, at one moment."""

from __future__ import annotations

import os
import time
from collections import Counter
from datetime import date, timedelta
from typing import TYPE_CHECKING

from ..accounting import storage_account, store_totals
from ..accounting.run_history import seconds
from ..storage.audit_entries import FAILURE
from ..storage.log.audit import PROCESS_EXPORT
from ..storage.log.records import CAPTURE, PURGE
from ..storage.log_backed import place_of
from .audited_runs import AuditedRun, Purges, audited_runs, purges, rate
from .distribution import distribution
from .operations import operations
from .store_metrics import ACTIVE_DAYS, Disk, Growth, RateTrend, Source, StoreMetrics

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Sequence

    from ..figures.savings import Savings
    from ..ingest.export_file import Deduplicator
    from ..storage.audit_entries import AuditEntry
    from ..storage.contract import Store
    from .store_metrics import DatabaseHealth

_DAY = 24 * 3600


def measure(
    dedup: Deduplicator,
    folder: str,
    *,
    storage: Savings | None = None,
    database: bool = True,
    now: float | None = None,
) -> StoreMetrics:
    """The figures of the store that ``dedup`` is over; ``folder`` is that of the store, or where it would lie.

    ``storage``: what was saved, where that was counted already. ``database``: ask it for its health, too. ``now``: seconds since
    1970. Call it outside of a transaction. Raises ``StoreError``.
    """
    now = time.time() if now is None else now
    store = dedup.store
    logged = store.log_backed()
    saved = storage or storage_account.savings(dedup, folder)
    with store.transaction(write=False):
        totals = store_totals.totals(store, saved)
        audit = list(logged.audit()) if logged is not None else []
        besides = operations(store, folder)
        runs = list(audited_runs(audit))
        active = {store.canonical(name) for name in _grown(runs, now - ACTIVE_DAYS * _DAY)}
    health = _health(store) if database else None
    return figures(store.where(), folder, totals, saved, runs, purges(audit), besides, len(active), now, health)


def figures(
    where: str,
    folder: str,
    totals: dict[str, int],
    saved: Savings,
    runs: Sequence[AuditedRun],
    removed: Purges,
    besides: Sequence[AuditEntry],
    active: int,
    now: float,
    health: DatabaseHealth | None = None,
) -> StoreMetrics:
    """The same of what was read already: for who reads an audit on. ``active`` is how many conversations are."""
    exports = [run for run in runs if not run.captures]
    transcripts = [run for run in runs if run.captures]
    return StoreMetrics(
        measured=now,
        store=where,
        totals=totals,
        savings_pct=saved.saved_pct,
        exports=_source(exports),
        transcripts=_source(transcripts),
        active_conversations=active,
        processing_ms=distribution(run.milliseconds for run in exports),
        capturing_ms=distribution(run.milliseconds for run in transcripts),
        growth=growth(runs, now),
        rate=rate_trend(runs, now),
        errors=_errors(besides),
        operations=_operations(besides, removed),
        last=_last(runs, besides, removed),
        purges=removed,
        database=health,
        disk=disk_of(folder),
        milliseconds=tuple(run.milliseconds for run in exports),
    )


def disk_of(folder: str) -> Disk:
    """The file system on which a folder lies, or would lie."""
    import shutil

    place = os.path.abspath(folder)
    while not os.path.isdir(place) and os.path.dirname(place) != place:
        place = os.path.dirname(place)
    try:
        usage = shutil.disk_usage(place)
    except OSError:
        return Disk()
    return Disk(usage.total, usage.free)


def day_of(moment: float) -> date:
    """The day of a moment on the user's own clock."""
    return date(*time.localtime(moment)[:3])


def growth(runs: Iterable[AuditedRun], now: float) -> Growth:
    """What came today and in the days before."""
    today = day_of(now)
    added: Counter[int] = Counter()
    log_bytes = 0
    for run in runs:
        ago = (today - day_of(run.moment)).days
        added[ago] += run.added
        log_bytes += run.stored if 0 <= ago < 7 else 0
    return Growth(
        today=added[0],
        week_ago=added[7],
        last_7_days=sum(added[ago] for ago in range(7)),
        before_7_days=sum(added[ago] for ago in range(7, 14)),
        log_bytes=log_bytes,
    )


def rate_trend(runs: Sequence[AuditedRun], now: float) -> RateTrend:
    """The deduplication rate of the last days against that of the days before."""
    first = day_of(now) - timedelta(days=6)
    before = first - timedelta(days=7)
    return RateTrend(
        rate(run for run in runs if day_of(run.moment) >= first),
        rate(run for run in runs if before <= day_of(run.moment) < first),
    )


def _health(store: Store) -> DatabaseHealth | None:
    place = place_of(store)
    if place is None:
        return None
    from .database_health import health_of

    return health_of(place)


def _grown(runs: Iterable[AuditedRun], since: float) -> Collection[str]:
    return {run.conversation for run in runs if run.moment >= since and run.added}


def _source(runs: Sequence[AuditedRun]) -> Source:
    return Source(
        files=len(runs),
        messages=sum(run.total for run in runs),
        new=sum(run.told for run in runs),
        duplicates=sum(run.duplicates for run in runs),
    )


def _errors(besides: Iterable[AuditEntry]) -> dict[str, int]:
    found = Counter(str(each.metadata.get("kind", "other")) for each in besides if each.operation == FAILURE)
    return dict(sorted(found.items()))


def _operations(besides: Iterable[AuditEntry], removed: Purges) -> dict[str, int]:
    found = Counter(each.operation for each in besides if each.operation != FAILURE)
    if removed.times:
        found[PURGE] = removed.times
    return dict(sorted(found.items()))


def _last(runs: Iterable[AuditedRun], besides: Iterable[AuditEntry], removed: Purges) -> dict[str, float]:
    found: dict[str, float] = {}
    for run in runs:
        name = CAPTURE if run.captures else PROCESS_EXPORT
        found[name] = max(found.get(name, 0.0), run.moment)
    for each in besides:
        found[each.operation] = max(found.get(each.operation, 0.0), seconds(each.created_at))
    if removed.times:
        found[PURGE] = removed.last
    return dict(sorted(found.items()))
