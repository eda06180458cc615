"""Where the store of an event's project is: in the project once it opted in, else the user's own."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

from ..project.paths import LOG_NAME, Project
from ..start.late_tuple import NamedTuple
from . import quick


class StoreLocation(NamedTuple):
    """``root`` is the user's project; ``project`` is where the store, the archive and the reports lie."""

    root: Path
    project: Project
    opted_in: bool


def location_of(payload: dict[str, Any], *, user_store: bool) -> StoreLocation | None:
    """The place for an event; None where the project did not opt in and the user's own store is turned off."""
    cwd = payload.get("cwd")
    root = quick.project_root(os.environ.get("CLAUDE_PROJECT_DIR") or (cwd if isinstance(cwd, str) else ""))
    if quick.opted_in(root):
        return StoreLocation(Path(root), Project(Path(root)), opted_in=True)
    if not user_store or not os.path.isdir(root):
        return None
    return StoreLocation(Path(root), Project(Path(quick.user_store(root))), opted_in=False)


def store_of(project: Project) -> tuple[Path, bool]:
    """The folder of the store that has what was captured of a project, and whether it is in the user's own store.

    The project's own folder wherever it opted in, or where there is nothing else.
    """
    own = Project(Path(quick.user_store(str(project.root)))).state
    elsewhere = not quick.opted_in(str(project.root)) and own.is_dir()
    return (own if elsewhere else project.state), elsewhere


def stored_at(project: Project) -> Project:
    """Where the archive, the reports and the store of a project lie: itself, or its place in the user's own store."""
    state, elsewhere = store_of(project)
    return Project(state.parent.parent) if elsewhere else project


def left_behind(root: Path) -> str:
    """The folder of the user's own store that has what was said in a project before it opted in; empty where there is none."""
    if not quick.opted_in(str(root)):
        return ""
    own = Project(Path(quick.user_store(str(root)))).state
    return str(own) if os.path.isfile(own / LOG_NAME) else ""


def bundle() -> str:
    """The folder that has ``scripts`` and ``hooks``: the plugin's root, or ``.coditect`` of the project."""
    return os.path.dirname(os.path.dirname(os.path.dirname(os.path.dirname(os.path.realpath(__file__)))))


def own_stores() -> list[str]:
    """The folders of every store in the user's own store."""
    base = Path(quick.user_store("x")).parent
    return sorted(str(found) for found in base.glob("*/MEMORY-CONTEXT/dedup_state"))
