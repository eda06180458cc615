"""project: which folder a command works on, and where things lie in it."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from deduplication.errors import EXIT_USAGE, UsageError
from deduplication.project.paths import Project, find_project

posix = pytest.mark.skipif(os.name == "nt", reason="symbolic links and removed current folders are POSIX's")


def folder(*parts):
    """A folder below the current one."""
    path = Path(*parts)
    path.mkdir(parents=True, exist_ok=True)
    return path.resolve()


def test_every_place_lies_below_memory_context():
    """The names of the folders are the contract; asking for them creates nothing."""
    project = Project(Path("root"))
    memory = Path("root", "MEMORY-CONTEXT")
    assert project.memory == memory
    assert project.exports == memory / "exports"
    assert project.archive == memory / "exports-archive"
    assert project.checkpoints == memory / "checkpoints"
    assert project.state == memory / "dedup_state"
    assert project.status_log == memory / "export-dedup-status.txt"
    assert not Path("root").exists()


def test_relative_is_what_the_user_reads(tmp_path):
    """Below the root: from there, with forward slashes; elsewhere: the whole path."""
    project = Project(tmp_path)
    assert project.relative(tmp_path / "a" / "b.txt") == "a/b.txt"
    assert project.relative(Path("/elsewhere/b.txt")) == str(Path("/elsewhere/b.txt"))


@pytest.mark.parametrize("sign", ["MEMORY-CONTEXT", ".coditect", ".git"])
def test_the_nearest_folder_upwards_with_a_sign_is_the_project(sign, monkeypatch):
    """Called deep inside, the project is the nearest folder that looks like one, not the outermost."""
    folder("outer", ".git")
    root = folder("outer", "inner")
    folder("outer", "inner", sign)
    monkeypatch.chdir(folder("outer", "inner", "src", "deep"))
    assert find_project() == Project(root)


def test_a_git_file_is_a_sign_too(monkeypatch):
    """In a linked work tree ``.git`` is a file."""
    root = folder("tree")
    Path("tree", ".git").write_text("gitdir: elsewhere", encoding="utf-8")
    monkeypatch.chdir(folder("tree", "src"))
    assert find_project().root == root


def test_without_a_sign_the_current_folder_is_the_project(tmp_path):
    """Nothing upwards looks like a project: we work where we are."""
    assert find_project() == Project(tmp_path.resolve())


def test_the_home_folder_is_no_project_by_accident(monkeypatch):
    """Dotfiles under git in the home folder do not make it the project of everything below."""
    home = Path.home()
    (home / ".git").mkdir()
    below = home / "notes"
    below.mkdir()
    monkeypatch.chdir(below)
    assert find_project() == Project(below.resolve())


@posix
def test_the_home_folder_is_known_behind_a_link(tmp_path, monkeypatch):
    """The same where ``HOME`` is a symbolic link."""
    home = folder("real-home")
    folder("real-home", ".git")
    link = tmp_path / "home"
    link.symlink_to(home)
    monkeypatch.setenv("HOME", str(link))
    monkeypatch.chdir(folder("real-home", "notes"))
    assert find_project().root == home / "notes"


def test_who_works_in_the_home_folder_gets_it(monkeypatch):
    """Where the current folder is the home folder there is no other."""
    monkeypatch.chdir(Path.home())
    assert find_project().root == Path.home().resolve()


def test_a_named_folder_goes_before_the_environment_and_that_before_the_search(monkeypatch):
    """``--project``, then ``CLAUDE_PROJECT_DIR``, then upwards; an empty variable is none."""
    one, two = folder("one"), folder("two")
    here = folder("here")
    folder("here", ".git")
    monkeypatch.chdir(here)
    monkeypatch.setenv("CLAUDE_PROJECT_DIR", str(two))
    assert find_project(one).root == one
    assert find_project(str(one)).root == one
    assert find_project().root == two
    monkeypatch.setenv("CLAUDE_PROJECT_DIR", "")
    assert find_project().root == here


def test_a_named_folder_may_be_relative_or_in_the_home_folder():
    """Both are made absolute."""
    root = folder("a b")
    (Path.home() / "code").mkdir()
    assert find_project("a b").root == root
    assert find_project("~/code").root == (Path.home() / "code").resolve()


@posix
def test_the_root_is_free_of_links(tmp_path):
    """A project reached by a link is the folder behind it, so that "inside" can be told."""
    root = folder("real")
    (tmp_path / "link").symlink_to(root)
    assert find_project("link").root == root


@pytest.mark.parametrize(
    "name",
    ["nowhere", "", "a-file", "a-file/x", "~nobody-of-this-name/x", "x" * 300, "nul\0"],
    ids=["missing", "empty", "file", "below-a-file", "unknown-user", "too-long", "nul"],
)
def test_a_folder_that_does_not_exist_is_a_usage_error(name):
    """Whatever is wrong with the name, it is named and the code is 2."""
    Path("a-file").touch()
    with pytest.raises(UsageError, match="no such project folder") as caught:
        find_project(name)
    assert caught.value.exit_code == EXIT_USAGE
    assert name in str(caught.value)


@posix
def test_a_current_folder_that_was_removed_is_a_usage_error(tmp_path, monkeypatch):
    """There is nothing to search from; a named folder still works."""
    gone = folder("gone")
    monkeypatch.chdir(gone)
    gone.rmdir()
    with pytest.raises(UsageError, match="the current folder was removed"):
        find_project()
    assert find_project(tmp_path).root == tmp_path.resolve()
