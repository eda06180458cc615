"""Every byte of an owner's archives in a database read and hashed, and what is wrong named."""

from __future__ import annotations

import contextlib
import hashlib
import os
from typing import TYPE_CHECKING

from ..project import config
from ..storage.database.archive_tables import ArchiveTables
from . import archive_state
from .fetching import Fetcher

if TYPE_CHECKING:
    from ..project.paths import Project
    from ..storage.database.place import Place
    from .archive_state import Held


def check(project: Project | None, place: Place) -> list[str]:
    """What is damaged, a line each. ``project`` has the setting that names the team's folder. Raises ``DatabaseError``."""
    team = os.path.expanduser(config.load(os.fspath(project.root))["archive_folder"]) if project is not None else ""
    problems: list[str] = []
    with contextlib.closing(ArchiveTables(place)) as tables, tables.snapshot() as is_there:
        fetcher = Fetcher(tables, "", team)
        right: set[str] = set()
        for state in tables.states() if is_there else ():
            try:
                said = archive_state.decode(state.data)
            except ValueError as error:
                problems.append(f"archive {state.archive} in the database: {error}")
                continue
            for held in said.files:
                if held.stays or held.sha256 in right:
                    continue
                if fault := _fault(held, fetcher):
                    problems.append(f"{held.name} of the archive on {said.host}: {fault}")
                right.add(held.sha256)
    return problems


def _fault(held: Held, fetcher: Fetcher) -> str:
    digest, fault = hashlib.sha256(), ""
    for data, wrong in fetcher.parts(held):
        fault = fault or wrong
        digest.update(data)
    if not fault and digest.hexdigest() != held.sha256:
        fault = "its bytes are not those that were sent"
    return fault
