"""Step 4 of a run, or of several that are done together: their session files, and one checkpoint that tells of all of them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple, Optional

from ..accounting.store_totals import totals
from ..checkpoint.run_figures import RunFigures
from ..checkpoint.session_titles import named
from ..errors import DedupError
from ..figures.counted import counted
from ..project.config import EACH, OFF
from ..reports import workflow as report
from .options import DESCRIPTION

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from pathlib import Path

    from ..ingest.export_file import Deduplicator
    from ..project.paths import Project
    from .options import Options
    from .steps import Steps


class Made(NamedTuple):
    """The checkpoint: its commit's full name (None where there is none), and what else to know."""

    commit: Optional[str]
    note: str


class CheckpointStep:
    """The step for ``runs``, each with something to tell of. ``make`` makes the checkpoint (:func:`checkpoint.make.create`)."""

    def __init__(
        self,
        project: Project,
        options: Options,
        dedup: Deduplicator,
        runs: Sequence[Steps],
        make: Callable[..., Any] | None,
    ) -> None:
        self._project, self._options, self._dedup, self._runs, self._make = project, options, dedup, runs, make
        self._paths: list[Path] = []
        self._said: list[tuple[Steps, str]] = []

    def write_session_files(self) -> None:
        """The files of the sessions that each run stored something of. What keeps one from being written is a problem of its run.

        Before anything is archived: what was stored a moment ago is read from the open part of the log for much less than later.
        """
        if self._options.session_files == OFF:
            return
        from ..reports import sessions as session_report
        from ..sessions.for_a_run import files_for_a_run

        each = self._options.session_files == EACH
        for run in self._runs:
            try:
                files = files_for_a_run(self._project, self._dedup, run.sessions, each_checkpoint=each)
            except DedupError as error:
                run.problems.append(error)
                self._said.append((run, report.checkpoint_failed(str(error), error.hint)))
            else:
                self._paths += files.paths
                self._said.append((run, session_report.in_a_run(files.shown, files.untouched)))

    def run(self, told: Callable[[Sequence[Steps]], Mapping[str, Any]]) -> Made:
        """Say what became of the session files, and have the checkpoint made. Raises what keeps it from being made.

        ``told`` gives what those runs are to be told beside the commit that wait for it in other processes, by name.
        """
        for run, text in self._said:
            run.out(text)
        make = self._make
        if make is None:
            from functools import partial

            from ..checkpoint import make as checkpoint

            make = partial(checkpoint.create, asked_for=False)
        figures = _together([each.result().as_dict() for each in self._runs])
        figures["cumulative"] = totals(self._dedup.store, self._runs[0].result().storage)
        others = told(self._runs)
        more: dict[str, Any] = {"runs": others} if others else {}
        description = self._options.description
        told_of = RunFigures.of(figures)
        if told_of is not None:
            lead = description == DESCRIPTION and told_of.new > 0
            more["named"] = named(self._project, self._dedup.store, told_of.sessions(), lead=lead)
            if lead:
                description = counted(told_of.new, "new message")
        made = make(self._project, description, paths=tuple(self._paths), figures=figures, **more)
        return Made(made.commit, made.note)


def _together(runs: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    """The figures of several runs as those of one: sums, and what the store has come to by now. One run's are as they are."""
    figures = [RunFigures.of(run) for run in runs]
    first = dict(runs[0])
    if len(runs) == 1:
        return first
    known = [each for each in figures if each is not None]
    sums = {
        "total_messages": sum(each.total for each in known),
        "new_messages": sum(each.new for each in known),
        "captured": sum(each.captured for each in known),
        "duplicates_filtered": sum(each.duplicates for each in known),
        "global_unique": max(each.unique for each in known),
    }
    return {**first, **sums, "exports": [export for run in runs for export in run["exports"]]}
