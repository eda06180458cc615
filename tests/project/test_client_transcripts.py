"""Where the client's transcripts lie, and which project each belongs to."""

from __future__ import annotations

import os

import pytest

from deduplication.project import client_transcripts
from deduplication.project.client_transcripts import (
    config_dir,
    find_transcripts,
    folder_name,
    working_directory,
)
from transcript_lines import SESSION, day, prompt

OTHER = "99999999-2222-4333-8444-555555555555"


@pytest.fixture
def config(tmp_path, monkeypatch):
    """The client's folder."""
    monkeypatch.setenv("CLAUDE_CONFIG_DIR", str(tmp_path / "config"))
    return tmp_path / "config"


def write(config, cwd, name, data=None, *, age=0):
    """A transcript of a session that worked in ``cwd``."""
    path = config / "projects" / folder_name(str(cwd)) / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes((data or day(1)).replace(b"/home/ada/project", str(cwd).encode()))
    os.utime(path, ns=(10**18 - age * 10**9,) * 2)
    return path


def test_sessions_and_their_agents_are_found_oldest_first(config, tmp_path):
    """Sessions, agents in their folder and agents of older versions beside them, each with its session's name."""
    new = write(config, tmp_path, f"{SESSION}.jsonl")
    agent = write(config, tmp_path, f"{SESSION}/subagents/agent-1.jsonl", age=5)
    old = write(config, tmp_path, "agent-2.jsonl", age=9)
    write(config, tmp_path, f"{SESSION}/tool-results/x.txt")
    write(config, tmp_path, "notes.md")
    found = find_transcripts()
    assert [each.path for each in found] == [old, agent, new]
    assert {each.session for each in found} == {SESSION}
    assert [each.size for each in found] == [path.stat().st_size for path in (old, agent, new)]


def test_a_project_has_the_sessions_of_its_folders(config, tmp_path):
    """The folder's name is ambiguous: a project beside it with the same name but for a sign is told apart by its lines."""
    root = tmp_path / "my project"
    (root / "sub").mkdir(parents=True)
    mine = write(config, root, f"{SESSION}.jsonl", age=1)
    below = write(config, root / "sub", "b.jsonl")
    write(config, tmp_path / "my-project", "c.jsonl")
    write(config, tmp_path / "my project-2", "d.jsonl")
    assert [each.path for each in find_transcripts(root)] == [mine, below]


def test_a_transcript_that_names_no_folder_is_told_by_its_folder_s_name(config, tmp_path):
    """Some sessions begin with snapshots only."""
    path = write(config, tmp_path, f"{SESSION}.jsonl", b'{"type":"file-history-snapshot"}\n')
    assert [each.path for each in find_transcripts(tmp_path)] == [path]


def test_one_session(config, tmp_path):
    """A session's own file and those of its agents, in whatever project."""
    one = write(config, tmp_path / "a", f"{SESSION}.jsonl")
    write(config, tmp_path / "b", f"{OTHER}.jsonl")
    assert [each.path for each in find_transcripts(session=SESSION)] == [one]


def test_without_a_client_there_is_nothing(config):
    """No folder is no error."""
    assert find_transcripts() == []
    assert config_dir() == config


def test_the_home_folder_is_where_the_client_keeps_them(monkeypatch, tmp_path):
    """Without CLAUDE_CONFIG_DIR it is ``.claude`` in the home folder."""
    monkeypatch.delenv("CLAUDE_CONFIG_DIR", raising=False)
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("USERPROFILE", str(tmp_path))
    assert config_dir() == tmp_path / ".claude"


def test_links_are_not_followed(config, tmp_path):
    """A link among the transcripts leads nowhere."""
    path = write(config, tmp_path, f"{SESSION}.jsonl")
    (path.parent / "linked.jsonl").symlink_to(path)
    assert [each.path for each in find_transcripts()] == [path]


@pytest.mark.parametrize(
    ("data", "found"),
    [(prompt("x"), "/home/ada/project"), (b"{}\n", None), (b'"cwd":"\\ud"', None)],
    ids=["line", "none", "broken"],
)
def test_the_working_directory_stands_in_the_lines(tmp_path, data, found):
    """The first line that names one is believed."""
    (tmp_path / "x").write_bytes(data)
    assert working_directory(tmp_path / "x") == found
    assert working_directory(tmp_path / "none") is None


def test_a_line_that_was_cut_inside_its_directory_names_none(tmp_path):
    """A line cut short, and another one written behind it: the directory is that of the next whole line."""
    path = tmp_path / "s.jsonl"
    path.write_bytes(b'{"type":"user","cwd":"/home/ada/pro{"type":"user","cwd":"/home/ada/project","uuid":"u"}\n')
    assert client_transcripts.working_directory(path) == "/home/ada/project"
    path.write_bytes(b'{"type":"user","cwd":"/home/ada/pro')
    assert client_transcripts.working_directory(path) is None
