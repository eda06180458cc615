"""Completed tasks: which files, which boxes, and what is new."""

from __future__ import annotations

import os

import pytest

from deduplication.checkpoint.completed_tasks import Task, Tasks, completed, mark
from deduplication.checkpoint.make import create
from deduplication.project.paths import Project


@pytest.fixture
def project(tmp_path):
    """A project without git."""
    (tmp_path / "plain").mkdir()
    return Project(tmp_path / "plain")


def write(project, path, text):
    """A file of the project."""
    file = project.root / path
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(text, encoding="utf-8")


def found(project):
    """The texts of new tasks and of the others."""
    tasks = completed(project, lambda text: text)
    return [task.text for task in tasks.new], [task.text for task in tasks.earlier]


@pytest.mark.parametrize(
    ("name", "counts"),
    [
        ("TASKLIST.md", True),
        ("TODO.md", True),
        ("todo.txt", True),
        ("PROJECT-PLAN.md", True),
        ("plan.md", True),
        ("TASKLIST-WITH-CHECKBOXES.md", True),
        ("sprint_tasks.markdown", True),
        ("docs/To-Do.md", True),
        ("plans/plan-2026.md", True),
        ("README.md", False),
        ("planet.md", False),
        ("TODO.py", False),
        ("deep/down/TODO.md", False),
    ],
)
def test_which_files_count(project, name, counts):
    """Task lists, TODO and plan files in the root, docs/ and plans/, by their names."""
    write(project, name, "- [x] done\n")
    assert found(project) == ((["done"] if counts else []), [])


def test_which_boxes_count(project):
    """Checked boxes of every kind of list, at any depth, not those in code; a task that is listed twice is one."""
    write(
        project,
        "TODO.md",
        "# List\n- [x] one\n* [X] two `code`\n  + [x]   three\n1. [x] four\n12) [✓] five\n- [ ] open\n- [x]\n-[x] no list\n"
        "```\n- [x] code\n```\n- [x] one\n- [x] " + "long " * 60 + "\n",
    )
    texts, _ = found(project)
    assert texts[:5] == ["one", "two `code`", "three", "four", "five"]
    assert len(texts) == 6
    assert len(texts[5]) == 200


def test_new_tasks_come_first_and_once(project):
    """What a checkpoint listed is not new for the next one, however many were cut from its list."""
    write(project, "TODO.md", "".join(f"- [x] task {n}\n" for n in range(130)))
    first = create(project, "one").document.read_text(encoding="utf-8")
    assert "New since the last checkpoint:" in first
    assert first.count("- [x] task") == 100
    assert "- and 30 more" in first
    write(project, "TODO.md", "".join(f"- [x] task {n}\n" for n in range(131)))
    assert found(project)[0] == ["task 130"]
    second = create(project, "two").document.read_text(encoding="utf-8")
    new, _, before = second.partition("Before:")
    assert new.count("- [x] ") == 1
    assert "- [x] task 130 (`TODO.md`)" in new
    assert before.count("- [x] task") == 20
    create(project, "three")
    assert found(project)[0] == []


def test_a_task_is_harmless_text(project):
    """Markup and controls do nothing, secrets are gone."""
    key = "ghp_" + "aB3dE5fG7hI9jK1lM3nO5pQ7rS9tU1vW3xY5"
    write(project, "TODO.md", f"- [x] <b>*bold*</b> --> \x1b[31m {key}\n")
    text = create(project, "x").document.read_text(encoding="utf-8")
    assert "- [x] \\<b\\>\\*bold\\*\\</b\\> --\\> \\\\x1b\\[31m \\[REDACTED:github-token\\]" in text
    assert key not in text


def test_files_that_cannot_be_read_are_passed_over(project, tmp_path):
    """A link, a folder, a pipe, a huge file, a folder that leads outside: no task, no error."""
    write(project, "real.md", "- [x] linked\n")
    (project.root / "TODO.md").symlink_to("real.md")
    (project.root / "plan.md").mkdir()
    os.mkfifo(project.root / "tasks.md")
    write(project, "TASKLIST.md", "- [x] huge\n" + " " * 1_000_000)
    outside = tmp_path / "outside"
    outside.mkdir()
    (outside / "TODO.md").write_text("- [x] theirs\n", encoding="utf-8")
    (project.root / "docs").symlink_to(outside)
    write(project, "plans/plan.md", "- [x] mine\n")
    assert found(project) == (["mine"], [])


def test_documents_of_others_do_no_harm(project):
    """Only our own mark counts; documents without one, folders and broken links are passed over."""
    write(project, "TODO.md", "- [x] one\n")
    write(project, "MEMORY-CONTEXT/checkpoints/9-plain.md", "# Theirs\n")
    write(project, "MEMORY-CONTEXT/checkpoints/1-old.md", mark(Tasks([Task("one", "TODO.md")])))
    (project.checkpoints / "99.md").symlink_to("nowhere")
    assert found(project) == ([], ["one"])
