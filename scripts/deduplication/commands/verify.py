"""``deduplicate_export.py verify``: recount everything from the log."""

from __future__ import annotations

from typing import TYPE_CHECKING

from .. import archive_report, report, store_report
from ..archive import checking
from ..errors import EXIT_FAILURE, EXIT_OK
from ..project import find_project
from . import arguments as shared

if TYPE_CHECKING:
    from collections.abc import Sequence


def main(arguments: Sequence[str]) -> int:
    """Check every checksum, content hash and number; 0 where all is well, 1 where something is damaged."""
    parser = shared.Parser(
        "deduplicate_export.py verify",
        "Read the whole log and recount everything: every line's checksum, every message's content hash, the numbers of\n"
        "every run, and every index against what the log says. Then every byte of the archive's packs, and every file that\n"
        "can be restored from them. Nothing is changed.",
    )
    shared.add_store(parser)
    parser.add_argument("--json", action="store_true", help="print one JSON object and nothing else")
    asked = parser.parse_args(arguments)
    dedup = shared.deduplicator(asked, existing=True)
    problems = dedup.store.verify()
    checked = None if asked.storage_dir is not None else checking.check_project(find_project(asked.project))
    problems += checked.all_problems() if checked is not None else []
    if asked.json:
        import json

        print(json.dumps({"ok": not problems, "problems": problems}))
    else:
        report.show(store_report.verified(problems, "" if problems else f"{dedup.global_unique_count():,}"))
        if checked is not None:
            report.show(archive_report.checked(checked))
    return EXIT_FAILURE if problems else EXIT_OK
