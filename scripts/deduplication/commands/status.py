"""``deduplicate_export.py status``: the last runs."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Final

from ..accounting import run_history
from ..backup import known
from ..errors import EXIT_FAILURE, EXIT_OK
from ..figures.counted import counted
from ..files import journal
from ..project.paths import STATUS_LOG
from ..reports import history as history_report
from ..reports import purge as purge_report
from ..terminal.display import show
from ..terminal.truncation import truncate
from . import arguments as shared
from .database.waiting import told as waiting_there

if TYPE_CHECKING:
    from collections.abc import Sequence

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
    found, before = run_history.runs(folder, dedup.store)
    limit = asked.limit if asked.limit is not None else 1 if asked.full else LIMIT
    history = history_report.History(
        runs=found[:limit],
        total=len(found),
        before=before,
        unique=dedup.global_unique_count(),
        store=dedup.store.where(),
        report=run_history.last_report(os.path.join(os.path.dirname(folder), STATUS_LOG)),
        full=run_history.reports(folder, limit) if asked.full else (),
    )
    lines, more = waiting_there(dedup.store, folder)
    if asked.json:
        shared.print_json({**history_report.as_dict(history), **purge_report.left_to_do(waiting, owed), **more})
    else:
        head, parts, tail = history_report.parts(history)
        if asked.full:
            parts = [*history.full] or [history_report.NO_REPORT]
        tail = "\n".join([tail, *lines])
        if owed:
            tail = f"{tail}\n{purge_report.unfinished((), owed)}"
        note = "--limit shows fewer, --json all facts"
        show(truncate(head, parts, tail, asked.characters, lambda count: f"… {counted(count, 'more run')} ({note})"))
    return EXIT_OK


def parser() -> shared.Parser:
    """The arguments."""
    found = shared.Parser(
        "deduplicate_export.py status",
        "Show the last runs that processed exports: when, who started them, their numbers, and what was captured from\n"
        "transcripts since. Nothing is changed.",
    )
    add = found.add_argument
    most = f"show N runs at most (default: {LIMIT}, with --full 1)"
    add("--limit", metavar="N", type=shared.whole_number, help=most)
    add("--full", action="store_true", help="show the whole report of each run, as it was printed")
    add("--characters", metavar="N", type=shared.whole_number, help="print N characters at most, cut between runs")
    shared.add_store(found)
    add("--json", action="store_true", help="print one JSON object and nothing else")
    return found
