"""The file of a checkpoint's document: its folders, a name that is free, written once and never over another one."""

from __future__ import annotations

import contextlib
import os
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Final

from ..errors import CheckpointFailed, StoreNotWritable
from ..files import atomic, beneath
from ..project.own_place import IGNORES_ALL

if TYPE_CHECKING:
    from datetime import datetime

    from ..project.paths import Project

_PRIVATE: Final = 0o700
"""Of ``MEMORY-CONTEXT/`` where this makes it: exports and the store will lie in it."""
_SHARED: Final = 0o755
_SPELT: Final = "2026-03-04T10-00-00Z"
"""How the name of a document begins."""


def make_folders(project: Project) -> None:
    """The folders of a checkpoint, none of them outside of the project. Raises :class:`CheckpointFailed`."""
    folder = project.checkpoints
    try:
        for made, mode in ((project.memory, _PRIVATE), (folder, _SHARED), (project.state, _PRIVATE)):
            with contextlib.suppress(FileExistsError):
                beneath.mkdir(made, mode)
            if project.root not in real(made).parents:
                raise CheckpointFailed(f"{project.relative(made)} leads outside the project")
        ignore = project.state / ".gitignore"
        if not os.path.lexists(ignore):
            atomic.replace(str(ignore), IGNORES_ALL, durable=False)
    except (StoreNotWritable, OSError) as error:
        raise _failed(project, error) from error


def folder_of(project: Project) -> Path:
    """The folder of the documents without links. Raises :class:`CheckpointFailed` where it leads out of the project by now."""
    found = real(project.checkpoints)
    if project.root not in found.parents:
        raise CheckpointFailed(f"{project.relative(project.checkpoints)} leads outside the project")
    return found


def write(project: Project, path: Path, data: bytes) -> None:
    """A new document; one that exists is never touched. Raises :class:`CheckpointFailed`."""
    try:
        os.close(beneath.open_file(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, atomic.SHARED_FILE))
        try:
            atomic.replace(str(path), data, mode=atomic.SHARED_FILE)
        except BaseException:
            with contextlib.suppress(OSError):
                beneath.unlink(path)
            raise
    except (StoreNotWritable, OSError) as error:
        raise _failed(project, error) from error


def _failed(project: Project, error: StoreNotWritable | OSError) -> CheckpointFailed:
    cause = error.__cause__ if isinstance(error, StoreNotWritable) else error
    reason = (cause.strerror if isinstance(cause, OSError) else "") or str(error)
    return CheckpointFailed(f"{project.relative(project.checkpoints)}: {reason}")


def free_moment(folder: Path, moment: datetime) -> datetime:
    """``moment``, or the first second after it in which no document there was made: so they sort by name in the order of time.

    Call it under the lock.
    """
    taken: set[str] = set()
    with contextlib.suppress(OSError):  # which the document meets as well, and says
        taken = {name[: len(_SPELT)] for name in os.listdir(folder)}
    while f"{moment:%Y-%m-%dT%H-%M-%SZ}" in taken:
        moment += timedelta(seconds=1)
    return moment


def real(path: Path) -> Path:
    """``path`` without symbolic links; unlike ``Path.resolve`` it stands a link that leads to itself."""
    return Path(os.path.realpath(path))
