"""After the five steps: where a database has the log, too, what waits is sent, by a process of its own."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ..storage.log_backed import folder_place

if TYPE_CHECKING:
    from collections.abc import Callable

    from ..storage.contract import Store


def run(store: Store, out: Callable[[str], None]) -> None:
    """Begin it, and say what waits."""
    if folder_place(store) is None:
        return
    from ..exchange import sending
    from ..reports import exchange as report

    hybrid = sending.hybrid_of(store)
    assert hybrid is not None
    with hybrid.transaction(write=False):
        waits = sending.waits(hybrid)
    if waits.runs:
        out(report.after_a_run(waits))
        sending.start(hybrid)
