"""What lies in the folder of an archive: its packs, and the plain files of exports that are young."""

from __future__ import annotations

import contextlib
import os
from pathlib import Path
from typing import TYPE_CHECKING

from ..errors import UnsafePath
from ..files import folder_swap
from ..packs.pack_names import FOLDER
from ..project.paths import QUARANTINE
from .own_files import is_ours

if TYPE_CHECKING:
    from ..project.paths import Project


def packs_folder(project: Project) -> str:
    """Where a project's packs lie. Raises :class:`UnsafePath` where a link is in its place."""
    return packs_in(os.fspath(project.archive))


def packs_in(archive: str) -> str:
    """The same for the folder of an archive."""
    folder = os.path.join(archive, FOLDER)
    if os.path.islink(folder):
        raise UnsafePath(f"{folder} is a symbolic link", hint="Make it a folder of the project.")
    return folder_swap.current(folder)


def quarantine_of(project: Project) -> str:
    """Where a project's archive keeps what is damaged, or was taken in."""
    return os.path.join(project.archive, QUARANTINE)


def plain_files(project: Project) -> list[tuple[Path, os.stat_result]]:
    """The plain files of the archive, by name; no link among them, and nothing of ours."""
    return plain_in(os.fspath(project.archive))


def plain_in(archive: str) -> list[tuple[Path, os.stat_result]]:
    """The same for the folder of an archive."""
    found: list[tuple[Path, os.stat_result]] = []
    with contextlib.suppress(FileNotFoundError), os.scandir(archive) as entries:
        found = [
            (Path(entry.path), entry.stat(follow_symlinks=False))
            for entry in entries
            if entry.is_file(follow_symlinks=False) and not is_ours(entry.name)
        ]
    return sorted(found, key=lambda each: each[0].name)
