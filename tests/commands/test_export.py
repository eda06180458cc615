"""``export`` from the outside: where the tables go, what is refused, and what the user is told."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys

import pytest

import exports
from conftest import REPOSITORY
from deduplication import ClaudeConversationDeduplicator
from deduplication.tables.columns import MESSAGES, RUNS
from in_process import call
from table_scenes import READERS

STATE = "MEMORY-CONTEXT/dedup_state"
SECRET = "the key is AKIAQ3EGRTYUIOPLKJHG and nothing else"


@pytest.fixture
def project(tmp_path, monkeypatch):
    """A project with two stored conversations; it is the current folder."""
    folder = tmp_path / "project"
    (folder / "MEMORY-CONTEXT").mkdir(parents=True)
    dedup = ClaudeConversationDeduplicator(folder / STATE)
    for number, name in enumerate(("alpha", "beta")):
        dedup.ingest(exports.Story(number, 4).show(0, 8), name=f"{name}.txt", conversation_id=name)
    monkeypatch.chdir(folder)
    return folder


def export(*arguments, **more):
    """Run the subcommand."""
    return call("export", *arguments, **more)


@pytest.mark.parametrize("form", READERS)
def test_both_tables_into_a_folder(project, form):
    """The files, what is in them, and a word on what they are."""
    done = export(f"--{form}", "--to", "out/tables")
    assert (done.returncode, done.stderr) == (0, "")
    sizes = {name: (project / "out" / "tables" / f"{name}.{form}").stat().st_size for name in ("messages", "runs")}
    assert done.stdout.splitlines() == [
        f"📄 16 messages of 2 conversations, {sizes['messages']:,} bytes",
        f"     → out/tables/messages.{form}",
        f"📄 2 runs of 2 conversations, {sizes['runs']:,} bytes",
        f"     → out/tables/runs.{form}",
        "⚠ Everything stands there as it was said, secrets included. --redact takes them out.",
    ]
    assert sorted(os.listdir("out/tables")) == [f"messages.{form}", f"runs.{form}"]
    rows = READERS[form]((project / "out" / "tables" / f"messages.{form}").read_bytes(), MESSAGES)
    expected = [
        each["content_hash"]
        for name in ("alpha", "beta")
        for each in ClaudeConversationDeduplicator(STATE).get_full_conversation(name)
    ]
    assert [row["content_hash"] for row in rows] == expected


def test_one_table_to_the_screen(project):
    """For a pipe: the rows and nothing else."""
    done = export("--jsonl", "--messages", "--session", "alp")
    assert (done.returncode, done.stderr) == (0, "")
    assert {json.loads(line)["conversation_id"] for line in done.stdout.splitlines()} == {"alpha"}
    done = export("--csv", "--runs", "--to", "-")
    assert len(READERS["csv"](done.stdout.encode(), RUNS)) == 2


def test_parquet_into_a_pipe(project):
    """It is what stands in the file."""
    line = [sys.executable, str(REPOSITORY / "scripts" / "deduplicate_export.py"), "export", "--parquet", "--runs"]
    done = subprocess.run(line, capture_output=True, check=True)
    assert len(READERS["parquet"](done.stdout, RUNS)) == 2


def test_a_reader_that_goes_away(project):
    """Ends the command without a trace."""
    line = [sys.executable, str(REPOSITORY / "scripts" / "deduplicate_export.py"), "export", "--jsonl", "--messages"]
    process = subprocess.Popen(line, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    process.stdout.close()
    assert process.stderr.read() == b""
    assert process.wait() in (0, 130)
    process.stderr.close()


STOPPED = """
import sys, time
sys.path.insert(0, sys.argv.pop(1))
from deduplication.commands import deduplicate_export, entry
from deduplication.tables import output
read = output._read
def standing(rows):
    yield from read(rows)
    print("writing", flush=True)
    time.sleep(60)
output._read = standing
entry.start(deduplicate_export.main)
"""


def stopped(form, number=None):
    """An export into ``out`` that has written one table whole and stands still; a signal sent to it, its exit code and errors."""
    line = [sys.executable, "-c", STOPPED, str(REPOSITORY / "scripts"), "export", f"--{form}", "--to", "out"]
    process = subprocess.Popen(line, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    assert process.stdout.readline() == "writing\n"
    if number is None:
        return process
    process.send_signal(number)
    _, errors = process.communicate(timeout=60)
    return process.returncode, errors


needs_signals = pytest.mark.skipif(os.name == "nt", reason="Windows ends a process without a word")


@needs_signals
@pytest.mark.parametrize("form", READERS)
@pytest.mark.parametrize(
    ("number", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 143), (signal.SIGHUP, 129)], ids=["INT", "TERM", "HUP"]
)
def test_an_export_that_is_interrupted_leaves_nothing(project, form, number, code):
    """Neither a table nor the beginning of one, and no trace on the screen."""
    ended, errors = stopped(form, number)
    assert ended == code
    assert "Traceback" not in errors
    assert os.listdir("out") == []


@needs_signals
def test_what_a_killed_export_left_is_removed_by_the_next_one(project):
    """Whatever form each has; a file of somebody else is not, whatever it is called."""
    for form in READERS:
        assert stopped(form, signal.SIGKILL)[0] == -signal.SIGKILL
        (left,) = os.listdir("out")
        assert left.startswith(f"messages.{form}.")
    theirs = {"notes.csv.12.tmp", "messages.csv.tmp", "messages.csv.x12.tmp", "messages.txt.12.tmp"}
    for name in theirs:
        (project / "out" / name).write_text("theirs")
    assert export("--csv", "--to", "out").returncode == 0
    assert {*os.listdir("out")} == {"messages.csv", "runs.csv", *theirs}


@needs_signals
def test_what_another_export_is_writing_is_left_alone(project):
    """Two of them at work in one folder: what was left is removed by the first one that is there alone."""
    stopped("csv", signal.SIGKILL)
    first = stopped("jsonl")
    (theirs,) = (name for name in os.listdir("out") if name.startswith("messages.jsonl."))
    assert not [name for name in os.listdir("out") if ".csv." in name]
    stopped("csv", signal.SIGKILL)
    assert export("--csv", "--to", "out").returncode == 0
    left = {name for name in os.listdir("out") if name.endswith(".tmp")}
    assert theirs in left
    assert len(left) == 2
    first.kill()
    first.communicate()
    assert export("--csv", "--to", "out", "--force").returncode == 0
    assert sorted(os.listdir("out")) == ["messages.csv", "runs.csv"]


def test_times(project):
    """Days and times on the user's own clock, both ends of them."""
    assert export("--jsonl", "--messages", "--until", "2001-01-01").stdout == ""
    assert len(export("--jsonl", "--messages", "--since", "2001-01-01").stdout.splitlines()) == 16
    assert export("--jsonl", "--messages", "--since", "2999-12-31T10:00:00Z").stdout == ""


def test_what_has_no_time_is_told_of(project):
    """Where a time is asked for, messages without one are left out, and counted."""
    dedup = ClaudeConversationDeduplicator(STATE)
    messages = [{"role": "user", "content": "a tide table, please", "timestamp": "low tide", "index": 0}]
    dedup.process_export("gamma", {"messages": messages})
    done = export("--jsonl", "--messages", "--session", "gamma", "--since", "2001-01-01")
    assert done.stdout == ""
    assert done.stderr.startswith("⚠ 1 message was left out")
    assert len(export("--jsonl", "--messages", "--session", "gamma").stdout.splitlines()) == 1


def test_secrets(project):
    """Exact unless --redact is given, and both are said."""
    ClaudeConversationDeduplicator(STATE).process_export("gamma", {"messages": [{"role": "user", "content": SECRET}]})
    assert SECRET in export("--jsonl", "--messages").stdout
    done = export("--jsonl", "--messages", "--redact")
    assert "AKIA" not in done.stdout
    assert "[REDACTED:aws-access-key]" in done.stdout
    assert done.stderr == "✓ 1 place was redacted. No rule finds everything: look before you pass it on.\n"
    done = export("--csv", "--redact", "--to", "out")
    assert done.stdout.splitlines()[-1].startswith("✓ 1 place was redacted.")


@pytest.mark.parametrize(
    ("arguments", "code", "says"),
    [
        ([], 2, "one of the arguments --parquet --jsonl --csv is required"),
        (["--jsonl", "--csv"], 2, "not allowed with"),
        (["--jsonl"], 2, "two tables do not fit into one output"),
        (["--jsonl", "--messages", "--runs"], 2, "two tables do not fit into one output"),
        (["--jsonl", "--to", ""], 2, "--to is empty"),
        (["--jsonl", "--runs", "--since", "yesterday"], 2, "times look like"),
        (["--jsonl", "--runs", "--until", "9999-12-31"], 2, "times look like"),
        (["--jsonl", "--runs", "--session", "nobody"], 1, "It is not clear which conversation is meant"),
        (["--jsonl", "--to", STATE], 1, "lies where the export, the store or the archive is"),
        (["--jsonl", "--to", f"{STATE}/tables"], 1, "lies where the export, the store or the archive is"),
        (["--jsonl", "--to", "MEMORY-CONTEXT/exports-archive/x"], 1, "lies where the export, the store"),
    ],
)
def test_what_is_refused(project, arguments, code, says):
    """Each mistake has its line, and nothing is made."""
    before = sorted(project.rglob("*"))
    done = export(*arguments)
    assert (done.returncode, done.stdout) == (code, "")
    assert says in done.stderr
    assert sorted(project.rglob("*")) == before


def test_files_that_are_there(project):
    """Are kept, unless --force is given."""
    assert export("--csv", "--to", "out").returncode == 0
    done = export("--csv", "--to", "out")
    assert done.returncode == 1
    assert "is there already" in done.stderr
    assert "--force" in done.stderr
    assert export("--csv", "--to", "out", "--force").returncode == 0


def test_parquet_is_nothing_for_a_terminal(project, monkeypatch):
    """Bytes that no screen can show are refused there."""
    monkeypatch.setattr("deduplication.commands.export.is_terminal", lambda _stream: True)
    done = export("--parquet", "--runs")
    assert done.returncode == 2
    assert "Parquet is nothing to look at" in done.stderr
