"""``deduplicate_export.py repair``: make whole what is damaged, and name what cannot be."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

from ..errors import EXIT_FAILURE, EXIT_OK, UsageError
from ..metrics import operations
from ..project.paths import find_project
from ..repair import examine, outcome, shared_copies
from ..repair import repair as whole
from ..reports import repair as repair_report
from ..reports import workflow as report
from ..storage.audit_entries import REPAIR
from ..storage.log_backed import require_folder, require_log
from . import arguments as shared

if TYPE_CHECKING:
    from collections.abc import Sequence


def main(arguments: Sequence[str]) -> int:
    """Repair; 0 where everything is whole afterwards, 1 where something is lost for good."""
    asked = parser().parse_args(arguments)
    store = require_log(shared.deduplicator(asked, existing=True).store, "repair")
    project = find_project(asked.project) if asked.storage_dir is None else None
    if project is None:
        require_folder(store, "repair")  # else the archive is in the project, wherever the log lies
    if asked.dry_run and asked.accept_lost:
        raise UsageError("--accept-lost changes something, and --dry-run nothing")
    if asked.dry_run:
        with shared_copies.opened(project, store.place, keep=False) as copies:
            done = outcome.Repaired(examine.examine(store, project, copies))
            done.notes += copies.notes()
    else:
        began = time.monotonic()
        done = whole.repair(store, project, accept_lost=asked.accept_lost)
        counts = {"damages": len(done.findings), "lost": len(done.lost()), "remaining": len(done.remaining)}
        operations.note(store, REPAIR, began, **counts)
    if asked.json:
        gone = repair_report.as_data(done.lost())
        mended = repair_report.as_data([each for each in done.findings if each not in done.lost()])
        figures = {"repaired": mended, "lost": gone, "quarantined": done.quarantined, "remaining": done.remaining}
        figures["notes"] = done.notes
        figures["made_again"] = {"runs": done.made, "proven": done.proven}
        figures["given_up"] = [each.as_dict() for each in done.given_up]
        shared.print_json({"ok": not gone and not done.remaining, **figures})
    elif asked.dry_run:
        report.show(repair_report.planned(done.findings, done.notes))
    else:
        report.show(repair_report.repaired(done))
    return EXIT_FAILURE if done.lost() or done.remaining else EXIT_OK


def parser() -> shared.Parser:
    """The arguments."""
    found = shared.Parser(
        "deduplicate_export.py repair",
        "Set single flipped bits right; take damaged lines of the log from the archived exports, images from transcripts,\n"
        "damaged files of the archive from whatever else has their bytes, a database for one. What is damaged is copied into\n"
        "a folder 'quarantine' first. Every loss is named. Of a store that lies in a database it is the archive alone.",
    )
    shared.add_store(found)
    found.add_argument(
        "--accept-lost",
        action="store_true",
        help="note archived files that are gone and that nothing has as known to be lost, and have runs before which the log "
        "was changed go on from what is there: 'verify' names them no more",
    )
    found.add_argument("--dry-run", action="store_true", help="say what would be done, and change nothing")
    found.add_argument("--json", action="store_true", help="print one JSON object and nothing else")
    return found
