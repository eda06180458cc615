"""A line in the user's own README, committed: HEAD, index and work tree each get it, and nothing of the user's goes along."""

from __future__ import annotations

import os

import pytest

from deduplication.checkpoint import scoped_commit
from deduplication.checkpoint.scoped_commit import commit_only
from deduplication.checkpoint.scoped_entries import Edit
from deduplication.git.plumbing import Git, GitFailed
from deduplication.git.repository import open_repository
from scratch_repository import Scratch

OURS = "MEMORY-CONTEXT/checkpoints/one.md"
README = "README.md"
HEAD = "# Tides\n\ntext\n"


def edit(data):
    """Stands for the README's line: a byte string at the end, once."""
    return None if data.endswith(b"LINE\n") else data + b"LINE\n"


@pytest.fixture
def scratch(tmp_path):
    """A repository with a README."""
    made = Scratch(tmp_path / "project")
    made.commit(README, HEAD)
    return made


def commit(scratch, change=edit):
    """Commit a file of ours with the edit."""
    file = scratch.write(OURS, "ours\n")
    root = scratch.project.root
    return commit_only(open_repository(root), root, [file], "m\n", edits=[Edit(root / README, change)])


def blob(scratch, name):
    """The bytes of an object, byte for byte."""
    return open_repository(scratch.top).git.run("cat-file", "blob", name)


SITUATIONS = {
    "clean": (None, None),
    "changed": (None, "# Tides\n\nchanged\n"),
    "staged": ("# Tides\n\nstaged\n", "# Tides\n\nstaged\n"),
    "staged and changed again": ("# Tides\n\nstaged\n", "# Tides\n\nstaged, then changed\n"),
    "staged, and put back": ("# Tides\n\nstaged\n", HEAD),
}


@pytest.mark.parametrize(("staged", "changed"), SITUATIONS.values(), ids=SITUATIONS)
def test_only_our_line_is_committed(scratch, staged, changed):
    """Each of the three versions gets the line by itself: the differences between them are the user's own, as before."""
    if staged:
        scratch.write(README, staged)
        scratch.git("add", README)
    if changed:
        scratch.write(README, changed)
    before = scratch.users()
    made = commit(scratch)
    assert made.notes == ()
    assert made.edited == (scratch.project.root / README,)
    assert scratch.committed("HEAD") == [OURS, README]
    assert blob(scratch, f"HEAD:{README}") == HEAD.encode() + b"LINE\n"
    assert blob(scratch, f":{README}") == (staged or HEAD).encode() + b"LINE\n"
    assert scratch.users()["files"] == before["files"], "the work tree is not this function's"
    current = (scratch.top / README).read_bytes()
    (scratch.top / README).write_bytes(current + b"LINE\n")
    assert scratch.status() == before["status"]
    for difference in ("--cached", "--no-ext-diff"):
        lines = [line for line in scratch.git("diff", difference, "--", README).split("\n") if line[:1] in "+-"]
        assert not any("LINE" in line for line in lines)


def test_line_ends_are_each_versions_own(scratch):
    """With autocrlf the version in git has LF, the file CRLF: both get a line in their own way, and git sees no change."""
    scratch.git("config", "core.autocrlf", "true")
    (scratch.top / README).unlink()
    scratch.git("checkout", "--", README)
    assert (scratch.top / README).read_bytes() == HEAD.replace("\n", "\r\n").encode()
    commit(scratch)
    (scratch.top / README).write_bytes(HEAD.replace("\n", "\r\n").encode() + b"LINE\r\n")
    assert blob(scratch, f"HEAD:{README}") == HEAD.encode() + b"LINE\n"
    assert scratch.status() == []


def test_the_mode_stays(scratch):
    """An executable README stays one."""
    (scratch.top / README).chmod(0o755)
    scratch.git("commit", "-qam", "mode")
    commit(scratch)
    assert scratch.git("ls-tree", "HEAD", README).startswith("100755 ")
    assert scratch.git("ls-files", "--stage", README).startswith("100755 ")


def new(scratch):
    """A README that no commit has."""
    scratch.git("rm", "-q", README)
    scratch.git("commit", "-qm", "gone")
    scratch.write(README, "# New\n")


def to_be_added(scratch):
    """Taken out of the index, and marked to be added one day."""
    scratch.git("rm", "-q", "--cached", README)
    scratch.git("add", "-N", README)


def filtered(scratch):
    """A README behind a content filter."""
    scratch.commit(".gitattributes", "README.md filter=lfs\n")


def conflict(scratch):
    """A README in conflict, without a merge."""
    scratch.write(README, "stashed\n")
    scratch.git("stash", "-q")
    scratch.commit(README, "other\n")
    scratch.git("stash", "pop", fails=True)


def deleted(scratch):
    """Staged for deletion, but there."""
    scratch.git("rm", "-q", "--cached", README)


def linked(scratch):
    """A link in git, a file on the disk."""
    (scratch.top / README).unlink()
    (scratch.top / README).symlink_to("a.txt")
    scratch.git("commit", "-qam", "link")
    (scratch.top / README).unlink()
    scratch.write(README, HEAD)


def assumed(scratch):
    """Marked by the user as not to be looked at."""
    scratch.git("update-index", "--assume-unchanged", README)


def skipped(scratch):
    """Marked as not in the work tree."""
    scratch.git("update-index", "--skip-worktree", README)


def missing(scratch):
    """Not on the disk."""
    (scratch.top / README).unlink()


REFUSED = {
    "filter": (filtered, "has a content filter", False),
    "conflict": (conflict, "is deleted or in conflict in your index", False),
    "staged deletion": (deleted, "is deleted or in conflict in your index", False),
    "to be added one day": (to_be_added, "is only marked to be added in your index", False),
    "link in git": (linked, "is no regular file in git", False),
    "assume-unchanged": (assumed, "is marked in your index as not to be looked at", False),
    "skip-worktree": (skipped, "is marked in your index as not to be looked at", False),
    "not on the disk": (missing, "is not a regular file", False),
    "in no commit": (new, "is in no commit yet; the line is in your file", True),
}


@pytest.mark.parametrize(("prepare", "reason", "writable"), REFUSED.values(), ids=REFUSED)
def test_a_readme_that_cannot_be_changed_safely_is_left_out(scratch, prepare, reason, writable):
    """Our own file is committed all the same, the note says why the README is not, and its entries are as before."""
    prepare(scratch)
    before = scratch.users()
    made = commit(scratch)
    assert scratch.committed(made.commit) == [OURS]
    assert made.notes == (f"left out: {README} {reason}",)
    assert bool(made.edited) is writable
    assert scratch.users() == before


def test_an_ignored_readme_is_not_forced_in(scratch):
    """What the user keeps out of git stays out."""
    new(scratch)
    scratch.commit(".gitignore", "README.md\n")
    made = commit(scratch)
    assert made.notes == (f"left out: {README} is ignored by git",)
    assert made.edited == ()


def test_a_readme_that_has_the_line_is_not_touched(scratch):
    """Where there is nothing to change nothing is said."""
    made = commit(scratch, lambda _data: None)
    assert (made.notes, made.edited) == ((), ())
    assert scratch.committed(made.commit) == [OURS]


def test_a_readme_alone_is_no_commit(scratch):
    """Where the document is left out, a line that points to it would lead nowhere."""
    scratch.commit(".gitignore", "MEMORY-CONTEXT/\n")
    before = scratch.users()
    made = commit(scratch)
    assert (made.commit, made.edited) == (None, ())
    assert scratch.users() == before


def test_a_readme_that_cannot_be_read_costs_only_itself(scratch, monkeypatch):
    """A blob that a partial clone does not have: our own file is committed."""
    real = Git.run

    def failing(git, *arguments, **options):
        if arguments[:2] == ("cat-file", "blob"):
            raise GitFailed("git cat-file: fatal: bad object", code=128)
        return real(git, *arguments, **options)

    monkeypatch.setattr(Git, "run", failing)
    made = commit(scratch)
    monkeypatch.undo()
    assert made.notes == (f"left out: {README} cannot be read: git cat-file: fatal: bad object",)
    assert scratch.committed(made.commit) == [OURS]


def test_somebody_elses_change_to_the_readme_is_not_undone(scratch, monkeypatch):
    """Where another commit changes the README while ours is made, the README is left out, and theirs stays."""
    real, other = scoped_commit._move_branch, []

    def moved(*arguments):
        if not other:
            tree = scratch.git("rev-parse", "HEAD")
            oid = scratch.git("hash-object", "-w", "--stdin", input=b"theirs\n")
            index = {**os.environ, "GIT_INDEX_FILE": str(scratch.top.parent / "their-index")}
            scratch.git("read-tree", "HEAD", env=index)
            scratch.git("update-index", "--cacheinfo", f"100644,{oid},{README}", env=index)
            made = scratch.git("commit-tree", scratch.git("write-tree", env=index), "-p", tree, "-m", "theirs")
            scratch.git("update-ref", "HEAD", made)
            other.append(made)
        return real(*arguments)

    monkeypatch.setattr(scoped_commit, "_move_branch", moved)
    made = commit(scratch)
    assert scratch.git("rev-parse", "HEAD^") == other[0]
    assert scratch.committed(made.commit) == [OURS]
    assert blob(scratch, f"HEAD:{README}") == b"theirs\n"
    assert blob(scratch, f":{README}") == HEAD.encode()
    assert made.notes == (f"left out: {README} was changed by another commit meanwhile",)
    assert made.edited == ()


@pytest.mark.parametrize("step", ["_move_branch", "_build"])
def test_what_was_entered_is_taken_back(scratch, monkeypatch, step):
    """A commit that does not come about leaves the README's entry as it was, staged changes included."""
    scratch.write(README, "# Tides\n\nstaged\n")
    scratch.git("add", README)
    before = scratch.users()

    def failing(*_arguments):
        raise GitFailed("no space left")

    monkeypatch.setattr(scoped_commit, step, failing)
    made = commit(scratch)
    assert (made.commit, made.edited) == (None, ())
    assert made.notes == ("not committed: no space left",)
    assert scratch.users() == {**before, "status": [*before["status"], f"?? {OURS}"]}
