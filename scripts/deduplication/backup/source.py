"""What is backed up: the folders of one store, and the locks under which nothing in them changes."""

from __future__ import annotations

import contextlib
import os
from typing import TYPE_CHECKING, Final, Optional

from ..archive import drop_folder
from ..errors import StoreNotWritable
from ..files.lock_names import STATUS_LOCK
from ..files.locking import exclusive
from ..project import config, own_place
from ..project.paths import LOCK
from ..start.late_dataclass import dataclass

if TYPE_CHECKING:
    from collections.abc import Iterator

    from ..project.paths import Project

ARCHIVE: Final = "exports-archive"
STATE: Final = own_place.STATE
SETTINGS: Final = config.FILE
"""Under these names, seen from ``MEMORY-CONTEXT``, a snapshot has the store, the archive, and the project's settings."""


@dataclass(frozen=True)
class Source:
    """``state`` is the store's folder; ``memory`` the ``MEMORY-CONTEXT`` around it, ``root`` the project, where there are any.

    All are absolute and free of symbolic links.
    """

    state: str
    memory: Optional[str] = None
    root: Optional[str] = None

    @classmethod
    def of_project(cls, project: Project) -> Source:
        """Everything of a project."""
        memory, state = os.fspath(project.memory), os.fspath(project.state)
        return cls(os.path.realpath(state), os.path.realpath(memory), os.fspath(project.root))

    @classmethod
    def of_state(cls, folder: str) -> Source:
        """A store's folder alone."""
        return cls(os.path.realpath(folder))

    @property
    def archive(self) -> Optional[str]:
        """The folder of raw exports, where there is one."""
        folder = os.path.join(self.memory, ARCHIVE) if self.memory is not None else ""
        return folder if folder and os.path.isdir(folder) else None

    @property
    def settings(self) -> Optional[str]:
        """The project's file of settings, whether it exists or not."""
        return os.path.join(self.root, SETTINGS) if self.root is not None else None

    @contextlib.contextmanager
    def at_rest(self) -> Iterator[None]:
        """Hold the locks of archive, store and status log: no run adds, moves or removes anything meanwhile.

        In this order: a run that packs holds the archive and asks the store. Raises ``StoreLocked``.
        """
        paths = [drop_folder.lock_path(self.archive)] if self.archive is not None else []
        paths.append(os.path.join(self.state, LOCK))
        if self.memory is not None:
            paths.append(os.path.join(self.state, STATUS_LOCK))
        with contextlib.ExitStack() as stack:
            for path in paths:
                with contextlib.suppress(StoreNotWritable):  # nobody can write a store that is read-only
                    stack.enter_context(exclusive(path))
            yield
