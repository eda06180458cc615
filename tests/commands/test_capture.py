"""``deduplicate_export.py capture``: as a process once, else called as the entry script calls it."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

import settings_scenes
from deduplication.project.client_transcripts import folder_name
from in_process import call
from transcript_lines import SESSION, day, prompt


@pytest.fixture
def project(tmp_path, monkeypatch):
    """A project with one captured session's transcript in the client's folder."""
    root = tmp_path / "my project"
    root.mkdir()
    monkeypatch.setenv("CLAUDE_CONFIG_DIR", str(tmp_path / "config"))
    monkeypatch.delenv("CLAUDE_PROJECT_DIR", raising=False)
    place(root, f"{SESSION}.jsonl", day(3))
    return root


def place(root, name, data):
    """A transcript of a session in ``root``."""
    path = root.parent / "config" / "projects" / folder_name(str(root)) / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(data.replace(b"/home/ada/project", str(root).encode()))
    return path


@pytest.fixture
def run(project):
    """Run the command in the project."""

    def capture(*arguments):
        return call("capture", *arguments, "--project", project, cwd=project)

    return capture


def test_the_project_s_sessions_are_captured(run):
    """Without an argument it is this project; again there is nothing new."""
    first = run()
    assert (first.returncode, first.stderr) == (0, "")
    assert "Transcripts: 1 (0 unchanged, 0 failed)\nTotal messages: 6\nNew unique: 6\n" in first.stdout
    assert "Transcripts: 1 (1 unchanged, 0 failed)\nTotal messages: 0\n" in run().stdout


def test_json_is_one_object(repository, project):
    """A script reads every number; it starts the command as a process, and nothing else is on its output."""
    command = [sys.executable, str(repository / "scripts" / "deduplicate_export.py"), "capture", "--json"]
    done = subprocess.run([*command, "--project", str(project)], capture_output=True, cwd=project, check=True)
    assert done.stderr == b""
    said = json.loads(done.stdout)
    assert (said["transcripts"], said["total_messages"], said["new_messages"], said["failed"]) == (1, 6, 6, [])
    assert [each["session"] for each in said["captured"]] == [SESSION]


def test_all_takes_every_project(run, project, tmp_path):
    """Other projects' sessions are taken only when they are asked for."""
    other = tmp_path / "other"
    other.mkdir()
    place(other, "b.jsonl", prompt("elsewhere", session="b"))
    assert "Transcripts: 1 " in run().stdout
    assert "Transcripts: 2 (1 unchanged, 0 failed)\nTotal messages: 1\n" in run("--all").stdout


def test_one_session(run, project):
    """``--session`` names one; an unknown one is a named failure."""
    place(project, "b.jsonl", prompt("elsewhere", session="b"))
    assert "Transcripts: 1 " in run("--session", SESSION).stdout
    unknown = run("--session", "nobody")
    assert unknown.returncode == 1
    assert "no transcript of session 'nobody'" in unknown.stderr


def test_named_files_and_folders(run, tmp_path):
    """Files and whole folders; one that fails costs only itself, and the exit code says so."""
    (tmp_path / "more").mkdir()
    (tmp_path / "more" / "a.jsonl").write_bytes(prompt("a", session="a"))
    (tmp_path / "more" / "bad.jsonl").write_bytes(b"{}\n")
    done = run(str(tmp_path / "more"), str(tmp_path / "none.jsonl"))
    assert done.returncode == 1
    assert "New unique: 1\n" in done.stdout
    assert "bad.jsonl is no transcript" in done.stderr
    assert "none.jsonl" in done.stderr


@pytest.mark.parametrize(
    "arguments", [("--all", "x"), ("--session", "a", "x"), ("--all", "--session", "a"), ("",)], ids=str
)
def test_what_contradicts_itself_is_refused(run, arguments):
    """Nothing is captured when it is not clear what was asked for."""
    done = run(*arguments)
    assert done.returncode == 2
    assert done.stdout == ""


def test_nothing_there(run, project):
    """No transcript is no failure, and the user reads where they would be."""
    for path in (project.parent / "config").rglob("*.jsonl"):
        os.unlink(path)
    done = run()
    assert done.returncode == 0
    assert "No transcripts found." in done.stdout


def test_the_client_s_files_are_only_read(run, project):
    """Bytes, times and permissions of a transcript are what they were."""
    (path,) = (project.parent / "config").rglob("*.jsonl")
    before = (path.read_bytes(), path.stat().st_mtime_ns, path.stat().st_mode)
    run()
    assert (path.read_bytes(), path.stat().st_mtime_ns, path.stat().st_mode) == before


def test_the_files_themselves_are_archived(run, project):
    """What was captured is in the packs as files; a second run archives nothing; the setting turns it off."""
    said = json.loads(run("--json").stdout)
    assert [os.path.basename(path) for path in said["archived"]] == [f"{SESSION}.jsonl"]
    assert json.loads(run("--json").stdout)["archived"] == []
    place(project, "b.jsonl", prompt("elsewhere", session="b"))
    assert "📦 Archived: 1 file of the client, " in run().stdout
    place(project, "c.jsonl", prompt("elsewhere", session="c"))
    settings_scenes.own(archive_transcripts=False)
    assert json.loads(run("--json").stdout)["archived"] == []


def test_a_store_by_itself_has_no_archive(run, tmp_path):
    """With ``--storage-dir`` messages are stored, and nothing is written beside that folder."""
    said = json.loads(run("--json", "--storage-dir", str(tmp_path / "store")).stdout)
    assert (said["new_messages"], said["archived"]) == (6, [])
    assert not (tmp_path / "exports-archive").exists()


def test_an_archive_that_cannot_be_used_is_a_failure(run, project):
    """The messages are stored; that the files were not archived is said, with exit code 1."""
    archive = project / "MEMORY-CONTEXT" / "exports-archive"
    archive.mkdir(parents=True)
    (archive / "packs").symlink_to(project)
    done = run()
    assert done.returncode == 1
    assert "New unique: 6" in done.stdout
    assert "⚠ Not archived: the transcripts. " in done.stderr
    assert "symbolic link" in done.stderr


def test_a_session_is_put_back(run, project):
    """``restore --session ID --to-client`` says each file, where to go on, and the same in JSON."""

    def restore(*arguments):
        return call("restore", *arguments, "--project", project, cwd=project)

    path = place(project, f"{SESSION}.jsonl", day(3))
    run()
    path.unlink()
    done = restore("--session", SESSION, "--to-client")
    assert (done.returncode, done.stderr) == (0, "")
    assert f"✓ Restored: {path.parent.name}/{SESSION}.jsonl → {path}\n" in done.stdout
    assert f"   cd '{project}'\n   claude --resume {SESSION}\n" in done.stdout
    said = json.loads(restore("--session", SESSION, "--to-client", "--json").stdout)
    assert said == {
        "generator": "export-dedup",
        "restored": [{"name": f"{path.parent.name}/{SESSION}.jsonl", "path": str(path), "new": False}],
        "session": SESSION,
        "directory": str(project),
    }
    assert "✓ Restored" in restore("--session", SESSION, "--output", "out/").stdout
    assert (project / "out" / f"{SESSION}.jsonl").read_bytes() == path.read_bytes()
    path.unlink()
    moved = project.rename(project.with_name("moved"))
    gone = call("restore", "--session", SESSION, "--to-client", "--project", moved)
    assert "That folder is not there any more" in gone.stdout


def test_a_project_that_did_not_opt_in_restores_from_the_users_own_store(project, tmp_path, monkeypatch):
    """What the plugin archived for such a project is found by the commands that are called in it."""
    from deduplication.hooks import quick
    from deduplication.project import client_transcripts
    from deduplication.project.paths import Project
    from deduplication.workflow import archive_transcripts

    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path / "data"))
    (tmp_path / "elsewhere").mkdir()
    (tmp_path / "data").symlink_to(tmp_path / "elsewhere")
    own = Project(Path(quick.user_store(str(project))))
    own.state.mkdir(parents=True)
    archive_transcripts.archive_transcripts(own, client_transcripts.find_transcripts(project))
    for command in (["restore", "--list"], ["restore", SESSION, "--output", "out/"], ["pack"]):
        done = call(*command, "--project", project, cwd=tmp_path)
        assert done.returncode == 0, done.stderr
        assert "1 file" in done.stdout or "Restored" in done.stdout or "1 pack" in done.stdout
    assert os.listdir(project) == []
