"""``deduplicate_export.py upgrade``: a store of an earlier version, or of plain files, in the format of today."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from ..archive import pack_files
from ..archive import verify as checking
from ..archive.places import packs_folder
from ..errors import EXIT_FAILURE, EXIT_OK
from ..packs.pack_set import opened_packs
from ..project.config import load
from ..project.paths import find_project
from ..reports import store as store_report
from ..storage.log_backed import require_folder
from ..terminal.display import show
from . import arguments as shared

if TYPE_CHECKING:
    from collections.abc import Sequence

    from ..project.paths import Project
    from ..storage.log_backed import FolderStore


def main(arguments: Sequence[str]) -> int:
    """Convert what an earlier version wrote, then recount all; 1 where something is damaged. Killed, it is simply run again."""
    asked = parser().parse_args(arguments)
    store = require_folder(shared.deduplicator(asked, existing=True).store, "upgrade")
    project = find_project(asked.project) if asked.storage_dir is None else None
    before = _former(store, project)
    was_plain = store.is_plain
    if asked.to:
        store.leave_plain()
    store.condense()
    if project is not None:
        days = float(load(os.fspath(project.root))["pack_older_than_days"])
        pack_files.pack(project, days if days >= 0 else pack_files.DEFAULT_DAYS)
    left = _former(store, project)
    problems = store.verify()
    checked = checking.check_project(project) if project is not None else None
    problems += checked.all_problems() if checked is not None else []
    done = [name for name in before if name not in left]
    moved = was_plain and not store.is_plain
    if asked.json:
        shared.print_json({"converted": done, "left": left, "plain": store.is_plain, "problems": problems})
    else:
        show(store_report.upgraded(done, left, problems, moved=moved))
    return EXIT_FAILURE if problems else EXIT_OK


def _former(store: FolderStore, project: Project | None) -> list[str]:
    """What is of an earlier version's format, by name."""
    found = store.former_files()
    if project is not None and project.archive.is_dir():
        with opened_packs(packs_folder(project)) as packs:
            found += [each.pack.name for each in packs.members if not each.pack.header.parity]
    return found


def parser() -> shared.Parser:
    """The arguments."""
    found = shared.Parser(
        "deduplicate_export.py upgrade",
        "Write what an earlier version wrote in the format of today: sealed files of the log, the index, packs without parity.\n"
        "A run reads all of them as they are, and 'pack' does the same bit by bit; this does it at once, and recounts\n"
        "everything afterwards. Each new file is proven before the old one goes. Killed, it goes on where it was.",
    )
    shared.add_store(found)
    found.add_argument(
        "--to",
        choices=("default",),
        metavar="KIND",
        help="default: have a store of plain files (--backend json) become one like any other, whose log is compressed",
    )
    found.add_argument("--json", action="store_true", help="print one JSON object and nothing else")
    return found
