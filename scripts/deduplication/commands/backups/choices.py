"""Which store is meant, and how long snapshots stay: what the options of ``backup`` come to."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING

from ...backup.source import Source
from ...errors import UsageError
from ...project import config
from ...project.paths import Project, find_project

if TYPE_CHECKING:
    import argparse


def source(asked: argparse.Namespace) -> Source:
    """The store: the one named, the project's, or what the user's own store has of the project."""
    if asked.storage_dir is not None:
        return Source.of_state(asked.storage_dir)
    from ...hooks.store_location import store_of

    project = find_project(asked.project)
    state, own = store_of(project)
    return Source.of_project(Project(Path(os.path.realpath(state)).parents[1]) if own else project)


def days(asked: argparse.Namespace) -> float:
    """Days after which a snapshot may go; below 0: never. Raises ``UsageError`` for what is no number."""
    if asked.retention_days is None:
        return float(config.load(os.fspath(find_project(asked.project).root))["backup_retention_days"])
    try:
        found = float(asked.retention_days)
    except ValueError:
        found = float("nan")
    if not abs(found) < 1e6:
        raise UsageError("--retention-days takes a number of days")
    return found
