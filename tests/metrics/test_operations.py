"""What is done to a store besides runs, and what fails: noted by whoever does it, on every backend, without what anybody said."""

from __future__ import annotations

import csv
import io
import json
import os
import shutil
from pathlib import Path

import pytest

import prometheus_server as prometheus
from conftest import REPOSITORY
from deduplication import ClaudeConversationDeduplicator
from deduplication.commands import deduplicate_export, export_dedup
from deduplication.errors import OutputNotWritable, StoreLocked
from deduplication.metrics import textfile
from deduplication.storage.log_store import LogStore
from hook_session import Session
from in_process import call
from settings_scenes import own
from store_backends import DATABASES, Stores
from transcript_lines import answer, day, prompt

SAMPLES = sorted((REPOSITORY / ".coditect" / "demo").glob("*.txt"))
SAID = "a sentence that nobody is to find again"


@pytest.fixture
def root(tmp_path):
    """A project with the samples in its store, and one more conversation."""
    root = tmp_path / "tides"
    (root / "MEMORY-CONTEXT").mkdir(parents=True)
    for sample in SAMPLES:
        shutil.copy(sample, root)
    said = [{"role": "user", "content": SAID}, {"role": "assistant", "content": "Nobody will."}]
    (root / "secret.json").write_text(json.dumps({"conversation_id": "secret", "messages": said}))
    paths = [root / each.name for each in SAMPLES]
    done = call(*paths, root / "secret.json", "--yes", "--no-checkpoint", "--project", root, main=export_dedup.main)
    assert done.returncode == 0, done.stderr
    return root


@pytest.fixture
def in_a_database(request, tmp_path):
    """The user's settings say that stores lie in a database."""
    with Stores(request, tmp_path) as stores:
        own(backend="postgresql", database_url=stores.url(next(iter(DATABASES))))
        yield


def tool(root, *words, code=0):
    """What a subcommand prints."""
    done = call(*words, "--project", root, main=deduplicate_export.main)
    assert done.returncode == code, done.stdout + done.stderr
    return done.stdout


def metrics(root):
    """The figures of ``stats``."""
    return json.loads(tool(root, "stats", "--json"))["metrics"]


def test_every_operation_is_noted(root, tmp_path):
    """Once each, with counts and the time it took; the store verifies, and nothing that was said or named is among it."""
    state = root / "MEMORY-CONTEXT" / "dedup_state"
    tool(root, "rebuild")
    tool(root, "repair")
    tool(root, "backup", tmp_path / "backup")
    tool(root, "restore", "secret.json", "--output", f"{tmp_path / 'out'}/")
    tool(root, "purge", "--session", "secret", "--yes")
    tool(root, "migrate", "--from", "default", "--to", f"json:{tmp_path / 'copy'}")
    tool(root, "backup", tmp_path / "backup", "--restore", "--output", tmp_path / "restored")
    found = metrics(root)
    # The purge took a snapshot of its own, in the place of the one that had what went.
    assert found["operations"] == {"backup": 2, "purge": 1, "rebuild": 1, "repair": 1, "restore": 1}
    assert found["purges"]["messages"] == 2
    assert all(found["last"][name] > 0 for name in found["operations"])
    assert json.loads(tool(root, "verify", "--json"))["ok"]
    noted = (state / "operations.jsonl").read_text()
    assert not any(word in noted for word in (SAID, "secret", "tide", ".txt", str(tmp_path)))
    copy = ClaudeConversationDeduplicator(tmp_path / "copy", "json")
    with copy.store.transaction(write=False):
        assert [each.operation for each in copy.store.operations()][-1] == "migrate"
        assert {"rebuild", "repair", "backup", "restore"} < {each.operation for each in copy.store.operations()}
    restored = ClaudeConversationDeduplicator(tmp_path / "restored" / "dedup_state")
    with restored.store.transaction(write=False):
        assert [each.operation for each in restored.store.operations()] == ["restore"]
    assert os.stat(state / "operations.jsonl").st_mode & 0o777 == 0o600


def test_a_database_has_them_too(in_a_database, root, tmp_path):
    """What is done to the store is a row of its audit; what is done to the files beside it stands beside them."""
    tool(root, "rebuild")
    tool(root, "repair")
    tool(root, "restore", "secret.json", "--output", f"{tmp_path / 'out'}/")
    tool(root, "purge", "--session", "secret", "--yes")
    assert metrics(root)["operations"] == {"purge": 1, "rebuild": 1, "repair": 1, "restore": 1}
    assert json.loads(tool(root, "verify", "--json"))["ok"]
    tool(root, "rebuild")
    assert metrics(root)["operations"]["rebuild"] == 2


def test_csv_has_a_row_for_each(root):
    """Runs and operations in the order of time, with the audit's columns; a missing number is nothing."""
    tool(root, "rebuild")
    rows = list(csv.DictReader(io.StringIO(tool(root, "stats", "--csv"), newline="")))
    assert [row["operation"] for row in rows][-1] == "rebuild"
    assert {row["operation"] for row in rows[:-1]} == {"process_export"}
    assert [row["created_at"] for row in rows] == sorted(row["created_at"] for row in rows)
    assert rows[-1]["new_messages"] == ""
    assert json.loads(rows[-1]["metadata"]) == {"found": 0, "remaining": 0}
    lines = (root / "MEMORY-CONTEXT" / "dedup_state" / "deduplication_log.jsonl").read_text().splitlines()
    said = [json.loads(line) for line in lines]
    for row, line in zip(rows, said):
        assert int(row["messages_processed"]) == line["messages_processed"]
        assert float(row["storage_savings_pct"]) == line["storage_savings_pct"]
        assert json.loads(row["metadata"]) == line["metadata"]


@pytest.mark.parametrize(
    "words", [["--csv", "--json"], ["--session", "tide", "--csv"], ["--session", "tide", "--trend", "day"]]
)
def test_what_does_not_go_together_is_refused(root, words):
    """Before anything is read."""
    tool(root, "stats", *words, code=2)


def test_an_export_that_fails_is_counted(root, tmp_path):
    """By its kind, whatever it was; a run with nothing wrong adds nothing."""
    assert metrics(root)["errors"] == {}
    broken = tmp_path / "broken.json"
    broken.write_bytes(b'{"messages": 3}')
    done = call(broken, "--yes", "--no-checkpoint", "--project", root, main=export_dedup.main)
    assert done.returncode == 1
    assert metrics(root)["errors"] == {"export": 1}
    call("--yes", "--no-checkpoint", "--project", root, main=export_dedup.main)
    assert metrics(root)["errors"] == {"export": 1}


def test_a_run_that_the_store_ends_is_counted(root, monkeypatch):
    """What stops a run is noted by its kind, and raised."""

    def locked(*_args, **_more):
        raise StoreLocked("somebody has it")

    monkeypatch.setattr(LogStore, "commit", locked)
    more = root / "more.json"
    more.write_text(json.dumps({"messages": [{"role": "user", "content": "one more"}]}))
    done = call(more, "--yes", "--no-checkpoint", "--project", root, main=export_dedup.main)
    assert done.returncode == 1
    monkeypatch.undo()
    assert metrics(root)["errors"] == {"store": 1}


def test_a_run_leaves_its_figures_where_the_settings_say(root, tmp_path, monkeypatch):
    """A file for node_exporter; a folder that is gone is said, and costs nothing else."""
    collector = tmp_path / "collector"
    monkeypatch.setenv("EXPORT_DEDUP_METRICS_FOLDER", str(collector))
    done = call("--yes", "--no-checkpoint", "--project", root, main=export_dedup.main)
    assert (done.returncode, "the figures for Prometheus were not written" in done.stdout) == (0, True)
    collector.mkdir()
    assert call("--yes", "--no-checkpoint", "--project", root, main=export_dedup.main).returncode == 0
    (path,) = collector.iterdir()
    assert prometheus.checked(path.read_text()) == ""


def test_a_project_cannot_say_where_figures_go(root, tmp_path):
    """A clone would have files written anywhere: only the user's own settings count."""
    (root / ".coditect").mkdir(exist_ok=True)
    (root / ".coditect" / "config.json").write_text(json.dumps({"metrics_folder": str(tmp_path)}))
    assert textfile.folder_for(str(root)) == ""


def test_only_a_hook_that_captured_something_writes(tmp_path, monkeypatch, repository):
    """A hook with nothing to do leaves the file as it is; one that captured writes it anew."""
    monkeypatch.setenv("CLAUDE_CONFIG_DIR", str(tmp_path / "config"))
    collector = tmp_path / "collector"
    collector.mkdir()
    monkeypatch.setenv("EXPORT_DEDUP_METRICS_FOLDER", str(collector))
    root = tmp_path / "my project"
    (root / "MEMORY-CONTEXT").mkdir(parents=True)
    session = Session(root, tmp_path / "config", repository)
    session.write(day(2))
    session.fire("Stop")
    (path,) = collector.iterdir()
    first = path.read_text()
    os.utime(path, (1, 1))
    for _ in range(2):
        session.fire("Stop")
    assert (path.stat().st_mtime, path.read_text()) == (1, first)
    session.write(prompt("What more is there to say of it?") + answer("Not much."))
    session.fire("Stop")
    assert path.stat().st_mtime > 1
    assert path.read_text() != first


def test_a_hook_that_fails_is_counted(tmp_path, monkeypatch, repository):
    """Among what failed over the store beside which it noted why."""
    monkeypatch.setenv("CLAUDE_CONFIG_DIR", str(tmp_path / "config"))
    root = tmp_path / "my project"
    (root / "MEMORY-CONTEXT").mkdir(parents=True)
    session = Session(root, tmp_path / "config", repository)
    session.write(day(2))
    session.fire("Stop")
    session.write(prompt("What more is there to say of it?") + answer("Not much."))
    log = session.state / "conversation_log.jsonl"
    kept = log.read_bytes()
    log.unlink()
    log.mkdir()
    session.fire("Stop")
    log.rmdir()
    log.write_bytes(kept)
    assert sum(metrics(root)["errors"].values()) == 1
    assert Path(session.state / "hooks.log").exists()


def test_the_collector_s_folder_must_be_one(root):
    """Named in the error, with what to do."""
    dedup = ClaudeConversationDeduplicator(root / "MEMORY-CONTEXT" / "dedup_state")
    with pytest.raises(OutputNotWritable) as told:
        textfile.write(dedup, str(root / "MEMORY-CONTEXT" / "dedup_state"), "/nowhere")
    assert "metrics_folder" in told.value.hint
