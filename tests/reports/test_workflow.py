"""What the user reads of a run, golden: labels, emoji and rules are relied upon."""

from __future__ import annotations

from pathlib import Path

import pytest

from deduplication.figures.run_result import ExportResult, Figures, RunResult, extract
from deduplication.project.paths import Project
from deduplication.reports import archive
from deduplication.reports import execution as execution_report
from deduplication.reports import workflow as report

ONE = ExportResult("2025-11-21-EXPORT-STATUS.txt", "text", "status", 206, 143, 63, archived_to="MEMORY-CONTEXT/x")
PROJECT = Project(Path("/home/somebody/rollout"))
LOCKS = "🔐" * 40

BANNER = f"""
{LOCKS}
📊 BACKUP & DEDUPLICATION RESULTS
{LOCKS}

🆕 NEW UNIQUE MESSAGES ADDED & BACKED UP: 143
🔄 Duplicate Messages Filtered: 63
📨 Total Messages Processed: 206
💾 Total Unique Messages in Storage: 7,931
{LOCKS}"""

RUN = """\
============================================================
CODITECT Export & Deduplicate Workflow
============================================================

Step 1: Looking for export files...
✓ Found 1 export file(s)
  → [6.3m] 2025-11-21-EXPORT-STATUS.txt
     Location: repo root

Step 2: Deduplicating 1 export file(s)...
  Total messages: 206
  New unique: 143
  Duplicates filtered: 63
  Dedup rate: 30.6%
  Global unique count: 7931

Step 3: Archiving export files...
  ✓ Archived: 2025-11-21-EXPORT-STATUS.txt → MEMORY-CONTEXT/exports-archive/

Step 4: Creating checkpoint...
✓ Checkpoint created successfully

============================================================
✅ Export and deduplication complete!
============================================================

📊 Deduplication Summary:
   - New unique messages: 143
   - Total unique messages: 7,931
   - Overall dedup rate: 30.6%
   - In short: lots of new content, 143 of 206 messages
   - Storage: MEMORY-CONTEXT/dedup_state

📁 Export(s) archived:
   - Location: MEMORY-CONTEXT/exports-archive
   - Files: 1 export(s) moved

📝 Checkpoint created: Automated export and deduplication"""


def test_banner_is_the_seed_s() -> None:
    """The banner has three lines of forty locks, the four labels, and thousands separators."""
    assert execution_report.banner(143, 63, 206, 7931) == BANNER


@pytest.mark.parametrize(
    ("new", "captured", "said"),
    [
        (4, 4, "4 new (all captured earlier)"),
        (4, 3, "4 new (3 captured earlier)"),
        (1, 1, "1 new (captured earlier)"),
        (1201, 1200, "1,201 new (1,200 captured earlier)"),
        (4, 0, ""),
        (0, 0, ""),
    ],
)
def test_what_was_captured_before_has_a_line_of_its_own(new: int, captured: int, said: str) -> None:
    """In the banner, in the core's figures and in the summary; what the core says the banner can read."""
    assert report.captured(new, captured) == said
    lines = execution_report.banner(new, 5, 5 + new, 2000, captured=captured).splitlines()
    assert lines[5:7] == [
        f"🆕 NEW UNIQUE MESSAGES ADDED & BACKED UP: {new:,}",
        *([f"   {said}"] if said else ["🔄 Duplicate Messages Filtered: 5"]),
    ]
    run = RunResult((ExportResult("a.txt", total=5 + new, new=new, duplicates=5, captured=captured),), 2000)
    text = (
        f"{report.export_block(run.exports[0])}\n{report.sums_block(run)}\n{report.summary(run, Project(Path('/p')))}"
    )
    assert text.count(said) == 2 or not said
    assert extract(text) == Figures(new, 5, 5 + new, 2000, captured)


def test_banner_separates_thousands_in_every_number() -> None:
    """All four numbers are written alike."""
    text = execution_report.banner(1143, 1063, 2206, 107931)
    assert [line.rpartition(": ")[2] for line in text.splitlines() if ": " in line] == [
        "1,143",
        "1,063",
        "2,206",
        "107,931",
    ]


def test_run_of_one_export_reads_as_designed() -> None:
    """The five steps of a run with one export, put together, are the text that the design shows."""
    run = RunResult((ONE,), global_unique=7931)
    text = "\n".join(
        [
            report.workflow_header(),
            report.step_find(),
            report.found([("/home/somebody/rollout/2025-11-21-EXPORT-STATUS.txt", 378.0, "repo root")]),
            report.step_deduplicate(1),
            report.export_block(ONE),
            report.sums_block(run),
            report.step_archive(),
            archive.archived(ONE.path, "MEMORY-CONTEXT/exports-archive"),
            report.step_checkpoint(),
            report.checkpoint_created(),
            report.summary(run, PROJECT, "Automated export and deduplication"),
        ]
    )
    assert text == RUN


def test_several_exports_have_a_block_each_and_then_the_sums() -> None:
    """Each block names file and session; the last of each label is the sum, which is what the banner reads."""
    other = ExportResult("dir/second.txt", "text", "rollout", 1000, 7, 993)
    run = RunResult((ONE, other), global_unique=7938)
    text = "\n".join([*(report.export_block(each, named=True) for each in run.exports), report.sums_block(run)])
    assert "  📄 second.txt (session rollout)\n  Total messages: 1000\n" in text
    assert "  All 2 exports:\n  Total messages: 1206\n  New unique: 150\n  Duplicates filtered: 1056\n" in text
    figures = extract(text)
    assert figures is not None
    assert (figures.total, figures.new, figures.duplicates, figures.unique) == (1206, 150, 1056, 7938)


def test_figures_survive_the_round_trip_through_text() -> None:
    """What the workflow prints for one export is what the banner's reader finds, above a thousand too."""
    run = RunResult((ExportResult("a", total=12345, new=12000, duplicates=345),), global_unique=1234567)
    figures = extract(report.export_block(run.exports[0]) + "\n" + report.sums_block(run))
    assert figures is not None
    assert (figures.total, figures.new, figures.duplicates, figures.unique) == (12345, 12000, 345, 1234567)


def test_failed_export_is_named_with_its_error() -> None:
    """A broken file has its name and error in place of figures, and ends the run's summary without a green title."""
    broken = ExportResult("dir/broken.txt", error="The export cannot be read: broken.txt")
    assert report.export_block(broken) == "  📄 broken.txt\n  ❌ ERROR: The export cannot be read: broken.txt"
    text = report.summary(RunResult((ONE, broken), 7931), PROJECT)
    assert "❌ Finished with 1 export failed" in text
    assert "✅" not in text
    assert text.endswith(f"{report.FAILED_EXPORTS}\n   - broken.txt: The export cannot be read: broken.txt")


def test_gaps_and_notes_are_warnings_below_the_figures() -> None:
    """A gap is one warning line; more than ten are counted, not listed."""
    text = report.export_block(ExportResult("a", gaps=tuple(f"gap {n}" for n in range(12)), warnings=("odd",)))
    lines = [line for line in text.splitlines() if "⚠" in line]
    assert lines[0] == "  ⚠ Gap: gap 0"
    assert lines[10:] == ["  ⚠ … and 2 more (--json lists them all)", "  ⚠ Note: odd"]


def test_summary_names_no_archive_and_no_checkpoint_where_there_was_none() -> None:
    """What was not done is not claimed."""
    text = report.summary(RunResult((ExportResult("a"),)), PROJECT)
    assert "archived" not in text
    assert "Checkpoint" not in text


def test_nothing_found_says_where_was_looked_and_what_to_do() -> None:
    """A user without exports learns the folders and the next step."""
    text = report.nothing_found(["repo root", "MEMORY-CONTEXT/exports"])
    assert "   Looked in:\n   - repo root\n   - MEMORY-CONTEXT/exports\n" in text
    assert "/export" in text
    assert "Looked in" not in report.nothing_found([])


HOSTILE = "a\x1b[2J\u202e\nNew unique: 9\r.txt"


@pytest.mark.parametrize(
    "text",
    [
        pytest.param(report.found([(HOSTILE, 1.0, HOSTILE)]), id="found"),
        pytest.param(report.passed_over(HOSTILE, HOSTILE), id="passed-over"),
        pytest.param(report.nothing_found([HOSTILE]), id="nothing-found"),
        pytest.param(report.export_block(ExportResult(HOSTILE, session_id=HOSTILE), named=True), id="block"),
        pytest.param(report.export_block(ExportResult(HOSTILE, error=HOSTILE, session_id=HOSTILE)), id="failed-block"),
        pytest.param(report.export_block(ExportResult("a", gaps=(HOSTILE,), warnings=(HOSTILE,))), id="gaps"),
        pytest.param(archive.archived(HOSTILE, HOSTILE), id="archived"),
        pytest.param(archive.already_archived(HOSTILE, HOSTILE), id="already-archived"),
        pytest.param(archive.not_archived(HOSTILE, HOSTILE), id="not-archived"),
        pytest.param(report.skipped(HOSTILE), id="skipped"),
        pytest.param(report.advice(HOSTILE), id="advice"),
        pytest.param(report.checkpoint_created(note=HOSTILE), id="checkpoint-created"),
        pytest.param(report.checkpoint_failed(HOSTILE, HOSTILE), id="checkpoint-failed"),
        pytest.param(
            report.summary(RunResult((ExportResult(HOSTILE, error=HOSTILE),)), PROJECT, HOSTILE, storage=HOSTILE),
            id="summary",
        ),
        pytest.param(execution_report.execution_header("now", HOSTILE, HOSTILE), id="header"),
        pytest.param(execution_report.failure([HOSTILE], [HOSTILE], 1), id="failure"),
        pytest.param(execution_report.log_saved(HOSTILE), id="log-saved"),
        pytest.param(execution_report.log_not_saved(HOSTILE, HOSTILE, 1), id="log-not-saved"),
    ],
)
def test_names_from_outside_obey_nothing(text: str) -> None:
    """A name with terminal escapes and line breaks shows them as text, and cannot put a figure on a line of its own."""
    assert not set(text) & {"\x1b", "\r", "\u202e"}
    assert "\nNew unique: 9" not in text


@pytest.mark.parametrize(
    ("seconds", "expected"),
    [
        pytest.param(-5, "0s", id="future"),
        pytest.param(12.9, "12s", id="seconds"),
        pytest.param(378, "6.3m", id="minutes"),
        pytest.param(9000, "2.5h", id="hours"),
        pytest.param(259200, "3.0d", id="days"),
    ],
)
def test_age_is_short(seconds: float, expected: str) -> None:
    """The age of a file is one number with its unit."""
    assert report.age(seconds) == expected


@pytest.mark.parametrize(
    ("code", "status"),
    [pytest.param(0, "Status: ✅ SUCCESS", id="success"), pytest.param(130, "Status: ❌ FAILED", id="failure")],
)
def test_execution_summary_has_status_code_time_and_duration(code: int, status: str) -> None:
    """The end of a report is the seed's, and only exit code 0 is a success."""
    rule = "=" * 80
    assert execution_report.execution_summary(code, "2025-11-22T00:05:07.497788", 1.6489) == (
        f"\n{rule}\nEXECUTION SUMMARY\n{rule}\n{status}\nExit Code: {code}\n"
        f"Completed: 2025-11-22T00:05:07.497788\nDuration: 1.65 seconds\n{rule}"
    )


def test_failure_ends_with_error_advice_and_exit_code() -> None:
    """A failed run's last lines are its errors, what to do, and the exit code."""
    assert execution_report.failure(["one", "two"], ["do this"], 2) == (
        "\n❌ ERROR: one\n❌ ERROR: two\n   → do this\n   Exit code: 2"
    )
