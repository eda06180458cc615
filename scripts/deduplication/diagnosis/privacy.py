"""Whether anything private could get, or has got, into the user's repository."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Final

from ..figures.counted import counted
from ..git.plumbing import Git, GitFailed, find_executable
from ..project.paths import MEMORY
from ..project.private_folder import PRIVATE
from .finding import LINES, NOTE, OK, PROBLEM, Finding

if TYPE_CHECKING:
    from collections.abc import Iterator

    from .finding import Subject

_PRIVATE: Final = tuple(f"{MEMORY}/{name}" for name in PRIVATE)


def findings(subject: Subject) -> Iterator[Finding]:
    """What git tracks, and what it would take."""
    executable = find_executable()
    if executable is None:
        yield Finding("git", NOTE, "not installed: checkpoints are written and not committed")
        return
    git = Git(executable, subject.project.root)
    try:
        tracked = [os.fsdecode(each) for each in git.run("ls-files", "-z", "--", *_PRIVATE).split(b"\0") if each]
    except GitFailed:
        yield Finding("git", NOTE, "the project is no repository: checkpoints are written and not committed")
        return
    if tracked:
        places = sorted(
            {place for place in _PRIVATE for name in tracked if name == place or name.startswith(f"{place}/")}
        )
        cure = f"git rm -r --cached {' '.join(places)}, then commit; what was pushed stays in the history."
        yield Finding(
            "git",
            PROBLEM,
            f"{counted(len(tracked), 'private file is', 'private files are')} tracked",
            cure,
            tuple(tracked[:LINES]),
        )
        return
    there = [name for name in _PRIVATE if os.path.exists(os.path.join(subject.root, name))]
    open_to_git = [name for name in there if not _ignored(git, name)]
    if open_to_git:
        text = f"not ignored, so that 'git add' would take it: {', '.join(open_to_git)}"
        yield Finding("git", NOTE, f"{text} (./install.sh --project DIR adds the lines to .gitignore)")
    else:
        yield Finding("git", OK, "nothing private is tracked")


def _ignored(git: Git, name: str) -> bool:
    # The store's own .gitignore ignores what is in the folder, not the folder itself.
    path = name if name.endswith(".txt") else f"{name}/x"
    try:
        # Of this command git takes no literal names; ours have nothing in them that could mean something else.
        git.run("check-ignore", "-q", "--no-index", "--", path, extra={"GIT_LITERAL_PATHSPECS": "0"})
    except GitFailed:
        return False
    return True
