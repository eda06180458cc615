"""An exchange by somebody who does it beside something else: what came of it as lines, and never an error."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from ..errors import DedupError
from ..reports import shared_archive as report
from . import fetched_folder
from .exchange import exchange
from .standing import standing

if TYPE_CHECKING:
    from ..project.paths import Project
    from ..storage.database.place import Place
    from .exchange import Sent


def after_a_run(project: Project, place: Place) -> list[str]:
    """Send what is new. A failure is said, and costs nothing: the next run sends it."""
    try:
        return told(exchange(project, place))[1:]
    except DedupError as error:
        return [report.failed(str(error), error.hint)]


def told(sent: Sent) -> list[str]:
    """What an exchange did; from the second line on what somebody should know even if he did not ask."""
    lines = [report.done(sent.files, sent.size, sent.removed)]
    if sent.stays:
        lines.append(report.stays(len(sent.stays), sum(held.size for held in sent.stays)))
    return [*lines, *map(report.problem, sent.problems)]


def after_a_purge(project: Project, place: Place) -> list[str]:
    """Have what was purged from the archive purged from the database's as well; what is left to do, a line each."""
    fetched_folder.keep_only(os.fspath(project.archive), ())
    try:
        sent = exchange(project, place)
    except DedupError as error:
        return [report.purge_waits(str(error))]
    return sent.problems + ([report.others(sent.others)] if sent.others else [])


def lines(project: Project) -> list[str]:
    """What waits, and what stays here, in lines."""
    waits, stays, _ = state(project)
    return [each for each in (report.line(waits), stays) if each]


def state(project: Project) -> tuple[str, str, bool]:
    """What waits, what stays here (empty: nothing), and whether anything does."""
    now = standing(project)
    stays = report.stays(now.stays, now.stays_size) if now.stays else ""
    return report.state(now.waiting, now.size, now.at, now.failure, now.failed_at), stays, bool(now.waiting)
