"""Makes ``grafana-dashboard.json``: python monitoring/make_dashboard.py, with ``grafana-foundation-sdk`` of the group "dev".

Import it in Grafana (Dashboards, New, Import); it asks for the Prometheus that has the figures.
"""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Final

from grafana_foundation_sdk.builders import dashboard, prometheus, stat, table, timeseries
from grafana_foundation_sdk.cog.encoder import JSONEncoder
from grafana_foundation_sdk.models.common import ReduceDataOptions
from grafana_foundation_sdk.models.dashboard import DashboardCursorSync, DataSourceRef, VariableRefresh

if TYPE_CHECKING:
    from collections.abc import Mapping

FILE: Final = Path(__file__).with_name("grafana-dashboard.json")
SOURCE: Final = DataSourceRef(type_val="prometheus", uid="$datasource")
OF: Final = 'store=~"$store"'


def _query(expr: str, legend: str, ref: str, *, instant: bool = False) -> prometheus.Dataquery:
    found = prometheus.Dataquery().expr(expr).legend_format(legend).ref_id(ref).datasource(SOURCE)
    return found.instant().format("table") if instant else found.range()  # type: ignore[arg-type]


def _stat(title: str, expr: str, unit: str) -> stat.Panel:
    shown = stat.Panel().title(title).unit(unit).datasource(SOURCE).height(4).span(4)
    return shown.reduce_options(_Last()).with_target(_query(expr, "", "A"))


class _Last:
    """The last value of a series that there is."""

    def build(self) -> ReduceDataOptions:
        """For the builder."""
        return ReduceDataOptions(calcs=["lastNotNull"], values=False, fields="")


def _chart(title: str, unit: str, queries: Mapping[str, str], told: str) -> timeseries.Panel:
    shown = timeseries.Panel().title(title).unit(unit).datasource(SOURCE).height(8).span(12).description(told)
    for number, (legend, expr) in enumerate(queries.items()):
        shown = shown.with_target(_query(expr, legend, chr(ord("A") + number)))
    return shown.min(0)


def _percentiles(name: str) -> dict[str, str]:
    return {f"{percent} % {{{{store}}}}": f'{name}{{{OF},percentile="{percent}"}}' for percent in ("50", "95", "99")}


def build() -> str:
    """The dashboard as JSON."""
    board = (
        dashboard.Dashboard("export-dedup")
        .uid("export-dedup")
        .tags(["export-dedup"])
        .time("now-7d", "now")
        .refresh("1m")
        .tooltip(DashboardCursorSync.CROSSHAIR)
        .with_variable(dashboard.DatasourceVariable("datasource").label("Prometheus").type("prometheus"))
        .with_variable(
            dashboard.QueryVariable("store")
            .label("Store")
            .query("label_values(export_dedup_messages, store)")
            .datasource(SOURCE)
            .refresh(VariableRefresh.ON_TIME_RANGE_CHANGED)
            .multi(multi=True)
            .include_all(include_all=True)
        )
        .with_row(dashboard.Row("Overview"))
    )
    for panel in _overview():
        board = board.with_panel(panel)
    board = board.with_row(dashboard.Row("Trends"))
    for panel in (*_trends(), _alerts()):
        board = board.with_panel(panel)
    board = board.with_row(dashboard.Row("Database"))
    for panel in _database():
        board = board.with_panel(panel)
    return JSONEncoder(sort_keys=True, indent=2).encode(board.build()) + "\n"


def _overview() -> list[stat.Panel]:
    return [
        _stat("Conversations", f"sum(export_dedup_conversations{{{OF}}})", "none"),
        _stat("Active in seven days", f"sum(export_dedup_active_conversations{{{OF}}})", "none"),
        _stat("Different messages", f"sum(export_dedup_messages{{{OF}}})", "none"),
        _stat("Messages processed", f"sum(export_dedup_messages_processed_total{{{OF}}})", "none"),
        _stat("Duplicates filtered", f"sum(export_dedup_duplicates_filtered_total{{{OF}}})", "none"),
        _stat("Saved", f"sum(export_dedup_saved_bytes{{{OF}}}) / sum(export_dedup_seen_bytes{{{OF}}})", "percentunit"),
    ]


def _trends() -> list[timeseries.Panel]:
    return [
        _chart(
            "Deduplication rate",
            "percentunit",
            {
                "of all {{store}}": f"export_dedup_duplicates_ratio{{{OF}}}",
                "exports of seven days {{store}}": f'export_dedup_dedup_rate_ratio{{{OF},period="last_7_days"}}',
            },
            "Duplicates, of the messages processed.",
        ),
        _chart(
            "Messages added",
            "none",
            {
                "today {{store}}": f'export_dedup_messages_added{{{OF},period="today"}}',
                "a week ago {{store}}": f'export_dedup_messages_added{{{OF},period="week_ago"}}',
            },
            "Messages that were in no form stored before.",
        ),
        _chart(
            "Time of an export",
            "s",
            _percentiles("export_dedup_export_processing_percentile_seconds"),
            "How long it took at most, of so many percent of the exports.",
        ),
        _chart(
            "Exports by time",
            "none",
            {
                "up to {{le}} s": f"sum by (le) (increase(export_dedup_export_processing_seconds_bucket{{{OF}}}[$__range]))",
            },
            "Exports that took no longer than that.",
        ),
        _chart(
            "Savings",
            "bytes",
            {
                "seen {{store}}": f"export_dedup_seen_bytes{{{OF}}}",
                "on the disk {{store}}": f"export_dedup_stored_bytes{{{OF}}}",
            },
            "Bytes of all that was processed, and bytes of store and archive.",
        ),
        _chart(
            "Growth of the log a day",
            "bytes",
            {"{{store}}": f"export_dedup_log_growth_bytes{{{OF}}} / 7"},
            "Of the last seven days.",
        ),
        _chart(
            "What failed, by kind",
            "none",
            {"{{kind}} {{store}}": f"increase(export_dedup_errors_total{{{OF}}}[$__rate_interval])"},
            "Failures of runs, hooks and commands.",
        ),
        _chart(
            "Since the last export, capture, backup",
            "s",
            {"{{operation}} {{store}}": f"time() - export_dedup_last_operation_timestamp_seconds{{{OF}}}"},
            "Seconds.",
        ),
        _chart(
            "Free space",
            "percentunit",
            {"{{store}}": f"export_dedup_disk_free_bytes{{{OF}}} / export_dedup_disk_size_bytes{{{OF}}}"},
            "Of the file system of the store.",
        ),
    ]


def _alerts() -> table.Panel:
    told = "Alerts of prometheus-rules.yml that fire now."
    shown = table.Panel().title("Alerts").datasource(SOURCE).height(8).span(12).description(told)
    return shown.with_target(_query('ALERTS{alertname=~"ExportDedup.*",alertstate="firing"}', "", "A", instant=True))


def _database() -> list[timeseries.Panel]:
    return [
        _chart(
            "Connections",
            "none",
            {
                "{{state}} {{store}}": f"export_dedup_database_connections{{{OF}}}",
                "at most {{store}}": f"export_dedup_database_max_connections{{{OF}}}",
                "reachable {{store}}": f"export_dedup_database_up{{{OF}}}",
            },
            "Connections of the database by state.",
        ),
        _chart(
            "A small question",
            "s",
            {
                **_percentiles("export_dedup_database_query_percentile_seconds"),
                "on average {{store}}": f"export_dedup_database_query_mean_seconds{{{OF}}}",
            },
            "How long the database took to answer.",
        ),
        _chart("Size", "bytes", {"{{store}}": f"export_dedup_database_size_bytes{{{OF}}}"}, "Of the database."),
    ]


def main() -> int:
    """Write the file."""
    FILE.write_text(build(), encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
