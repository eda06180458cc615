"""Alert rules and dashboard, against a real Prometheus that scrapes us."""

from __future__ import annotations

import itertools
import json
import re
import subprocess
import sys
import time
from dataclasses import replace

import pytest

import prometheus_server as prometheus
from conftest import REPOSITORY
from deduplication.metrics import operations
from deduplication.metrics.families import text_of
from deduplication.metrics.measurement import measure
from deduplication.metrics.store_metrics import Disk, RateTrend, Source
from deduplication.storage.audit_entries import BACKUP
from metric_scenes import HEALTH
from migration_scenes import full

__all__ = ["full"]
DASHBOARD = prometheus.MONITORING / "grafana-dashboard.json"
UNIT_TESTS = prometheus.MONITORING / "prometheus-rules.test.yml"
_INSTEAD = {"$store": ".*", "$__rate_interval": "5m", "$__range": "1h"}


def queries():
    """Every query of the dashboard, as Grafana would ask it."""
    board = json.loads(DASHBOARD.read_text(encoding="utf-8"))
    found = {}
    for panel in board["panels"]:
        for target in panel.get("targets", []):
            expr = target["expr"]
            for variable, value in _INSTEAD.items():
                expr = expr.replace(variable, value)
            found[f"{panel['title']}: {target['legendFormat']}"] = expr
    return found


def rules():
    """Each rule's expression, by its alert."""
    text = prometheus.RULES.read_text(encoding="utf-8")
    found = {}
    for part in re.split(r"^ +- alert: ", text, flags=re.MULTILINE)[1:]:
        name, _, rest = part.partition("\n")
        expr = re.search(r"expr: (?:>-\n((?: {10}.*\n)+)|(.*)\n)", rest)
        found[name] = " ".join((expr[1] or expr[2]).split())
    return found


def bad(metrics):
    """A store of which every rule has something to say, before and after it went wrong."""
    before = replace(
        metrics,
        store="a store that went wrong",
        database=HEALTH,
        exports=Source(10, 100, 50, 50),
        milliseconds=(5,) * 10,
        errors={},
    )
    went = replace(
        before,
        measured=metrics.measured - 8 * 86400,
        totals={**metrics.totals, "unique_messages": 3, "conversations": metrics.totals["conversations"] + 1},
        milliseconds=(*before.milliseconds, 12_000),
        errors={"damage": 1, "export": 2},
        disk=Disk(100, 9),
        rate=RateTrend(20.0, 50.0),
        last={**metrics.last, BACKUP: metrics.measured - 8 * 86400},
        database=HEALTH._replace(reachable=False, error="DatabaseUnreachable"),
    )
    return before, went, replace(went, store="another one", rate=RateTrend(99.9, 50.0))


@pytest.fixture(scope="module")
def scraped(full, tmp_path_factory):
    """Prometheus, and the figures of the healthy store that it scraped, beside those of two that went wrong meanwhile."""
    prometheus.require("prometheus")
    operations.note(full.dedup.store, BACKUP, time.monotonic())
    healthy = replace(measure(full.dedup, str(full.folder)), database=HEALTH, rate=RateTrend(90.0, 80.0))
    before, went, other = bad(healthy)
    asked = itertools.count()

    def answer():
        return "".join(map(text_of_all, [(healthy, before)] if next(asked) < 4 else [(healthy, went, other)]))

    def text_of_all(some):
        """What several stores of a machine say, each family once."""
        lines = {}
        for each in some:
            family = ""
            for line in text_of(each).splitlines(keepends=True):
                if line.startswith("# HELP"):
                    family = line
                lines.setdefault(family, []).append(line)
        return "".join("".join(dict.fromkeys(of)) for of in lines.values())

    folder = tmp_path_factory.mktemp("prometheus")
    with prometheus.served(answer) as port, prometheus.scraping(folder, port) as server:
        assert server.wait_for('export_dedup_disk_free_bytes{store="another one"}')
        assert server.targets() == [""]
        yield server, healthy


def test_the_rules_are_what_promtool_takes():
    """And each alert fires when its unit test says so: with 220,741 messages that became 203, and not after a purge."""
    promtool = prometheus.require("promtool")
    for words in (["check", "rules", str(prometheus.RULES)], ["test", "rules", str(UNIT_TESTS)]):
        done = subprocess.run([promtool, *words], capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stdout + done.stderr


def test_every_rule_has_a_unit_test():
    """None is only written down."""
    tested = UNIT_TESTS.read_text(encoding="utf-8")
    assert [name for name in rules() if name not in tested] == []


@pytest.mark.parametrize("alert", rules())
def test_every_rule_finds_what_went_wrong(scraped, alert):
    """Its expression gives a series for a store that went wrong, and none for the healthy one."""
    server, healthy = scraped
    found = server.wait_for(rules()[alert])
    assert found
    assert healthy.store not in {labels["store"] for labels, _ in found}


@pytest.mark.parametrize("panel", queries())
def test_every_query_of_the_dashboard_gives_a_series(scraped, panel):
    """No panel is empty."""
    server, _ = scraped
    assert server.wait_for(queries()[panel])


def test_the_dashboard_is_what_its_generator_makes():
    """Whoever changes a panel changes the types that it is made of."""
    pytest.importorskip("grafana_foundation_sdk", reason="grafana-foundation-sdk is not installed (group dev)")
    made = subprocess.run(
        [sys.executable, "-c", "import make_dashboard; print(make_dashboard.build(), end='')"],
        cwd=REPOSITORY / "monitoring",
        capture_output=True,
        text=True,
        check=True,
    )
    assert made.stdout == DASHBOARD.read_text(encoding="utf-8")


def test_prometheus_has_the_figures_of_the_store(scraped):
    """As they were told: counts, bytes, ratios, seconds."""
    server, healthy = scraped
    of = f'{{store="{healthy.store}"}}'
    assert server.value(f"export_dedup_messages{of}") == healthy.totals["unique_messages"]
    assert server.value(f"export_dedup_saved_bytes{of}") == healthy.saved_bytes
    assert server.value(f"export_dedup_duplicates_ratio{of}") == pytest.approx(healthy.duplicates_pct / 100)
    assert server.value(f"sum(export_dedup_duplicates_filtered_total{of})") == healthy.duplicates
    total = server.value(f"export_dedup_export_processing_seconds_sum{of}")
    assert total == pytest.approx(sum(healthy.milliseconds) / 1000)
