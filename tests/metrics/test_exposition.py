"""The text for Prometheus: names, units and escapes as it wants them, and numbers that are those of the store."""

from __future__ import annotations

import os
import stat
from dataclasses import replace

import pytest

import prometheus_server as prometheus
from deduplication import ClaudeConversationDeduplicator
from deduplication.errors import OutputNotWritable
from deduplication.metrics import textfile
from deduplication.metrics.exposition import GAUGE, Family, Sample, exposition, histogram
from deduplication.metrics.families import text_of
from deduplication.metrics.measurement import measure
from metric_scenes import HEALTH, POOL
from migration_scenes import full

__all__ = ["full"]


@pytest.fixture(scope="module")
def metrics(full):
    """The figures of the store with everything in it, as if it lay in a database."""
    return replace(measure(full.dedup, str(full.folder)), database=HEALTH)


def samples(text):
    """The value of each line that is no comment, by what stands before it."""
    return dict(line.rsplit(" ", 1) for line in text.splitlines() if not line.startswith("#"))


def test_promtool_finds_nothing(metrics):
    """Each family has a help and a type, counters end in _total, units are spelt out."""
    assert prometheus.checked(text_of(metrics, pool=POOL)) == ""


def test_promtool_finds_something():
    """So that nothing found means something: a counter without _total, no help, an abbreviated unit."""
    said = prometheus.checked("# TYPE export_dedup_runs counter\nexport_dedup_runs 1\nexport_dedup_time_ms 1\n")
    assert "_total" in said
    assert "help" in said
    assert "abbreviated" in said


@pytest.mark.parametrize("where", ['a "quoted" \\ place', "two\nlines\x1b[31m", "", "ünïcode\u2028", "C:\\Users"])
def test_a_store_may_lie_anywhere(metrics, where):
    """What its place is called is a label that Prometheus reads, on one line, whatever is in it."""
    text = text_of(replace(metrics, store=where), pool=POOL)
    assert prometheus.checked(text) == ""
    assert "\x1b" not in text
    assert len(samples(text)) == len(samples(text_of(metrics, pool=POOL)))


def test_labels_are_escaped():
    """Quotes, backslashes and line breaks, as the format has them."""
    text = exposition([Family("m", GAUGE, "told", (Sample(0.5, {"of": 'a"b\\c\nd'}),))], {})
    assert text == '# HELP m told\n# TYPE m gauge\nm{of="a\\"b\\\\c\\nd"} 0.5\n'


def test_an_empty_store_is_told_of_too(tmp_path):
    """Of what there is nothing of there is no sample, and every counter begins at 0."""
    text = text_of(measure(ClaudeConversationDeduplicator(tmp_path / "state"), str(tmp_path / "state")))
    assert prometheus.checked(text) == ""
    found = samples(text)
    assert not any("percentile" in name or name.startswith("export_dedup_database") for name in found)
    assert {value for name, value in found.items() if "_total" in name} == {"0"}


def test_a_histogram_counts_what_does_not_exceed_a_bound():
    """Each bucket has those of the ones before it, and the last one has all."""
    text = exposition([histogram("h_seconds", "told", [0.5, 1.0, 7.25], (1.0, 10.0))], {"store": "s"})
    found = samples(text)
    assert [found[f'h_seconds_bucket{{store="s",le="{bound}"}}'] for bound in ("1", "10", "+Inf")] == ["2", "3", "3"]
    assert (found['h_seconds_sum{store="s"}'], found['h_seconds_count{store="s"}']) == ("8.75", "3")


def test_families_of_others_are_told_with_the_labels_of_the_store(metrics):
    """Whoever knows more of a store adds to it."""
    more = Family("export_dedup_gaps", GAUGE, "told\nin two \\ lines", (Sample(3, {"kind": "missing"}),))
    text = text_of(metrics, [more])
    assert f'export_dedup_gaps{{store="{metrics.store}",kind="missing"}} 3\n' in text
    assert "# HELP export_dedup_gaps told\\nin two \\\\ lines\n" in text
    assert prometheus.checked(text) == ""


def test_the_file_is_whole_and_for_everyone_to_read(tmp_path, full):
    """node_exporter is another user: it reads one file for each store, which is replaced, and nothing else is left."""
    folder = tmp_path / "collector"
    folder.mkdir()
    for _ in range(2):
        path = textfile.write(full.dedup, str(full.folder), str(folder))
    assert os.listdir(folder) == [os.path.basename(path)]
    assert path.endswith(".prom")
    assert stat.S_IMODE(os.stat(path).st_mode) == 0o644
    text = (folder / os.path.basename(path)).read_text()
    assert prometheus.checked(text) == ""
    other = ClaudeConversationDeduplicator(tmp_path / "other")
    assert textfile.write(other, str(tmp_path / "other"), str(folder)) != path


@pytest.mark.parametrize("folder", ["", "relative", "/nowhere/at/all"])
def test_a_folder_that_is_none_is_named(tmp_path, full, folder):
    """It is the collector's: it is not made here."""
    with pytest.raises(OutputNotWritable, match=folder or "written"):
        textfile.write(full.dedup, str(full.folder), folder)
