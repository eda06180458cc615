"""``deduplicate_export.py rebuild``: make every index anew from the log."""

from __future__ import annotations

from typing import TYPE_CHECKING

from .. import report, store_report
from ..archive import checking
from ..errors import EXIT_FAILURE, EXIT_OK
from ..project import find_project
from . import arguments as shared

if TYPE_CHECKING:
    from collections.abc import Sequence


def main(arguments: Sequence[str]) -> int:
    """Rebuild; 0 where the store verifies afterwards, 1 where damage remains."""
    parser = shared.Parser(
        "deduplicate_export.py rebuild",
        "Delete nothing, keep the log, and make every index anew from it. A log line in which a single bit was flipped\n"
        "is set right; what cannot be set right is named.",
    )
    shared.add_store(parser)
    parser.add_argument("--json", action="store_true", help="print one JSON object and nothing else")
    asked = parser.parse_args(arguments)
    dedup = shared.deduplicator(asked, existing=True)
    found = dedup.store.rebuild()
    if asked.storage_dir is None:
        found += checking.rebuild_project(find_project(asked.project))
    remaining = dedup.store.verify()
    if asked.json:
        import json

        print(json.dumps({"ok": not remaining, "found": found, "remaining": remaining}))
    else:
        report.show(store_report.rebuilt(found, remaining))
    return EXIT_FAILURE if remaining else EXIT_OK
