"""The lists of several machines in one folder: which files the archive took in, and which of them are not what was exported."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from ..archive import copies, inventory, present, purged_files
from ..files import atomic
from ..project.paths import PURGED_FILES

if TYPE_CHECKING:
    from ..project.paths import Project
    from ..storage.log_backed import LogBackedStore


def take_in(store: LogBackedStore, project: Project) -> list[str]:
    """Have in the archive's lists what the copies of them say; their paths. Under the archive's lock.

    A file that is nowhere here is lost, or has not come yet. Where something was purged it may have gone with that instead.
    """
    state, archive, paths = os.fspath(project.state), os.fspath(project.archive), copies.of_lists(project)
    if not paths:
        return []
    named: list[list[bytes]] = []
    for path in paths:
        with atomic.open_regular(path) as file:
            lines = file.readlines()
        if os.path.basename(path).startswith(os.path.splitext(PURGED_FILES)[0]):
            purged_files.add(archive, *purged_files.parsed(lines).values())
        else:
            named.append(lines)
    with store.transaction(write=False):
        purged = any(store.conversation(name).purged for name in store.conversations())
    there = present.packed(project) | present.plain(project)
    have = inventory.load(state, archive)
    told = [each for each in inventory.told_by(named) if each.key not in have.files]
    inventory.add(project, [each for each in told if each.sha256 in there or not purged])
    return paths
