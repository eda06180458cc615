"""What a run does at its end where a database has log or archive, too: what it does not have yet is sent."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ..storage.log_backed import place_of

if TYPE_CHECKING:
    from collections.abc import Callable

    from ..project.paths import Project
    from ..storage.contract import Store


def send_what_is_new(project: Project, store: Store, out: Callable[[str], None]) -> None:
    """Of a store in a folder by a process of its own, and what waits is said; of one in the database its archive, here and now."""
    place = place_of(store)
    if place is None:
        return
    from ..exchange import sending
    from ..reports import exchange as exchange_report
    from ..shared_archive import telling
    from ..shared_archive.standing import standing

    hybrid = sending.hybrid_of(store)
    if hybrid is None:
        for text in telling.after_a_run(project, place):
            out(text)
        return
    with hybrid.transaction(write=False):
        waits = sending.waits(hybrid)
    if waits.runs:
        out(exchange_report.after_a_run(waits))
    if waits.runs or standing(project).waiting:
        sending.start(hybrid)
