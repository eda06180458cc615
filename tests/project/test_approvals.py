"""Approvals: of a path with a content, the user's own, and nothing that a repository could bring."""

from __future__ import annotations

import json
import os
import stat
from pathlib import Path

import pytest

import settings_scenes
from deduplication.commands import deduplicate_export
from deduplication.errors import NotApproved, UsageError
from deduplication.project import approvals, config, user_folders

ALLOW = {"privacy_allow": [".*"], "hooks": False}


@pytest.fixture
def root(tmp_path):
    """A project's folder."""
    folder = tmp_path / "clone"
    folder.mkdir()
    return folder


def command(*arguments):
    """``deduplicate_export.py trust`` to its end."""
    return deduplicate_export.main(["trust", *map(str, arguments)])


def waiting(root):
    """What waits for an approval."""
    return list(config.examine(str(root)).waiting)


def state():
    """The file that has the approvals."""
    return Path(user_folders.data_folder()) / approvals.APPROVED


def test_a_file_counts_from_the_approval_until_it_changes(root, capsys):
    """Every byte of it is part of what was approved."""
    path = settings_scenes.asked(root, **ALLOW)
    assert waiting(root) == ["privacy_allow", "hooks"]
    assert command("--project", root, "--approve") == 0
    assert "privacy_allow, hooks" in capsys.readouterr().out
    assert config.load(str(root))["privacy_allow"] == [".*"]
    path.write_bytes(path.read_bytes() + b"\n")
    assert waiting(root) == ["privacy_allow", "hooks"]
    assert config.load(str(root))["privacy_allow"] == []


def test_the_same_file_elsewhere_is_another_one(root, tmp_path):
    """A clone beside an approved project has to be approved by itself."""
    settings_scenes.approved(root, **ALLOW)
    other = tmp_path / "other"
    other.mkdir()
    settings_scenes.asked(other, **ALLOW)
    assert (waiting(root), waiting(other)) == ([], ["privacy_allow", "hooks"])


def test_an_approval_can_be_taken_back(root, capsys):
    """From the project, or by the path of a file that is gone; what was none is said."""
    path = settings_scenes.approved(root, **ALLOW)
    assert command("--project", root, "--revoke") == 0
    assert waiting(root) == ["privacy_allow", "hooks"]
    settings_scenes.approved(root, **ALLOW)
    path.unlink()
    assert command("--project", root, "--revoke", "--file", path) == 0
    assert approvals.approvals() == []
    capsys.readouterr()
    assert command("--project", root, "--revoke") == 0
    assert "not approved" in capsys.readouterr().out


def test_what_the_command_shows(root, capsys):
    """Both files, what waits with the value that holds instead, and every approval."""
    settings_scenes.own(privacy_level="public")
    settings_scenes.asked(root, privacy_level="private")
    assert command("--project", root) == 0
    said = capsys.readouterr().out
    assert 'privacy_level: "private" (now "public")' in said
    assert str(Path(config.own_path())) in said
    assert command("--project", root, "--approve", "--json") == 0
    found = json.loads(capsys.readouterr().out)
    assert (found["waiting"], found["project"]["approved"]) == ({}, True)
    assert [one["path"] for one in found["approved"]] == [str(root / config.FILE)]
    assert command("--project", root) == 0
    assert "You approved this file" in capsys.readouterr().out


@pytest.mark.parametrize("content", [None, "{", "[]"], ids=repr)
def test_what_cannot_be_read_cannot_be_approved(root, content):
    """An approval is of settings."""
    if content is not None:
        settings_scenes.asked(root, content)
    with pytest.raises(NotApproved):
        command("--project", root, "--approve")
    with pytest.raises(UsageError):
        command("--project", root, "--approve", "--revoke")
    with pytest.raises(UsageError):
        command("--project", root, "--file", "x")


@pytest.mark.skipif(os.name == "nt", reason="modes are Unix's")
def test_only_the_user_can_read_the_approvals(root):
    """Folder and file are private."""
    settings_scenes.approved(root, **ALLOW)
    assert stat.S_IMODE(state().stat().st_mode) == 0o600
    assert stat.S_IMODE(state().parent.stat().st_mode) == 0o700


def forged(path, root):
    """Approvals as a repository would bring them."""
    path.parent.mkdir(parents=True, exist_ok=True)
    file = settings_scenes.asked(root, **ALLOW)
    approval = {"sha256": approvals.digest(file.read_bytes()), "time": 0}
    path.write_text(json.dumps({"version": 1, "files": {str(file): approval}}), encoding="utf-8")
    path.chmod(0o600)


def test_a_project_that_is_the_home_folder_brings_no_approvals():
    """What lies in ``~/.local/share`` of a repository that was cloned into the home folder is the repository's."""
    home = Path(os.environ["HOME"])
    forged(state(), home)
    assert len(approvals.approvals()) == 1
    assert waiting(home) == ["privacy_allow", "hooks"]
    with pytest.raises(NotApproved, match="lies in this project"):
        command("--project", home, "--approve")


def test_a_folder_that_is_not_absolute_is_none_of_the_user_s(root, monkeypatch):
    """It would lie in whatever project is the current one."""
    monkeypatch.setenv("XDG_DATA_HOME", "data")
    monkeypatch.chdir(root)
    forged(root / "data" / "export-dedup" / approvals.APPROVED, root)
    assert waiting(root) == ["privacy_allow", "hooks"]


@pytest.mark.skipif(os.name == "nt", reason="modes and links are Unix's")
@pytest.mark.parametrize(
    "how", ["a link into the project", "the folder a link", "others may write it", "no JSON", "a list"]
)
def test_approvals_that_are_not_the_user_s_count_for_nothing(root, how):
    """They are not believed, and nothing is in force."""
    forged(state(), root)
    assert waiting(root) == []
    if how == "a link into the project":
        state().rename(root / "approved.json")
        state().symlink_to(root / "approved.json")
    elif how == "the folder a link":
        state().parent.rename(root / "data")
        state().parent.symlink_to(root / "data")
    elif how == "others may write it":
        state().chmod(0o666)
    else:
        state().write_text("{" if how == "no JSON" else '{"files": [1]}', encoding="utf-8")
    assert waiting(root) == ["privacy_allow", "hooks"]


def test_it_is_news_once(root):
    """Of each content; where it cannot be noted it is said again."""
    assert approvals.is_news("/a", b"1")
    assert not approvals.is_news("/a", b"1")
    assert approvals.is_news("/a", b"2")
    assert approvals.is_news("/b", b"2")
    assert not state().exists()


def test_what_was_said_is_kept_of_few(monkeypatch):
    """The file does not grow for ever."""
    monkeypatch.setattr(approvals, "_TOLD", 3)
    for number in range(6):
        approvals.is_news(f"/{number}", b"")
    found = json.loads((Path(user_folders.data_folder()) / approvals.TOLD).read_text())["files"]
    assert list(found) == ["/3", "/4", "/5"]
