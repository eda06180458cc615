from __future__ import annotations

import json
import subprocess

import pytest

import archive_scenes
import exports
from deduplication import SessionExportManager
from deduplication.commands import export_dedup
from deduplication.errors import NotAnExport, SessionUnknown, UsageError
from deduplication.project.paths import Project
from deduplication.titles.slug import short
from session_names import session_path

NAME = "2025-11-17-EXPORT-ROLLOUT-MASTER.txt"
STORY = exports.Story(4, 12)


@pytest.fixture
def project(tmp_path):
    """A project with one export in its drop folder."""
    folder = tmp_path / "project"
    (folder / "MEMORY-CONTEXT" / "exports").mkdir(parents=True)
    (folder / "MEMORY-CONTEXT" / "exports" / NAME).write_bytes(STORY.show(0, STORY.starts[8]))
    return folder


def test_an_import_returns_what_the_original_design_says(project):
    """The keys of the design and no others, with counted values; the export stays where it is."""
    export = f"MEMORY-CONTEXT/exports/{NAME}"
    found = SessionExportManager(project_root=project).import_export(export_file=export)
    turns = STORY.starts[8]
    assert list(found) == [
        "session_id",
        "total_messages",
        "new_messages",
        "duplicates_filtered",
        "storage_savings_pct",
        "session_file",
    ]
    assert found["session_id"] == "rollout-master"
    assert found["total_messages"] == turns == found["new_messages"] + found["duplicates_filtered"]
    assert project / found["session_file"] == session_path(project / "MEMORY-CONTEXT" / "sessions", "rollout-master")
    assert "| **Session** | rollout-master |" in (project / found["session_file"]).read_text(encoding="utf-8")
    assert (project / export).exists()


def test_a_later_export_goes_into_the_same_file(project):
    """Overlapping exports merge: every turn stands in the one file once, in order."""
    manager = SessionExportManager(project)
    manager.import_export(project / "MEMORY-CONTEXT" / "exports" / NAME)
    later = project / "later.txt"
    later.write_bytes(STORY.show(STORY.starts[6], len(STORY.turns), compacted=True, width=60))
    found = manager.import_export(later)
    assert found["session_id"] == "rollout-master"
    text = "".join((project / found["session_file"]).read_text(encoding="utf-8").replace(">", "").split())
    long = ["".join(turn.text.split()) for turn in STORY.turns if turn.kind == "text" and len(turn.text) > 60]
    places = [text.find(words) for words in long]
    assert -1 not in places
    assert places == sorted(places)
    assert [text.count(words) for words in long] == [1] * len(long)


def test_a_name_of_ones_own_and_the_same_export_again(project):
    """session_id overrides what the name says; a second import has nothing new."""
    manager = SessionExportManager(str(project))
    first = manager.import_export(project / "MEMORY-CONTEXT" / "exports" / NAME, session_id="custom-session-id")
    again = manager.import_export(project / "MEMORY-CONTEXT" / "exports" / NAME, session_id="custom-session-id")
    path = session_path(project / "MEMORY-CONTEXT" / "sessions", "custom-session-id")
    assert first["session_file"] == again["session_file"] == path.relative_to(project).as_posix()
    assert (again["new_messages"], again["duplicates_filtered"]) == (0, again["total_messages"])


def test_a_file_for_each_import(project):
    """With each_checkpoint, only new messages go into a new file, and no file is made for none."""
    manager = SessionExportManager(project, each_checkpoint=True)
    export = project / "MEMORY-CONTEXT" / "exports" / NAME
    first = manager.import_export(export)
    assert f"-{short('rollout-master')}.20" in first["session_file"]
    assert manager.import_export(export)["session_file"] is None


def test_sessions_go_out_in_every_form(project):
    """Markdown, HTML and JSON, with secrets taken out where that is asked for."""
    secret = STORY.turns[0].text.split()[4]
    manager = SessionExportManager(
        project, redact=lambda text: (text.replace(secret, "*" * 3), [secret] * text.count(secret))
    )
    manager.import_export(project / "MEMORY-CONTEXT" / "exports" / NAME)
    forms = {form: manager.export_session("rollout-master", form) for form in ("markdown", "md", "html", "json")}
    assert forms["markdown"] == forms["md"]
    assert "| **Session** | rollout-master |" in forms["markdown"]
    assert "export-dedup session {" not in forms["markdown"]
    assert forms["html"].startswith("<!DOCTYPE html>")
    assert json.loads(forms["json"])["session"]["session_id"] == "rollout-master"
    assert manager.export_session("rollout-master") == forms["markdown"]
    assert not any(secret in text for text in forms.values())
    with pytest.raises(UsageError, match="pdf"):
        manager.export_session("rollout-master", "pdf")
    with pytest.raises(SessionUnknown):
        manager.export_session("nobody")


def test_lists_and_statistics(project):
    """Every session with its file, the last one first; sums that agree with the sessions'."""
    manager = SessionExportManager(project)
    assert manager.list_sessions() == []
    assert manager.statistics()["storage_savings_pct"] == 0.0
    manager.import_export(project / "MEMORY-CONTEXT" / "exports" / NAME)
    other = project / "other.txt"
    other.write_bytes(exports.Story(9, 5).show(0, 10))
    manager.dedup.process_export("other", other)
    listed = manager.list_sessions()
    assert [(each["session_id"], each["session_file"]) for each in listed] == [
        ("other", None),
        ("rollout-master", f"MEMORY-CONTEXT/sessions/{session_path(manager.project.sessions, 'rollout-master').name}"),
    ]
    sums = manager.statistics()
    assert sums["sessions"] == 2
    assert sums["total_messages"] == sum(each["messages"] for each in listed)
    assert sums["total_messages"] == sum(manager.statistics(each["session_id"])["total_messages"] for each in listed)
    with pytest.raises(SessionUnknown):
        manager.statistics("nobody")


def test_failures_have_names(project):
    """A folder that is not there, and a file that is no export: nothing is written."""
    with pytest.raises(UsageError, match="no such project"):
        SessionExportManager(project / "missing")
    noise = project / "noise.bin"
    noise.write_bytes(b"\x00\x01")
    with pytest.raises(NotAnExport):
        SessionExportManager(project).import_export(noise)
    assert not (project / "MEMORY-CONTEXT" / "sessions").exists()


def test_the_store_may_lie_elsewhere(project, tmp_path):
    """With storage_dir the store is there, and the session file in the project."""
    manager = SessionExportManager(project, storage_dir=tmp_path / "store")
    found = manager.import_export(project / "MEMORY-CONTEXT" / "exports" / NAME)
    assert (tmp_path / "store" / "conversation_log.jsonl").exists()
    assert (project / found["session_file"]).exists()


@pytest.mark.parametrize("setting", ["off", "session", "checkpoint"])
def test_a_run_writes_session_files_and_commits_them_with_the_checkpoint(project, setting, capsys):
    """As the setting says: one file that grows, a file with what is new, or none; committed, and nothing else besides."""
    subprocess.run(["git", "init", "-q", "."], cwd=project, check=True)
    (project / ".coditect").mkdir()
    (project / ".coditect" / "config.json").write_text(json.dumps({"session_files": setting}), encoding="utf-8")
    for part in range(2):
        (project / "MEMORY-CONTEXT" / "exports" / NAME).write_bytes(STORY.show(0, STORY.starts[8 + part]))
        assert export_dedup.main(["--project", str(project)]) == 0
    listed = ["git", "ls-tree", "-r", "--name-only", "HEAD", "MEMORY-CONTEXT/sessions"]
    names = subprocess.run(listed, cwd=project, check=True, capture_output=True, text=True).stdout.splitlines()
    shown = [line for line in capsys.readouterr().out.splitlines() if "Session file" in line]
    assert len(shown) == (0 if setting == "off" else 2)
    if setting == "session":
        assert names == [
            f"MEMORY-CONTEXT/sessions/{session_path(project / 'MEMORY-CONTEXT/sessions', 'rollout-master').name}"
        ]
        committed = subprocess.run(
            ["git", "show", f"HEAD:{names[0]}"], cwd=project, check=True, capture_output=True
        ).stdout
        assert committed == (project / names[0]).read_bytes()
    else:
        assert len(names) == (2 if setting == "checkpoint" else 0)


def test_a_session_file_that_cannot_be_written_is_told_and_undoes_nothing(project, capsys):
    """The messages are stored, the export is archived, the checkpoint is made; the run says what failed."""
    (project / "MEMORY-CONTEXT" / "sessions").write_bytes(b"mine")
    (project / ".coditect").mkdir()
    (project / ".coditect" / "config.json").write_text('{"session_files": "session"}', encoding="utf-8")
    assert export_dedup.main(["--project", str(project)]) == 1
    told = capsys.readouterr().out
    assert "The session file could not be written" in told
    assert "Checkpoint created" in told
    assert archive_scenes.archived(Project(project))
    assert (project / "MEMORY-CONTEXT" / "sessions").read_bytes() == b"mine"
