"""Options that are the same for every subcommand, and the reasons where one of them has no meaning."""

from __future__ import annotations

import json
import re
import shutil

import pytest

import demo_project
from conftest import REPOSITORY
from deduplication.commands import create_checkpoint, export_dedup
from deduplication.commands.shell import everywhere, one_command, table
from deduplication.terminal import called
from demo_project import SAMPLES
from in_process import call as as_script

SCRIPT = re.compile(r"(deduplicate_export|export-dedup|create-checkpoint|with-status)\.py|install\.sh")
PAIRS = [(option, name) for option in everywhere.WITHOUT for name in table.SUBCOMMANDS]


@pytest.fixture(autouse=True)
def afterwards():
    """Other tests call scripts."""
    yield
    called.by_command(so=False)


def call(*words, **options):
    """The command in this process."""
    return as_script(*words, main=one_command.main, **options)


@pytest.fixture
def project(tmp_path, monkeypatch):
    """The current folder: a project whose first two samples were processed, with the third waiting."""
    folder = demo_project.make(tmp_path / "project")
    monkeypatch.chdir(folder)
    return folder


@pytest.mark.parametrize(("option", "name"), PAIRS, ids=map(" ".join, PAIRS))
def test_each_has_the_option_or_says_why_not(option, name):
    """Never neither, never both; the reason is told to whoever passes it, and nothing is done."""
    called.by_command()
    has = option in table.module_of(name).parser()._option_string_actions
    reason = everywhere.WITHOUT[option].get(name)
    assert has == (reason is None)
    if reason is not None:
        words = {"search": ["x"], "explain": ["x"], "completion": ["bash"], "export": ["--jsonl"]}.get(name, [])
        code, out, err = call(name, *words, option)
        assert (code, out) == (2, "")
        assert f"{option} has no meaning for '{name}': {reason}" in err


def test_the_reference_has_the_same_table():
    """A row for each option, with those that are without it."""
    page = (REPOSITORY / "docs" / "cli-reference.md").read_text(encoding="utf-8")
    section = page.partition("### Options of every subcommand\n")[2].partition("\nWhere an option")[0]
    rows = [row.split(" | ") for row in section.splitlines() if row.startswith("| `--")]
    told = {re.findall("`(--[a-z-]+)", row[0])[0]: set(re.findall("`([a-z]+)`", row[2])) for row in rows}
    assert told == {option: set(names) for option, names in everywhere.WITHOUT.items()}


def test_the_entry_scripts_are_as_they_were(project):
    """They have neither option."""
    for words, main in ((("verify",), None), (("--yes",), export_dedup.main), (("x",), create_checkpoint.main)):
        for option in (everywhere.QUIET, everywhere.VERBOSE):
            ended = as_script(*words, option, **({} if main is None else {"main": main}))
            assert (ended.returncode, f"unrecognized arguments: {option}" in ended.stderr) == (2, True)


@pytest.mark.parametrize(
    "words",
    [
        ["verify"],
        ["import", SAMPLES[2].name],
        ["rebuild"],
        ["backup", "../backup"],
        ["session", "--all"],
        ["capture"],
        ["scan"],
        ["run", "--no-status", "--no-checkpoint"],
        ["checkpoint", "x"],
        ["install"],
        ["uninstall"],
    ],
    ids=lambda words: words[0],
)
def test_quiet_is_nothing_where_all_goes_well(project, words):
    """Neither on standard output nor on the other one; what is done is the same. What is said otherwise is said otherwise."""
    assert call(*words, "--quiet") == (0, "", "")
    assert call(*words).stdout


def test_quiet_tells_of_what_goes_wrong(project):
    """All that would have been said, on standard error, with the same exit code."""
    loud = call("import", SAMPLES[2].name, "gone.txt")
    quiet = call("import", SAMPLES[2].name, "gone.txt", "--quiet")
    assert (loud.returncode, quiet.returncode, quiet.stdout) == (1, 1, "")
    assert "gone.txt" in quiet.stderr
    assert "Total messages" in quiet.stderr
    code, out, err = call("session", "nobody", "--quiet")
    assert (code, out) == (1, "")
    assert "ERROR" in err


def test_json_is_printed_however_quiet(project):
    """It was asked for."""
    code, out, err = call("verify", "--json", "--quiet")
    assert (code, err, json.loads(out)["ok"]) == (0, "", True)


def test_verbose_says_which_store_it_is_and_why(project):
    """On standard error; standard output is the same, byte for byte, JSON, too."""
    plain, told = call("session", "--json"), call("session", "--json", "--verbose")
    assert (plain.stdout, plain.stderr) == (told.stdout, "")
    first, store, seconds = told.stderr.splitlines()
    assert re.fullmatch(r"· export-dedup \S+, Python \S+ \(.+\)", first)
    assert store == f"· store: {project / 'MEMORY-CONTEXT' / 'dedup_state'} (in the project)"
    assert re.fullmatch(r"· \d+\.\d\d s", seconds)
    elsewhere = call("verify", "--verbose", "--storage-dir", "../nothing")
    assert "· store: ../nothing (named by --storage-dir)" in elsewhere.stderr


def test_verbose_says_what_a_failure_rests_on(project):
    """The error of the system below the one that is named."""
    (project / "MEMORY-CONTEXT" / "checkpoints").write_text("in the way", encoding="utf-8")
    code, _, err = call("checkpoint", "x", "--verbose")
    assert (code, "· because of " in err) == (1, True), err


# --- run and checkpoint into another store ----------------------------------------------------------------------------


def own(project):
    """The bytes of the project's own store and archive."""
    folders = [project / "MEMORY-CONTEXT" / name for name in ("dedup_state", "exports-archive", "sessions")]
    return {path: path.read_bytes() for folder in folders for path in folder.rglob("*") if path.is_file()}


@pytest.mark.parametrize("words", [["run", "--no-status"], ["checkpoint", "Elsewhere"]], ids=lambda words: words[0])
def test_another_store_takes_the_messages_and_nothing_is_moved(project, words):
    """The export stays, the project's own store, archive and session files are the same; the document is the project's."""
    before = own(project)
    ended = call(*words, "--storage-dir", "../other")
    assert ended.returncode == 0, ended.stderr
    assert "New unique: 27" in ended.stdout
    assert (project / SAMPLES[2].name).exists()
    after = {path: data for path, data in own(project).items() if path.name not in ("checkpoint.lock", ".gitignore")}
    assert after == {path: data for path, data in before.items() if path.name in {each.name for each in after}}
    assert len(list((project / "MEMORY-CONTEXT" / "checkpoints").iterdir())) == 1
    assert "27 unique" in call("verify", "--storage-dir", "../other").stdout
    again = call("run", "--no-status", "--no-checkpoint", "--storage-dir", "../other")
    assert "New unique: 0" in again.stdout
    assert "Skipped: the archive belongs to the project's own store" in again.stdout


@pytest.mark.parametrize("words", [["run", "--no-status"], ["checkpoint", "Own"]], ids=lambda words: words[0])
def test_the_project_s_own_store_may_be_named(project, words):
    """It is as without the option: the export is archived."""
    ended = call(*words, "--storage-dir", "MEMORY-CONTEXT/dedup_state")
    assert ended.returncode == 0, ended.stderr
    assert not (project / SAMPLES[2].name).exists()
    assert "Session file" in ended.stdout


# --- words ------------------------------------------------------------------------------------------------------------


def test_no_report_names_a_script_to_whoever_called_the_command(project):
    """What is advised can be typed by somebody who has nothing but what pip installed."""
    shutil.copy(SAMPLES[0], project / "another.txt")
    (project / ".coditect" / "config").mkdir(parents=True)
    said = [
        call("checkpoint"),
        call("checkpoint", "x"),
        call("run", "--no-status", "--no-checkpoint"),
        call("run", "--no-status"),
        call("search", "tide"),
        call("show"),
        call("trust"),
        call("doctor"),
        call("doctor", "--json"),
        call("status"),
        call("stats"),
        call("install"),
        call("uninstall"),
        call("purge", "--session", "tide-clock", "--dry-run"),
        call("migrate", "--from", "default", "--to", "json:made"),
    ]
    log = project / "MEMORY-CONTEXT" / "dedup_state" / "conversation_log.jsonl"
    log.write_bytes(b"x" + log.read_bytes()[1:])
    said += [call(name) for name in ("verify", "stats", "doctor")]
    for ended in said:
        assert not SCRIPT.search(ended.stdout + ended.stderr), ended
