"""The repository's commit hooks: not run unless wanted; where wanted, they may refuse, and nothing is half done."""

from __future__ import annotations

import pytest

from deduplication.checkpoint import commit_hooks
from deduplication.checkpoint.scoped_commit import commit_only
from deduplication.git.plumbing import Git, GitFailed
from deduplication.git.repository import open_repository
from scratch_repository import Scratch

OURS = "MEMORY-CONTEXT/checkpoints/one.md"


@pytest.fixture
def scratch(tmp_path):
    """A repository with something staged and something changed."""
    made = Scratch(tmp_path / "project")
    made.commit("a.txt")
    made.commit("b.txt")
    made.git("add", "--", str(made.write("a.txt", "staged\n")))
    made.write("b.txt", "changed\n")
    return made


def commit(scratch, *, hooks=True):
    """Commit a file of ours."""
    file = scratch.write(OURS, "ours\n")
    root = scratch.project.root
    return commit_only(open_repository(root), root, [file], "checkpoint: one\n\nTrailer: x\n", hooks=hooks)


def test_no_hook_runs_unless_it_is_wanted(scratch, tmp_path):
    """A failing hook is no obstacle, because it is not asked."""
    for name in ("pre-commit", "prepare-commit-msg", "commit-msg", "post-commit"):
        scratch.hook(name, f"touch '{tmp_path}/ran'; exit 1")
    assert commit(scratch, hooks=False).commit == scratch.git("rev-parse", "HEAD")
    assert not (tmp_path / "ran").exists()


def test_wanted_hooks_see_our_commit_and_nothing_else(scratch, tmp_path):
    """What is staged in a hook's eyes is our file alone; the message can be changed; all of the user's is as before."""
    scratch.hook("pre-commit", f"pwd > '{tmp_path}/where'; git diff --cached --name-only > '{tmp_path}/seen'")
    scratch.hook("prepare-commit-msg", f'echo "$2" > \'{tmp_path}/source\'; echo "Prepared: yes" >> "$1"')
    scratch.hook("commit-msg", 'echo "Signed-off-by: hook" >> "$1"')
    scratch.hook("post-commit", f"git rev-parse HEAD > '{tmp_path}/after'")
    before = scratch.users()
    made = commit(scratch)
    assert made.notes == ()
    assert (tmp_path / "seen").read_text() == f"{OURS}\n"
    assert (tmp_path / "where").read_text() == f"{scratch.top.resolve()}\n"
    assert (tmp_path / "source").read_text() == "message\n"
    assert (tmp_path / "after").read_text() == f"{made.commit}\n"
    message = scratch.git("log", "-1", "--format=%B")
    assert message == "checkpoint: one\n\nTrailer: x\nPrepared: yes\nSigned-off-by: hook"
    assert scratch.users() == before
    assert scratch.committed("HEAD") == [OURS]


@pytest.mark.parametrize("name", ["pre-commit", "prepare-commit-msg", "commit-msg"])
@pytest.mark.parametrize("body", ["echo 'the tests fail' >&2; exit 1", "sleep 600 & wait"], ids=["fails", "hangs"])
def test_a_hook_that_does_not_agree_is_reported(scratch, monkeypatch, name, body):
    """No commit, no entry in the index, no file changed; the note names the hook and what it said."""
    monkeypatch.setattr(commit_hooks, "TIMEOUT", 0.5)
    scratch.hook(name, body)
    before, head = scratch.users(), scratch.git("rev-parse", "HEAD")
    made = commit(scratch)
    said = "the tests fail" if "fail" in body else "it took longer than 0.5 s"
    assert made.commit is None
    assert made.notes == (f"not committed: the {name} hook did not agree: {said}",)
    assert scratch.git("rev-parse", "HEAD") == head
    assert scratch.users() == {**before, "status": [*before["status"], f"?? {OURS}"]}
    assert not list((scratch.top / ".git").rglob("*.lock"))


def test_a_hook_may_not_add_to_the_commit(scratch):
    """A formatter that stages what it formatted would bring the user's files in."""
    scratch.hook("pre-commit", "git add b.txt")
    before = scratch.users()
    made = commit(scratch)
    assert made.notes == ("not committed: a hook changed what would be committed",)
    assert scratch.users() == {**before, "status": [*before["status"], f"?? {OURS}"]}


def test_an_empty_message_is_no_commit(scratch):
    """As git has it."""
    scratch.hook("commit-msg", 'printf "" > "$1"')
    assert commit(scratch).notes == ("not committed: a hook left the commit without a message",)


def test_a_failing_hook_after_the_commit_is_a_note(scratch):
    """The commit is made; undoing it is nobody's wish."""
    scratch.hook("post-commit", "echo 'no mail server' >&2; exit 3")
    made = commit(scratch)
    assert made.commit == scratch.git("rev-parse", "HEAD")
    assert made.notes == ("the post-commit hook did not agree: no mail server",)


def test_a_branch_without_commits_has_hooks_too(tmp_path):
    """The first commit can be refused as any other."""
    scratch = Scratch(tmp_path / "new")
    scratch.hook("pre-commit", "git ls-files > seen; test -s seen")
    assert commit(scratch).commit == scratch.git("rev-parse", "HEAD")


def test_an_old_git_says_that_it_cannot(scratch, monkeypatch):
    """Hooks that were wanted and cannot run are no reason to go on without them."""
    real = Git.run

    def old(git, *arguments, **options):
        if arguments[0] == "hook":
            raise GitFailed("git hook: git: 'hook' is not a git command. See 'git --help'.", code=1)
        return real(git, *arguments, **options)

    monkeypatch.setattr(Git, "run", old)
    (note,) = commit(scratch).notes
    assert note == "not committed: this git is too old to run hooks by itself: version 2.36 or newer is needed"
