"""Copies of an archive's packs and lists that something left beside them which synchronises folders between machines."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from ..packs.pack_copies import copies_in
from ..project.paths import LISTED, LISTED_COPY, PURGED_FILES
from ..storage.log import log_copies
from .places import packs_folder

if TYPE_CHECKING:
    from ..project.paths import Project


def of_packs(project: Project) -> list[str]:
    """The paths of copies of packs and of their indexes."""
    folder = packs_folder(project)
    return [os.path.join(folder, name) for name in copies_in(folder)]


def of_lists(project: Project) -> list[str]:
    """The paths of copies of the list of archived files, and of the note of what was purged in them."""
    places = ((project.state, LISTED), (project.archive, LISTED_COPY), (project.archive, PURGED_FILES))
    return [os.path.join(folder, name) for folder, of in places for name in log_copies.copies_in(str(folder), of)]
