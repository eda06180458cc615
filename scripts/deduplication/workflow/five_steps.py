"""The five steps of export-dedup: find, deduplicate, archive, checkpoint, summary.

An export leaves its place only after its messages are durable in the store, and a file that fails costs only itself.
When the store fails, the run ends there and no export is moved: the next run finds all of them again.
"""

from __future__ import annotations

import contextlib
import os
import time
from typing import TYPE_CHECKING, Any, Final, Optional

from ..archive import discovery
from ..errors import EXIT_FAILURE, EXIT_OK, DedupError
from ..figures.run_result import ExportResult, RunResult
from ..files import locking
from ..ingest.export_file import Entry, process
from ..project import private_folder
from ..project.config import OFF
from ..reports import workflow as report
from ..start.late_dataclass import dataclass, replace

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from contextlib import AbstractContextManager

    from ..accounting.last_run import Earlier
    from ..archive.discovery import Refusal
    from ..ingest.export_file import Deduplicator
    from ..project.paths import Project

DESCRIPTION: Final = "Automated export and deduplication"
MANY: Final = 20
"""From more exports than this on a person is asked first, where there is one to ask."""


@dataclass(frozen=True)
class Options:
    """What the user asked for. ``paths`` empty: search the project."""

    paths: tuple[str, ...] = ()
    session_id: Optional[str] = None
    description: str = DESCRIPTION
    archive: bool = True
    checkpoint: bool = True
    only_news: bool = False
    """No checkpoint where no message is new since the last run."""
    session_files: str = OFF
    """One of the values of the setting of that name."""


@dataclass(frozen=True)
class Outcome:
    """How a run ended. ``problems`` are the failures that belong to no single export.

    ``unexpected`` is a defect of ours that one file brought to light; the other files were processed all the same.
    """

    result: RunResult
    exit_code: int = EXIT_OK
    earlier: Optional[Earlier] = None
    """What a hook had done before, where there was nothing left to do."""
    problems: tuple[DedupError, ...] = ()
    unexpected: Optional[Exception] = None


def run(
    project: Project,
    options: Options,
    dedup: Deduplicator,
    out: Callable[[str], None],
    *,
    confirm: Callable[[str], bool] | None = None,
    make_checkpoint: Callable[..., Any] | None = None,
    earlier: Callable[[int], Optional[Earlier]] | None = None,
) -> Outcome:
    """Take the exports of ``project`` through the five steps; ``out`` shows the user a text.

    ``confirm`` asks a yes-or-no question (None: nobody is asked); ``make_checkpoint`` stands in for
    :func:`checkpoint.create`; ``earlier`` tells, given the number of messages stored, what a hook has done already, to be
    shown where nothing is left to do. Raises a ``StoreError`` where the store cannot be used.
    """
    for corrected in private_folder.secure(project.state):
        out(report.note(corrected))
    steps = _Run(project, options, dedup, out)
    if not steps.find(earlier if not options.paths else None):
        return steps.finish() if steps.outcome().exit_code else steps.outcome()
    if confirm is not None and not steps.agreed(confirm):
        return steps.outcome()
    with steps.seen() as leave:
        steps.deduplicate()
        steps.archive()
        steps.checkpoint(make_checkpoint, leave)
    return steps.finish()


class _Run:
    """The state that one step leaves to the next."""

    def __init__(self, project: Project, options: Options, dedup: Deduplicator, out: Callable[[str], None]) -> None:
        self._project, self._options, self._dedup, self._out = project, options, dedup, out
        self._started = time.monotonic()
        self._lost: list[ExportResult] = []
        self._news = 0
        self._entries: list[Entry] = []
        self._problems: list[DedupError] = []
        self._unexpected: Exception | None = None
        self._checkpointed: str | None = None
        self._earlier: Earlier | None = None

    def find(self, earlier: Callable[[int], Optional[Earlier]] | None = None) -> bool:
        """Step 1. False where there is nothing to process."""
        project = self._project
        self._out(f"{report.workflow_header()}\n{report.step_find()}")
        found = discovery.find_exports(project, self._options.paths)
        self._entries = [Entry(each, ExportResult(project.relative(each.path))) for each in found.exports]
        if self._entries:
            now = time.time()
            listed = [
                (e.path, now - e.identity.mtime_ns / 1e9, report.place(project, e.path.parent)) for e in found.exports
            ]
            self._out(report.found(listed))
        for refusal in found.refusals:
            self._refuse(refusal)
        if not self._entries and not self._lost:
            self._earlier = earlier(self._dedup.global_unique_count()) if earlier is not None else None
            if self._earlier is not None:
                self._out(report.handled_before(self._earlier))
                return False
            places = (project.root, project.memory, project.exports)
            self._out(
                report.nothing_found(
                    [report.place(project, place) for place in places] if not self._options.paths else []
                )
            )
            self._out(report.sums_block(self._counted()))
        return bool(self._entries)

    def agreed(self, confirm: Callable[[str], bool]) -> bool:
        """Whether the user wants it, where there is reason to ask."""
        outside = sum(self._project.root not in entry.candidate.path.parents for entry in self._entries)
        if len(self._entries) <= MANY and not outside:
            return True
        if confirm(report.question(len(self._entries), outside)):
            return True
        self._entries = []
        self._out(report.skipped(report.DECLINED))
        return False

    def seen(self) -> AbstractContextManager[Callable[[], None]]:
        """Be seen by a run that makes a checkpoint meanwhile, and waits for this one, until it has come there."""
        if not self._options.checkpoint:
            return contextlib.nullcontext(lambda: None)
        return locking.present(os.fspath(self._project.state / locking.RUNS))

    def deduplicate(self) -> None:
        """Step 2, oldest first. Raises ``StoreError``; all else costs only the file concerned."""
        self._out(report.step_deduplicate(len(self._entries)))
        for entry in list(self._entries):
            self._deduplicate(entry)
        result = self._counted()
        self._news = result.new
        self._out(report.sums_block(result))

    def _deduplicate(self, entry: Entry) -> None:
        failure = process(entry, self._dedup, self._options.session_id)
        if failure is None:
            self._out(report.export_block(entry.result, named=len(self._entries) > 1))
            return
        from .archive_step import was_archived_meanwhile

        if was_archived_meanwhile(self._project, entry, failure.error):
            self._entries.remove(entry)
            self._out(report.taken(entry.candidate.path.name))
        else:
            self._unexpected = self._unexpected or failure.defect
            self._fail(entry.result, failure.error)

    def archive(self) -> None:
        """Step 3: the exports whose messages are durable."""
        self._out(report.step_archive())
        durable = self._durable()
        if not durable or not self._options.archive:
            self._out(report.skipped(report.NO_EXPORT if not durable else report.NO_ARCHIVE))
            return
        from .archive_step import ArchiveStep

        ArchiveStep(self._project, self._dedup, self._out).run(durable)

    def _fail(self, failed: ExportResult, error: DedupError) -> None:
        for text in report.failure(failed, error.hint):
            self._out(text)

    def checkpoint(self, make: Callable[..., Any] | None, leave: Callable[[], None]) -> None:
        """Step 4. A failure is said, and undoes nothing."""
        self._out(report.step_checkpoint())
        if not self._durable() or not self._options.checkpoint:
            self._out(report.skipped(report.NO_EXPORT if not self._durable() else report.NO_CHECKPOINT))
            return
        if self._options.only_news and not self._news:
            self._out(report.skipped(report.NOTHING_NEW))
            return
        from .checkpoint_step import CheckpointStep, Wanted

        if make is None:
            from functools import partial

            from ..checkpoint import make as checkpoint

            make = partial(checkpoint.create, asked_for=False)
        # A file that may hold several conversations is called by its own name: the sessions are those in it.
        done = [entry.result for entry in self._durable()]
        sessions = tuple(name for each in done for name in (each.conversations or (each.session_id,)))
        options = self._options
        step = CheckpointStep(self._project, self._dedup, make, self._out)
        try:
            wanted = Wanted(options.description, options.session_files, sessions, self._result().as_dict())
            made = step.run(wanted, leave)
        except DedupError as error:
            self._problems += [*step.problems, error]
            self._out(report.checkpoint_failed(str(error), error.hint))
        else:
            self._problems += step.problems
            self._checkpointed = options.description
            self._out(report.checkpoint_created(made.commit, made.note))

    def finish(self) -> Outcome:
        """Step 5."""
        outcome = self.outcome()
        self._out(report.summary(outcome.result, self._project, self._checkpointed))
        return outcome

    def outcome(self) -> Outcome:
        """What the run came to so far."""
        result = self._result()
        failed = bool(result.failed or self._problems)
        return Outcome(
            result, EXIT_FAILURE if failed else EXIT_OK, self._earlier, tuple(self._problems), self._unexpected
        )

    def _counted(self) -> RunResult:
        """The messages, and nothing of the disk."""
        return RunResult(
            exports=(*self._lost, *(entry.result for entry in self._entries)),
            global_unique=self._dedup.global_unique_count(),
            duration_s=time.monotonic() - self._started,
        )

    def _result(self) -> RunResult:
        from ..accounting.storage_account import savings

        storage = savings(self._dedup, os.fspath(self._project.state))
        return replace(self._counted(), storage=storage)

    def _refuse(self, refusal: Refusal) -> None:
        if not refusal.fatal:
            self._out(report.passed_over(refusal.path, refusal.reason))
            return
        failed = ExportResult(self._project.relative(refusal.path), error=str(refusal.error))
        self._lost.append(failed)
        self._fail(failed, refusal.error)

    def _durable(self) -> Sequence[Entry]:
        return [entry for entry in self._entries if entry.sha256]
