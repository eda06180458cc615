"""What surrounds us is not trusted: the umask, modules in the current folder, names that some system takes for something else."""

from __future__ import annotations

import contextlib
import io
import json
import os
import stat
import subprocess
import sys
from pathlib import Path

import pytest

import transcript_lines as lines
from deduplication.archive import pack_files
from deduplication.commands import deduplicate_export, export_dedup
from deduplication.errors import DedupError
from deduplication.ingest.deduplicator import ClaudeConversationDeduplicator
from deduplication.ingest.transcript_capture import capture_file
from deduplication.project.paths import Project
from exports import Story
from faults.children import run
from faults.scenes import FILES, NAME, dedup
from faults.test_blob_faults import FIRST, SECOND

pytestmark = pytest.mark.faults


def test_nothing_is_open_to_others_for_an_instant_under_umask_000(disk, backend):
    """Modes are right when a file or folder is made, not set afterwards: temporary ones and SQLite's journals included."""
    project = Project((disk / "project").resolve())
    project.exports.mkdir(parents=True)
    (project.exports / FILES[0].name).write_bytes(FILES[0].data)
    (disk / "s.jsonl").write_bytes(FIRST)
    private = (str(project.state), str(project.archive))

    def job():
        os.umask(0)
        seen: dict[str, int] = {}

        def look():
            for folder in (project.state, project.archive):
                for place, folders, names in os.walk(folder):
                    for name in (*folders, *names, "."):
                        path = os.path.join(place, name)
                        with contextlib.suppress(FileNotFoundError):
                            seen[path] = seen.get(path, 0) | stat.S_IMODE(os.lstat(path).st_mode)

        def after(real):
            def call(*arguments, **options):
                value = real(*arguments, **options)
                look()
                return value

            return call

        for name in ("open", "write", "mkdir", "rename", "replace", "fsync", "close"):
            setattr(os, name, after(getattr(os, name)))
        arguments = [
            "--project",
            str(project.root),
            "--session-id",
            NAME,
            "--yes",
            "--no-checkpoint",
            "--backend",
            backend,
        ]
        with contextlib.redirect_stdout(io.StringIO()):
            assert export_dedup.main(arguments) == 0
        store = dedup(project.state)
        capture_file(store, disk / "s.jsonl")
        (disk / "s.jsonl").write_bytes(SECOND)
        capture_file(store, disk / "s.jsonl")
        pack_files.pack(project, 0)
        look()
        return seen

    outcome = run(job)
    assert outcome.trace == ""
    seen = outcome.value
    assert {
        path: oct(mode) for path, mode in seen.items() if mode & 0o077 and not Path(path).name.startswith(".gitignore")
    } == {}
    assert any(path.endswith(".tmp") for path in seen)
    assert any(path.endswith(".pack") for path in seen)
    assert any(path.endswith("index.bin") for path in seen)
    assert all(path.startswith(private) for path in seen)


@pytest.mark.parametrize("backend", ["json"], indirect=True)
def test_modules_in_the_current_folder_are_not_imported_by_a_hook(tmp_path, repository):
    """A project may have a json.py of its own, and PYTHONPATH may name it: the hook captures all the same, and runs none of it."""
    project = tmp_path / "project"
    (project / "MEMORY-CONTEXT").mkdir(parents=True)
    for name in (
        "json",
        "os",
        "re",
        "sys",
        "time",
        "typing",
        "dataclasses",
        "hashlib",
        "site",
        "usercustomize",
    ):
        (project / f"{name}.py").write_text(f"open({str(tmp_path / 'hijacked')!r}, 'a').write(__name__)\n")
    transcript = tmp_path / f"{lines.SESSION}.jsonl"
    transcript.write_bytes(lines.day(2).replace(b"/home/ada/project", str(project).encode()))
    payload = {
        "session_id": lines.SESSION,
        "transcript_path": str(transcript),
        "cwd": str(project),
        "hook_event_name": "Stop",
    }
    done = subprocess.run(
        ["sh", str(repository / "hooks" / "run.sh"), "Stop"],
        input=json.dumps(payload).encode(),
        capture_output=True,
        check=False,
        cwd=project,
        env={**os.environ, "PYTHONPATH": os.pathsep.join(("", str(project))), "CLAUDE_PROJECT_DIR": str(project)},
    )
    assert (done.returncode, done.stderr) == (0, b"")
    assert not (tmp_path / "hijacked").exists()
    store = ClaudeConversationDeduplicator(project / "MEMORY-CONTEXT" / "dedup_state")
    assert len(store.get_full_conversation(lines.SESSION)) == 4


PLANTED = (
    "__future__",
    "argparse",
    "contextlib",
    "dataclasses",
    "datetime",
    "filelock",
    "json",
    "pathlib",
    "re",
    "rich",
    "typing",
)


@pytest.mark.parametrize("backend", ["json"], indirect=True)
@pytest.mark.parametrize("named", [".", "", "{here}", "more:{here}/lib", "{link}"])
@pytest.mark.parametrize(
    "script", ["export-dedup.py", "export-dedup-with-status.py", "deduplicate_export.py", "create-checkpoint.py"]
)
def test_modules_in_the_current_folder_are_not_imported_by_a_command(tmp_path, repository, script, named):
    """``PYTHONPATH`` may name the project's folder, in any spelling: what a command imports is Python's and ours alone."""
    project = tmp_path.resolve() / "project"
    (tmp_path / "link").symlink_to(project)
    for folder in (project, project / "lib", project / "more"):
        folder.mkdir()
        for name in PLANTED:
            text = f"open({str(tmp_path / 'hijacked')!r}, 'a').write(__name__)\n"
            (folder / f"{name}.py").write_text(text, encoding="utf-8")
    story = Story(19, exchanges=2)
    (project / "MEMORY-CONTEXT" / "exports").mkdir(parents=True)
    (project / "MEMORY-CONTEXT" / "exports" / "2026-03-07-EXPORT-X.txt").write_bytes(story.exports(2)[0].data)
    arguments = {"deduplicate_export.py": ["MEMORY-CONTEXT/exports"], "create-checkpoint.py": ["made up"]}.get(
        script, ["--yes"]
    )
    done = subprocess.run(
        [sys.executable, str(repository / "scripts" / script), *arguments],
        capture_output=True,
        check=False,
        cwd=project,
        env={**os.environ, "PYTHONPATH": os.pathsep + named.format(here=project, link=tmp_path / "link")},
    )
    assert (done.returncode, done.stderr) == (0, b"")
    assert not (tmp_path / "hijacked").exists()


NAMES = {
    "a device of Windows": "CON",
    "another one, with an ending": "aux.txt",
    "an option": "-rf",
    "a long option": "--upload-pack=touch hijacked",
    "300 bytes": "é" * 150,
    "3,000 bytes": "n" * 3000,
    "NUL": "a\0b",
    "upwards": "../../outside",
    "a path": "/etc/passwd",
    "dots": "..",
    "a line break": "a\nb",
    "escapes": "\x1b]0;owned\x07\x9b31m",
    "bidi": "a\u202eb",
    "a formula": "=cmd|' /C calc'!A0",
    "SQL": "x'); DROP TABLE entry; --",
    "a half character": "a\udce9",
    "blanks": "  ",
    "nothing": "",
}


@pytest.mark.parametrize("name", NAMES.values(), ids=NAMES)
def test_a_name_that_means_something_elsewhere_is_a_name_here(disk, name, backend):
    """As a conversation and as a file's name: refused by name, or stored, found again, and written inside the project only."""
    project = Project((disk / "project").resolve())
    project.memory.mkdir(parents=True)
    before = {p.name for p in disk.iterdir()}
    store = dedup(project.state)
    for conversation, file in ((name, "x.txt"), ("plain", name)):
        with contextlib.suppress(DedupError):
            done = store.ingest(FILES[0].data, name=file, conversation_id=conversation)
            assert len(dedup(project.state).get_full_conversation(done.conversation_id)) > 0
    assert dedup(project.state).store.verify() == []
    said = io.StringIO()
    with contextlib.redirect_stdout(said), contextlib.redirect_stderr(said), contextlib.suppress(DedupError):
        deduplicate_export.main(["session", "--all", "--project", str(project.root)])
        deduplicate_export.main(["status", "--project", str(project.root)])
    assert not any(mark in said.getvalue() for mark in ("\x1b", "\x9b", "\x07", "\u202e"))
    assert {p.name for p in disk.iterdir()} == before
    inside = [p.relative_to(project.root).parts for p in project.root.rglob("*") if p.is_file()]
    assert {parts[:2] for parts in inside} <= {("MEMORY-CONTEXT", "dedup_state"), ("MEMORY-CONTEXT", "sessions")}
