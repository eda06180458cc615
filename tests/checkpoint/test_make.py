"""A checkpoint from end to end: the document, the commit, and the command."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from deduplication.checkpoint.make import Checkpoint, create
from deduplication.commands import create_checkpoint
from deduplication.errors import CheckpointFailed, StoreNotWritable, UsageError
from deduplication.git.plumbing import Git, GitFailed
from deduplication.project.paths import Project
from scratch_repository import Scratch

FIGURES = {"exports": [], "total_messages": 12, "new_messages": 3, "duplicates_filtered": 9, "global_unique": 30}


@pytest.fixture
def scratch(tmp_path):
    """A repository with one commit."""
    made = Scratch(tmp_path / "project")
    made.commit("a.txt", subject="first ⏺")
    return made


@pytest.fixture
def bare_project(tmp_path):
    """A project without git."""
    (tmp_path / "plain").mkdir()
    return Project(tmp_path / "plain")


def test_a_document_and_one_commit_of_it(scratch):
    """The document says what it should, the commit has it and nothing else, and all of the user's is as before."""
    scratch.git("add", "--", str(scratch.write("staged.txt")))
    scratch.write("loose.txt")
    before = scratch.users()
    made = create(scratch.project, "Sprint Complete", figures=FIGURES)
    assert made == Checkpoint(made.document, scratch.git("rev-parse", "HEAD"), "")
    assert made.document.parent == scratch.root / "MEMORY-CONTEXT" / "checkpoints"
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d-\d\d-\d\dZ-Sprint-Complete\.md", made.document.name)
    text = made.document.read_text(encoding="utf-8")
    for line in ("- Branch: `main`", "- Work tree: 1 staged, 1 untracked", "A  staged.txt", "- New unique messages: 3"):
        assert line in text.splitlines()
    assert "`first ⏺`" in text
    assert scratch.committed(made.commit) == [f"MEMORY-CONTEXT/checkpoints/{made.document.name}"]
    assert scratch.git("show", "-s", "--format=%(trailers:key=Export-Dedup-New,valueonly)").strip() == "3"
    assert scratch.git("show", "-s", "--format=%(trailers:key=Export-Dedup-Total,valueonly)").strip() == "12"
    assert scratch.users() == before


def test_further_files_of_ours_are_in_the_same_commit(scratch):
    """A session file goes with the document; what lies in the private store or the archive never does."""
    session = scratch.write("MEMORY-CONTEXT/sessions/s.md")
    private = scratch.write("MEMORY-CONTEXT/dedup_state/watermarks.json")
    archived = scratch.write("MEMORY-CONTEXT/exports-archive/x.txt")
    made = create(scratch.project, "x", paths=[session, private, archived, session])
    assert made.note == "left out: watermarks.json is private; left out: x.txt is private"
    assert scratch.committed(made.commit) == [
        f"MEMORY-CONTEXT/checkpoints/{made.document.name}",
        "MEMORY-CONTEXT/sessions/s.md",
    ]


def test_the_same_second_and_title_give_another_name(bare_project):
    """A document that exists is never written over, and documents sort by name in the order of time."""
    made = [create(bare_project, "x") for _ in range(4)]
    texts = [one.document.read_bytes() for one in made]
    assert len({one.document for one in made}) == 4
    assert all(texts)
    assert [one.document for one in made] == sorted(one.document for one in made)  # the order of time
    assert made[0].document.read_bytes() == texts[0]


@pytest.mark.parametrize(
    "description", ["", "日本語 🚀", "a/../../b", "x" * 300, "-rf", "a\0b\nc\x1b[31m", "\udc80", "`<b>`"], ids=repr
)
def test_any_description_makes_a_checkpoint(scratch, description):
    """No text of a title keeps the document or the commit from being made."""
    made = create(scratch.project, description)
    assert made.note == ""
    assert made.document.is_file()
    assert len(scratch.git("show", "-s", "--format=%s")) <= 72
    assert scratch.status() == []


def test_no_commit_when_none_is_wanted(scratch):
    """The document is written, git is not touched."""
    head = scratch.git("rev-parse", "HEAD")
    made = create(scratch.project, "x", commit=False)
    assert (made.commit, made.note) == (None, "not committed, as asked")
    assert made.document.is_file()
    assert scratch.git("rev-parse", "HEAD") == head


def test_without_a_repository_there_is_a_document(bare_project):
    """A project without git has checkpoints all the same."""
    made = create(bare_project, "x", figures=FIGURES)
    assert (made.commit, made.note) == (None, "not committed: this is no git repository")
    assert "This is no git repository." in made.document.read_text(encoding="utf-8")


def test_without_git_there_is_a_document(scratch, monkeypatch, tmp_path):
    """A machine without git has checkpoints all the same."""
    monkeypatch.setenv("PATH", str(tmp_path))
    made = create(scratch.project, "x")
    assert (made.commit, made.note) == (None, "not committed: git is not installed")


def test_a_detached_head_is_said(scratch):
    """A commit on no branch is easily lost: the note says so."""
    scratch.git("checkout", "-q", "--detach")
    made = create(scratch.project, "x")
    assert made.commit == scratch.git("rev-parse", "HEAD") != scratch.git("rev-parse", "main")
    assert made.note == "HEAD is detached: the commit is on no branch"
    assert "- Detached at `" in made.document.read_text(encoding="utf-8")


def test_a_branch_without_commits(tmp_path):
    """The document is the first commit, and says that there was none before."""
    scratch = Scratch(tmp_path / "new")
    made = create(scratch.project, "x")
    assert scratch.git("rev-list", "HEAD") == made.commit
    assert "No commits yet." in made.document.read_text(encoding="utf-8")


def test_what_cannot_be_read_is_said_in_the_document(scratch, monkeypatch):
    """A status that takes too long costs its lines, not the checkpoint."""
    real = Git.run

    def slow(git, *arguments, **options):
        if arguments[0] == "status":
            raise GitFailed("git status took longer than 10 s")
        return real(git, *arguments, **options)

    monkeypatch.setattr(Git, "run", slow)
    made = create(scratch.project, "x")
    assert made.commit
    assert "- Not everything could be read: git status took longer than 10 s" in made.document.read_text(
        encoding="utf-8"
    )


@pytest.mark.parametrize(
    "step", ["rev-parse", "config", "symbolic-ref", "rev-list", "status", "hash-object", "unpack-objects", "update-ref"]
)
def test_no_failure_of_git_is_raised(scratch, monkeypatch, step):
    """Whatever git refuses, or however long it takes: the document is there, and the note says why no commit is."""
    real = Git.run

    def failing(git, *arguments, **options):
        if arguments[0] == step:
            raise GitFailed(f"git {step} took longer than 10 s")
        return real(git, *arguments, **options)

    monkeypatch.setattr(Git, "run", failing)
    made = create(scratch.project, "x")
    assert made.document.is_file()
    assert made.commit or made.note.startswith("not committed: ")


def test_the_document_of_a_monorepos_project_names_its_folder(tmp_path):
    """Whoever reads it knows that changes elsewhere in the repository are not listed."""
    scratch = Scratch(tmp_path / "mono", tmp_path / "mono" / "app")
    scratch.commit("a.txt")
    made = create(scratch.project, "x")
    assert "- Folder: `app/` of the repository" in made.document.read_text(encoding="utf-8")
    assert scratch.committed(made.commit) == [f"app/MEMORY-CONTEXT/checkpoints/{made.document.name}"]


@pytest.mark.parametrize("link", ["MEMORY-CONTEXT", "MEMORY-CONTEXT/checkpoints"])
@pytest.mark.parametrize("target", ["outside", "missing", "itself"])
def test_a_link_out_of_the_project_is_not_followed(bare_project, tmp_path, link, target):
    """A hostile project may link our folder to anywhere: nothing is made there."""
    outside = tmp_path / "outside"
    outside.mkdir()
    path = bare_project.root / link
    path.parent.mkdir(exist_ok=True)
    path.symlink_to(path if target == "itself" else tmp_path / target)
    with pytest.raises(CheckpointFailed, match=link):
        create(bare_project, "x")
    assert list(outside.iterdir()) == []
    assert not (tmp_path / "missing").exists()


def test_a_link_inside_the_project_is_followed(scratch):
    """Who keeps the folder elsewhere in the project gets the document, and its commit under the real path."""
    (scratch.root / "docs").mkdir()
    scratch.commit("docs/x")
    (scratch.root / "MEMORY-CONTEXT").symlink_to("docs")
    made = create(scratch.project, "x")
    assert scratch.committed(made.commit) == [f"docs/checkpoints/{made.document.name}"]


def test_a_document_that_cannot_be_written_is_an_error_and_leaves_nothing(scratch, monkeypatch):
    """A full disk: a named error with the reason, no empty file, no commit."""

    def full(path, _data, **_options):
        raise StoreNotWritable(f"{path}: No space left on device") from OSError(28, "No space left on device")

    head = scratch.git("rev-parse", "HEAD")
    monkeypatch.setattr("deduplication.files.atomic.replace", full)
    with pytest.raises(CheckpointFailed, match=r": MEMORY-CONTEXT/checkpoints: No space left on device$"):
        create(scratch.project, "x")
    assert list((scratch.root / "MEMORY-CONTEXT/checkpoints").iterdir()) == []
    assert scratch.git("rev-parse", "HEAD") == head


def test_a_file_in_the_way_is_an_error(bare_project):
    """Where our folder's name is a file, the error names it."""
    (bare_project.root / "MEMORY-CONTEXT").write_text("mine\n")
    with pytest.raises(CheckpointFailed, match="MEMORY-CONTEXT/checkpoints: Not a directory"):
        create(bare_project, "x")
    assert (bare_project.root / "MEMORY-CONTEXT").read_text() == "mine\n"


@pytest.mark.parametrize("mask", [0o000, 0o077], ids=["umask 000", "umask 077"])
def test_modes_do_not_depend_on_a_careless_umask(bare_project, mask):
    """The folder that will hold exports is private; the document, which is committed, is readable."""
    before = os.umask(mask)
    try:
        made = create(bare_project, "x")
    finally:
        os.umask(before)
    assert bare_project.memory.stat().st_mode & 0o777 == 0o700
    assert bare_project.checkpoints.stat().st_mode & 0o022 == 0
    assert made.document.stat().st_mode & 0o777 == 0o644


def command(repository, *arguments, cwd, **options):
    """Start the command as a process of its own."""
    return subprocess.Popen(
        [sys.executable, str(repository / "scripts" / "create-checkpoint.py"), *arguments],
        cwd=cwd,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        encoding="utf-8",
        **options,
    )


def test_checkpoints_at_once_are_all_in_the_history(scratch, repository):
    """Four processes, one repository: each has its document and its commit, and all of the user's is as before."""
    scratch.git("add", "--", str(scratch.write("staged.txt")))
    before = scratch.users()
    running = [command(repository, "same title", "--json", cwd=scratch.root) for _ in range(4)]
    made = []
    for process in running:
        output, errors = process.communicate(timeout=120)
        assert (process.returncode, errors) == (0, "")
        made.append(json.loads(output))
    assert {one["note"] for one in made} == {""}
    commits = scratch.git("rev-list", "--max-parents=1", "HEAD").split()
    assert {one["commit"] for one in made} == set(commits[:4])
    assert len({one["document"] for one in made}) == 4
    assert len(commits) == 5
    assert scratch.users() == before


def test_the_command(scratch, repository):
    """What the user reads: the document's path and the commit's short name."""
    process = command(repository, "Sprint Complete", cwd=scratch.root)
    output, errors = process.communicate(timeout=60)
    assert (process.returncode, errors) == (0, "")
    *_, created, committed = output.splitlines()
    assert re.fullmatch(r"✓ Checkpoint created: MEMORY-CONTEXT/checkpoints/\S+-Sprint-Complete\.md", created)
    assert committed == f"✓ Committed: {scratch.git('rev-parse', 'HEAD')[:10]}"


def test_the_command_says_why_there_is_no_commit(bare_project, capsys):
    """The note is the second line, and the exit code says that the checkpoint was made."""
    assert create_checkpoint.main(["Checkpoint", "--project", str(bare_project.root)]) == 0
    *_, created, note = capsys.readouterr().out.splitlines()
    assert created.endswith("-Checkpoint.md")
    assert note == "ℹ not committed: this is no git repository"


def test_the_command_without_a_commit(scratch, capsys):
    """--no-commit leaves git alone."""
    head = scratch.git("rev-parse", "HEAD")
    assert create_checkpoint.main(["x", "--no-commit", "--project", str(scratch.root)]) == 0
    assert "ℹ not committed, as asked" in capsys.readouterr().out
    assert scratch.git("rev-parse", "HEAD") == head


def test_the_command_as_json(scratch, capsys):
    """One object on standard output and nothing else."""
    assert create_checkpoint.main(["x", "--json", "--project", str(scratch.root)]) == 0
    answer = json.loads(capsys.readouterr().out)
    assert answer["commit"] == scratch.git("rev-parse", "HEAD")
    assert Path(answer["document"]).is_file()
    assert answer["note"] == ""


def test_help_has_an_example(repository, tmp_path):
    """--help exits with 0 and shows a command that can be typed."""
    process = command(repository, "--help", cwd=tmp_path)
    output, errors = process.communicate(timeout=60)
    assert (process.returncode, errors) == (0, "")
    assert 'create-checkpoint.py "Sprint Complete"' in output


@pytest.mark.parametrize(
    "arguments", [["--no-such"], ["a", "b"], ["--project"], ["--project", "/no/such/folder"]], ids=repr
)
def test_a_wrong_command_line_is_a_usage_error(arguments):
    """Exit code 2, by the one handler."""
    with pytest.raises(UsageError):
        create_checkpoint.main(arguments)


def test_a_failure_is_one_line_with_advice(bare_project, repository):
    """No trace, exit code 1, and what to do next."""
    (bare_project.root / "MEMORY-CONTEXT").write_text("mine\n")
    process = command(repository, "x", cwd=bare_project.root)
    output, errors = process.communicate(timeout=60)
    assert process.returncode == 1
    assert "Checkpoint created" not in output
    assert errors.splitlines()[0] == (
        "❌ ERROR: The checkpoint could not be made: MEMORY-CONTEXT/checkpoints: Not a directory"
    )
    assert len(errors.splitlines()) == 2


def test_inside_a_hook_the_users_own_commit_is_left_alone(scratch, repository):
    """Git exports GIT_DIR and GIT_INDEX_FILE to its hooks; the user's commit in progress gets what was staged, no more."""
    script = repository / "scripts" / "create-checkpoint.py"
    hook = scratch.top / ".git" / "hooks" / "post-commit"
    hook.parent.mkdir(exist_ok=True)
    hook.write_text(f"#!/bin/sh\n'{sys.executable}' '{script}' 'from a hook' >'{scratch.top}/../out' 2>&1\n")
    hook.chmod(0o755)
    scratch.git("add", "--", str(scratch.write("staged.txt")))
    environment = {**os.environ, "GIT_INDEX_FILE": str(scratch.top / ".git" / "index")}
    subprocess.run(["git", "commit", "-qm", "mine"], cwd=scratch.top, env=environment, check=True, timeout=60)
    assert "✓ Committed: " in (scratch.top.parent / "out").read_text(encoding="utf-8")
    assert scratch.committed("HEAD^") == ["staged.txt"]
    assert scratch.git("show", "-s", "--format=%s") == "checkpoint: from a hook"
    assert scratch.status() == []


def test_a_checkpoint_in_a_folder_that_cannot_be_read_has_no_readme(scratch, monkeypatch):
    """The README is a nicety: a folder that cannot be listed costs its line only."""
    real = os.listdir

    def refused(path="."):
        if Path(path) == scratch.project.root:
            raise PermissionError(13, "Permission denied")
        return real(path)

    monkeypatch.setattr(os, "listdir", refused)
    made = create(scratch.project, "x")
    assert (bool(made.commit), made.readme) == (True, None)


def test_a_folder_that_cannot_be_made_is_an_error(bare_project, monkeypatch):
    """The reason of the operating system is in it."""

    def refused(path, mode=0o777, **_):
        raise PermissionError(13, "Permission denied", path)

    monkeypatch.setattr(os, "mkdir", refused)
    with pytest.raises(CheckpointFailed, match="MEMORY-CONTEXT/checkpoints: Permission denied"):
        create(bare_project, "x")


def test_the_number_of_git_processes_does_not_depend_on_the_parts_of_a_session(tmp_path, monkeypatch):
    """A session in 40 parts of which the last one changed costs the same calls of git as one in 2 parts."""
    real, calls = Git.run, []

    def counted(git, *arguments, **options):
        calls.append(arguments[0])
        return real(git, *arguments, **options)

    monkeypatch.setattr(Git, "run", counted)
    found = {}
    for parts in (2, 40):
        scratch = Scratch(tmp_path / str(parts))
        files = [
            scratch.write(f"MEMORY-CONTEXT/sessions/s.part-{part}.md", f"part {part}\n" * 1000) for part in range(parts)
        ]
        assert create(scratch.project, "first", paths=files).commit
        files[-1].write_bytes(files[-1].read_bytes() + b"more\n")
        calls.clear()
        made = create(scratch.project, "second", paths=files)
        assert scratch.git("show", f"{made.commit}:{scratch.project.relative(files[-1])}").endswith("\nmore")
        assert len(scratch.committed(made.commit)) == 2
        found[parts] = list(calls)
    assert found[2] == found[40]
    assert found[40].count("unpack-objects") == 1
    assert "hash-object" not in found[40]
