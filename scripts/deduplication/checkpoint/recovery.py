"""What a checkpoint that was cut off left, set right by the next one: done to its end where it was committed, else undone.

A document, the user's index, a branch and the README cannot change in one instant. So before the first of them changes a
record of what is meant to happen lies in the store's folder; it goes when all of them have. Whoever finds one knows
that its process was killed in between. Only what is exactly as we left it is undone.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
import time
from typing import TYPE_CHECKING, Any, Final

from ..errors import CheckpointFailed, DedupError
from ..files import atomic, beneath, turn
from ..git.plumbing import GitFailed
from ..start.late_dataclass import asdict, dataclass, field, replace
from . import readme_file
from .scoped_commit import LOCK_WAIT, refresh, take_back
from .scoped_entries import Own, in_head

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    from ..git.repository import Repository
    from ..project.paths import Project

NAME: Final = "checkpoint.pending"
_POLL: Final = 0.1


@dataclass(frozen=True)
class Unfinished:
    """A checkpoint on its way: its document (from the project) and that one's SHA-256, the README's line.

    ``readmes`` are the files that are to get the line in the work tree, ``own`` what was about to enter the user's index.
    ``runs`` are the runs that wait for it (:mod:`.files.turn`) by name, with what each is to be told beside the commit.
    """

    document: str
    sha256: str
    line: str
    readmes: Sequence[str] = ()
    own: Sequence[Own] = ()
    runs: Mapping[str, Any] = field(default_factory=dict)


def tell(project: Project, runs: Mapping[str, Any], commit: str | None, note: str) -> None:
    """The checkpoint of these runs is made. Raises ``StoreNotWritable``: it must not be forgotten then.

    A run that is not told would make it a second time; as long as it is not forgotten, the next turn tells it.
    """
    for name, told in runs.items():
        if isinstance(told, dict):
            turn.give(os.fspath(project.state), name, {**told, "commit": commit, "note": note})


def is_pending(project: Project) -> bool:
    """Whether a checkpoint is under way, or was when its process was killed."""
    return os.path.lexists(project.state / NAME)


def begin(project: Project, one: Unfinished) -> None:
    """Before anything changes: remember ``one``, or what is known of it by now. Raises ``StoreNotWritable``."""
    _write(project, [*(each for each in _read(project) if each.document != one.document), one])


def forget(project: Project, document: str) -> None:
    """All of it happened, or was taken back: there is nothing to set right."""
    left = [each for each in _read(project) if each.document != document]
    with contextlib.suppress(DedupError):  # what stays is looked at once more, and found to be done
        _write(project, left)


def recover(project: Project, repository: Repository | None) -> None:
    """Set right what was left. What git does not let us touch now is left for the next time. Call it under the lock."""
    atomic.remove_temporaries(str(project.memory), (".gitignore",))  # see project/private_folder.py; git would show it
    found = _read(project)
    if not found:
        return
    atomic.remove_temporaries(str(project.checkpoints))
    for one in found:
        with contextlib.suppress(DedupError, OSError):
            _recover(project, repository, one)
            forget(project, one.document)


def _recover(project: Project, repository: Repository | None, one: Unfinished) -> None:
    readmes = [project.root / readme for readme in one.readmes]
    for readme in readmes:
        readme_file.remove_temporaries(readme)
    if repository is not None and one.document in in_head(repository, [one.document]):
        failures: list[str] = []
        written = readme_file.apply([readme_file.edit(readme, one.line) for readme in readmes], failures)
        if failures:
            raise CheckpointFailed(failures[0])
        refresh(repository, project.root, written)
        if one.runs:
            tell(project, one.runs, repository.last_commit_of(one.document), "")
    elif one.own or not any(readme_file.has(readme, one.line) for readme in readmes):
        # Else no commit was wanted, and the line, which comes last, is there.
        if repository is not None and one.own:
            _take_back(repository, one.own)
        _remove(project.root / one.document, one.sha256)


def _take_back(repository: Repository, own: Sequence[Own]) -> None:
    """What is ours in the user's index; the git that a killed process had started may still be at work on it."""
    deadline = time.monotonic() + LOCK_WAIT
    while True:
        try:
            take_back(repository, own)
        except GitFailed as error:
            if "index.lock" not in error.said or time.monotonic() >= deadline:
                raise
            time.sleep(_POLL)
        else:
            return


def _remove(document: Path, sha256: str) -> None:
    """The document, where it is ours to the byte, or nothing yet."""
    try:
        with atomic.open_regular(str(document)) as file:
            data = file.read()
    except OSError:
        return
    if not data or hashlib.sha256(data).hexdigest() == sha256:
        beneath.unlink(document)


def _read(project: Project) -> list[Unfinished]:
    try:
        with atomic.open_regular(str(project.state / NAME)) as file:
            found = [Unfinished(**each) for each in json.loads(file.read())]
        if not all(isinstance(one.runs, dict) for one in found):
            return []
        return [replace(one, own=[Own(**dict(each)) for each in one.own]) for one in found]  # type: ignore[call-overload]
    except (OSError, ValueError, TypeError, RecursionError):
        return []


def _write(project: Project, found: Sequence[Unfinished]) -> None:
    path = str(project.state / NAME)
    if found:
        atomic.replace(path, json.dumps([asdict(one) for one in found]).encode())
    else:
        with atomic.write_errors(path), contextlib.suppress(FileNotFoundError):
            beneath.unlink(path)
