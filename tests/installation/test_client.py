"""The installer and the client: whose version is asked, what is written for it, and what is said."""

from __future__ import annotations

import json
import os
import shutil

import pytest

import conftest
from conftest import REPOSITORY
from deduplication.commands.setup import install_script as install
from deduplication.commands.setup import into_project
from deduplication.errors import UsageError
from deduplication.installation import client, settings
from deduplication.installation import manifest as manifests
from deduplication.installation.errors import InstallRefused
from deduplication.project import client_transcripts, client_version, config
from transcript_lines import prompt

CONFIG = ".coditect/config.json"
pytestmark = pytest.mark.usefixtures("small_checkout")


@pytest.fixture
def project(tmp_path):
    """A project of somebody else's."""
    root = tmp_path / "project"
    root.mkdir()
    return root


@pytest.fixture
def alone(tmp_path, monkeypatch):
    """A machine without any client; the folder that its PATH has."""
    folder = tmp_path / "bin"
    folder.mkdir()
    monkeypatch.setenv("PATH", str(folder))
    return folder


def run(project, *options):
    """The installer in this process, without network."""
    return install.main(["--project", str(project), "--offline", *options])


def events(project):
    """For which events the project's settings have hooks."""
    return tuple(json.loads((project / settings.NAME).read_bytes())["hooks"])


# --- who is asked ---------------------------------------------------------------------------------------------------


def test_the_client_on_the_path_is_asked(alone):
    """Before the one of an earlier session."""
    conftest.client(alone, "2.0.76")
    assert client.find().version == (2, 0, 76)


def test_a_client_beside_the_path_is_found(alone):
    """Its own installers put it into the home folder, and a shell's alias is no entry of the PATH."""
    assert client.find() == client.Client(None, "it was not found here")
    folder = alone.parent / "local"
    conftest.client(folder, "2.1.90")
    place = os.path.expanduser("~/.local/bin")
    os.makedirs(place)
    shutil.copy2(folder / "claude", place)
    assert client.find().version == (2, 1, 90)


def script(folder, body):
    """A client that does this."""
    path = folder / "claude"
    path.write_text(f"#!/bin/sh\n{body}\n", encoding="utf-8")
    path.chmod(0o755)
    return path


@pytest.mark.parametrize("body", ["exit 1", "echo no number", "echo 2.1.5; exit 3", "exec /bin/sleep 600"])
def test_a_client_that_does_not_say_holds_nothing_up(alone, monkeypatch, body):
    """It fails, says something else, or never ends: within the deadline its last session is asked, then the least is assumed."""
    monkeypatch.setattr(client, "PATIENCE", 0.3)
    path = script(alone, body)
    assert client.find() == client.Client(None, f"{path} does not say its version")
    folder = client_transcripts.config_dir() / "projects" / "-x"
    folder.mkdir(parents=True)
    (folder / "11111111-2222-4333-8444-555555555555.jsonl").write_bytes(prompt("x", version="2.1.40"))
    assert client.find() == client.Client((2, 1, 40), "by its last session")


# --- what is written -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("version", ["2.0.76", "2.1.83", "2.1.116", "2.1.332"])
def test_only_events_that_the_client_knows_are_written(project, alone, capsys, version):
    """An unknown one would cost the user all of his settings; the lowest version that works is said."""
    conftest.client(alone, version)
    run(project)
    known = client_version.known(client_version.parse(version))
    assert events(project) == known.events
    said = capsys.readouterr().out
    assert ("All of it works from 2.1.116 on" in said) == bool(known.lacking)
    assert all((event in said) == (event in known.lacking) for event in client_version.EVENTS)


def test_without_a_client_the_least_is_written_and_said(project, alone, capsys):
    """Later, or with --client, the rest comes in."""
    run(project)
    assert events(project) == client_version.known(client_version.BASIC).events
    said = capsys.readouterr().out
    assert "it was not found here" in said
    assert "2.1.116 or newer" in said
    run(project, "--client", "2.1.197")
    assert events(project) == client_version.EVENTS
    assert "left out" not in capsys.readouterr().out
    run(project, "--client", "2.0.76")
    assert events(project) == client_version.known((2, 0, 76)).events
    with pytest.raises(UsageError, match="no version"):
        run(project, "--client", "newest")


@pytest.mark.parametrize("path", sorted((REPOSITORY / "commands").glob("*.md")), ids=lambda path: path.stem)
def test_an_old_client_gets_commands_that_it_can_run(project, path):
    """2.0.76 puts nothing in the place of a variable, and allows a command by its beginning."""
    run(project, "--client", "2.0.76")
    text = (project / ".claude" / "commands" / path.name).read_text(encoding="utf-8")
    assert "${" not in text
    (allowed,) = [line for line in text.splitlines() if line.startswith("allowed-tools: ")]
    beginning = allowed[len("allowed-tools: Bash(") : -len(":*)")]
    assert allowed.endswith(":*)")
    (called,) = [line.lstrip("!`") for line in text.splitlines() if line.lstrip("!`").startswith("python3 ")]
    assert called.startswith(beginning)
    assert (project / beginning.split()[1]).is_file()


# --- where, and what to do with it -------------------------------------------------------------------------------------


@pytest.mark.parametrize("elsewhere", [False, True], ids=["", "settings elsewhere"])
@pytest.mark.parametrize("link", [False, True], ids=["", "by a link"])
def test_the_home_folder_is_no_project(tmp_path, monkeypatch, link, elsewhere):
    """Its settings hold for all projects, where the scripts are not: each prompt of each of them would call what is not there."""
    home = os.path.expanduser("~")
    if elsewhere:
        monkeypatch.setenv("CLAUDE_CONFIG_DIR", str(tmp_path / "config"))
    if link:
        (tmp_path / "link").symlink_to(home)
    before = sorted(os.listdir(home))
    with pytest.raises(InstallRefused, match="holds for all your projects"):
        run(tmp_path / "link" if link else home)
    assert sorted(os.listdir(home)) == before


def test_nor_is_the_folder_whose_settings_the_user_named(project, monkeypatch):
    """With CLAUDE_CONFIG_DIR the user's own settings lie elsewhere."""
    monkeypatch.setenv("CLAUDE_CONFIG_DIR", str(project / ".claude"))
    with pytest.raises(InstallRefused, match="no project"):
        run(project)
    assert os.listdir(project) == []


def test_what_was_installed_at_home_can_be_taken_out(project, monkeypatch):
    """An earlier version let itself be installed there."""
    run(project)
    monkeypatch.setenv("HOME", str(project))
    assert run(project, "--uninstall") == 0
    assert os.listdir(project) == []


def test_one_line_says_what_to_commit_or_to_ignore(project, capsys):
    """Settings without the scripts that they call are what a colleague's clone would have."""
    run(project)
    (line,) = [line for line in capsys.readouterr().out.splitlines() if line.startswith("  git: ")]
    for name in (".coditect", ".claude/commands", ".claude/settings.json", ".gitignore", "2.1.116"):
        assert name in line


# --- the README ------------------------------------------------------------------------------------------------------


@pytest.fixture
def asked(monkeypatch):
    """A terminal with somebody at it: what was asked, and what is answered."""
    questions, answers = [], ["y"]
    monkeypatch.setattr(into_project, "may_ask", lambda _asked: True)
    monkeypatch.setattr("builtins.input", lambda question: questions.append(question) or answers[0])
    return questions, answers


@pytest.mark.parametrize(("answer", "setting"), [("y", True), ("", "command"), ("n", "command")])
def test_the_readme_is_asked_about_once(project, asked, answer, setting):
    """A yes turns the entries on; whatever was answered is remembered over updates, and taken out without a trace.

    Where there is no README nobody is asked.
    """
    questions, answers = asked
    answers[0] = answer
    run(project)
    assert questions == []
    (project / "README.md").write_text("# Tides\n", encoding="utf-8")
    for _ in range(2):
        run(project)
        assert json.loads((project / CONFIG).read_bytes())["readme_checkpoints"] == setting
        assert config.load(str(project.resolve()))["readme_checkpoints"] == setting  # the answer is the approval
    assert len(questions) == 1
    assert "README" in questions[0]
    run(project, "--uninstall")
    assert os.listdir(project) == ["README.md"]


def test_nobody_is_asked_where_nobody_is_there_or_the_settings_are_the_user_s(project, asked, monkeypatch):
    """Without a terminal, with --yes, in a dry run; and a file of settings that somebody wrote has the answer in it."""
    (project / "README.md").write_text("# Tides\n", encoding="utf-8")
    questions, _ = asked
    run(project, "--dry-run")
    run(project, "--yes")
    monkeypatch.setattr(into_project, "may_ask", lambda _asked: False)
    run(project)
    assert json.loads((project / CONFIG).read_bytes())["readme_checkpoints"] == "command"
    assert manifests.parse((project / manifests.NAME).read_bytes(), "").readme is None
    (project / CONFIG).write_text('{"readme_checkpoints": false}', encoding="utf-8")
    monkeypatch.setattr(into_project, "may_ask", lambda _asked: True)
    run(project)
    assert questions == []


def test_a_terminal_that_is_closed_is_no_answer(project, asked, monkeypatch):
    """It is asked again the next time."""
    (project / "README.md").write_text("# Tides\n", encoding="utf-8")

    def closed(_question):
        raise EOFError

    monkeypatch.setattr("builtins.input", closed)
    run(project)
    assert manifests.parse((project / manifests.NAME).read_bytes(), "").readme is None
