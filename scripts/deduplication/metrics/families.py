"""The figures of a store by the names that they have in Prometheus."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from ..terminal.console import printable
from .exposition import COUNTER, GAUGE, exposition, histogram, labelled, single

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from .distribution import Distribution
    from .exposition import Family, Number
    from .store_metrics import DatabaseHealth, StoreMetrics

PREFIX: Final = "export_dedup_"
BOUNDS: Final = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0, 60.0)
"""Seconds. What takes longer than ten is warned of."""
EXPORT: Final = "export"
TRANSCRIPT: Final = "transcript"


def text_of(metrics: StoreMetrics, more: Iterable[Family] = (), *, pool: Mapping[str, int] | None = None) -> str:
    """All of it, for Prometheus; ``more``: what others know of the store. ``pool``: the connections
    to a database that the process that answers holds, by state.

    Every sample has the label ``store``, so that those of several stores of a machine do not meet.
    """
    return exposition([*families(metrics), *_pool(pool or {}), *more], labels_of(metrics))


def labels_of(metrics: StoreMetrics) -> dict[str, str]:
    """What every sample of a store is labelled with; it is text that can be printed, and nothing secret."""
    return {"store": printable(metrics.store)}


def families(metrics: StoreMetrics) -> list[Family]:
    """Every family of a store."""
    return [*_counted(metrics), *_held(metrics), *_grown(metrics), *_timed(metrics), *_database(metrics.database)]


def _counter(name: str, told: str, value: Number | None) -> Family:
    return single(f"{PREFIX}{name}_total", COUNTER, told, value)


def _gauge(name: str, told: str, value: Number | None) -> Family:
    return single(f"{PREFIX}{name}", GAUGE, told, value)


def _counters(name: str, told: str, label: str, values: Mapping[str, Number | None]) -> Family:
    return labelled(f"{PREFIX}{name}_total", COUNTER, told, label, values)


def _gauges(name: str, told: str, label: str, values: Mapping[str, Number | None]) -> Family:
    return labelled(f"{PREFIX}{name}", GAUGE, told, label, values)


def _counted(metrics: StoreMetrics) -> Iterator[Family]:
    """What runs and operations added up to."""
    exports, transcripts = metrics.exports, metrics.transcripts

    def by_source(of_exports: int, of_transcripts: int) -> dict[str, Number | None]:
        return {EXPORT: of_exports, TRANSCRIPT: of_transcripts}

    yield _counters(
        "files_processed", "Exports, and parts of transcripts.", "source", by_source(exports.files, transcripts.files)
    )
    told = "Messages in exports, and in parts of transcripts."
    yield _counters("messages_processed", told, "source", by_source(exports.messages, transcripts.messages))
    told = "Messages that exports announced as new, and messages that parts of transcripts brought."
    yield _counters("messages_new", told, "source", by_source(exports.new, transcripts.new))
    told = "Messages that were no new ones."
    yield _counters("duplicates_filtered", told, "source", by_source(exports.duplicates, transcripts.duplicates))
    yield _counters("errors", "What failed, by kind.", "kind", {**dict.fromkeys(_kinds(), 0), **metrics.errors})
    yield _counters("operations", "What was done to the store besides runs.", "operation", {**metrics.operations})
    yield _counter("purges", "How often something was removed for good.", metrics.purges.times)
    yield _counter("purged_messages", "Messages that were removed for good.", metrics.purges.messages)


def _kinds() -> tuple[str, ...]:
    from .operations import KINDS

    return KINDS


def _held(metrics: StoreMetrics) -> Iterator[Family]:
    """What the store holds now."""
    totals = metrics.totals
    yield _gauge("messages", "Different messages that are stored.", totals["unique_messages"])
    yield _gauge(
        "waiting_messages", "Messages that were captured and that no export showed yet.", totals["waiting_messages"]
    )
    yield _gauge("conversations", "Conversations that are stored.", totals["conversations"])
    told = "Conversations of which something was stored in the last seven days."
    yield _gauge("active_conversations", told, metrics.active_conversations)
    told = "Different messages for each conversation, on average."
    yield _gauge("messages_per_conversation", told, metrics.messages_per_conversation)
    yield _gauge("seen_bytes", "Bytes of all that was processed.", totals["raw_bytes"])
    yield _gauge("stored_bytes", "Bytes on the disk of store and archive.", totals["stored_bytes"])
    yield _gauge("saved_bytes", "Bytes seen less the bytes on the disk.", metrics.saved_bytes)
    yield _gauge("saved_ratio", "What was saved, of the bytes seen.", _ratio(metrics.savings_pct))
    yield _gauge("duplicates_ratio", "Duplicates, of the messages processed.", _ratio(metrics.duplicates_pct))
    disk = metrics.disk
    yield _gauge("disk_size_bytes", "Size of the file system of the store.", disk.size or None)
    yield _gauge("disk_free_bytes", "What may still be written to it.", disk.free if disk.size else None)


def _grown(metrics: StoreMetrics) -> Iterator[Family]:
    """How it goes, and when there was something last."""
    growth, rate = metrics.growth, metrics.rate
    added = {name: getattr(growth, name) for name in ("today", "week_ago", "last_7_days", "before_7_days")}
    yield _gauges("messages_added", "Messages that were in no form stored before.", "period", added)
    rates = {name: _ratio(each) for name, each in rate._asdict().items()}
    yield _gauges("dedup_rate_ratio", "Duplicates, of the messages of exports.", "period", rates)
    yield _gauge("log_growth_bytes", "What the log grew by in the last seven days.", growth.log_bytes)
    told = "When something was done last, in seconds since 1970."
    yield _gauges("last_operation_timestamp_seconds", told, "operation", {**metrics.last})
    yield _gauge("measured_timestamp_seconds", "When these figures were counted.", round(metrics.measured, 3))


def _timed(metrics: StoreMetrics) -> Iterator[Family]:
    seconds = [each / 1000 for each in metrics.milliseconds]
    yield histogram(f"{PREFIX}export_processing_seconds", "How long an export took to be stored.", seconds, BOUNDS)
    told = "How long it took at most, of so many percent of the exports."
    yield _gauges("export_processing_percentile_seconds", told, "percentile", _percentiles(metrics.processing_ms))
    told = "How long it took at most, of so many percent of the parts of transcripts."
    yield _gauges("capture_processing_percentile_seconds", told, "percentile", _percentiles(metrics.capturing_ms))


def _percentiles(found: Distribution) -> dict[str, Number | None]:
    values = {"50": found.p50, "95": found.p95, "99": found.p99, "100": found.most}
    return {name: each / 1000 for name, each in values.items()} if found.number else {}


def _database(health: DatabaseHealth | None) -> Iterator[Family]:
    if health is None:
        return
    yield _gauge("database_up", "Whether the database can be reached.", int(health.reachable))
    if not health.reachable:
        return
    yield _gauges("database_connections", "Connections of the database, by state.", "state", {**health.connections})
    yield _gauge("database_max_connections", "Connections that the server takes.", health.most_connections)
    yield _gauge("database_size_bytes", "Size of the database.", health.size_bytes)
    yield _gauge("database_connect_seconds", "How long it took to connect.", health.connecting_ms / 1000)
    told = "How long a small question took at most, of so many percent."
    yield _gauges("database_query_percentile_seconds", told, "percentile", _percentiles(health.queries))
    yield _gauge(
        "database_query_mean_seconds", "How long a small question took on average.", health.queries.mean / 1000
    )


def _pool(status: Mapping[str, int]) -> Iterator[Family]:
    if status:
        yield _gauges("database_pool", "Connections to the database that this process holds.", "state", {**status})


def _ratio(percentage: float | None) -> float | None:
    """Percent as a ratio of one, without what calculating adds to it."""
    return None if percentage is None else round(percentage / 100, 6)
