"""Where session files lie, and whether a conversation has one: the folder, made where it is missing."""

from __future__ import annotations

import contextlib
import os
from pathlib import Path
from typing import TYPE_CHECKING, Final

from ..errors import SessionNotWritten
from ..files import beneath

if TYPE_CHECKING:
    from ..project.paths import Project
    from ..storage.contract import Store

_MEMORY_MODE: Final = 0o700
_FOLDER_MODE: Final = 0o755


def prepared_folder(project: Project) -> str:
    """The folder, made where it is missing; its real path. Raises :class:`SessionNotWritten`."""
    try:
        for made, mode in ((project.memory, _MEMORY_MODE), (project.sessions, _FOLDER_MODE)):
            with contextlib.suppress(FileExistsError):
                beneath.mkdir(made, mode)
            if project.root not in real_path(made).parents:
                raise SessionNotWritten(f"{project.relative(made)} leads outside the project")
        if not os.path.isdir(project.sessions):
            raise SessionNotWritten(f"{project.relative(project.sessions)} is no folder")
    except OSError as error:
        raise SessionNotWritten(f"{project.relative(project.sessions)}: {error.strerror or error}") from error
    return str(real_path(project.sessions))


def is_purged(store: Store, session: str) -> bool:
    """True where nothing but tombstones is left of a conversation: then it has no file. Inside a transaction."""
    conversation = store.conversation(session)
    return bool(conversation.purged) and len(conversation.purged) == len(conversation.columns)


def real_path(path: Path) -> Path:
    """Where ``path`` leads."""
    return Path(os.path.realpath(path))
