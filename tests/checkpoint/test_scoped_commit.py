"""One commit of only our own files: what is in it, and that all of the user's is as before."""

from __future__ import annotations

import os
import threading
from pathlib import Path

import pytest

from deduplication.checkpoint import scoped_commit, scoped_entries
from deduplication.checkpoint.scoped_commit import Outcome, commit_only
from deduplication.git.plumbing import Git, GitFailed
from deduplication.git.repository import NoRepository, open_repository
from scratch_repository import Scratch

OURS = "MEMORY-CONTEXT/checkpoints/one.md"
MESSAGE = "checkpoint: one\n\nbody\n"


@pytest.fixture
def scratch(tmp_path):
    """A repository with two tracked files."""
    made = Scratch(tmp_path / "project")
    made.commit("a.txt")
    made.commit("b.txt", "one\ntwo\nthree\n" * 10)
    return made


def commit(scratch, *paths, text="ours\n"):
    """Write our files and commit them."""
    files = [scratch.write(path, text) for path in paths or (OURS,)]
    root = scratch.project.root
    return commit_only(open_repository(root), root, files, MESSAGE)


def conflict(scratch, other):
    """Two branches that change the same file, the second one checked out, and then ``other`` done to it."""
    scratch.git("checkout", "-q", "-b", "side")
    scratch.commit("a.txt", "side\n", "side")
    scratch.git("checkout", "-q", "main")
    scratch.commit("a.txt", "main\n", "main")
    scratch.git(*other, fails=other[0] != "bisect")


def dirty(scratch):
    """One file staged and then changed again, one changed only."""
    scratch.git("add", "--", str(scratch.write("a.txt", "staged\n")))
    scratch.write("a.txt", "staged, then changed\n")
    scratch.write("b.txt", "changed\n")


def untracked(scratch):
    """New files, one of them in our own folder."""
    scratch.write("new.txt")
    scratch.write("folder/new.txt")
    scratch.write("MEMORY-CONTEXT/exports/mine.txt")


def renamed(scratch):
    """A staged rename."""
    scratch.git("mv", "b.txt", "c.txt")


def deleted(scratch):
    """A staged deletion, and a file that is gone."""
    scratch.git("rm", "-q", "a.txt")
    (scratch.top / "b.txt").unlink()


def intended(scratch):
    """A file announced with ``git add -N``."""
    scratch.write("later.txt")
    scratch.git("add", "-N", "later.txt")


def stash_conflict(scratch):
    """Entries in conflict although no merge is in progress."""
    scratch.write("a.txt", "stashed\n")
    scratch.git("stash", "-q")
    scratch.commit("a.txt", "other\n")
    scratch.git("stash", "pop", fails=True)


def strange_names(scratch):
    """Names that look like options, patterns and separators."""
    for name in ("näme ⏺", "with space", "tab\there", "-rf", ":(glob)*", 'quo"te', "a,b", "line\nbreak"):
        scratch.write(name)
    scratch.git("add", "--", "./näme ⏺", "./-rf")


def converted(scratch):
    """Line ends that git converts, and complains about."""
    scratch.git("config", "core.autocrlf", "true")
    scratch.git("config", "core.safecrlf", "true")
    scratch.write("crlf.txt", b"a\r\nb\r\n")


def flagged(scratch):
    """Entries with flags that hide changes."""
    scratch.git("update-index", "--assume-unchanged", "a.txt")
    scratch.git("update-index", "--skip-worktree", "b.txt")
    scratch.write("a.txt", "not seen\n")


def split(scratch):
    """An index in two files."""
    scratch.git("config", "core.splitIndex", "true")
    scratch.git("update-index", "--split-index")
    dirty(scratch)


def cached(scratch):
    """An index that remembers which files are untracked."""
    scratch.git("update-index", "--force-untracked-cache")
    scratch.write("new.txt")
    scratch.git("status")


def version_4(scratch):
    """An index with compressed paths."""
    scratch.git("update-index", "--index-version", "4")
    dirty(scratch)


def failing_hooks(scratch):
    """Every hook of a commit says no."""
    for name in ("pre-commit", "commit-msg", "prepare-commit-msg", "post-commit", "reference-transaction"):
        scratch.hook(name, "exit 1")


def hanging_hooks(scratch):
    """Hooks that never end."""
    for name in ("pre-commit", "post-index-change", "reference-transaction", "post-commit"):
        scratch.hook(name, "sleep 600")


def submodule(scratch):
    """A submodule with changes in it, and commands that are to descend into it."""
    inner = Scratch(scratch.top.parent / "inner")
    inner.commit("x")
    scratch.git("-c", "protocol.file.allow=always", "submodule", "--quiet", "add", str(inner.top), "sub")
    scratch.git("commit", "-qm", "sub")
    scratch.git("config", "submodule.recurse", "true")
    scratch.write("sub/x", "changed\n")
    scratch.write("sub/y", "new\n")


SITUATIONS = {
    "clean": lambda _scratch: None,
    "staged and changed again": dirty,
    "untracked files": untracked,
    "staged rename": renamed,
    "staged deletion and a missing file": deleted,
    "intent to add": intended,
    "conflict of a stash, no merge": stash_conflict,
    "strange names": strange_names,
    "line ends converted": converted,
    "assume-unchanged and skip-worktree": flagged,
    "split index": split,
    "untracked cache": cached,
    "index version 4": version_4,
    "hooks that fail": failing_hooks,
    "hooks that hang": hanging_hooks,
    "submodule with changes": submodule,
    "detached HEAD": lambda scratch: scratch.git("checkout", "-q", "--detach"),
}


@pytest.mark.parametrize("prepare", SITUATIONS.values(), ids=SITUATIONS)
def test_our_file_is_committed_and_all_of_the_users_is_as_before(scratch, prepare):
    """One commit on top with exactly our file; index entries, staged and unstaged changes, status and files are equal."""
    prepare(scratch)
    before, parent = scratch.users(), scratch.git("rev-parse", "HEAD")
    made = commit(scratch)
    assert made == Outcome(scratch.git("rev-parse", "HEAD"), ())
    assert scratch.users() == before
    assert scratch.committed("HEAD") == [OURS]
    assert scratch.git("rev-parse", "HEAD^") == parent
    assert scratch.git("cat-file", "blob", f"HEAD:{OURS}") == "ours"
    assert scratch.git("log", "-1", "--format=%B") == MESSAGE.rstrip("\n")
    assert not list((scratch.top / ".git").rglob("*.lock"))
    assert scratch.git("fsck", "--no-dangling") == ""


def test_the_next_commit_of_the_user_keeps_our_file(scratch):
    """Were our file missing in the user's index, the user's own commit would delete it."""
    dirty(scratch)
    commit(scratch)
    scratch.git("commit", "-q", "-m", "mine")
    assert scratch.committed("HEAD") == ["a.txt"]
    assert OURS in scratch.git("ls-tree", "-r", "--name-only", "HEAD")


def test_scripts_that_trust_time_stamps_see_no_change_of_ours(scratch):
    """``git diff-files`` looks at time stamps only: ours are entered."""
    commit(scratch)
    assert scratch.git("diff-files") == ""


def test_a_branch_without_commits_gets_its_first_one(tmp_path):
    """The first commit has no parent and only our file; what was staged for the user's own first commit stays staged."""
    scratch = Scratch(tmp_path / "new")
    scratch.write("mine.txt")
    scratch.git("add", "mine.txt")
    index = scratch.staged()
    made = commit(scratch)
    assert scratch.git("rev-list", "--parents", "HEAD") == made.commit
    assert scratch.committed("HEAD") == [OURS]
    assert scratch.git("symbolic-ref", "HEAD") == "refs/heads/main"
    assert scratch.staged() == index
    assert scratch.status() == ["A  mine.txt"]


def test_a_linked_work_tree_has_its_own_index_and_branch(scratch):
    """The commit goes to the branch of this work tree; the main one does not notice."""
    linked = Scratch(scratch.top.parent / "linked tree", new=False)
    scratch.git("worktree", "add", "-q", "-b", "other", str(linked.top))
    linked.write("a.txt", "staged\n")
    linked.git("add", "a.txt")
    main, before = scratch.users(), linked.users()
    made = commit(linked)
    assert scratch.git("rev-parse", "other") == made.commit != scratch.git("rev-parse", "main")
    assert scratch.users() == main
    assert linked.users() == before


def test_a_project_that_is_a_submodule_gets_the_commit(scratch, tmp_path):
    """The repository that holds the project is the submodule's own; the one around it sees a new commit, no more."""
    outer = Scratch(tmp_path / "outer")
    outer.git("-c", "protocol.file.allow=always", "submodule", "--quiet", "add", str(scratch.top), "sub")
    outer.git("commit", "-qm", "sub")
    sub = Scratch(outer.top / "sub", new=False)
    dirty(sub)
    head, before = outer.git("rev-parse", "HEAD"), sub.users()
    made = commit(sub)
    assert sub.git("rev-parse", "HEAD") == made.commit
    assert sub.users() == before
    assert outer.git("rev-parse", "HEAD") == head
    assert (sub.top / ".git").is_file()


def test_a_project_below_the_top_of_its_repository(tmp_path):
    """Paths in the commit are the repository's; changes elsewhere in it stay as they are."""
    scratch = Scratch(tmp_path / "mono", tmp_path / "mono" / "päckages" / "my app, v2")
    scratch.commit("a.txt")
    dirty(scratch)
    before = scratch.users()
    made = commit(scratch)
    assert scratch.committed(made.commit) == [f"päckages/my app, v2/{OURS}"]
    assert scratch.users() == before


@pytest.mark.parametrize(
    "name", ["näme ⏺.md", "with space.md", ":(glob)*.md", "-rf.md", "a,b.md", 'quo"te.md', "[a]*?.md", "line\nbreak.md"]
)
def test_our_own_names_may_be_strange(scratch, name):
    """No character of a path of ours is taken for an option, a pattern or a separator."""
    scratch.commit("MEMORY-CONTEXT/sessions/other.md")
    before = scratch.users()
    made = commit(scratch, f"MEMORY-CONTEXT/sessions/{name}")
    assert scratch.committed(made.commit) == [f"MEMORY-CONTEXT/sessions/{name}"]
    assert scratch.users() == before


def test_a_name_at_the_projects_top_may_look_like_pattern_magic(scratch):
    """A leading colon is a character of the name."""
    made = commit(scratch, ":!top.md", "-top.md")
    assert scratch.committed(made.commit) == ["-top.md", ":!top.md"]
    assert scratch.status() == []


def test_what_git_keeps_in_the_index_for_speed_is_kept(scratch):
    """The user's cache of untracked files is still in the index after our entry was added."""
    cached(scratch)
    assert b"UNTR" in (scratch.top / ".git/index").read_bytes()
    assert commit(scratch).commit
    assert b"UNTR" in (scratch.top / ".git/index").read_bytes()


def test_nothing_is_fetched_into_a_partial_clone(scratch, tmp_path):
    """A partial clone names the program that fetches what it lacks; the commit needs none of that, and gets none."""
    proof = tmp_path / "ran"
    scratch.git("config", "uploadpack.allowFilter", "true")
    clone = Scratch(tmp_path / "clone", new=False)
    scratch.git("clone", "-q", "--filter=tree:0", "--no-checkout", f"file://{scratch.top}", str(clone.top))
    program = clone.script("fetch", f"touch {proof}; exit 1")
    clone.git("config", "remote.origin.uploadpack", program)
    clone.git("ls-tree", "HEAD", fails=True)
    assert proof.exists(), "the payload bites"
    proof.unlink()
    made = commit(clone)
    assert not proof.exists()
    assert made.commit is None
    assert made.notes[0].startswith("not committed: git ")


def test_a_clone_without_blobs_gets_its_commit(scratch, tmp_path):
    """The contents of the other files are not needed to build a commit beside them."""
    scratch.git("config", "uploadpack.allowFilter", "true")
    clone = Scratch(tmp_path / "clone", new=False)
    scratch.git("clone", "-q", "--filter=blob:none", "--no-checkout", f"file://{scratch.top}", str(clone.top))
    clone.git("read-tree", "HEAD")
    clone.git("remote", "set-url", "origin", "file:///nowhere")
    made = commit(clone)
    assert made.notes == ()
    assert clone.git("ls-tree", "-r", "--name-only", made.commit).split() == [OURS, "a.txt", "b.txt"]


def test_bytes_are_committed_as_they_are(scratch):
    """Neither line ends nor filters change what is in the commit."""
    scratch.git("config", "core.autocrlf", "input")
    made = commit(scratch, text=b"a\r\n\xff\0b\n")
    blob = open_repository(scratch.top).git.run("cat-file", "blob", f"{made.commit}:{OURS}")
    assert blob == b"a\r\n\xff\0b\n"


def test_a_tracked_file_of_ours_is_committed_anew(scratch):
    """A session file that grew is one of ours; a commit of the same content again is none."""
    scratch.commit("MEMORY-CONTEXT/sessions/s.md", "old\n")
    before = scratch.users()
    made = commit(scratch, "MEMORY-CONTEXT/sessions/s.md", OURS, text="new\n")
    assert scratch.committed(made.commit) == [OURS, "MEMORY-CONTEXT/sessions/s.md"]
    assert scratch.users() == before
    again = commit(scratch, "MEMORY-CONTEXT/sessions/s.md", OURS, text="new\n")
    assert again == Outcome(None, ("nothing to commit: HEAD has these files already",))
    assert scratch.git("rev-parse", "HEAD") == made.commit


@pytest.mark.parametrize(
    ("word", "other"),
    [
        ("merge", ["merge", "side"]),
        ("rebase", ["rebase", "side"]),
        ("rebase", ["rebase", "--apply", "side"]),
        ("cherry-pick", ["cherry-pick", "side"]),
        ("revert", ["revert", "HEAD~1", "HEAD~2"]),
        ("bisect", ["bisect", "start"]),
    ],
    ids=["merge", "rebase", "rebase of patches", "cherry-pick", "revert", "bisect"],
)
def test_nothing_is_committed_in_the_middle_of_something(scratch, word, other):
    """The user's operation goes on as if we had not been there."""
    if word == "revert":
        scratch.commit("a.txt", "second\n")
        scratch.commit("a.txt", "third\n")
        scratch.commit("a.txt", "fourth\n")
        scratch.git(*other, fails=True)
    else:
        conflict(scratch, other)
    before, head, index = scratch.users(), scratch.git("rev-parse", "HEAD"), (scratch.top / ".git/index").read_bytes()
    made = commit(scratch)
    assert made == Outcome(None, (f"not committed: a {word} is in progress",))
    assert scratch.git("rev-parse", "HEAD") == head
    assert (scratch.top / ".git/index").read_bytes() == index
    assert {**scratch.users(), "status": None} == {**before, "status": None}


def test_a_locked_index_is_waited_for(scratch):
    """Another git that is at work for a moment does not cost the commit."""
    lock = scratch.write(".git/index.lock", "")
    timer = threading.Timer(0.3, lock.unlink)
    timer.start()
    made = commit(scratch)
    timer.join()
    assert made.commit == scratch.git("rev-parse", "HEAD")


def test_an_index_that_stays_locked_is_left_alone(scratch, monkeypatch):
    """The wait is bounded; then there is no commit, the lock is still there, and the reason is said."""
    monkeypatch.setattr(scoped_commit, "LOCK_WAIT", 0.2)
    dirty(scratch)
    before, head = scratch.users(), scratch.git("rev-parse", "HEAD")
    scratch.write(".git/index.lock", "")
    made = commit(scratch)
    assert made.commit is None
    assert "index.lock" in made.notes[0]
    assert (scratch.top / ".git/index.lock").exists()
    (scratch.top / ".git/index.lock").unlink()
    assert scratch.git("rev-parse", "HEAD") == head
    assert scratch.users() == {**before, "status": [*before["status"], f"?? {OURS}"]}


def test_a_branch_that_stays_locked_takes_everything_back(scratch, monkeypatch):
    """Our entries leave the user's index again: a new file is untracked, a known one as in HEAD."""
    monkeypatch.setattr(scoped_commit, "LOCK_WAIT", 0.2)
    scratch.commit("MEMORY-CONTEXT/sessions/s.md", "old\n")
    dirty(scratch)
    before = scratch.users()
    scratch.write(".git/refs/heads/main.lock", "")
    made = commit(scratch, OURS, "MEMORY-CONTEXT/sessions/s.md", text="new\n")
    assert made.commit is None
    assert "cannot lock ref" in made.notes[0]
    after = scratch.users()
    ours = [" M MEMORY-CONTEXT/sessions/s.md", f"?? {OURS}"]
    assert sorted(after["status"]) == sorted([*before["status"], *ours])
    assert after["staged"] == before["staged"]
    assert after["index"] == before["index"]


def test_an_interruption_takes_everything_back(scratch, monkeypatch):
    """Ctrl-C before the branch moves leaves no entry of ours in the index."""

    def interrupted(*_arguments):
        raise KeyboardInterrupt

    monkeypatch.setattr(scoped_commit, "_move_branch", interrupted)
    dirty(scratch)
    before = scratch.users()
    with pytest.raises(KeyboardInterrupt):
        commit(scratch)
    assert scratch.users() == {**before, "status": [*before["status"], f"?? {OURS}"]}


def test_a_commit_that_came_about_is_not_taken_back(scratch, monkeypatch):
    """An interruption after the branch moved leaves our entry, as the new HEAD has the file."""
    real = scoped_commit._move_branch

    def late(*arguments):
        real(*arguments)
        raise KeyboardInterrupt

    monkeypatch.setattr(scoped_commit, "_move_branch", late)
    dirty(scratch)
    before = scratch.users()
    with pytest.raises(KeyboardInterrupt):
        commit(scratch)
    assert scratch.users() == before
    assert scratch.committed("HEAD") == [OURS]


def test_a_branch_that_moved_but_was_too_late_to_say_so_counts(scratch, monkeypatch):
    """A time-out of the last step is no failure where HEAD is our commit."""
    real = Git.run

    def slow(git, *arguments, **options):
        output = real(git, *arguments, **options)
        if arguments[0] == "update-ref":
            raise GitFailed("git update-ref took longer than 10 s")
        return output

    monkeypatch.setattr(Git, "run", slow)
    made = commit(scratch)
    monkeypatch.undo()
    assert made == Outcome(scratch.git("rev-parse", "HEAD"), ())


def test_somebody_elses_commit_in_between_is_built_upon(scratch, monkeypatch):
    """The branch is moved by compare-and-swap: the other commit stays in the history, and its file in the tree."""
    real, other = scoped_commit._build, []

    def build(*arguments):
        made = real(*arguments)
        if not other:
            other.append(scratch.commit("theirs.txt", subject="theirs"))
        return made

    monkeypatch.setattr(scoped_commit, "_build", build)
    made = commit(scratch)
    # Their plain "git commit" took our staged entry along: then there is nothing left for us to commit.
    assert made.commit is None
    assert OURS in scratch.git("ls-tree", "-r", "--name-only", "HEAD")
    assert scratch.git("rev-parse", "HEAD") == other[0]
    assert scratch.status() == []


def test_another_checkpoint_in_between_is_built_upon(scratch, monkeypatch):
    """Both commits are in the history, and both files in the index."""
    real, other = scoped_commit._build, []

    def build(*arguments):
        made = real(*arguments)
        if not other:
            other.append("")
            other[0] = commit(scratch, "MEMORY-CONTEXT/checkpoints/two.md").commit
        return made

    monkeypatch.setattr(scoped_commit, "_build", build)
    dirty(scratch)
    before = scratch.users()
    made = commit(scratch)
    assert scratch.git("rev-list", "-2", "HEAD").split() == [made.commit, other[0]]
    assert scratch.committed(made.commit) == [OURS]
    assert scratch.users() == before


@pytest.mark.parametrize("rule", ["MEMORY-CONTEXT/", "*.md", "/MEMORY-CONTEXT/checkpoints/*"])
def test_what_git_ignores_is_not_forced_in(scratch, rule):
    """The user said that these files do not belong in git."""
    scratch.commit(".gitignore", f"{rule}\n")
    before = scratch.users()
    made = commit(scratch)
    assert made == Outcome(None, (f"left out: {OURS} is ignored by git",))
    assert scratch.users() == before


def test_a_tracked_file_below_an_ignored_folder_is_not_ignored(scratch):
    """Git ignores only what it does not track yet."""
    scratch.commit("MEMORY-CONTEXT/sessions/s.md", "old\n")
    scratch.commit(".gitignore", "MEMORY-CONTEXT/\n")
    made = commit(scratch, "MEMORY-CONTEXT/sessions/s.md", OURS, text="new\n")
    assert scratch.committed(made.commit) == ["MEMORY-CONTEXT/sessions/s.md"]
    assert made.notes == (f"left out: {OURS} is ignored by git",)


@pytest.mark.parametrize("staged", ["changed", "deleted", "intended", "the same"])
def test_a_file_that_the_user_has_staged_is_the_users(scratch, staged):
    """What is staged stays staged and uncommitted, even where it is a file of ours."""
    path = "MEMORY-CONTEXT/sessions/s.md"
    if staged != "intended":
        scratch.commit(path, "old\n")
    scratch.write(path, "new\n" if staged == "the same" else "staged\n")
    scratch.git(
        *(
            ("add", "-N", path)
            if staged == "intended"
            else ("rm", "-qf", path)
            if staged == "deleted"
            else ("add", path)
        )
    )
    cached = scratch.git("diff", "--cached")
    made = commit(scratch, path, OURS, text="new\n")
    assert made.notes == (f"left out: {path} has staged changes of yours",)
    assert scratch.committed(made.commit) == [OURS]
    assert scratch.git("diff", "--cached") == cached


def test_an_entry_that_is_to_be_added_one_day_stays_one(scratch):
    """``git add -N`` of a file of the user's beside ours: ours is committed, the other has no content in the index still."""
    scratch.write("new.txt", "mine\n")
    scratch.git("add", "-N", "new.txt")
    before = scratch.git("ls-files", "--stage", "--", "new.txt")
    made = commit(scratch)
    assert scratch.committed(made.commit) == [OURS]
    assert scratch.git("ls-files", "--stage", "--", "new.txt") == before
    assert (scratch.git("status", "--porcelain"), scratch.git("diff", "--cached", "--name-only")) == (" A new.txt", "")


@pytest.mark.parametrize("where", ["the configuration", "the environment"])
def test_a_work_tree_elsewhere_gets_nothing(scratch, tmp_path, monkeypatch, where):
    """With ``core.worktree`` set to another folder there is nothing to commit here; the environment's repository is not ours."""
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    if where == "the configuration":
        scratch.git("config", "core.worktree", str(elsewhere))
        with pytest.raises(NoRepository, match="no work tree that holds the project"):
            commit(scratch)
    else:
        monkeypatch.setenv("GIT_DIR", str(elsewhere))
        monkeypatch.setenv("GIT_WORK_TREE", str(elsewhere))
        assert commit(scratch).commit
    assert list(elsewhere.iterdir()) == []


@pytest.mark.parametrize("way", ["split", "version 4", "untracked cache", "sparse"])
def test_an_index_of_every_kind_gets_our_entry_and_no_other_change(scratch, way):
    """Whatever form git keeps the index in; and what is marked in it stays marked."""
    scratch.commit("sub/c.txt")
    scratch.commit("b.txt")
    ways = {
        "split": ("update-index", "--split-index"),
        "version 4": ("update-index", "--index-version", "4"),
        "untracked cache": ("update-index", "--untracked-cache"),
        "sparse": ("sparse-checkout", "set", "--cone", "--sparse-index", "sub"),
    }
    scratch.git(*ways[way])
    scratch.git("update-index", "--assume-unchanged", "b.txt")
    before = scratch.staged()
    made = commit(scratch)
    assert scratch.committed(made.commit) == [OURS]
    assert scratch.staged() == before
    assert scratch.git("status", "--porcelain") == ""


def test_a_file_of_ours_in_conflict_is_the_users(scratch):
    """An entry with stages is nothing that we may resolve."""
    path = "MEMORY-CONTEXT/sessions/s.md"
    scratch.commit(path, "base\n")
    scratch.write(path, "stashed\n")
    scratch.git("stash", "-q")
    scratch.commit(path, "other\n")
    scratch.git("stash", "pop", fails=True)
    index = scratch.git("ls-files", "--stage")
    assert commit(scratch, path).notes == (f"left out: {path} has staged changes of yours",)
    assert scratch.git("ls-files", "--stage") == index


def test_a_required_filter_keeps_the_file_out(scratch):
    """With encryption (git-crypt) the file as it is must not be published; other files are not concerned."""
    scratch.commit(".gitattributes", "MEMORY-CONTEXT/sessions/** filter=git-crypt\n")
    scratch.git("config", "filter.git-crypt.clean", "false")
    scratch.git("config", "filter.git-crypt.required", "true")
    made = commit(scratch, "MEMORY-CONTEXT/sessions/s.md", OURS)
    assert made.notes == ("left out: MEMORY-CONTEXT/sessions/s.md needs a content filter, and checkpoints run none",)
    assert scratch.committed(made.commit) == [OURS]


@pytest.mark.parametrize("variable", ["clean", "process"])
def test_a_filter_of_a_hostile_repository_never_runs(scratch, variable):
    """Not even while git writes the user's index, where it looks into files whose time stamps are in doubt."""
    proof = scratch.top.parent / "ran"
    scratch.commit(".gitattributes", "* filter=evil\n")
    scratch.commit("doubtful")
    scratch.git("config", f"filter.evil.{variable}", scratch.script("payload", f"touch {proof}; cat"))
    scratch.write("doubtful", "TEXT\n")
    made = commit(scratch)
    assert made.commit
    assert not proof.exists()
    assert scratch.git("cat-file", "blob", f"HEAD:{OURS}") == "ours"


def test_files_that_cannot_be_ours_are_left_out(scratch, tmp_path):
    """Outside of the project, links, folders, git's own folder, other repositories: each with its reason."""
    root = scratch.project.root
    (tmp_path / "secret").write_text("secret\n")
    (root / "link").symlink_to(tmp_path / "secret")
    (root / "folder").symlink_to(tmp_path)
    scratch.write("plain/x")
    inner = Scratch(root / "inner")
    inner.commit("x")
    refused = {
        tmp_path / "secret": "lies outside the project",
        root / "folder" / "secret": "lies outside the project",
        root / "link": "is not a regular file",
        root / "plain": "is not a regular file",
        root / "missing": "is not a regular file",
        root / ".git" / "config": "lies in git's own folder",
        root / "inner" / "x": "lies in another repository",
    }
    made = commit_only(open_repository(root), root, list(refused), MESSAGE)
    assert made == Outcome(None, tuple(f"left out: {file.name} {reason}" for file, reason in refused.items()))


@pytest.mark.parametrize("swap", ["link", "pipe"])
def test_a_file_that_is_swapped_before_it_is_read_is_refused(scratch, monkeypatch, swap):
    """Between check and use a link to a secret, or a pipe that blocks, may take our file's place."""
    real = scoped_entries._listed

    def swapped(*arguments):
        found = real(*arguments)
        (scratch.top / OURS).unlink()
        if swap == "link":
            (scratch.top / OURS).symlink_to(scratch.top / "a.txt")
        else:
            os.mkfifo(scratch.top / OURS)
        return found

    monkeypatch.setattr(scoped_entries, "_listed", swapped)
    head = scratch.git("rev-parse", "HEAD")
    made = commit(scratch)
    assert made.commit is None
    assert made.notes[0].startswith("not committed: ")
    assert scratch.git("rev-parse", "HEAD") == head


def test_our_folder_is_a_file_in_the_users_index(scratch):
    """Where a staged file has the name of our folder, it is not thrown out of the index for us."""
    scratch.write("MEMORY-CONTEXT", "a file\n")
    scratch.git("add", "MEMORY-CONTEXT")
    (scratch.top / "MEMORY-CONTEXT").unlink()
    index = scratch.git("ls-files", "--stage")
    made = commit(scratch)
    assert made.commit is None
    assert "update-index" in made.notes[0]
    assert scratch.git("ls-files", "--stage") == index


def test_without_a_name_a_stand_in_signs(scratch):
    """A machine where git knows no user makes checkpoints all the same, and says so."""
    Path(os.environ["GIT_CONFIG_GLOBAL"]).unlink()
    made = commit(scratch)
    assert made.notes == ("committed under a stand-in name: git knows no user.name or user.email here",)
    expected = "export-dedup <export-dedup@localhost> export-dedup <export-dedup@localhost>"
    assert scratch.git("show", "-s", "--format=%an <%ae> %cn <%ce>", made.commit) == expected


def test_the_commit_and_the_index_survive_where_objects_cannot_be_written(scratch, monkeypatch):
    """A full disk at any step is a note; the user's side is as before."""
    real = Git.run
    for step in ("ls-files", "cat-file", "unpack-objects", "update-index", "commit-tree", "update-ref"):

        def failing(git, *arguments, step=step, **options):
            if arguments[0] == step:
                raise GitFailed(f"git {step}: fatal: No space left on device", code=128)
            return real(git, *arguments, **options)

        before, head = scratch.users(), scratch.git("rev-parse", "HEAD")
        monkeypatch.setattr(Git, "run", failing)
        made = commit(scratch)
        monkeypatch.setattr(Git, "run", real)
        assert made == Outcome(None, (f"not committed: git {step}: fatal: No space left on device",)), step
        (scratch.top / OURS).unlink(), (scratch.top / OURS).parent.rmdir(), (scratch.top / "MEMORY-CONTEXT").rmdir()
        assert scratch.users() == before, step
        assert scratch.git("rev-parse", "HEAD") == head


def test_a_commit_whose_time_stamps_could_not_be_entered_is_one(scratch, monkeypatch):
    """The last touch is a nicety: its failure is none of the checkpoint."""
    real = Git.run

    def failing(git, *arguments, **options):
        if arguments[0] == "add":
            raise GitFailed("locked")
        return real(git, *arguments, **options)

    monkeypatch.setattr(Git, "run", failing)
    made = commit(scratch)
    monkeypatch.undo()
    assert made.commit == scratch.git("rev-parse", "HEAD")
    assert scratch.status() == []


def test_a_sha256_repository(tmp_path):
    """Object names have 64 digits there; a first commit and a second one work the same way."""
    scratch = Scratch(tmp_path / "long", new=False)
    scratch.top.mkdir()
    scratch.git("init", "-q", "-b", "main", "--object-format=sha256")
    first = commit(scratch)
    second = commit(scratch, "MEMORY-CONTEXT/checkpoints/two.md")
    assert scratch.git("rev-list", "HEAD").split() == [second.commit, first.commit]
    assert len(second.commit) == 64


def test_the_wait_for_a_branch_is_bounded(scratch, monkeypatch):
    """A branch that somebody moves all the time is tried again for a bounded time only."""
    monkeypatch.setattr(scoped_commit, "LOCK_WAIT", 0.3)

    def refused(*_arguments):
        raise GitFailed(
            "git update-ref: fatal: update_ref failed: cannot lock ref 'HEAD': is at x but expected y", code=128
        )

    monkeypatch.setattr(scoped_commit, "_move_branch", refused)
    made = commit(scratch)
    assert made.commit is None
    assert "cannot lock ref" in made.notes[0]
