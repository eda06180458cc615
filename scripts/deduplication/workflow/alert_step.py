"""After a run: what needs attention is looked for, said, and handed to the process that sends it. No run fails for it."""

from __future__ import annotations

import contextlib
import os
import time
from typing import TYPE_CHECKING

from ..alerts import evaluation, sender
from ..alerts.alert import INFORMATION
from ..alerts.place import Place
from ..errors import DedupError
from ..project import config
from ..reports.monitoring import alerts as report
from . import status_log

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from pathlib import Path
    from typing import Any

    from ..alerts.evaluation import Change
    from ..project.client_transcripts import Transcript
    from ..project.paths import Project
    from ..storage.contract import Store


def tell(project: Project, folder: str, store: Store, out: Callable[[str], None]) -> None:
    """Look, say what is new and what is over, and begin to send it."""
    settings = config.load(os.fspath(project.root))
    if not settings["alerts"]:
        return
    try:
        _tell(project, Place(project, os.path.abspath(folder), settings, store), out)
    except DedupError:  # what cannot be noted must not cost a run that is done; it is found again by the next one
        return
    except Exception as error:  # noqa: BLE001 - nor must a mistake of ours; that one is said
        out(report.not_looked_for(f"{type(error).__name__}: {error}"))


def _tell(project: Project, place: Place, out: Callable[[str], None]) -> None:
    change = evaluation.update(place)
    note(project, change)
    raised = [each for each in change.raised if each.level != INFORMATION]
    text = report.of_a_run(raised, change.resolved, sender.obstacle(place.settings))
    if text:
        out(text)
    sender.start_where_due(place.folder, place.settings, os.fspath(project.root))


def look(
    root: Path, project: Project, settings: dict[str, Any], store: Store, transcripts: Sequence[Transcript]
) -> None:
    """The same where nobody reads along and there is time: ``transcripts`` are compared, too, and once a day the archive is read.

    ``root`` is the user's project, ``project`` where its store lies. A failure is left to the next time.
    """
    place = Place(project, os.fspath(project.state), settings, store, transcripts=transcripts, root=root, notes=True)
    with contextlib.suppress(DedupError):
        note(project, evaluation.update(place, thorough=True))
    sender.start_where_due(place.folder, settings, os.fspath(root))


def note(project: Project, change: Change) -> None:
    """A line in the status log for each alert that is more than information. Raises ``StoreNotWritable`` or ``StoreLocked``."""
    # On the user's own clock; datetime fails in a time zone that is a day ahead.
    moment = time.strftime("%Y-%m-%d %H:%M:%S")
    found = [each for each in (*change.raised, *change.resolved) if each.level != INFORMATION]
    if found and os.path.isdir(project.state):
        status_log.append_lines(project, [report.log_line(each, moment) for each in found])
