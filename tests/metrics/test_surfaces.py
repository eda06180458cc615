"""One table: every number on every surface, equal for the same store.

A surface is a function of the world that tells some of the facts by their names; another one joins by a line in ``SURFACES``.
"""

from __future__ import annotations

import csv
import io
import json
import re
import time
from typing import NamedTuple

import pytest

import dashboard_process
import prometheus_server as prometheus
from counted_place import Place, one_more
from deduplication import ClaudeConversationDeduplicator
from deduplication.figures import run_result
from deduplication.metrics.families import text_of
from deduplication.metrics.measurement import measure
from transcript_lines import day

LAST = ("last_new", "last_captured", "last_duplicates", "last_total")
"""What the last run over an export told."""
SUMS = (
    "new",
    "duplicates",
    "messages",
    "all_messages",
    "all_duplicates",
    "unique",
    "waiting",
    "conversations",
    "files",
)
"""What all runs come to: of exports alone, and with the parts of transcripts."""
BYTES = ("raw_bytes", "stored_bytes", "savings_pct")
DASHBOARD = prometheus.MONITORING / "grafana-dashboard.json"


class World(NamedTuple):
    """A project in which things happened, and what was said when the last export was processed."""

    place: Place
    notice: str
    shown: str
    collector: object
    metrics: object


@pytest.fixture
def world(tmp_path, monkeypatch, repository):
    """A session is captured and exported, goes on, is exported again, and goes on: by commands and by hooks."""
    monkeypatch.setenv("CLAUDE_CONFIG_DIR", str(tmp_path / "config"))
    collector = tmp_path / "collector"
    collector.mkdir()
    monkeypatch.setenv("EXPORT_DEDUP_METRICS_FOLDER", str(collector))
    place = Place(tmp_path, repository)
    place.talk(day(3))
    place.capture()
    place.export()
    place.command()
    one_more(place)
    place.hook()
    place.export("again.txt")
    place.hook()
    notice, shown = place.notice, place.command()
    dedup = ClaudeConversationDeduplicator(place.state)
    return World(place, notice, shown, collector, measure(dedup, str(place.state)))


def whole(text):
    """A number as people read it."""
    return int(text.replace(",", ""))


def report(world):
    """What the command shows of what the hook did, above its banner."""
    found = run_result.extract(world.shown.split("🔐" * 40)[0])
    return dict(zip(LAST, (found.new, found.captured, found.duplicates, found.total)), unique=found.unique)


def banner(world):
    """The four numbers that nobody can miss."""
    text = world.shown.split("🔐" * 40, 1)[1]

    def number(label):
        return whole(re.search(rf"{label}: ([\d,]+)$", text, re.MULTILINE)[1])

    return {
        "last_new": number("NEW UNIQUE MESSAGES ADDED & BACKED UP"),
        "last_duplicates": number("Duplicate Messages Filtered"),
        "last_total": number("Total Messages Processed"),
        "unique": number("Total Unique Messages in Storage"),
    }


def notice(world):
    """The line that the hook says."""
    found = re.search(r"([\d,]+) new .* ([\d,]+) messages, all stored · ([\d,]+) in storage", world.notice)
    return dict(zip(("last_new", "last_total", "unique"), map(whole, found.groups())))


def commit(world):
    """The checkpoint's commit."""
    text = world.place.scratch.git("log", "-1", "--format=%B")

    def number(label):
        return whole(re.search(rf"{label}: ([\d,]+)$", text, re.MULTILINE)[1])

    labels = {
        "last_new": "New unique messages",
        "last_duplicates": "Duplicates filtered",
        "unique": "Global unique count",
    }
    return {name: number(label) for name, label in labels.items()}


def status(world):
    """The last runs."""
    told = world.place.tool("status")
    last = told["runs"][0]
    names = ("new_messages", "captured", "duplicates_filtered", "total_messages")
    sums = {"new": "new_messages", "duplicates": "duplicates_filtered", "messages": "total_messages"}
    return {
        **dict(zip(LAST, (last[name] for name in names))),
        **{fact: sum(run[name] for run in told["runs"]) for fact, name in sums.items()},
        "unique": told["global_unique"],
    }


def stats_text(world):
    """The table."""
    text = world.place.run("deduplicate_export.py", "stats")
    rows = re.findall(r"^ {3}(\s*\S.*?) {2,}(-?[\d,.%]+)(?: {3}(.*))?$", text, re.MULTILINE)
    value = {label.strip(): number for label, number, _ in rows}
    filtered = [whole(number) for label, number, _ in rows if label.strip() == "duplicates filtered"]
    processed = [whole(number) for label, number, _ in rows if label.startswith("messages in ")]
    return {
        "new": whole(value["announced as new"]),
        "duplicates": filtered[0],
        "messages": processed[0],
        "all_messages": sum(processed),
        "all_duplicates": whole(value["duplicates, of all"]),
        "unique": whole(value["different messages"]),
        "waiting": whole(value["captured, not exported yet"]),
        "conversations": whole(value["conversations"]),
        "raw_bytes": whole(value["raw bytes seen"]),
        "stored_bytes": whole(value["bytes stored"]),
    }


def of_metrics(told):
    """The facts of an object of figures."""
    return {
        "new": told["exports"]["new"],
        "duplicates": told["exports"]["duplicates"],
        "messages": told["exports"]["messages"],
        "all_messages": told["messages_processed"],
        "all_duplicates": told["duplicates"],
        "unique": told["unique_messages"],
        "waiting": told["waiting_messages"],
        "conversations": told["conversations"],
        "files": told["exports_processed"] + told["captures"],
        **{name: told[name] for name in BYTES},
    }


def stats_json(world):
    """The object of ``stats --json``, whose own members say the same."""
    told = world.place.tool("stats")
    same = {name: told[name] for name in told["metrics"] if isinstance(told.get(name), int)}
    assert same == {name: told["metrics"][name] for name in same}
    assert told["announced_messages"] == told["metrics"]["exports"]["new"]
    assert told["storage"]["savings_pct"] == told["metrics"]["savings_pct"]
    return of_metrics(told["metrics"])


def python(world):
    """What Python is told, and the dashboard."""
    return of_metrics(world.metrics.as_dict())


def runs_csv(world):
    """A row for each run."""
    rows = list(csv.DictReader(io.StringIO(world.place.run("deduplicate_export.py", "stats", "--csv"), newline="")))
    runs = [row for row in rows if row["operation"] in ("process_export", "capture")]
    exports = [row for row in runs if row["operation"] == "process_export"]

    def total(of, name):
        return sum(int(row[name]) for row in of)

    last = exports[-1]
    return {
        "last_new": int(last["new_messages"]),
        "last_captured": json.loads(last["metadata"])["captured"],
        "last_duplicates": int(last["duplicates_filtered"]),
        "last_total": int(last["messages_processed"]),
        "new": total(exports, "new_messages"),
        "duplicates": total(exports, "duplicates_filtered"),
        "messages": total(exports, "messages_processed"),
        "all_messages": total(runs, "messages_processed"),
        "all_duplicates": total(runs, "duplicates_filtered"),
        "files": len(runs),
    }


def of_exposition(value):
    """The facts of what Prometheus is told; ``value`` gives the sum of the samples of a name and, where there is one, a label."""
    return {
        "new": value("export_dedup_messages_new_total", 'source="export"'),
        "duplicates": value("export_dedup_duplicates_filtered_total", 'source="export"'),
        "messages": value("export_dedup_messages_processed_total", 'source="export"'),
        "all_messages": value("export_dedup_messages_processed_total", ""),
        "all_duplicates": value("export_dedup_duplicates_filtered_total", ""),
        "unique": value("export_dedup_messages", ""),
        "waiting": value("export_dedup_waiting_messages", ""),
        "conversations": value("export_dedup_conversations", ""),
        "files": value("export_dedup_files_processed_total", ""),
    }


def of_bytes(value):
    """Those of the bytes."""
    return {
        "raw_bytes": value("export_dedup_seen_bytes", ""),
        "stored_bytes": value("export_dedup_stored_bytes", ""),
        "savings_pct": round(100 * value("export_dedup_saved_ratio", ""), 1),
    }


def in_text(text):
    """The samples of a text."""
    samples = [line.rsplit(" ", 1) for line in text.splitlines() if not line.startswith("#")]

    def value(name, label):
        return sum(float(number) for of, number in samples if of.split("{")[0] == name and label in of)

    return value


def exposition(world):
    """The text that ``/metrics`` answers."""
    value = in_text(text_of(world.metrics))
    return {**of_exposition(value), **of_bytes(value)}


def text_file(world):
    """The file that the hook left when it had processed the last export: bytes went on changing."""
    (path,) = world.collector.iterdir()
    return of_exposition(in_text(path.read_text(encoding="utf-8")))


def of_page(html):
    """The facts of the figures of a page, as somebody reads them."""
    figures = {
        name: (value, besides)
        for name, value, besides in re.findall(
            r"<dt>([^<]+)</dt><dd>([^<]+)</dd>(?:<dd class=\"besides\">([^<]*)</dd>)?", html
        )
    }
    of, all_of = re.match(r"([\d,]+) of ([\d,]+) messages", figures["Duplicates"][1]).groups()
    exports, captures = figures["Exports processed"][0], figures["Exports processed"][1].partition(" ")[0]
    return {
        "conversations": whole(figures["Conversations"][0]),
        "unique": whole(figures["Messages stored"][0]),
        "waiting": whole(figures["Captured, waiting"][0]),
        "files": whole(exports) + whole(captures),
        "all_duplicates": whole(of),
        "all_messages": whole(all_of),
        **(
            {}
            if figures["Saved"][0] == "nothing yet"
            else {"savings_pct": float(figures["Saved"][0].partition(" ")[0])}
        ),
        "last_new": whole(
            re.search(r'<td>export: .*?(?:<td class="n">[^<]+</td>)<td class="n">([\d,]+)</td>', html)[1]
        ),
        "last_total": whole(re.search(r'<td>export: .*?<td class="n">([\d,]+)</td>', html)[1]),
    }


def report_html(world):
    """The page that is one file."""
    pytest.importorskip("flask")
    path = world.place.root / "figures.html"
    world.place.run("deduplicate_export.py", "report", "--html", str(path))
    html = path.read_text(encoding="utf-8")
    path.unlink()
    return of_page(html)


def dashboard(world):
    """What a browser gets of the dashboard, whose /metrics are another surface of it."""
    pytest.importorskip("flask")
    with dashboard_process.running("--project", world.place.root) as there:
        cookie = there.cookie()
        until = time.monotonic() + 60
        while True:
            html = "".join(json.loads(there.request("/panels?since=0", Cookie=cookie)[2])["panels"].values())
            if "<dt>Conversations</dt>" in html and "<td>export: " in html:
                break
            assert time.monotonic() < until, html
            time.sleep(0.1)
        value = in_text(there.request("/metrics", Authorization=f"Bearer {there.token}")[2])
        told, metrics = of_page(html), {**of_exposition(value), **of_bytes(value)}
    assert {fact: metrics[fact] for fact in told if fact in metrics} == {
        fact: told[fact] for fact in told if fact in metrics
    }
    assert ("savings_pct" in told) == (metrics["savings_pct"] > 0)
    return {**metrics, **told}


SURFACES = {
    each.__name__: each
    for each in (
        report,
        banner,
        notice,
        commit,
        status,
        stats_text,
        stats_json,
        python,
        runs_csv,
        exposition,
        text_file,
        dashboard,
        report_html,
    )
}


def agree(told):
    """Fail with the table where a fact has two values."""
    table = {
        fact: {name: facts[fact] for name, facts in told.items() if fact in facts} for fact in (*LAST, *SUMS, *BYTES)
    }
    assert {fact: values for fact, values in table.items() if len(set(values.values())) > 1} == {}
    return table


def test_every_surface_says_the_same(world):
    """Banner, notice, report, commit, stats, JSON, CSV, the text for Prometheus: one value for each fact."""
    table = agree({name: surface(world) for name, surface in SURFACES.items()})
    assert all(len(values) > 1 for values in table.values())
    assert table["last_new"]["banner"] > 0
    assert table["last_duplicates"]["banner"] > 0
    assert table["duplicates"]["python"] < table["messages"]["python"]
    assert world.metrics.growth.last_7_days == table["unique"]["python"]  # captured, then announced, is added once


def test_prometheus_and_grafana_say_the_same(world, tmp_path):
    """What a real Prometheus has of us, and what the dashboard's queries make of it."""
    text = text_of(world.metrics)
    panels = {
        panel["title"]: panel["targets"][0]["expr"].replace("$store", ".*")
        for panel in json.loads(DASHBOARD.read_text(encoding="utf-8"))["panels"]
        if panel.get("targets")
    }
    names = {
        "unique": "Different messages",
        "all_messages": "Messages processed",
        "all_duplicates": "Duplicates filtered",
        "conversations": "Conversations",
    }
    with prometheus.served(lambda: text) as port, prometheus.scraping(tmp_path / "prometheus", port) as server:
        assert server.wait_for("export_dedup_messages")

        def value(name, label):
            return server.value(f"sum({name}{{{label}}})")

        scraped = {**of_exposition(value), **of_bytes(value)}
        grafana = {fact: server.value(panels[title]) for fact, title in names.items()}
        grafana["savings_pct"] = round(100 * server.value(panels["Saved"]), 1)
    agree({"python": python(world), "prometheus": scraped, "grafana": grafana})
