"""What is read of the repository around a project, and what it cannot make us run."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from deduplication.git.plumbing import GitFailed
from deduplication.git.repository import Change, Commit, NoRepository, Submodule, open_repository
from scratch_repository import Scratch


@pytest.fixture
def scratch(tmp_path):
    """A repository without commits."""
    return Scratch(tmp_path / "project")


def test_no_repository_is_said(tmp_path):
    """A project without git is nothing unusual."""
    with pytest.raises(NoRepository, match="this is no git repository"):
        open_repository(tmp_path)


def test_no_git_is_said(tmp_path, monkeypatch):
    """A machine without git is nothing unusual either."""
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(NoRepository, match="git is not installed"):
        open_repository(tmp_path)


def test_a_bare_repository_has_nothing_to_commit_to(tmp_path):
    """Without a work tree there is no file of ours in it."""
    Scratch(tmp_path / "x").git("init", "-q", "--bare", str(tmp_path / "bare.git"))
    with pytest.raises(NoRepository, match="no work tree"):
        open_repository(tmp_path / "bare.git")


def test_a_work_tree_that_lies_elsewhere_is_not_ours(scratch, tmp_path):
    """``core.worktree`` of a hostile repository may name any folder of the disk."""
    (tmp_path / "victim").mkdir()
    scratch.git("config", "core.worktree", str(tmp_path / "victim"))
    with pytest.raises(NoRepository, match="no work tree"):
        open_repository(scratch.root)


def test_a_broken_repository_is_a_failure_in_gits_words(tmp_path):
    """A .git file that leads nowhere is something the user wants to know of."""
    (tmp_path / ".git").write_text("gitdir: /nowhere/at/all\n", encoding="utf-8")
    with pytest.raises(GitFailed, match="nowhere/at/all"):
        open_repository(tmp_path)


def test_the_way_from_the_top_to_the_project(tmp_path):
    """In a repository of many projects our paths begin below its top."""
    scratch = Scratch(tmp_path / "mono")
    folder = scratch.top / "päckages" / "my app"
    folder.mkdir(parents=True)
    assert open_repository(folder).prefix == "päckages/my app/"
    assert open_repository(scratch.top).prefix == ""


def test_branch_head_and_commits(scratch):
    """The branch, the commit and its tree, and the last subjects, newest first and as they were written."""
    for number in range(7):
        scratch.commit(text=str(number), subject=f"subject  {number} ⏺ `x`")
    repository = open_repository(scratch.root)
    assert repository.branch() == "main"
    assert repository.head() == tuple(scratch.git("rev-parse", "HEAD", "HEAD^{tree}").split("\n"))
    day = scratch.git("show", "-s", "--format=%cd", "--date=short")
    short = scratch.git("rev-parse", "--short", "HEAD")
    commits = repository.commits(5)
    assert commits[0] == Commit(short, day, "subject  6 ⏺ `x`")
    assert [one.subject[9] for one in commits] == list("65432")


def test_an_empty_subject_is_no_stumbling_block(scratch):
    """``git commit --allow-empty-message`` makes such commits."""
    scratch.git("commit", "-q", "--allow-empty", "--allow-empty-message", "-m", "")
    assert [one.subject for one in open_repository(scratch.root).commits(5)] == [""]


def test_a_branch_without_commits(scratch):
    """A repository that was just made has a branch, and nothing on it."""
    repository = open_repository(scratch.root)
    assert repository.branch() == "main"
    assert repository.head() is None
    assert repository.commits(5) == ()


def test_a_detached_head_is_no_branch(scratch):
    """Who checked out a commit is on no branch."""
    scratch.commit()
    scratch.git("checkout", "-q", "--detach")
    assert open_repository(scratch.root).branch() is None


def test_changes_are_the_two_letters_and_the_path(scratch):
    """Renames give their new name only; names are not quoted."""
    scratch.commit("old name", "a longer text so that the rename is seen\n" * 5)
    scratch.commit("b")
    scratch.git("mv", "old name", "näme")
    scratch.write("b", "changed\n")
    scratch.write("q\nx", "new\n")
    assert set(open_repository(scratch.root).changes()) == {
        Change("R ", "näme"),
        Change(" M", "b"),
        Change("??", "q\nx"),
    }


def test_changes_of_a_folder_in_a_larger_repository(tmp_path):
    """What other projects of the repository change is not this one's business."""
    scratch = Scratch(tmp_path / "mono")
    scratch.commit()
    scratch.write("elsewhere")
    scratch.write("app/here")
    assert [change.path for change in open_repository(scratch.top / "app").changes()] == ["app/"]


@pytest.mark.parametrize("project", ["", "app"], ids=["at the top", "below it"])
def test_what_is_being_committed_is_no_change(scratch, project):
    """Ours are left out, in folders that git does not know yet too; the user's beside them and what is staged are not."""
    folder = f"{project}/" if project else ""
    for name in ("M/s/ours.md", "M/s/theirs.md", "M/c/also ours.md", "alone/x"):
        scratch.write(folder + name)
    scratch.commit(f"{folder}known.md")
    scratch.write(f"{folder}known.md", "changed\n")
    scratch.git("add", "--", str(scratch.write(f"{folder}staged.md")))
    ours = {folder + name for name in ("M/s/ours.md", "M/c/also ours.md", "known.md", "staged.md")}
    found = {(change.letters, change.path) for change in open_repository(scratch.top / project).changes(ours)}
    assert found == {("A ", f"{folder}staged.md"), ("??", f"{folder}M/s/theirs.md"), ("??", f"{folder}alone/")}


@pytest.mark.parametrize(
    ("sign", "word"),
    [
        ("MERGE_HEAD", "merge"),
        ("CHERRY_PICK_HEAD", "cherry-pick"),
        ("REVERT_HEAD", "revert"),
        ("rebase-merge/x", "rebase"),
        ("rebase-apply/x", "rebase"),
        ("sequencer/todo", "cherry-pick or revert"),
        ("BISECT_LOG", "bisect"),
    ],
)
def test_what_the_user_is_in_the_middle_of(scratch, sign, word):
    """Git's own signs, each with the word the user knows it by."""
    repository = open_repository(scratch.root)
    assert repository.operation() is None
    scratch.write(f".git/{sign}")
    assert repository.operation() == word


@pytest.mark.parametrize(
    ("name", "email", "missing"),
    [
        ("Ada", "ada@example.invalid", set()),
        ("", "ada@example.invalid", {"GIT_AUTHOR_NAME", "GIT_COMMITTER_NAME"}),
        ("Ada", "", {"GIT_AUTHOR_EMAIL", "GIT_COMMITTER_EMAIL"}),
        (None, None, {f"GIT_{role}_{part}" for role in ("AUTHOR", "COMMITTER") for part in ("NAME", "EMAIL")}),
    ],
    ids=["both", "empty name", "empty email", "none"],
)
def test_who_commits(scratch, name, email, missing):
    """What git knows is used; only what it lacks gets a stand-in."""
    Path(os.environ["GIT_CONFIG_GLOBAL"]).unlink()
    for key, value in (("name", name), ("email", email)):
        if value is not None:
            scratch.git("config", f"user.{key}", value)
    assert {variable for variable, _ in open_repository(scratch.root).identity} == missing


def test_who_commits_may_come_from_the_environment(scratch, monkeypatch):
    """GIT_AUTHOR_NAME and EMAIL count, as they do for git."""
    Path(os.environ["GIT_CONFIG_GLOBAL"]).unlink()
    scratch.git("config", "committer.name", "Bot")
    monkeypatch.setenv("GIT_AUTHOR_NAME", "Ada")
    monkeypatch.setenv("EMAIL", "ada@example.invalid")
    assert open_repository(scratch.root).identity == ()


def payloads():
    """Settings by which a repository names a program, each a list of (key, value with {} for the program)."""
    return {
        "clean filter": [("filter.evil.clean", "{}")],
        "required clean filter": [("filter.evil.clean", "{}"), ("filter.evil.required", "true")],
        "filter process": [("filter.evil.process", "{}")],
        "filter called like another setting": [("filter.evil.clean", "{}"), ("filter.evil.x.clean", "{}")],
        "file system monitor": [("core.fsmonitor", "{}")],
        "hooks folder": [("core.hooksPath", "../hooks")],
        "pager": [("core.pager", "{}"), ("pager.status", "true"), ("pager.rev-list", "true")],
        "external diff": [("diff.external", "{}"), ("diff.evil.command", "{}"), ("diff.evil.textconv", "{}")],
        "signature": [("log.showSignature", "true"), ("gpg.program", "{}"), ("commit.gpgSign", "true")],
        "editor": [("core.editor", "{}"), ("core.askPass", "{}"), ("credential.helper", "!{}")],
    }


@pytest.mark.parametrize("settings", payloads().values(), ids=payloads())
def test_reading_runs_nothing_that_the_repository_names(scratch, settings):
    """With a file whose time stamp is in doubt, which makes git look into it, no program of the repository runs."""
    proof = scratch.top.parent / "ran"
    program = scratch.script("payload", f"touch {proof}; cat")
    (scratch.top.parent / "hooks").mkdir()
    for name in ("post-index-change", "reference-transaction", "pre-commit", "fsmonitor-watchman"):
        (scratch.top.parent / "hooks" / name).symlink_to(scratch.top.parent / "project-payload")
    scratch.commit(".gitattributes", "* filter=evil diff=evil\n")
    scratch.commit("doubtful")
    for key, value in settings:
        scratch.git("config", key, value.format(program))
    scratch.write("doubtful", "TEXT\n")
    repository = open_repository(scratch.root)
    changes = repository.changes()
    repository.commits(5)
    repository.head()
    assert changes == (Change(" M", "doubtful"),)
    assert not proof.exists()


def test_the_payloads_bite(scratch):
    """Proof of the test above: plain git status does run the filter of such a file."""
    proof = scratch.top.parent / "ran"
    scratch.commit(".gitattributes", "* filter=evil\n")
    scratch.commit("doubtful")
    scratch.git("config", "filter.evil.clean", scratch.script("payload", f"touch {proof}; cat"))
    scratch.write("doubtful", "TEXT\n")
    scratch.git("status")
    assert proof.exists()


def test_a_submodule_is_not_looked_into(scratch, tmp_path):
    """Git status runs a second git in each submodule, with what that one's configuration names."""
    proof = tmp_path / "ran"
    scratch.commit()
    inner = Scratch(tmp_path / "inner")
    inner.commit()
    scratch.git("-c", "protocol.file.allow=always", "submodule", "--quiet", "add", str(inner.top), "sub")
    scratch.git("commit", "-qm", "sub")
    scratch.git("config", "core.fsmonitor", scratch.script("payload", f"touch {proof}"), cwd=scratch.top / "sub")
    (scratch.top / "sub" / "a.txt").write_text("changed\n")
    scratch.git("status")
    assert proof.exists(), "the payload bites"
    proof.unlink()
    assert open_repository(scratch.root).changes() == ()
    assert not proof.exists()


def test_a_program_that_cannot_be_switched_off_stops_everything(scratch):
    """Where the name of a filter cannot be written as an option, nothing is asked of git that could run it."""
    with open(scratch.top / ".git" / "config", "a", encoding="utf-8") as config:
        config.write('[filter "a=b"]\n\tclean = cat\n')
    with pytest.raises(GitFailed, match="cannot be switched off: a=b"):
        open_repository(scratch.root)


@pytest.mark.parametrize(
    ("value", "required"),
    [("= true", True), ("", True), ("= on", True), ("= 1", True), ("= false", False), ("= no", False), ("=", False)],
)
def test_which_filters_must_not_be_left_out(scratch, value, required):
    """Git's own spelling of yes and no; a setting without a value means yes."""
    with open(scratch.top / ".git" / "config", "a", encoding="utf-8") as config:
        config.write(f'[filter "crypt.v2"]\n\tclean = cat\n\trequired {value}\n')
    assert open_repository(scratch.root).required_filters == ({"crypt.v2"} if required else set())


def test_hooks_that_the_configuration_names_are_switched_off(scratch):
    """Newer versions of git take hooks from the configuration, which core.hooksPath does not reach."""
    scratch.git("config", "hook.linter.command", "true")
    scratch.git("config", "hook.linter.event", "reference-transaction")
    assert "hook.linter.enabled=false" in open_repository(scratch.root).git.switches


def test_submodules_are_told_without_entering_them(tmp_path):
    """Recorded and checked out commit of each; one that is not initialised, moved on, only named, or lies outside."""
    inner = Scratch(tmp_path / "inner")
    first = inner.commit("x")
    outer = Scratch(tmp_path / "outer", tmp_path / "outer" / "app")
    outer.commit("a.txt")
    assert open_repository(outer.project.root).submodules(9) == ()
    for name in ("libs/one", "two näme", "libs/three"):
        outer.git("-c", "protocol.file.allow=always", "submodule", "--quiet", "add", str(inner.top), name)
    outer.git("commit", "-qm", "submodules")
    moved = Scratch(outer.top / "two näme", new=False).commit("y")
    outer.git("submodule", "--quiet", "deinit", "-f", "libs/three")
    (outer.top / "libs/three/.git").unlink(missing_ok=True)
    with open(outer.top / ".gitmodules", "a", encoding="utf-8") as modules:
        modules.write('[submodule "a"]\n\tpath = only/named\n[submodule "b"]\n\tpath = ../inner\n')
    Scratch(outer.top / "only" / "named").write("empty")
    found = open_repository(outer.project.root).submodules(9)
    short = first[:10]
    assert found == (
        Submodule("libs/one", short, short),
        Submodule("two näme", short, moved[:10]),
        Submodule("libs/three", short, ""),
        Submodule("only/named", "", ""),
    )
    assert len(open_repository(outer.project.root).submodules(2)) == 2


@pytest.mark.parametrize("content", ["", "[core]\n\tx = 1\n", '[submodule "b"]\n\tpath = /etc\n'], ids=repr)
def test_a_file_of_submodules_without_any(tmp_path, content):
    """An empty or strange ``.gitmodules`` names none; a broken one is a failure that can be said."""
    outer = Scratch(tmp_path / "outer")
    outer.commit(".gitmodules", content)
    assert open_repository(outer.top).submodules(9) == ()
    outer.write(".gitmodules", "[broken")
    with pytest.raises(GitFailed):
        open_repository(outer.top).submodules(9)
