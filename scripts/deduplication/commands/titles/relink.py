"""``deduplicate_export.py relink``: what the user's own store has of a project that was moved or renamed."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING

from ...errors import EXIT_OK, StoreMissing, UsageError
from ...exchange.into_folder import unite
from ...files import atomic, beneath, locking
from ...hooks import quick
from ...project.paths import LOCK, Project, find_project, is_store
from ...reports import sessions as session_report
from ...storage.log_backed import require_folder
from ...terminal.display import show
from .. import arguments as shared

if TYPE_CHECKING:
    from collections.abc import Sequence

    from ...storage.log_backed import FolderStore


def main(arguments: Sequence[str]) -> int:
    """Move it, or have the project's store take it in. Raises ``StoreMissing``, and the ``StoreError`` family."""
    asked = parser().parse_args(arguments)
    project = find_project(asked.new or asked.project)
    named = shared.store_folder(asked) if asked.storage_dir is not None else ""
    if named and not is_store(named):
        raise StoreMissing(named)
    root = os.path.abspath(os.path.expanduser(asked.old))
    old, new = (Path(quick.user_store(each)) for each in (os.path.realpath(root), str(project.root)))
    if old == new:
        raise UsageError(f"{asked.old} is where the project is")
    if not is_store(str(Project(old).state)):
        hint = "OLD is the folder of the project as it was called before. A project's own MEMORY-CONTEXT moves along with it."
        raise StoreMissing(str(Project(old).state), hint=hint)
    if named or quick.opted_in(str(project.root)) or os.path.lexists(new):
        kept = named or str((project if quick.opted_in(str(project.root)) else Project(new)).state)
        runs = unite(_store(kept), str(Project(old).state)).runs
        told = {"from": str(old), "to": kept, "moved": False, "runs": runs}
    else:
        _move(old, new)
        told = {"from": str(old), "to": str(Project(new).state), "moved": True, "runs": 0}
    if asked.json:
        shared.print_json(told)
    else:
        show(session_report.relinked(told))
    return EXIT_OK


def _store(folder: str) -> FolderStore:
    from ...ingest.deduplicator import ClaudeConversationDeduplicator

    return require_folder(ClaudeConversationDeduplicator(folder).store, "what the project had before")


def _move(old: Path, new: Path) -> None:
    """The whole folder, with archive and reports; whoever is at work in it is waited for."""
    with locking.exclusive(str(Project(old).state / LOCK)), atomic.write_errors(str(new)):
        beneath.replace(old, new)
        atomic.sync_directory(str(new.parent))


def parser() -> shared.Parser:
    """The arguments."""
    found = shared.Parser(
        "deduplicate_export.py relink",
        "Keep what your own store has of a project that was moved or renamed: it is kept under the path that the project had.\n"
        "It is moved to the new path; where the project has a store already, that one takes it in, each message once, and the\n"
        "old one stays until you delete it. What a project keeps in its own MEMORY-CONTEXT moves along with it.",
    )
    found.add_argument("old", metavar="OLD", help="the folder that the project was in")
    found.add_argument("new", metavar="NEW", nargs="?", help="the folder that it is in (default: the project)")
    shared.add_storage(found)
    found.add_argument("--json", action="store_true", help="print one JSON object and nothing else")
    return found
