"""``deduplicate_export.py status``: the last runs."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Final

from ..accounting import run_history
from ..accounting.storage_account import project_of
from ..backup import known
from ..errors import EXIT_FAILURE, EXIT_OK
from ..files import journal
from ..reports import exchange as exchange_report
from ..reports import history as history_report
from ..reports import purge as purge_report
from ..storage.log_backed import folder_place, place_of, where
from ..terminal.display import show
from ..terminal.truncation import truncate
from . import arguments as shared

if TYPE_CHECKING:
    from collections.abc import Sequence

    from ..reports.exchange import Waits
    from ..storage.contract import Store

LIMIT: Final = 10


def main(arguments: Sequence[str]) -> int:
    """Show the last runs over exports and what was captured since; raises ``StoreMissing`` where there is no store.

    1, and no run, where a purge was stopped half way: names of exports may be what it is to remove.
    """
    asked = parser().parse_args(arguments)
    dedup, folder = shared.reader(asked)
    waiting, owed = journal.unfinished(folder), known.owed(folder)
    if waiting:
        if asked.json:
            shared.print_json({"storage_dir": folder, **purge_report.left_to_do(waiting, owed)})
        else:
            show(purge_report.unfinished(waiting, owed))
        return EXIT_FAILURE
    found, before = run_history.runs(folder)
    history = history_report.History(
        runs=found[: asked.limit],
        total=len(found),
        before=before,
        unique=dedup.global_unique_count(),
        store=where(dedup.store, folder),
        report=run_history.last_report(os.path.join(os.path.dirname(folder), "export-dedup-status.txt")),
    )
    waits = _waits(dedup.store)
    of_archive = _of_archive(dedup.store, folder)
    if asked.json:
        more = {"database": exchange_report.as_dict(waits)} if waits is not None else {}
        shared.print_json({**history_report.as_dict(history), **purge_report.left_to_do(waiting, owed), **more})
    else:
        head, parts, tail = history_report.parts(history)
        if waits is not None:
            tail = f"{tail}\n{exchange_report.line(waits)}"
        tail = "\n".join([tail, *of_archive])
        if owed:
            tail = f"{tail}\n{purge_report.unfinished((), owed)}"
        note = "--limit shows fewer, --json all facts"
        show(truncate(head, parts, tail, asked.characters, lambda count: f"… {count} more runs ({note})"))
    return EXIT_OK


def _waits(store: Store) -> Waits | None:
    """What of a store a database does not have yet; None for one that no database has."""
    if folder_place(store) is None:
        return None
    from ..exchange import sending

    hybrid = sending.hybrid_of(store)
    assert hybrid is not None
    with store.transaction(write=False):
        return sending.waits(hybrid)


def _of_archive(store: Store, folder: str) -> list[str]:
    """The same of the archive."""
    project = project_of(folder)
    if place_of(store) is None or project is None:
        return []
    from ..shared_archive import telling

    return telling.lines(project)


def parser() -> shared.Parser:
    """The arguments."""
    found = shared.Parser(
        "deduplicate_export.py status",
        "Show the last runs that processed exports: when, who started them, their numbers, and what was captured from\n"
        "transcripts since. Nothing is changed.",
    )
    add = found.add_argument
    add("--limit", metavar="N", type=shared.whole_number, default=LIMIT, help=f"show N runs at most (default: {LIMIT})")
    add("--characters", metavar="N", type=shared.whole_number, help="print N characters at most, cut between runs")
    shared.add_store(found)
    add("--json", action="store_true", help="print one JSON object and nothing else")
    return found
