"""The project's README in the work tree: which file it is, and a checkpoint's line put into it."""

from __future__ import annotations

import os
import re
import stat
from typing import TYPE_CHECKING

from ..errors import DedupError
from ..files import atomic, beneath
from ..files.safe_read import read
from .readme_entry import with_entry
from .scoped_entries import Edit

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from ..project.paths import Project


def edits(project: Project, line: str) -> list[Edit]:
    """The change to the project's README; none where there is no README in Markdown."""
    try:
        names = sorted(name for name in os.listdir(project.root) if name.lower() == "readme.md")
    except OSError:
        return []
    path = project.root / names[0] if names else None
    if path is None or path.is_symlink() or not path.is_file():
        return []
    return [edit(path, line)]


def edit(path: Path, line: str) -> Edit:
    """The change that puts ``line`` into the README at ``path``."""
    return Edit(path, lambda data: with_entry(data, line))


def apply(changes: Sequence[Edit], notes: list[str]) -> list[Path]:
    """Make the edits in the work tree, each to what the file is there; the files that were written. A failure is a note."""
    written = []
    for change in changes:
        try:
            data, _ = read(change.path)
            changed = change.change(data)
            if changed is not None:
                atomic.replace(str(change.path), changed, mode=stat.S_IMODE(change.path.stat().st_mode))
                written.append(change.path)
        except (DedupError, OSError) as error:
            notes.append(f"{change.path.name} could not be written: {error}")
    return written


def has(path: Path, line: str) -> bool:
    """Whether the README at ``path`` has the line."""
    try:
        return line.encode("utf-8", "backslashreplace") in path.read_bytes()
    except OSError:
        return False


def remove_temporaries(path: Path) -> None:
    """Delete what a killed ``atomic.replace`` left beside the README at ``path``, and nothing else of that folder."""
    form = re.compile(re.escape(path.name) + r"\.\d+\.tmp")
    for name in os.listdir(path.parent):
        if form.fullmatch(name):
            beneath.unlink(path.parent / name)
