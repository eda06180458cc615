"""head_trees: HEAD's trees as git has them, and with our files in them the tree that git itself would make."""

from __future__ import annotations

import pytest

from deduplication.checkpoint import head_trees
from deduplication.checkpoint.new_objects import NewObjects
from deduplication.git.plumbing import Git, GitFailed
from deduplication.git.repository import open_repository
from scratch_repository import Scratch

NAMES = ("a", "a-b", "a.b", "a0", "ab", "MEMORY-CONTEXT", "z")
"""Of which some come before and some behind a folder called "a", as files and as folders."""


@pytest.fixture(params=["sha1", "sha256"])
def scratch(tmp_path, request):
    """A repository of either kind of ids, without a commit."""
    made = Scratch(tmp_path / "project", new=False)
    made.top.mkdir()
    made.git("init", "-q", f"--object-format={request.param}")
    return made


def tree_by_git(scratch, entries):
    """The tree of HEAD's index with these entries."""
    for path, entry in entries:
        scratch.git("update-index", "--add", "--cacheinfo", f"{entry},{path}")
    return scratch.git("write-tree")


def with_ours(scratch, entries, folder=""):
    """The same, made by us; git finds nothing wrong with it."""
    repository = open_repository(scratch.top / folder)
    head = head_trees.read(repository, [path for path, _ in entries])
    objects = NewObjects(repository.git, filter(None, [head.commit]))
    tree = head.tree_with(entries, objects)
    objects.write()
    scratch.git("fsck", "--strict", "--no-dangling")
    return tree


@pytest.mark.parametrize("kind", ["files", "folders", "nothing"])
@pytest.mark.parametrize("path", ["a/new.md", "MEMORY-CONTEXT/sessions/s.md", "new.md", "a/b/c/d e/ü.md", "a.c"])
def test_the_tree_is_the_one_that_git_makes(scratch, kind, path):
    """Whatever stands around our files, and however deep they lie: names in git's order, each mode as it was."""
    if kind != "nothing":
        for name in NAMES:
            if kind == "folders" or not path.startswith(f"{name}/"):
                scratch.write(f"{name}/inner" if kind == "folders" else name).chmod(0o755)
        (scratch.top / "link").symlink_to("z")
        scratch.git("add", "-A")
        scratch.git("commit", "-q", "-m", "first")
    blob = scratch.git("hash-object", "-w", "--stdin", input=b"ours\n")
    entries = (
        [(path, f"100644,{blob}"), ("MEMORY-CONTEXT/x.md", f"100644,{blob}")]
        if kind == "folders"
        else [(path, f"100644,{blob}")]
    )
    assert with_ours(scratch, entries) == tree_by_git(scratch, entries)


def test_what_head_has_is_told_by_path(scratch):
    """Mode and object of our files; in a folder of the repository the paths are from there."""
    scratch.write("sub/MEMORY-CONTEXT/s.md")
    scratch.write("sub/run.sh").chmod(0o755)
    scratch.git("add", "-A")
    scratch.git("commit", "-q", "-m", "first")
    repository = open_repository((scratch.top / "sub").resolve())
    head = head_trees.read(repository, ["MEMORY-CONTEXT/s.md", "run.sh", "new/x", "MEMORY-CONTEXT/new"])
    listed = dict(
        line.split("\t")[::-1]
        for line in scratch.git("ls-tree", "-r", "HEAD", "--format=%(objectmode),%(objectname)\t%(path)").split("\n")
    )
    assert head.entries(["MEMORY-CONTEXT/s.md", "run.sh", "new/x", "MEMORY-CONTEXT/new"]) == {
        "MEMORY-CONTEXT/s.md": listed["sub/MEMORY-CONTEXT/s.md"],
        "run.sh": listed["sub/run.sh"],
    }
    assert (head.commit, head.tree) == tuple(scratch.git("rev-parse", "HEAD", "HEAD^{tree}").split("\n"))
    blob = listed["sub/run.sh"].partition(",")[2]
    entries = [("new/x", f"100644,{blob}")]
    assert with_ours(scratch, entries, "sub") == tree_by_git(scratch, [("sub/new/x", entries[0][1])])


def test_nothing_of_the_users_is_replaced(scratch):
    """A file in the place of one of our folders, or a folder in the place of a file, is refused."""
    scratch.write("MEMORY-CONTEXT")
    scratch.write("other/x")
    scratch.git("add", "-A")
    scratch.git("commit", "-q", "-m", "first")
    blob = scratch.git("hash-object", "-w", "--stdin", input=b"ours\n")
    with pytest.raises(GitFailed, match="MEMORY-CONTEXT is no folder in HEAD"):
        with_ours(scratch, [("MEMORY-CONTEXT/sessions/s.md", f"100644,{blob}")])
    with pytest.raises(GitFailed, match="other is a folder in HEAD"):
        with_ours(scratch, [("other", f"100644,{blob}")])


@pytest.mark.parametrize("missing", ["MEMORY-CONTEXT", ""])
def test_a_tree_that_is_not_here_is_not_taken_for_an_empty_one(scratch, monkeypatch, missing):
    """In a clone without all trees a commit would have ours alone in it, and delete the others."""
    scratch.write("MEMORY-CONTEXT/theirs")
    scratch.git("add", "-A")
    scratch.git("commit", "-q", "-m", "first")
    repository = open_repository(scratch.top)
    tree = scratch.git("rev-parse", f"HEAD:{missing}")
    (scratch.top / ".git/objects" / tree[:2] / tree[2:]).unlink()
    with pytest.raises(GitFailed, match="is not in this repository"):
        head_trees.read(repository, ["MEMORY-CONTEXT/ours"])


@pytest.mark.parametrize("answer", [b"", b"x", b"0 commit 5\nab", b"a b c\n"])
def test_an_answer_that_cannot_be_read_is_a_failure_of_git(scratch, monkeypatch, answer):
    """No trace, and no commit of what was guessed."""
    repository = open_repository(scratch.top)
    monkeypatch.setattr(Git, "run", lambda *_given, **_more: answer)
    with pytest.raises(GitFailed, match="cat-file"):
        head_trees.read(repository, ["a/b"])


def test_a_folder_that_no_line_can_name(scratch):
    """It is said, and nothing is guessed."""
    with pytest.raises(GitFailed, match="line break"):
        head_trees.read(open_repository(scratch.top), ["a\nb/c"])
