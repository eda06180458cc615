"""The archive that repair reads from: whether there is one, its lock, its files."""

from __future__ import annotations

import contextlib
import os
from typing import TYPE_CHECKING, Optional

from ..archive import drop_folder
from ..archive import restore as restoring
from ..errors import StoreNotWritable
from ..files import locking

if TYPE_CHECKING:
    from collections.abc import Iterator

    from ..archive.restore import ArchivedFiles
    from ..project.paths import Project


def has_archive(project: Project) -> bool:
    """Whether the project has an archive."""
    return os.path.isdir(project.archive)


@contextlib.contextmanager
def held(project: Project) -> Iterator[None]:
    """The archive's lock, where it can be had: on a medium that cannot be written nobody writes."""
    with contextlib.ExitStack() as stack:
        with contextlib.suppress(StoreNotWritable):
            stack.enter_context(locking.exclusive(drop_folder.lock_path(str(project.archive))))
        yield


@contextlib.contextmanager
def opened(project: Optional[Project]) -> Iterator[Optional[ArchivedFiles]]:
    """Every file of the archive, under its lock while the block runs; None where there is no archive."""
    if project is None or not has_archive(project):
        yield None
        return
    with restoring.opened(project) as shelf:
        yield shelf
