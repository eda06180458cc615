"""create-checkpoint.py under faults: killed, or refused something, at any system call and any call of git.

Afterwards, and after the next run, the user's staged and changed things are as before; the history, the index and the README have
whole checkpoints only, each once.
"""

from __future__ import annotations

import errno
import io
import os
import re
import shutil
import signal
import sys
import time

import pytest

from deduplication.commands import create_checkpoint
from deduplication.git.plumbing import Git, GitFailed
from faults.children import Shim, run
from scratch_repository import Scratch

pytestmark = pytest.mark.faults
EXPORT = (
    " ▐▛███▜▌   Claude Code v2.1.197\n▝▜█████▛▘  Opus 4.8\n  ▘▘ ▝▝    ~/code/tides\n\n"
    "❯ Which tide is next?\n\n⏺ The next one is the evening tide, at six o'clock, and it is a high one.\n"
)
README = "# Tides\n\nA clock.\n"
LINE = re.compile(r"^- \[.* UTC: (.*)\]\((MEMORY-CONTEXT/checkpoints/.*\.md)\)$", re.MULTILINE)


@pytest.fixture(autouse=True)
def once(backend):
    """The index plays no part in a checkpoint: one backend is enough."""
    if backend != "json":
        pytest.skip("a checkpoint does not depend on the index")


class Scene:
    """A repository with a README, staged and changed files, a session file of an earlier run, and a waiting export."""

    def __init__(self, folder):
        self.folder = folder
        self.scratch = Scratch(folder / "project", new=False)
        self._template = folder / "template"
        made = Scratch(self._template)
        made.commit("README.md", README)
        made.commit("a.txt")
        made.commit(".gitignore", "/MEMORY-CONTEXT/exports/\n")
        made.write("a.txt", "staged\n")
        made.git("add", "a.txt")
        made.write("a.txt", "staged, then changed\n")
        made.write("loose.txt")
        made.write("MEMORY-CONTEXT/exports/2026-03-04-EXPORT-TIDES.txt", EXPORT)
        self.reset()
        self.head = self.scratch.git("rev-parse", "HEAD")
        self.before = self.users()

    def reset(self):
        """Begin again."""
        shutil.rmtree(self.scratch.top, ignore_errors=True)
        shutil.copytree(self._template, self.scratch.top)

    def job(self, title="X", *more):
        """The command, in a child; what it says goes nowhere."""
        sys.stdout = sys.stderr = io.StringIO()
        return create_checkpoint.main([title, "--project", str(self.scratch.top), *more])

    def users(self):
        """What is the user's: the index but for our paths, what is staged and changed, files."""
        index = [line for line in self.scratch.staged() if "README.md" not in line]
        names = ("a.txt", ".gitignore", "loose.txt")
        differences = [self.scratch.git("diff", *how, "--", *names) for how in ((), ("--cached",))]
        return index, differences, [(self.scratch.top / name).read_bytes() for name in names]

    def documents(self):
        """The documents in the folder, by name."""
        folder = self.scratch.top / "MEMORY-CONTEXT/checkpoints"
        return {path.name: path.read_text(encoding="utf-8") for path in folder.glob("*")} if folder.is_dir() else {}

    def listed(self, text):
        """The titles that a README lists; it is the user's but for them."""
        assert text.partition("\n## Recent Checkpoints\n")[0] == README
        return [title for title, _ in LINE.findall(text)]

    def whole_or_before(self, *, killed):
        """Right after the fault: HEAD has a whole checkpoint or none, and everything of the user's is as before.

        Where git refused something for the README, it was left out, and that was said.
        """
        self.unlocked()
        assert self.users() == self.before
        self.listed((self.scratch.top / "README.md").read_text(encoding="utf-8"))
        if self.scratch.git("rev-parse", "HEAD") != self.head:
            assert self.scratch.git("rev-parse", "HEAD^") == self.head
            assert self.listed(self.scratch.git("show", "HEAD:README.md") + "\n") in (["X"], ["X"] if killed else [])

    def unlocked(self):
        """A git that a killed process had started may have been at work for a moment longer."""
        deadline = time.monotonic() + 10
        while (self.scratch.top / ".git/index.lock").exists():
            assert time.monotonic() < deadline, "a lock was left"
            time.sleep(0.01)

    def next_one_is_right(self, *, killed):
        """The next checkpoint is made, and with it each one is whole or nowhere, and stands once wherever it stands.

        A run that was not killed may have said that there is no commit, or no line; the document is there then.
        """
        assert run(lambda: self.job("Y")).value == 0
        assert self.users() == self.before
        titles = self.scratch.git("log", "--format=%s", f"{self.head}..HEAD").split("\n")
        titles = [title.replace("checkpoint: ", "") for title in titles]
        assert titles in (["Y"], ["Y", "X"])
        head, index = (self.listed(self.scratch.git("show", f"{place}:README.md") + "\n") for place in ("HEAD", ""))
        assert head == index
        assert head in (titles, titles if killed else ["Y"])
        work = (self.scratch.top / "README.md").read_text(encoding="utf-8")
        listed, documents = self.listed(work), self.documents()
        named = {target.rpartition("/")[2] for _, target in LINE.findall(work)}
        if killed:
            assert (listed, named) == (titles, set(documents))
        else:
            assert listed in (["Y"], ["Y", "X"])
            assert named <= set(documents)
            assert len(documents) <= 2
        assert all(
            text.startswith("# Checkpoint: ") and text.endswith("gives any of them back.\n")
            for text in documents.values()
        )
        left = [line for line in self.scratch.status() if not line.endswith(("a.txt", "loose.txt"))]
        if killed:  # a session file may be of a run that ended before its checkpoint
            assert [line for line in left if "MEMORY-CONTEXT/sessions/" not in line] == []
        assert not (self.scratch.project.state / "checkpoint.pending").exists()


@pytest.fixture
def scene(disk):
    """What is interrupted."""
    return Scene(disk)


class Gits:
    """Counts the calls of git in this process and acts at one of them, before it or right after it."""

    def __init__(self, at, action):
        self.at, self.action, self.count = at, action, 0
        self._real = Git.run

    def install(self):
        """Put it in place; in a child only."""
        shim = self

        def run_(git, *arguments, **options):
            shim.count += 1
            due = shim.count == shim.at
            if due and shim.action == "kill before":
                os.kill(os.getpid(), signal.SIGKILL)
            if due and shim.action == "fails":
                raise GitFailed(f"git {arguments[0]}: fatal: No space left on device", code=128)
            output = shim._real(git, *arguments, **options)
            if due and shim.action == "kill after":
                os.kill(os.getpid(), signal.SIGKILL)
            if due and shim.action == "too late":
                raise GitFailed(f"git {arguments[0]} took longer than 10 s")
            return output

        Git.run = run_
        return self


def every(scene, shim, calls):
    """Run the command with ``shim(at)`` for each ``at`` of ``calls``, until it is not reached; how often it was."""
    for at in calls:
        scene.reset()

        def job(at=at):
            installed = shim(at).install()
            code = scene.job("X")
            return code, installed.count < at

        outcome = run(job)
        assert outcome.trace == "", f"call {at}: {outcome.trace}"
        scene.whole_or_before(killed=bool(outcome.signal))
        scene.next_one_is_right(killed=bool(outcome.signal))
        if outcome.value is not None and outcome.value[1]:
            return at
    raise AssertionError("no end")


@pytest.mark.parametrize("action", ["kill before", "kill after", "fails", "too late"])
def test_each_call_of_git(scene, action, calls):
    """Killed before it, killed when it is done, refused, ended too late."""
    assert every(scene, lambda at: Gits(at, action), calls(2 if action in ("kill after", "too late") else 4)) > 20


@pytest.mark.parametrize("action", ["kill", "torn", errno.ENOSPC, errno.EIO, errno.EACCES])
def test_each_system_call(scene, action, calls):
    """Killed before or within it, or refused; a refusal is a named error or a note."""
    assert every(scene, lambda at: Shim(at, action), calls(3 if action == "kill" else 13)) > 40


@pytest.mark.parametrize("action", ["kill", errno.ENOSPC])
def test_each_system_call_where_nothing_is_committed(scene, action, calls):
    """With --no-commit a document and its line are both there, or neither is; the next run commits its own."""
    for at in calls():
        scene.reset()

        def job(at=at):
            installed = Shim(at, action).install()
            return scene.job("X", "--no-commit"), installed.count < at

        outcome = run(job)
        assert outcome.trace == "", f"call {at}: {outcome.trace}"
        assert scene.users() == scene.before
        assert run(lambda: scene.job("Y")).value == 0
        work = (scene.scratch.top / "README.md").read_text(encoding="utf-8")
        assert scene.listed(work) in (["Y"], ["Y", "X"])
        assert scene.listed(scene.scratch.git("show", "HEAD:README.md") + "\n") == ["Y"]
        named = {target.rpartition("/")[2] for _, target in LINE.findall(work)}
        assert named == set(scene.documents()) or (not outcome.signal and named < set(scene.documents()))
        if outcome.value is not None and outcome.value[1]:
            break
    assert at > 20
