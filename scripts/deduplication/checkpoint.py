"""A checkpoint: one document that says where the project stands, and one commit of only our own files.

The document is written first and whole. git comes after it and may fail, be missing or be busy: then the checkpoint
exists all the same, and its note says why there is no commit. How the commit leaves the user's index and work tree
alone is told in ``own_commit.py``.
"""

from __future__ import annotations

import contextlib
import os
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from . import atomic
from .checkpoint_document import GitState, message, render, slug
from .errors import CheckpointFailed, StoreNotWritable
from .git import GitFailed
from .own_commit import commit_only
from .repository import Commit, Repository, open_repository

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from .project import Project

LISTED_COMMITS: Final = 5
_MEMORY_MODE: Final = 0o700
"""Of ``MEMORY-CONTEXT/`` where this makes it: exports and the store will lie in it."""
_FOLDER_MODE: Final = 0o755


@dataclass(frozen=True)
class Checkpoint:
    """What was made: the document, the commit's full name (None where there is none), and what else to know."""

    document: Path
    commit: str | None
    note: str
    """One line; it is never empty where there is no commit."""


def create(
    project: Project,
    description: str,
    *,
    paths: Sequence[Path] = (),
    figures: Mapping[str, Any] | None = None,
    commit: bool = True,
) -> Checkpoint:
    """Write a checkpoint document and commit it together with ``paths``, files of ours below the project.

    ``figures`` is the run as its ``--json`` output has it. Files that git ignores, that the user has staged, that lie
    elsewhere or in the private store are left out of the commit, and the note says so. Raises
    :class:`CheckpointFailed` where the document cannot be written; no failure of git is raised.
    """
    from datetime import datetime, timezone

    repository, missing = _repository(project.root)
    state = _state(repository) if repository else GitState(missing=missing)
    moment = datetime.now(timezone.utc)
    text = render(description, moment, project, state, figures)
    document = _write(project, f"{moment:%Y-%m-%dT%H-%M-%SZ}-{slug(description)}", text)
    if not commit:
        return Checkpoint(document, None, "not committed, as asked")
    if repository is None:
        return Checkpoint(document, None, f"not committed: {missing}")
    notes = [f"left out: {file.name} is private" for file in paths if _is_private(project, file)]
    files = [document, *(file for file in paths if not _is_private(project, file))]
    outcome = commit_only(repository, project.root, list(dict.fromkeys(files)), message(description, figures))
    notes += outcome.notes
    if outcome.commit and state.branch is None:
        notes.append("HEAD is detached: the commit is on no branch")
    return Checkpoint(document, outcome.commit, "; ".join(notes))


def _repository(root: Path) -> tuple[Repository | None, str]:
    try:
        return open_repository(root), ""
    except GitFailed as error:
        return None, error.said


def _state(repository: Repository) -> GitState:
    """What can be read of the repository; a part that cannot is left out and named."""
    unread: list[str] = []
    branch: str | None = None
    changes = None
    commits: tuple[Commit, ...] = ()
    try:
        branch = repository.branch()
        commits = repository.commits(LISTED_COMMITS)
        changes = repository.changes()
    except GitFailed as error:
        unread.append(error.said)
    return GitState(
        branch=branch,
        operation=repository.operation(),
        commits=commits,
        changes=changes,
        within=repository.prefix,
        unread="; ".join(unread),
    )


def _is_private(project: Project, file: Path) -> bool:
    """True for what lies in the store or the archive: never committed, whoever asks."""
    resolved = _real(file)
    private = (_real(project.state), _real(project.archive))
    return any(folder in (resolved, *resolved.parents) for folder in private)


def _real(path: Path) -> Path:
    """``path`` without symbolic links; unlike ``Path.resolve`` it stands a link that leads to itself."""
    return Path(os.path.realpath(path))


def _write(project: Project, stem: str, text: str) -> Path:
    """A new document in ``checkpoints/``; one that exists is never touched. Raises :class:`CheckpointFailed`."""
    folder = project.checkpoints
    try:
        for made, mode in ((project.memory, _MEMORY_MODE), (folder, _FOLDER_MODE)):
            with contextlib.suppress(FileExistsError):
                os.mkdir(made, mode)
            if project.root not in _real(made).parents:
                raise CheckpointFailed(f"{project.relative(made)} leads outside the project")
        path = _reserved(_real(folder), stem)
        try:
            atomic.replace(str(path), text.encode("utf-8", "backslashreplace"), mode=atomic.SHARED_FILE)
        except BaseException:
            with contextlib.suppress(OSError):
                path.unlink()
            raise
    except (StoreNotWritable, OSError) as error:
        cause = error.__cause__ if isinstance(error, StoreNotWritable) else error
        reason = (cause.strerror if isinstance(cause, OSError) else "") or str(error)
        raise CheckpointFailed(f"{project.relative(folder)}: {reason}") from error
    return path


def _reserved(folder: Path, stem: str) -> Path:
    """A new, empty file of that name; where it exists, with the suffix -2, -3 and so on."""
    number = 1
    while True:
        path = folder / (f"{stem}.md" if number == 1 else f"{stem}-{number}.md")
        try:
            os.close(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, atomic.SHARED_FILE))
        except FileExistsError:
            number += 1
        else:
            return path
