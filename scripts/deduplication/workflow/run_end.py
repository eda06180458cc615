"""The end of a run: nothing shows in git, what is new is sent, failures are noted, alerts told, figures left for Prometheus."""

from __future__ import annotations

import contextlib
import os
from typing import TYPE_CHECKING

from ..errors import DedupError
from ..project import config, private_folder
from ..reports import workflow as report
from . import alert_step
from .database_step import send_what_is_new

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from ..ingest.export_file import Deduplicator
    from ..project.paths import Project
    from .options import Options
    from .steps import Steps


@contextlib.contextmanager
def ending_noted(project: Project, options: Options, dedup: Deduplicator, steps: Steps) -> Iterator[None]:
    """What ends the run in here is noted, with what had failed before. It is raised all the same."""
    try:
        yield
    except DedupError as error:
        _note(project, options, dedup, [*steps.failures, error])
        raise


def after_run(
    project: Project, options: Options, dedup: Deduplicator, steps: Sequence[Steps], out: Callable[[str], None]
) -> None:
    """What is done once ``steps`` are, of which the first one is this run: others were done with it.

    Figures are left where the settings name a place for them; that they cannot be is said, and costs nothing.
    """
    private_folder.hide_from_git(project)
    send_what_is_new(project, dedup.store, out)
    _note(project, options, dedup, [error for each in steps for error in each.failures])
    alert_step.tell(project, _state(project, options), dedup.store, out)
    if not config.load(os.fspath(project.root))["metrics_folder"]:
        return
    from ..metrics import textfile

    folder = textfile.folder_for(os.fspath(project.root))
    try:
        textfile.write(dedup, _state(project, options), folder, steps[0].storage)
    except DedupError as error:
        out(report.note(f"the figures for Prometheus were not written: {error}"))


def _note(project: Project, options: Options, dedup: Deduplicator, errors: Sequence[BaseException]) -> None:
    if errors:
        from ..metrics.operations import note_failures

        note_failures(dedup.store, _state(project, options), errors)


def _state(project: Project, options: Options) -> str:
    return options.elsewhere or os.fspath(project.state)
