"""After the five steps: where a database has log or archive, too, what waits is sent."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ..storage.log_backed import place_of

if TYPE_CHECKING:
    from collections.abc import Callable

    from ..project.paths import Project
    from ..storage.contract import Store


def run(project: Project, store: Store, out: Callable[[str], None]) -> None:
    """Do it, or begin it where a folder has it all meanwhile, and say what waits."""
    place = place_of(store)
    if place is None:
        return
    from ..exchange import sending
    from ..reports import exchange as report
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
        out(report.after_a_run(waits))
    if waits.runs or standing(project).waiting:
        sending.start(hybrid)
