"""``deduplicate_export.py rebuild``: make every index anew from the log, or a new store from the archived files."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

from ..archive import verify as checking
from ..errors import EXIT_FAILURE, EXIT_OK, UsageError
from ..metrics import operations
from ..project.paths import find_project
from ..repair import rebuild_from_archive
from ..reports import repair as repair_report
from ..reports import store as store_report
from ..reports import workflow as report
from ..storage import audit_entries
from . import arguments as shared

if TYPE_CHECKING:
    import argparse
    from collections.abc import Sequence


def main(arguments: Sequence[str]) -> int:
    """Rebuild; 0 where the store verifies afterwards, 1 where damage remains."""
    asked = parser().parse_args(arguments)
    if asked.from_exports:
        return _from_archive(asked)
    if asked.into is not None or asked.yes:
        raise UsageError("--into and --yes go with --from-exports")
    dedup, began = shared.deduplicator(asked, existing=True), time.monotonic()
    found = dedup.store.rebuild()
    remaining = dedup.store.verify()
    if asked.storage_dir is None:
        project = find_project(asked.project)
        found += checking.rebuild_project(project)
        checked = checking.check_project(project)
        remaining += checked.all_problems() if checked is not None else []
    operations.note(dedup.store, audit_entries.REBUILD, began, found=len(found), remaining=len(remaining))
    if asked.json:
        shared.print_json({"ok": not remaining, "found": found, "remaining": remaining})
    else:
        report.show(store_report.rebuilt(found, remaining))
    return EXIT_FAILURE if remaining else EXIT_OK


def parser() -> shared.Parser:
    """The arguments."""
    found = shared.Parser(
        "deduplicate_export.py rebuild",
        "Delete nothing, keep the log, and make every index anew from it. A log line in which a single bit was flipped\n"
        "is set right; what cannot be set right is named. With --from-exports a new store is made of every archived file.",
    )
    shared.add_store(found)
    found.add_argument("--from-exports", action="store_true", help="make a new store from every archived file")
    found.add_argument("--into", metavar="DIR", help="with --from-exports: where (default: a folder beside the store)")
    found.add_argument(
        "--yes", action="store_true", help="with --from-exports: in the place of a store whose log is gone"
    )
    found.add_argument("--json", action="store_true", help="print one JSON object and nothing else")
    return found


def _from_archive(asked: argparse.Namespace) -> int:
    """A new store; 1 where the old one had something that no archived file has, or a file could not be processed."""
    if asked.storage_dir is not None:
        raise UsageError(
            "--from-exports takes the archive of a project", hint="Pass --project, and --into for the folder."
        )
    if asked.into is not None and (asked.yes or not asked.into):
        raise UsageError("--into names a folder, and does not go with --yes")
    began = time.monotonic()
    done = rebuild_from_archive.rebuild_from_archive(
        find_project(asked.project), asked.backend, into=asked.into, in_place=asked.yes
    )
    figures = {"files": done.files, "messages": done.unique, "missing": len(done.missing), "failed": len(done.failures)}
    audit_entries.note_in_folder(done.folder, audit_entries.REBUILD, began, from_exports=True, **figures)
    ok = not done.missing and not done.failures
    if asked.json:
        shared.print_json(
            {
                "ok": ok,
                "folder": done.folder,
                "moved": done.moved,
                "files": done.files,
                "unique": done.unique,
                "missing": [each._asdict() for each in done.missing],
                "failed": [{"name": name, "error": error} for name, error in done.failures],
            }
        )
    else:
        report.show(repair_report.rebuilt(done))
    return EXIT_OK if ok else EXIT_FAILURE
