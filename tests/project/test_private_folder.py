"""The private folder: who may read it, and what git makes of it."""

from __future__ import annotations

import os
import stat

import pytest

from deduplication import ClaudeConversationDeduplicator
from deduplication.commands import deduplicate_export
from deduplication.errors import StoreNotWritable, StoreTracked, UnsafePath
from deduplication.git.plumbing import Git, GitFailed
from deduplication.project.private_folder import secure
from deduplication.workflow import five_steps
from scratch_repository import Scratch

EXPORT = "❯ Which tide is next?\n\n⏺ The next one is the evening tide, at six o'clock.\n\n❯ Thank you\n\n⏺ Gladly.\n"
CONVERSATION = {"messages": [{"role": "user", "content": "Which tide is next?"}]}


@pytest.fixture
def scratch(tmp_path):
    """A repository with a store in it."""
    made = Scratch(tmp_path / "project")
    made.commit("a.txt")
    ClaudeConversationDeduplicator(made.project.state).process_export("tides", CONVERSATION)
    return made


def modes(folder):
    """The modes of a folder and all in it that can be read or written by others."""
    paths = [folder, *folder.rglob("*")]
    return {path.name: oct(stat.S_IMODE(path.lstat().st_mode)) for path in paths if path.lstat().st_mode & 0o077}


def test_a_private_folder_is_left_alone(scratch):
    """The usual case costs nothing and says nothing; a folder that is not there is no fault."""
    assert secure(scratch.project.state) == []
    assert secure(scratch.root / "nothing") == []


@pytest.mark.parametrize("mask", [0o000, 0o077], ids=["umask 000", "umask 077"])
def test_modes_are_private_under_any_umask(tmp_path, mask):
    """Whatever the umask: folders 0700, files 0600, the rule for git aside."""
    before = os.umask(mask)
    try:
        ClaudeConversationDeduplicator(tmp_path / "state").process_export("tides", CONVERSATION)
    finally:
        os.umask(before)
    assert set(modes(tmp_path / "state")) <= {".gitignore"}


def test_modes_are_corrected_and_it_is_said(scratch):
    """A folder and a file that others could read are closed; a link is not followed."""
    state = scratch.project.state
    outside = scratch.write("outside.txt")
    outside.chmod(0o644)
    (state / "live").mkdir()
    for name, mode in (("live", 0o755), ("conversation_log.jsonl", 0o664)):
        (state / name).chmod(mode)
    (state / "link").symlink_to(outside)
    state.chmod(0o750)
    (note,) = secure(state)
    assert note == "others could read 3 files or folders of the message store; now only you can"
    assert set(modes(state)) <= {".gitignore", "link"}
    assert stat.S_IMODE(outside.stat().st_mode) == 0o644
    assert stat.S_IMODE((state / "conversation_log.jsonl").stat().st_mode) == 0o600
    assert secure(state) == []


@pytest.mark.parametrize("way", ["file", "folder"])
def test_a_tracked_store_is_an_error_with_the_cure(scratch, way):
    """The file is named, the advice is a command that can be typed, nothing is changed; after the cure all is well."""
    log = "MEMORY-CONTEXT/dedup_state/conversation_log.jsonl"
    scratch.git("add", "-f", log if way == "file" else "MEMORY-CONTEXT/dedup_state")
    index = scratch.git("ls-files", "--stage")
    with pytest.raises(StoreTracked, match="dedup_state") as caught:
        secure(scratch.project.state)
    assert scratch.git("ls-files", "--stage") == index
    cure = caught.value.hint.partition("'")[2].partition("'")[0]
    assert cure == "git rm -r --cached MEMORY-CONTEXT/dedup_state"
    scratch.git(*cure.split(" ")[1:])
    assert secure(scratch.project.state) == []
    assert (scratch.root / log).is_file()


def test_a_store_that_git_would_take_is_ignored_again(scratch):
    """Where the rule in the folder is gone or empty, it is put back, and that is said once."""
    for spoil in (os.unlink, lambda path: path.write_bytes(b"")):
        spoil(scratch.project.state / ".gitignore")
        (note,) = secure(scratch.project.state)
        assert note == "git would have taken the message store into a commit; it is ignored now"
        assert scratch.status() == []
        assert secure(scratch.project.state) == []


def test_without_git_there_is_nothing_to_see(scratch, monkeypatch, tmp_path):
    """No git, a git that fails, no repository: no error."""
    scratch.git("add", "-f", "MEMORY-CONTEXT/dedup_state")

    def failing(*_arguments, **_options):
        raise GitFailed("fatal: detected dubious ownership", code=128)

    with monkeypatch.context() as patch:
        patch.setattr(Git, "run", failing)
        assert secure(scratch.project.state) == []
    monkeypatch.setenv("PATH", str(tmp_path))
    assert secure(scratch.project.state) == []


def test_every_run_looks(scratch, capsys):
    """The workflow and the single commands stop before they store anything in a store that git tracks."""
    scratch.project.state.chmod(0o755)
    export = scratch.write("2026-03-04-EXPORT-TIDES.txt", EXPORT)
    assert deduplicate_export.main(["verify", "--project", str(scratch.root)]) == 0
    assert "⚠ Note: others could read 1 file" in capsys.readouterr().err
    scratch.project.state.chmod(0o755)
    said = []
    dedup = ClaudeConversationDeduplicator(scratch.project.state)
    five_steps.run(scratch.project, five_steps.Options(checkpoint=False, archive=False), dedup, said.append)
    assert said[0].startswith("⚠ Note: others could read")
    scratch.git("add", "-f", "MEMORY-CONTEXT/dedup_state/conversation_log.jsonl")
    log = (scratch.project.state / "conversation_log.jsonl").read_bytes()
    with pytest.raises(StoreTracked):
        five_steps.run(scratch.project, five_steps.Options(), dedup, said.append)
    with pytest.raises(StoreTracked):
        deduplicate_export.main([str(export), "--project", str(scratch.root)])
    assert export.is_file()
    assert (scratch.project.state / "conversation_log.jsonl").read_bytes() == log


def test_a_folder_that_was_named_is_not_set_right(scratch, tmp_path):
    """``--storage-dir`` may be mistyped: modes of whatever lies there are none of our business."""
    photo = tmp_path / "home" / "photo.jpg"
    photo.parent.mkdir(mode=0o755)
    photo.touch(mode=0o644)
    ClaudeConversationDeduplicator(photo.parent).process_export("tides", CONVERSATION)
    assert deduplicate_export.main(["verify", "--storage-dir", str(photo.parent)]) == 0
    assert stat.S_IMODE(photo.stat().st_mode) == 0o644


@pytest.mark.parametrize("link", ["MEMORY-CONTEXT", "MEMORY-CONTEXT/dedup_state"])
def test_a_store_behind_a_link_out_of_the_project_is_refused(tmp_path, link):
    """A stranger's project may link our folder to the home: no mode changes there, nothing is put there."""
    home = tmp_path / "home"
    (home / "dedup_state").mkdir(parents=True)
    for folder in (home, home / "dedup_state"):
        (folder / "photo.jpg").touch(mode=0o644)
        folder.chmod(0o755)
    scratch = Scratch(tmp_path / "project")
    (scratch.root / link).parent.mkdir(exist_ok=True)
    (scratch.root / link).symlink_to(home)
    for touch in (secure, lambda state: ClaudeConversationDeduplicator(state).global_unique_count()):
        with pytest.raises(UnsafePath):
            touch(scratch.project.state)
    assert stat.S_IMODE((home / "photo.jpg").stat().st_mode) == 0o644
    assert stat.S_IMODE((home / "dedup_state" / "photo.jpg").stat().st_mode) == 0o644
    assert not list(home.rglob(".gitignore"))


def test_a_rule_that_cannot_be_written_is_said(scratch, monkeypatch):
    """On a file system that takes nothing the user is told what to do."""

    def refused(path, _data, **_options):
        raise StoreNotWritable(path)

    (scratch.project.state / ".gitignore").unlink()
    monkeypatch.setattr("deduplication.files.atomic.replace", refused)
    (note,) = secure(scratch.project.state)
    assert note == "git would take the message store into a commit: add it to your .gitignore"
