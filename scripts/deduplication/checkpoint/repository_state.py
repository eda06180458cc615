"""What a checkpoint asks of git before it is made: where the project stands, which files may be committed, which were renamed."""

from __future__ import annotations

import os
import re
from typing import TYPE_CHECKING, Final

from ..files.title_marks import without_titles
from ..git.plumbing import GitFailed
from ..git.repository import Change, Commit, Repository, Submodule, open_repository
from ..sessions.names import ENDING
from ..sessions.own_files import digits_of
from ..start.late_dataclass import replace
from ..start.late_pattern import late_pattern
from ..start.late_tuple import NamedTuple
from ..titles.slug import short
from .git_section import GitState
from .scoped_entries import _listed, _place

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from pathlib import Path

    from ..project.paths import Project

LISTED_COMMITS: Final = 5
LISTED_SUBMODULES: Final = 20
_OURS: Final = late_pattern(r"\A(checkpoint: [\d,]+ new messages?) of .*", re.DOTALL)
"""The subject of a checkpoint's commit: its titles are not listed again, where no purge would find them."""


class AskedOfGit(NamedTuple):
    """``committed`` are those of the files that a commit can have, ``renamed`` former files of sessions with another title now,
    ``moved`` the files that those have instead.
    """

    state: GitState
    committed: Sequence[Path]
    renamed: Sequence[Path] = ()
    moved: Sequence[Path] = ()


def git_of(
    repository: Repository | None, missing: str, clean: Callable[[str], str], project: Project, ours: Sequence[Path]
) -> AskedOfGit:
    """What can be read of the repository, without which ``missing`` says why there is none. ``clean`` is for foreign text.

    ``ours`` are files that the checkpoint's commit takes in: they are no changes that wait.
    """
    if repository is None:
        return AskedOfGit(GitState(missing=clean(missing)), ours)
    renamed, moved = renamed_away(project, repository) if ours else ([], [])
    state = _state(repository, clean, project, [*ours, *renamed, *moved])
    return AskedOfGit(state, _committed(repository, project.root, ours), renamed, moved)


def repository_of(root: Path) -> tuple[Repository | None, str]:
    """The repository that the project lies in; None, and why."""
    try:
        return open_repository(root), ""
    except GitFailed as error:
        return None, error.said


def _state(repository: Repository, clean: Callable[[str], str], project: Project, ours: Sequence[Path]) -> GitState:
    """What can be read of the repository; a part that cannot is left out and named. ``clean`` is for foreign text.

    ``ours`` are files that the checkpoint's commit takes in: they are no changes that wait.
    """
    unread: list[str] = []
    branch: str | None = None
    changes = None
    commits: tuple[Commit, ...] = ()
    submodules: tuple[Submodule, ...] = ()
    try:
        branch = repository.branch()
        commits = repository.commits(LISTED_COMMITS)
        changes = repository.changes({repository.prefix + project.relative(file) for file in ours})
        changes = tuple(_untitled(one, repository.prefix + project.relative(project.sessions)) for one in changes)
        submodules = repository.submodules(LISTED_SUBMODULES)
    except GitFailed as error:
        unread.append(error.said)
    return GitState(
        branch=branch,
        operation=repository.operation(),
        commits=[replace(one, subject=clean(_OURS.sub(r"\1", one.subject))) for one in commits],
        changes=changes,
        submodules=submodules,
        within=repository.prefix,
        unread=clean("; ".join(unread)),
    )


def _untitled(change: Change, sessions: str) -> Change:
    """A session file by its digits alone: its name may be made of what was purged, or will be."""
    if not change.path.startswith(f"{sessions}/"):
        return change
    digits = digits_of(os.path.basename(change.path))
    return replace(change, path=os.fsdecode(without_titles(os.fsencode(change.path), [digits] if digits else ())))


def _committed(repository: Repository, root: Path, files: Sequence[Path]) -> list[Path]:
    """As far as git's rules of what is ignored decide it; all where git cannot tell."""
    placed = {path: file for file in files for reason, path in (_place(root, file),) if not reason}
    try:
        ignored = _listed(repository, placed)[1] if placed else set()
    except GitFailed:
        return [*files]
    return [file for path, file in placed.items() if path not in ignored]


def renamed_away(project: Project, repository: Repository) -> tuple[list[Path], list[Path]]:
    """Session files that git knows and that are gone, while others of the same session are there; and those.

    None where git cannot tell: the commit says why then, if it fails, too.
    """
    try:
        listed = repository.git.run("ls-files", "-z", "--deleted", "--", project.relative(project.sessions))
    except GitFailed:
        return [], []
    names = [os.path.basename(path) for path in os.fsdecode(listed).split("\0") if path]
    if not names or not project.sessions.is_dir():
        return [], []
    there: dict[str, list[Path]] = {"": []}
    for name in sorted(os.listdir(project.sessions)):
        if name.endswith(ENDING):
            there.setdefault(digits_of(name), []).append(project.sessions / name)
    del there[""]
    found = {name: {digits_of(name), short(_former(name))} & there.keys() for name in names}
    moved = {path: None for digits in found.values() for each in digits for path in there[each]}
    return [project.sessions / name for name, digits in found.items() if digits], [*moved]


def _former(name: str) -> str:
    """The session whose file version 0.1 called so, where its id could be a name."""
    return name.partition(".part-")[0].removesuffix(ENDING)
