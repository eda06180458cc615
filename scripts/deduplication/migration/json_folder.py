"""A folder of JSON files that is migrated: a store of ours, or a state folder of the original project."""

from __future__ import annotations

import contextlib
import json
import os
from typing import TYPE_CHECKING, Any, Optional

from ..files import atomic
from ..original.entries import POOL
from ..original.state import OriginalState, read_state
from ..project.paths import LOG_NAME
from ..storage import open_in_folder
from ..storage.log.sealed_files import FOLDER as SEALED

if TYPE_CHECKING:
    from contextlib import AbstractContextManager

    from ..storage.log_backed import FolderStore

_OURS = b'"crc32"'
"""In every line of our own log, and in none of the original project's."""


class JsonFolder:
    """The folder at ``path``; it is not changed."""

    def __init__(self, path: str) -> None:
        self.path = path

    @property
    def log(self) -> str:
        """The path of its log."""
        return os.path.join(self.path, LOG_NAME)

    def has_log(self) -> bool:
        """Whether there is anything to migrate."""
        return any(os.path.lexists(os.path.join(self.path, name)) for name in (LOG_NAME, SEALED, POOL.file))

    def is_original(self) -> bool:
        """Whether the original project wrote it."""
        try:
            with atomic.open_regular(self.log) as file:
                line = file.readline()
        except OSError:
            line = b""
        return (bool(line.strip()) and _OURS not in line) or os.path.lexists(os.path.join(self.path, POOL.file))

    def original(self) -> Optional[OriginalState]:
        """What the original project wrote; None where it did not."""
        return read_state(self.path) if self.is_original() else None

    def store(self) -> FolderStore:
        """The store of ours in it."""
        return open_in_folder(self.path)

    def held(self) -> AbstractContextManager[object]:
        """Nobody of ours writes meanwhile."""
        return contextlib.nullcontext() if self.is_original() else self.store().locked_log()

    def read(self, name: str) -> Optional[dict[str, Any]]:
        """One of its small files; None where it is missing or cannot be read."""
        try:
            with atomic.open_regular(os.path.join(self.path, name)) as file:
                found = json.loads(file.read())
        except (OSError, ValueError, RecursionError):
            return None
        return found if isinstance(found, dict) else None
