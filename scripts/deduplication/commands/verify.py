"""``deduplicate_export.py verify``: recount everything from the log, say what damage costs, and prove what was not changed."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ..alerts import evaluation
from ..archive import verify as checking
from ..backup import known
from ..errors import EXIT_FAILURE, EXIT_OK
from ..project.paths import find_project
from ..repair import log_against_archive
from ..reports import (
    archive as archive_report,
)
from ..reports import (
    chain as chain_report,
)
from ..reports import (
    purge as purge_report,
)
from ..reports import (
    repair as repair_report,
)
from ..reports import (
    store as store_report,
)
from ..reports import (
    workflow as report,
)
from ..shared_archive import checking as shared_checking
from ..storage.log_backed import require_log
from . import arguments as shared

if TYPE_CHECKING:
    from collections.abc import Sequence


def main(arguments: Sequence[str]) -> int:
    """Check every checksum, content hash and number; 0 where all is well, 1 where something is damaged."""
    asked = parser().parse_args(arguments)
    dedup = shared.deduplicator(asked, existing=True)
    store = require_log(dedup.store, "verify")
    folder = store.in_folder()
    waiting, owed = known.unfinished(folder.folder) if folder is not None else ((), ())
    if waiting:
        # Whoever opens it finishes it; this command only looks, and of half a purge nothing can be recounted.
        if asked.json:
            shared.print_json({"ok": False, **purge_report.left_to_do(waiting, owed)})
        else:
            report.show(purge_report.unfinished(waiting, owed))
        return EXIT_FAILURE
    project = find_project(asked.project) if asked.storage_dir is None else None
    problems, chain = store.verified(asked.since or "")
    checked = checking.check_project(project) if project is not None else None
    problems += checked.all_problems() if checked is not None else []
    if folder is None and store.place is not None:
        problems += shared_checking.check(project, store.place)
    findings = log_against_archive.findings_of(folder, project, problems, chain) if folder is not None else []
    if folder is not None:
        evaluation.note_verified(folder.folder, [*problems, *(each.fault for each in findings if not problems)])
    proven = not chain.wanted or chain.vouches()
    ok = not problems and not findings
    if asked.json:
        files = {
            "missing": [each.as_dict() for each in checked.missing] if checked is not None else [],
            "given_up": [each.as_dict() for each in checked.given_up] if checked is not None else [],
            "unsure": [each.as_dict() for each in checked.unsure] if checked is not None else [],
        }
        figures = {"problems": problems, "costs": repair_report.as_data(findings)}
        figures.update(chain_report.as_data(chain))
        shared.print_json({"ok": ok and proven, **figures, **files, **purge_report.left_to_do(waiting, owed)})
    else:
        unique = f"{dedup.global_unique_count():,}" if ok else ""
        report.show(store_report.verified(problems, unique, repair_report.costs(findings, named=bool(problems))))
        if checked is not None:
            report.show(archive_report.checked(checked))
        if owed:
            report.show(purge_report.unfinished((), owed))
        if chain.wanted:
            report.show(chain_report.since(chain))
        if ok and chain.head.run:
            report.show(chain_report.head(chain))
    return EXIT_OK if ok and proven else EXIT_FAILURE


def parser() -> shared.Parser:
    """The arguments."""
    found = shared.Parser(
        "deduplicate_export.py verify",
        "Read the whole log and recount everything: every line's checksum, every message's content hash, the numbers of\n"
        "every run, and every index against what the log says. Then every byte of the archive's packs, every file that can\n"
        "be restored from them, and the list of what was archived. Says what each damage costs, which files are missing, and\n"
        "where 'repair' would take them from. Nothing is changed.\n"
        "The last lines name the head of the log, a hash that vouches for every byte before it: keep it elsewhere.",
    )
    shared.add_store(found)
    found.add_argument(
        "--since",
        metavar="HASH",
        type=shared.head_digits,
        help="prove that all is what it was when verify named this head (its first 16 digits at least), or end with 1",
    )
    found.add_argument("--json", action="store_true", help="print one JSON object and nothing else")
    return found
