"""The last runs: from audit and last_run.json, and the ``status`` command as a process."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys

import pytest

from deduplication import ClaudeConversationDeduplicator
from deduplication.accounting import last_run, run_history
from deduplication.figures.run_result import ExportResult, RunResult
from deduplication.ingest.transcript_capture import capture_file
from deduplication.project.paths import Project
from deduplication.reports import execution
from exports import Story
from transcript_lines import day


@pytest.fixture
def project(tmp_path, monkeypatch):
    """An empty project with its memory."""
    monkeypatch.setenv("TZ", "UTC")
    root = tmp_path / "project"
    (root / "MEMORY-CONTEXT").mkdir(parents=True)
    return Project(root)


@pytest.fixture
def run(repository, project):
    """Run one of our scripts on the project."""

    def call(script, *arguments):
        command = [sys.executable, str(repository / "scripts" / script), *arguments]
        return subprocess.run(
            [*command, "--project", str(project.root)], capture_output=True, encoding="utf-8", check=False
        )

    return call


def export(project, number=1):
    """An export in the project's root."""
    file = Story(7, 8).exports()[number]
    (project.root / file.name).write_bytes(file.data)
    return file


def test_runs_are_told_with_who_made_them(project, run):
    """A command, then the shell's own tool, then captured turns: each with its numbers, the newest first."""
    first = export(project, 0)
    assert run("export-dedup-with-status.py", "--yes", "--no-checkpoint").returncode == 0
    second = export(project, 1)
    assert run("deduplicate_export.py", str(project.root / second.name)).returncode == 0
    transcript = project.root / "s.jsonl"
    transcript.write_bytes(day(2))
    capture_file(ClaudeConversationDeduplicator(project.state), transcript)
    told = json.loads(run("deduplicate_export.py", "status", "--json").stdout)
    assert told["total_runs"] == 2
    assert [(each["by"], each["exports"]) for each in told["runs"]] == [
        (None, [second.name]),
        ("command", [first.name]),
    ]
    assert [each["captured_since"]["total_messages"] for each in told["runs"]] == [4, 0]
    assert all(each["total_messages"] == each["new_messages"] + each["duplicates_filtered"] for each in told["runs"])
    assert told["last_report"]["exit_code"] == 0
    shown = run("deduplicate_export.py", "status").stdout
    assert shown.startswith("📋 export-dedup status: ")
    assert "by export-dedup" in shown
    assert "since then 4 messages were captured from transcripts, 4 not stored before" in shown
    assert "✓ succeeded: the last report" in shown


def test_nothing_is_created(project, run, tmp_path):
    """Without a store it is a named failure, and no folder appears."""
    done = run("deduplicate_export.py", "status")
    assert done.returncode == 1
    assert "There is no message store" in done.stderr
    assert os.listdir(project.memory) == []


def test_captures_alone(project, run):
    """Where no export was processed, what was captured is said."""
    transcript = project.root / "s.jsonl"
    transcript.write_bytes(day(2))
    capture_file(ClaudeConversationDeduplicator(project.state), transcript)
    shown = run("deduplicate_export.py", "status").stdout
    assert "no export was processed yet" in shown
    assert "4 messages were captured from transcripts, 4 not stored before, the last at" in shown


def result(name, *, error=None):
    """A run over one export."""
    return RunResult((ExportResult(name, total=5, new=2, duplicates=3, error=error),), global_unique=2, duration_s=0.5)


def test_runs_before_the_last_are_kept_and_bounded(project, monkeypatch):
    """A line for each of the last runs, who made it included; no more than the bound; failed exports counted."""
    project.state.mkdir(mode=0o700)
    now = iter(range(1_000, 10**6, 100))
    monkeypatch.setattr(last_run.time, "time", lambda: float(next(now)))
    for number in range(last_run.KEPT + 5):
        by = last_run.BY_HOOK if number % 2 else last_run.BY_COMMAND
        last_run.save(project, result(f"dir/{number}.txt", error="x" if number == 54 else None), by)
    found, before = run_history.runs(str(project.state))
    assert len(found) == last_run.KEPT + 1
    assert [(each.exports[0], each.by, each.failed) for each in found[:2]] == [
        ("54.txt", "command", 1),
        ("53.txt", "hook", 0),
    ]
    assert before.parts == 0


BROKEN = {
    "no JSON": b"{",
    "a list": b"[]",
    "other members": b'{"finished": 1, "by": "hook", "result": {"exports": [1]}}',
    "before of another form": json.dumps(
        {"finished": 1.0, "by": "hook", "result": result("a").as_dict(), "before": [1, {"finished": 2}]}
    ).encode(),
}


@pytest.mark.parametrize("data", BROKEN.values(), ids=BROKEN)
def test_a_broken_note_costs_itself(project, data):
    """last_run.json is only shown: whatever it holds, the runs of the audit are told."""
    ClaudeConversationDeduplicator(project.state).process_export("a", Story(7, 8).exports()[0].data)
    (project.state / last_run.NAME).write_bytes(data)
    found, _ = run_history.runs(str(project.state))
    assert [run.by for run in found if run.by == ""] == [""]
    assert len(found) <= 2


def test_a_damaged_audit_costs_its_own_lines(project):
    """The audit is an index: what is damaged in it is passed over."""
    dedup = ClaudeConversationDeduplicator(project.state)
    dedup.process_export("a", Story(7, 8).exports()[0].data)
    audit = project.state / "deduplication_log.jsonl"
    audit.write_bytes(b"damaged\n" + audit.read_bytes())
    found, _ = run_history.runs(str(project.state))
    assert len(found) == 1
    audit.unlink()
    assert run_history.runs(str(project.state))[0] == []


def test_the_last_report_is_the_last_one(project):
    """Of several reports the last one counts; none is none."""
    log = project.status_log
    assert run_history.last_report(log) is None
    log.write_text("nothing\n")
    assert run_history.last_report(log) is None
    log.write_text(
        "Status: ✅ SUCCESS\nExit Code: 0\nCompleted: 2026-03-04T10:00:00.000001\n"
        "Status: ❌ FAILED\nExit Code: 1\nCompleted: 2026-03-05T10:00:00.000001\n",
        encoding="utf-8",
    )
    assert run_history.last_report(log) == run_history.Report(1, "2026-03-05T10:00:00.000001")
    for code, moment in ((4, "2026-03-06T10:00:00"), (0, "2026-03-07T10:00:00")):
        with log.open("a", encoding="utf-8") as file:
            file.write(execution.log_line(code, moment, 0.5, None, "") + "\n")
        assert run_history.last_report(log) == run_history.Report(code, moment)


def test_many_exports_conversations_and_failures_in_text():
    """Long lists are cut, failures are said, limits too."""
    from deduplication.reports import history as history_report

    run = run_history.Run(0.0, "hook", tuple("abcd"), tuple("wxyz"), 1, 1, 0, failed=2)
    history = history_report.History(
        [run], 3, run_history.Captured(), 9, "/s", run_history.Report(1, "2026-03-05T10:00:00")
    )
    head, (part,), tail = history_report.parts(history)
    assert head == "📋 export-dedup status: 3 runs, the newest 1"
    assert "a, b, c and 1 more" in part
    assert "conversation w, x, y …" in part
    assert "❌ 2 exports failed" in part
    assert "❌ failed: the last report, 2026-03-05 10:00" in tail


def test_a_moved_store_is_told_of_too(project, run, tmp_path):
    """--storage-dir names any store."""
    ClaudeConversationDeduplicator(project.state).process_export("a", Story(7, 8).exports()[0].data)
    shutil.move(str(project.state), str(tmp_path / "moved"))
    assert "1 run" in run("deduplicate_export.py", "status", "--storage-dir", str(tmp_path / "moved")).stdout


def test_full_shows_whole_reports(project, run):
    """``--full``: the newest report as it was printed, or as many as are asked for; those of an old status log stay readable."""
    export(project, 0)
    shown = run("export-dedup-with-status.py", "--yes", "--no-checkpoint").stdout
    first = shown.partition("\n\n📝 Full report saved to")[0]
    kept = project.reports.read_text(encoding="utf-8")
    project.reports.unlink()
    project.status_log.write_text(kept + project.status_log.read_text(encoding="utf-8"), encoding="utf-8")
    export(project, 1)
    second = run("export-dedup-with-status.py", "--yes", "--no-checkpoint").stdout.partition("\n\n📝 Full")[0]
    assert first != second
    (one,) = json.loads(run("deduplicate_export.py", "status", "--full", "--json").stdout)["reports"]
    assert one == second
    both = json.loads(run("deduplicate_export.py", "status", "--full", "--limit", "9", "--json").stdout)["reports"]
    assert both == [second, first]
    text = run("deduplicate_export.py", "status", "--full").stdout
    assert text.startswith("📋 export-dedup status: 2 runs")
    assert f"\n\n{second}\n\n" in text
    assert first not in text
    assert run_history.reports(str(project.state), 9) == [second, first]


def test_full_says_where_no_report_is_kept(project, run):
    """What a hook did, or the core alone, has numbers and no report."""
    ClaudeConversationDeduplicator(project.state).process_export("a", Story(7, 8).exports()[0].data)
    assert "No report is kept" in run("deduplicate_export.py", "status", "--full").stdout
