"""A checkpoint: one document that says where the project stands, and one commit of only our own files.

The document is written first and whole. git comes after it and may fail, be missing or be busy: then the checkpoint
exists all the same, and its note says why there is no commit. How the commit leaves the user's index and work tree
alone is told in ``checkpoint/scoped_commit.py``. What must not be shared is redacted in all of it (``redaction/redact.py``).
"""

from __future__ import annotations

import contextlib
import os
from datetime import datetime, timezone
from hashlib import sha256
from typing import TYPE_CHECKING, Any, Final, Optional

from ..errors import DedupError, StoreNotWritable
from ..files import journal
from ..files.locking import exclusive
from ..git.plumbing import GitFailed
from ..git.repository import Commit, Repository, Submodule, open_repository
from ..project import config
from ..redaction import redact as privacy
from ..start.late_dataclass import dataclass, replace
from . import completed_tasks, readme_file, recovery
from .document import message, readme_line, render, slug
from .document_file import _failed, folder_of, free_path, make_folders, real, write
from .git_section import GitState
from .recovery import Unfinished
from .scoped_commit import commit_only, refresh

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from pathlib import Path

    from ..project.paths import Project

LISTED_COMMITS: Final = 5
LISTED_SUBMODULES: Final = 20
LOCK: Final = "checkpoint.lock"


@dataclass(frozen=True)
class Checkpoint:
    """What was made: the document, the commit's full name (None where there is none), and what else to know."""

    document: Path
    commit: str | None
    note: str
    """One line; it is never empty where there is no commit."""
    readme: Optional[Path] = None
    """The README that has a line for it now."""


def create(
    project: Project,
    description: str,
    *,
    paths: Sequence[Path] = (),
    figures: Mapping[str, Any] | None = None,
    commit: bool = True,
    asked_for: bool = True,
    runs: Mapping[str, Any] | None = None,
) -> Checkpoint:
    """Write a checkpoint document and commit it with the README's line and ``paths``, the run's session files.

    ``asked_for``: a person wanted this very checkpoint: it has a line in the README unless that is turned off. One that a run
    makes by itself has none unless it is turned on.
    ``figures`` is the run as its ``--json`` output has it. ``runs``: it is the checkpoint of these other runs as well, which
    wait for it (:mod:`.files.turn`), and are told so however this process ends. Files that git ignores, that the user has
    staged, that lie elsewhere or in the private store are left out of the commit, and the note says so. Raises
    :class:`CheckpointFailed` where the document cannot be written, ``PrivacySettingInvalid`` where nobody can tell what
    may be shared; no failure of git is raised.
    """
    settings = config.load(os.fspath(project.root))
    listed = settings["readme_checkpoints"]
    settings = {**settings, "readme_checkpoints": asked_for if listed == config.COMMAND else listed}
    rules = privacy.policy(settings)

    def clean(text: str) -> str:
        return privacy.redact(text, rules)[0]

    description = clean(description)
    make_folders(project)
    journal.recover(str(project.state))
    # Two checkpoints at once would both begin with the same README.
    with exclusive(str(project.state / LOCK)):
        repository, missing = _repository(project.root)
        recovery.recover(project, repository)
        try:
            told = dict(runs or {})
            made = _create(
                project, description, paths, figures, settings, clean, repository, missing, told, commit=commit
            )
        except BaseException:
            with contextlib.suppress(DedupError, OSError):
                recovery.recover(project, repository)
            raise
        with contextlib.suppress(StoreNotWritable):
            recovery.tell(project, told, made.commit, made.note)
            recovery.forget(project, project.relative(made.document))
        return made


def settle(project: Project) -> None:
    """Set right what a run left that was killed within its checkpoint, if one was; the runs that waited for it are told."""
    if recovery.is_pending(project):
        with exclusive(str(project.state / LOCK)):
            recovery.recover(project, _repository(project.root)[0])


def _create(
    project: Project,
    description: str,
    paths: Sequence[Path],
    figures: Mapping[str, Any] | None,
    settings: Mapping[str, Any],
    clean: Callable[[str], str],
    repository: Repository | None,
    missing: str,
    runs: Mapping[str, Any],
    *,
    commit: bool,
) -> Checkpoint:
    files = [file for file in dict.fromkeys(paths) if not _is_private(project, file)]
    ours = files if commit else []
    state = _state(repository, clean, project, ours) if repository else GitState(missing=clean(missing))
    moment = datetime.now(timezone.utc)
    text = render(description, moment, project, state, figures, completed_tasks.completed(project, clean), files)
    data = clean(text).encode("utf-8", "backslashreplace")
    document = free_path(folder_of(project), f"{moment:%Y-%m-%dT%H-%M-%SZ}-{slug(description)}")
    shown = project.relative(document)
    line = readme_line(description, moment, shown)
    edits = readme_file.edits(project, line) if settings["readme_checkpoints"] and not state.operation else []
    going = Unfinished(
        shown, sha256(data).hexdigest(), line, [project.relative(edit.path) for edit in edits], runs=runs
    )
    _begin(project, going)
    write(project, document, data)
    if not commit or repository is None:
        reason = "not committed, as asked" if not commit else f"not committed: {missing}"
        return Checkpoint(document, None, reason, next(iter(readme_file.apply(edits, [])), None))
    notes = [f"left out: {file.name} is private" for file in dict.fromkeys(paths) if file not in files]
    outcome = commit_only(
        repository,
        project.root,
        [document, *files],
        clean(message(description, figures, shown)),
        edits=edits,
        hooks=bool(settings["commit_hooks"]),
        sign=bool(settings["commit_signing"]),
        entering=lambda own, edited: _begin(
            project, replace(going, own=own, readmes=[project.relative(path) for path in edited])
        ),
    )
    notes += outcome.notes
    if outcome.commit and state.branch is None:
        notes.append("HEAD is detached: the commit is on no branch")
    written = readme_file.apply([edit for edit in edits if edit.path in outcome.edited], notes)
    refresh(repository, project.root, written)
    return Checkpoint(document, outcome.commit, "; ".join(notes), next(iter(written), None))


def _begin(project: Project, one: Unfinished) -> None:
    try:
        recovery.begin(project, one)
    except StoreNotWritable as error:
        raise _failed(project, error) from error


def _repository(root: Path) -> tuple[Repository | None, str]:
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
        submodules = repository.submodules(LISTED_SUBMODULES)
    except GitFailed as error:
        unread.append(error.said)
    return GitState(
        branch=branch,
        operation=repository.operation(),
        commits=[replace(one, subject=clean(one.subject)) for one in commits],
        changes=changes,
        submodules=submodules,
        within=repository.prefix,
        unread=clean("; ".join(unread)),
    )


def _is_private(project: Project, file: Path) -> bool:
    """True for what lies in the store or the archive: never committed, whoever asks."""
    resolved = real(file)
    private = (real(project.state), real(project.archive))
    return any(folder in (resolved, *resolved.parents) for folder in private)
