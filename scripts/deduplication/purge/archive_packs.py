"""The packs of a project's archive while a purge works on it, under the archive's lock."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from ..archive import drop_folder
from ..archive.places import packs_folder
from ..errors import StoreDamaged
from ..files import journal
from ..files.locking import exclusive
from ..packs.pack_set import Packs

if TYPE_CHECKING:
    import contextlib

    from ..project.paths import Project


def opened(stack: contextlib.ExitStack, project: Project | None, *, dry_run: bool) -> Packs | None:
    """The packs of the project's archive under its lock; None where there is no archive."""
    if project is None or not os.path.isdir(project.archive):
        return None
    if dry_run:
        lock = drop_folder.lock_path(str(project.archive))
        if os.path.lexists(lock):
            stack.enter_context(exclusive(lock))
        if journal.waits(str(project.state), journal.ARCHIVE):
            raise StoreDamaged(
                "a purge was stopped half way",
                hint="Run it again, or any other command that writes: it is finished then.",
            )
    else:
        stack.enter_context(drop_folder.opened(project))
    packs = Packs(packs_folder(project))
    stack.callback(packs.close)
    return packs


def reopened(project: Project | None) -> Packs | None:
    """The packs as the purge left them; None where there is no archive."""
    return Packs(packs_folder(project)) if project is not None and os.path.isdir(project.archive) else None
