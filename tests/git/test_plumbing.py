"""The plumbing around the git executable."""

from __future__ import annotations

import os
import sys
import time

import pytest

from deduplication.git.plumbing import Git, GitFailed, environment, find_executable


def fake(folder, body):
    """A git of our own making."""
    folder.mkdir(exist_ok=True)
    file = folder / "git"
    file.write_text(f"#!/bin/sh\n{body}\n", encoding="utf-8")
    file.chmod(0o755)
    return Git(str(file), folder, switches=())


def gone(number):
    """True once no process has this number any more (a zombie that nobody reaps counts as gone)."""
    for _ in range(100):
        try:
            os.kill(number, 0)
        except ProcessLookupError:
            return True
        if sys.platform == "linux":
            with open(f"/proc/{number}/stat", encoding="ascii") as facts:
                if facts.read().rsplit(")", 1)[1].split()[0] == "Z":
                    return True
        time.sleep(0.05)
    return False


def test_git_is_found_by_its_absolute_path():
    """The executable is named absolutely, so that no folder decides what runs."""
    found = find_executable()
    assert found is not None
    assert os.path.isabs(found)


@pytest.mark.parametrize("entry", [".", "", "bin"], ids=["dot", "empty", "relative"])
def test_a_git_that_lies_in_the_current_folder_is_not_run(tmp_path, monkeypatch, entry):
    """A relative entry of PATH names a stranger's folder."""
    fake(tmp_path, "true")
    fake(tmp_path / "bin", "true")
    monkeypatch.setenv("PATH", entry)
    assert find_executable() is None


def test_a_folder_called_git_is_not_taken_for_the_executable(tmp_path, monkeypatch):
    """A folder can be "executable" too."""
    (tmp_path / "git").mkdir()
    monkeypatch.setenv("PATH", str(tmp_path))
    assert find_executable() is None


def test_the_callers_repository_does_not_leak_in(monkeypatch):
    """Inside a hook git exports where its own repository and index are; a checkpoint must not use them."""
    for name in (
        "GIT_DIR",
        "GIT_INDEX_FILE",
        "GIT_WORK_TREE",
        "GIT_OBJECT_DIRECTORY",
        "GIT_CONFIG_PARAMETERS",
        "GIT_EXEC_PATH",
    ):
        monkeypatch.setenv(name, "/elsewhere")
    monkeypatch.setenv("GIT_AUTHOR_NAME", "Ada")
    monkeypatch.setenv("GIT_AUTHOR_EMAIL", "")
    told = environment({"GIT_COMMITTER_NAME": "export-dedup"})
    assert "/elsewhere" not in told.values()
    assert told["GIT_AUTHOR_NAME"] == "Ada"
    assert told["GIT_COMMITTER_NAME"] == "export-dedup"
    assert "GIT_AUTHOR_EMAIL" not in told


def test_git_speaks_english_and_asks_nothing():
    """Messages are compared, and nobody sits there to answer."""
    told = environment()
    assert told["LC_ALL"] == "C"
    assert told["GIT_TERMINAL_PROMPT"] == "0"
    assert told["GIT_OPTIONAL_LOCKS"] == "0"


def test_output_is_returned_as_bytes_and_input_is_passed(tmp_path):
    """What goes in and what comes out is not decoded on the way."""
    assert fake(tmp_path, "cat").run("x", stdin=b"\xff\0\n") == b"\xff\0\n"


def test_without_input_git_reads_nothing(tmp_path):
    """A command that waits for input on a terminal would wait for ever."""
    assert fake(tmp_path, "cat; echo done").run("x") == b"done\n"


def test_a_failure_is_one_harmless_line_with_gits_reason_and_code(tmp_path):
    """The user reads the fatal line, without what a terminal obeys."""
    git = fake(tmp_path, r"printf 'hint: look\nfatal: no \033[31m way\nmore\n' >&2; exit 7")
    with pytest.raises(GitFailed) as caught:
        git.run("commit-tree", "x")
    assert caught.value.said == r"git commit-tree: fatal: no \x1b[31m way"
    assert caught.value.code == 7


def test_a_failure_without_a_word_is_named_all_the_same(tmp_path):
    """An empty standard error gives no empty note."""
    with pytest.raises(GitFailed, match="no reason given"):
        fake(tmp_path, "exit 1").run("x")


@pytest.mark.parametrize("body", ["sleep 600", "trap '' TERM; sleep 600"], ids=["listens", "deaf"])
def test_a_git_that_hangs_is_ended_with_all_it_started(tmp_path, monkeypatch, body):
    """A call has a bound, and leaves no process behind; a grandchild that holds the pipe does not prolong it."""
    monkeypatch.setattr("deduplication.git.plumbing._GRACE", 0.3)
    git = fake(tmp_path, f"(sleep 600 & echo $! > {tmp_path}/child); {body}")
    with pytest.raises(GitFailed, match=r"git status took longer than 0\.5 s") as caught:
        git.run("status", timeout=0.5)
    assert caught.value.code < 0
    assert gone(int((tmp_path / "child").read_text()))


def test_a_git_that_hangs_is_first_asked_to_end(tmp_path):
    """Git removes its lock files when it is asked to end; when it is killed they stay and block the user."""
    git = fake(tmp_path, f"trap 'rm {tmp_path}/index.lock; exit 1' TERM; touch {tmp_path}/index.lock; sleep 600 & wait")
    with pytest.raises(GitFailed):
        git.run("update-index", timeout=0.5)
    assert not (tmp_path / "index.lock").exists()


def test_an_interruption_ends_git_too(tmp_path, monkeypatch):
    """Ctrl-C does not reach git, which runs in a session of its own: we pass it on."""
    import subprocess

    def interrupted(process, *_arguments):
        while not (tmp_path / "pid").exists() or not (tmp_path / "pid").read_text():
            time.sleep(0.01)
        raise KeyboardInterrupt

    git = fake(tmp_path, f"echo $$ > {tmp_path}/pid; exec sleep 600")
    monkeypatch.setattr(subprocess.Popen, "communicate", interrupted)
    with pytest.raises(KeyboardInterrupt):
        git.run("status")
    assert gone(int((tmp_path / "pid").read_text()))


@pytest.mark.parametrize("argument", ["x", "a\0b"], ids=["not executable", "NUL in an argument"])
def test_what_cannot_be_started_is_a_named_failure(tmp_path, argument):
    """Neither the system's refusal nor Python's leaves as it is."""
    with pytest.raises(GitFailed, match="could not be started"):
        Git(str(tmp_path / "missing"), tmp_path).run(argument)
