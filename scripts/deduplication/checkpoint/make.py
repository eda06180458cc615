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
from ..project import config
from ..redaction import redact as privacy
from ..start.late_dataclass import dataclass, replace
from . import completed_tasks, readme_file, recovery
from .document import message, readme_line, render, slug
from .document_file import _failed, folder_of, free_moment, make_folders, real, write
from .recovery import Unfinished
from .repository_state import git_of, repository_of
from .scoped_commit import commit_only, refresh
from .session_titles import NOBODY, Named

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from pathlib import Path

    from ..git.repository import Repository
    from ..project.paths import Project

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
    named: Named = NOBODY,
) -> Checkpoint:
    """Write a checkpoint document and commit it with the README's line and ``paths``, the run's session files.

    ``asked_for``: a person wanted this very checkpoint: it has a line in the README unless that is turned off. One that a run
    makes by itself has none unless it is turned on.
    ``named`` is what the run's sessions are called, whose titles lead the commit and the document.
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
        repository, missing = repository_of(project.root)
        recovery.recover(project, repository)
        try:
            told = dict(runs or {})
            made = _create(
                project, description, paths, figures, settings, clean, repository, missing, told, named, commit=commit
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
            recovery.recover(project, repository_of(project.root)[0])


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
    named: Named,
    *,
    commit: bool,
) -> Checkpoint:
    files = [file for file in dict.fromkeys(paths) if not _is_private(project, file)]
    git = git_of(repository, missing, clean, project, files if commit else [])
    state, moment = git.state, free_moment(folder_of(project), datetime.now(timezone.utc))
    tasks = completed_tasks.completed(project, clean)
    text = render(description, moment, project, state, figures, tasks, git.committed if commit else files, named)
    data = clean(text).encode("utf-8", "backslashreplace")
    document = folder_of(project) / f"{moment:%Y-%m-%dT%H-%M-%SZ}-{slug(description)}.md"
    shown = project.relative(document)
    line = readme_line(description, moment, shown)
    edits = readme_file.edits(project, line) if settings["readme_checkpoints"] and not state.operation else []
    edited = [project.relative(edit.path) for edit in edits]
    going = Unfinished(shown, sha256(data).hexdigest(), line, edited, runs=runs)
    _begin(project, going)
    write(project, document, data)
    if not commit or repository is None:
        reason = "not committed, as asked" if not commit else f"not committed: {missing}"
        return Checkpoint(document, None, reason, next(iter(readme_file.apply(edits, [])), None))
    outcome = commit_only(
        repository,
        project.root,
        [document, *dict.fromkeys((*files, *git.moved))],
        clean(message(description, figures, shown, named)),
        edits=edits,
        gone=git.renamed,
        hooks=bool(settings["commit_hooks"]),
        sign=bool(settings["commit_signing"]),
        entering=lambda own, edited: _begin(
            project, replace(going, own=own, readmes=[project.relative(path) for path in edited])
        ),
    )
    notes = [f"left out: {file.name} is private" for file in dict.fromkeys(paths) if file not in files]
    notes += outcome.notes
    notes += ["HEAD is detached: the commit is on no branch"] * (outcome.commit is not None and state.branch is None)
    written = readme_file.apply([edit for edit in edits if edit.path in outcome.edited], notes)
    refresh(repository, project.root, written)
    return Checkpoint(document, outcome.commit, "; ".join(notes), next(iter(written), None))


def _begin(project: Project, one: Unfinished) -> None:
    try:
        recovery.begin(project, one)
    except StoreNotWritable as error:
        raise _failed(project, error) from error


def _is_private(project: Project, file: Path) -> bool:
    """True for what lies in the store or the archive: never committed, whoever asks."""
    resolved = real(file)
    private = (real(project.state), real(project.archive))
    return any(folder in (resolved, *resolved.parents) for folder in private)
