"""Does git see the backup? It has a rule of its own against that, but a folder outside of every repository is the better place."""

from __future__ import annotations

import os
from pathlib import Path

from ..git.plumbing import Git, GitFailed, find_executable, work_tree_above


def notes(path: str) -> list[str]:
    """A line where the folder ``path`` (absolute) lies in a git work tree that does not ignore it."""
    place = work_tree_above(path)
    executable = find_executable() if place else None
    if executable is None:
        return []
    try:
        # This command of git refuses paths taken literally; "./" keeps a colon at the beginning from meaning anything.
        name = f"./{os.path.relpath(path, place)}"
        Git(executable, Path(place)).run("check-ignore", "--quiet", "--", name, extra={"GIT_LITERAL_PATHSPECS": "0"})
    except GitFailed as error:
        if error.code == 1:
            return [
                f"{path} lies in a git work tree that does not ignore it; only the .gitignore in it keeps it out of commits"
            ]
    return []
