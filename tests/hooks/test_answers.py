"""What slash commands answer, and the words of a first session: in lines that fit, in their own names, said once."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from deduplication.formats.screen import display_width
from deduplication.hooks import slash_commands
from hook_session import expand
from transcript_lines import SESSION, answer, prompt

KEPT = 10
"""Cells of a line that the client keeps for itself: docs/screens.md."""
DONE, FAILED = "✅ Done, nothing is blocked", "❌ Failed, nothing is blocked"
ASKED = {
    "export-dedup": "",
    "export-dedup --nonsense": "--nonsense",
    "export-dedup-search": "crane",
    "export-dedup-search without a word": "",
    "export-dedup-show": "",
    "export-dedup-show SESSION": SESSION,
    "export-dedup-show another one": "nonsense",
    "export-dedup-status": "",
    "export-dedup-doctor": "",
    "export-dedup-doctor --all": "--all",
    "export-dedup-search --help": "--help",
}


@pytest.mark.unmeasured
@pytest.mark.parametrize("width", ["40", "60", "100"])
def test_every_line_of_an_answer_fits(session, width):
    """Whatever is asked: the first line says that nothing is blocked, and none is longer than the client leaves room for."""
    session.export(session.root / "a name that is as long as the names that the client itself proposes.txt")
    for asked, arguments in ASKED.items():
        name = asked.split()[0]
        said = expand(session, command_name=name, command_args=arguments, environment={"COLUMNS": width})["reason"]
        failed = any(word in asked for word in ("nonsense", "without", "another"))
        assert said.split("\n")[0] == (FAILED if failed else DONE)
        assert max(map(display_width, said.split("\n"))) <= int(width) - KEPT, said
        assert "python3 " not in said
        assert "--help" not in said or "--help" in asked


def test_a_narrow_screen_shows_the_short_banner_and_what_went_wrong(session):
    """Four numbers; an export that failed is named all the same."""
    session.export()
    said = expand(session, environment={"COLUMNS": "40"})["reason"]
    assert said == f"{DONE}\n🆕 6 new\n🔄 0 duplicates\n📨 6 processed\n💾 6 in storage"
    (session.root / "broken.txt").write_bytes(b"\0")
    said = expand(session, command_args="broken.txt", environment={"COLUMNS": "40"})["reason"]
    assert said.startswith(FAILED)
    assert "❌ ERROR" in said


def test_a_command_names_itself_and_its_siblings(session):
    """What is typed in the client is what an answer advises: no script, no path."""
    session.fire("Stop")
    search = expand(session, command_name="export-dedup-search")["reason"]
    assert f"   → /export-dedup-search {slash_commands.COMMANDS[slash_commands.SEARCH].arguments}" in search
    assert "TEXT" not in search
    found = expand(session, command_name="export-dedup-search", command_args="crane")["reason"]
    assert re.findall("→ (.*)", found)
    assert all(line.startswith("/export-dedup-show ") for line in re.findall("→ (.*)", found))
    assert "A place is shown by" not in found
    assert "'/export-dedup-show' lists" in expand(session, command_name="export-dedup-show", command_args="x")["reason"]
    assert "💾 6 unique messages in storage" in expand(session, command_name="export-dedup-status")["reason"]


def test_what_may_follow_a_command_is_what_the_client_hints_at(repository):
    """One text in the table and in the command's file."""
    for name, command in slash_commands.COMMANDS.items():
        text = (repository / "commands" / f"{name}.md").read_text(encoding="utf-8")
        (hint,) = re.findall(r'^argument-hint: "(.*)"$', text, re.MULTILINE)
        assert hint.replace('\\"', '"') == command.arguments


PLUGIN = {"CLAUDE_PLUGIN_ROOT": "/plugin"}


def test_the_first_session_hears_what_is_kept_where_and_how_to_end_that(session):
    """Once for each project that did not opt in, where the plugin works for the user; never where nothing is kept."""
    shutil.rmtree(session.memory)
    off = {**PLUGIN, "EXPORT_DEDUP_CAPTURE_TRANSCRIPTS": "0"}
    assert "systemMessage" not in session.fire("SessionStart", off, source="startup")
    assert "systemMessage" not in session.fire("SessionStart", source="startup")
    said = session.fire("SessionStart", PLUGIN, source="startup")["systemMessage"]
    (store,) = Path(os.environ["XDG_DATA_HOME"]).glob("export-dedup/projects/*")
    assert str(store).replace(os.path.expanduser("~"), "~") in said
    assert '"user_store": false in ' in said
    assert "/plugin" in said
    assert os.listdir(session.root) == []
    assert "systemMessage" not in session.fire("SessionStart", PLUGIN, source="startup")
    session.memory.mkdir()
    assert "keeps" not in session.fire("SessionStart", PLUGIN, source="startup").get("systemMessage", "")


def test_what_was_said_before_the_opt_in_is_named_and_can_be_taken_along(session):
    """Once, with the command; each message is there once afterwards, and the doctor has nothing more to say of it."""
    shutil.rmtree(session.memory)
    session.fire("Stop")
    session.memory.mkdir()
    session.transcript.unlink()
    session.write(prompt("one more question", "after") + answer("one more answer"))
    said = session.fire("Stop")["systemMessage"]
    assert "--all-stores" in said
    command = said.split("\n")[-1]
    assert session.fire("Stop") == {}
    doctor = expand(session, command_name="export-dedup-doctor")["reason"]
    assert "· own store: " in doctor
    assert "1 run from before this project opted in" in doctor
    done = subprocess.run(
        command.replace("python3", sys.executable, 1), shell=True, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    told = session.talk()
    assert len(told) == len(set(told)) == 8
    assert "✓ own store" in expand(session, command_name="export-dedup-doctor", command_args="--all")["reason"]


@pytest.mark.parametrize("by", ["the command", "a script", "a session"])
def test_git_ignores_what_is_private_once_a_project_opted_in(session, by):
    """Without an installation: the user's own file stays, and what is shared can be committed."""
    git = ["git", "-C", str(session.root)]
    subprocess.run([*git, "init", "-q"], check=True)
    shutil.rmtree(session.memory)
    session.export()
    if by == "the command":
        expand(session)
    elif by == "a script":
        script = session.repository / "scripts" / "export-dedup.py"
        subprocess.run(
            [sys.executable, str(script), "--project", str(session.root), "--yes"], cwd=session.root, check=True
        )
    else:
        session.memory.mkdir()
        (session.root / "notes.txt").unlink()
        session.fire("SessionStart", source="startup")
    (session.memory / "exports").mkdir(exist_ok=True)
    (session.memory / "exports" / "waiting.txt").write_text("x")
    shown = subprocess.run([*git, "status", "--short", "-uall"], capture_output=True, text=True, check=True).stdout
    assert shown == ""
    if by == "a session":
        return
    tracked = subprocess.run([*git, "ls-files"], capture_output=True, text=True, check=True).stdout
    assert {line.split("/")[1] for line in tracked.splitlines()} <= {"checkpoints", "sessions"}
    assert not (session.root / ".gitignore").exists()
    (session.memory / ".gitignore").write_text("mine\n")
    session.fire("SessionStart", source="startup")
    assert (session.memory / ".gitignore").read_text() == "mine\n"
