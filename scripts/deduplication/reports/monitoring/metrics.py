"""What the user reads of the figures of all runs, and of how they go: tables, and bars in the terminal. Pure functions to text."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from ...figures.counted import counted
from ...files import clock
from ...terminal.console import printable

if TYPE_CHECKING:
    from collections.abc import Sequence

    from ...metrics.distribution import Distribution
    from ...metrics.store_metrics import DatabaseHealth, Source, StoreMetrics
    from ...metrics.trends import Period

BLOCKS: Final = "▁▂▃▄▅▆▇█"
_BAR: Final = 24
_NAME: Final = 30
_OPERATIONS: Final = {"failure": "last failure", "process_export": "last export", "capture": "last capture"}


def statistics(found: StoreMetrics) -> str:
    """What ``stats`` shows of the runs, below what it shows of the bytes."""
    parts = [_runs(found), _growth(found), _done(found)]
    if found.database is not None:
        parts.append(_database(found.database))
    return "\n\n".join("\n".join(lines) for lines in parts)


def _runs(found: StoreMetrics) -> list[str]:
    return [
        f"What the runs told: {counted(found.exports.files, 'export')}, {counted(found.transcripts.files, 'part')} of transcripts",
        *_source(found.exports, "exports", "announced as new"),
        *_source(found.transcripts, "transcripts", "captured"),
        _row("duplicates, of all", f"{found.duplicates:,}", f"{found.duplicates_pct:.1f}%"),
        _row("time of an export", *_times(found.processing_ms)),
        _row("time of a part of a transcript", *_times(found.capturing_ms)),
    ]


def _source(source: Source, name: str, new: str) -> list[str]:
    return [
        _row(f"messages in {name}", f"{source.messages:,}", ""),
        _row(f"  {new}", f"{source.new:,}", ""),
        _row("  duplicates filtered", f"{source.duplicates:,}", f"{source.duplicates_pct:.1f}%"),
    ]


def _times(found: Distribution) -> tuple[str, str]:
    if not found.number:
        return "-", ""
    told = f"p50 {_time(found.p50)}, p95 {_time(found.p95)}, p99 {_time(found.p99)}, at most {_time(found.most)}"
    return f"{_time(found.mean)}", told


def _time(milliseconds: float) -> str:
    return f"{milliseconds:,.0f} ms" if milliseconds < 1000 else f"{milliseconds / 1000:,.1f} s"


def _growth(found: StoreMetrics) -> list[str]:
    growth, rate = found.growth, found.rate
    changed = "" if rate.change is None else f"{rate.change:+.1f} points against the seven days before"
    return [
        "How it goes: messages that were in no form stored before",
        _row("today", f"{growth.today:,}", f"a week ago {growth.week_ago:,}"),
        _row("last seven days", f"{growth.last_7_days:,}", f"the seven before {growth.before_7_days:,}"),
        _row("log growth a day, in bytes", f"{growth.log_bytes_per_day:,.0f}", ""),
        _row("dedup rate, last seven days", "-" if rate.last_7_days is None else f"{rate.last_7_days:.1f}%", changed),
        _row(
            "conversations",
            f"{found.totals['conversations']:,}",
            f"{found.active_conversations:,} active in seven days",
        ),
        _row("messages a conversation", f"{found.messages_per_conversation:,.1f}", "different ones, on average"),
    ]


def _done(found: StoreMetrics) -> list[str]:
    errors = [_row(f"failed: {kind}", f"{number:,}", "") for kind, number in found.errors.items()]
    done = [_row(name, f"{number:,}", _last(found, name)) for name, number in found.operations.items()]
    last = [_row(label, "", _last(found, name)) for name, label in _OPERATIONS.items() if name in found.last]
    return ["What was done besides, and what failed:", *(errors or [_row("failed", "0", "")]), *done, *last]


def _last(found: StoreMetrics, name: str) -> str:
    return clock.local(clock.spelt(found.last[name])) if found.last.get(name) else ""


def _database(found: DatabaseHealth) -> list[str]:
    if not found.reachable:
        return ["The database:", _row("cannot be reached", "", found.error)]
    connections = ", ".join(f"{number:,} {printable(state)}" for state, number in found.connections.items())
    return [
        "The database:",
        _row("connections", f"{sum(found.connections.values()):,}", f"of {found.most_connections:,}: {connections}"),
        _row("size in bytes", f"{found.size_bytes:,}", ""),
        _row("connecting", f"{found.connecting_ms:,.1f} ms", ""),
        _row(
            "a small question",
            f"{found.queries.mean:,.1f} ms",
            f"p95 {found.queries.p95:,.1f}, p99 {found.queries.p99:,.1f}",
        ),
    ]


def _row(label: str, value: str, note: str) -> str:
    return f"   {label:<{_NAME}}{value:>13}{'   ' + note if note else ''}".rstrip()


# -- trends ------------------------------------------------------------------------------------------------------------


def trend(periods: Sequence[Period], by: str) -> str:
    """A line with a bar for each day, week or conversation, and the same as sparklines."""
    head = f"By {by}: messages that were in no form stored before, dedup rate and time of the exports"
    if not any(each.exports or each.captures for each in periods):
        return f"{head}\n   nothing was stored yet"
    width = max(10, min(36, max(len(printable(each.name)) for each in periods)))
    most = max(each.added for each in periods)
    lines = [head]
    for each in periods:
        rate = "-" if each.dedup_rate is None else f"{each.dedup_rate:.1f}%"
        time = _time(each.mean_ms) if each.exports else "-"
        name = _cut(printable(each.name), width)
        lines.append(f"   {name:<{width}} {_bar(each.added, most):<{_BAR}}{each.added:>9,}{rate:>8}{time:>10}")
    return "\n".join([*lines, *_sparklines(periods)])


def _sparklines(periods: Sequence[Period]) -> list[str]:
    if len(periods) < 2:
        return []
    return [
        "",
        f"   messages    {sparkline([each.added for each in periods])}",
        f"   dedup rate  {sparkline([each.dedup_rate or 0.0 for each in periods])}",
        f"   log bytes   {sparkline([each.log_bytes for each in periods])}",
    ]


def _cut(name: str, width: int) -> str:
    return name if len(name) <= width else f"{name[: width - 1]}…"


def _bar(value: float, most: float) -> str:
    """A bar as long as its part of the most; what is there is never drawn as nothing."""
    return "█" * max(value > 0, round(_BAR * value / most)) if most else ""


def sparkline(values: Sequence[float]) -> str:
    """A block for each value, as high as its part of the highest; nothing for 0."""
    most = max(values, default=0)
    return "".join(BLOCKS[max(0, round(value / most * len(BLOCKS)) - 1)] if value > 0 else " " for value in values)
