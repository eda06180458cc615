"""The five steps of export-dedup: find, deduplicate, archive, checkpoint, summary.

An export leaves its place only after its messages are durable in the store, and a file that fails costs only itself.
When the store fails, the run ends there and no export is moved: the next run finds all of them again.
"""

from __future__ import annotations

import os
import time
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, Final, Optional

from ..archive import discovery
from ..errors import EXIT_FAILURE, EXIT_OK, DedupError, ExportGone
from ..figures.run_result import ExportResult, RunResult
from ..files.safe_read import read
from ..ingest.export_file import Entry, process
from ..project import private_folder
from ..project.config import EACH, OFF
from ..reports import workflow as report

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from pathlib import Path

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
    steps.deduplicate()
    steps.archive()
    steps.checkpoint(make_checkpoint)
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
            listed = [(e.path, now - e.identity.mtime_ns / 1e9, self._place(e.path.parent)) for e in found.exports]
            self._out(report.found(listed))
        for refusal in found.refusals:
            self._refuse(refusal)
        if not self._entries and not self._lost:
            self._earlier = earlier(self._dedup.global_unique_count()) if earlier is not None else None
            if self._earlier is not None:
                self._out(report.handled_before(self._earlier))
                return False
            places = (project.root, project.memory, project.exports)
            self._out(report.nothing_found([self._place(place) for place in places] if not self._options.paths else []))
            self._out(report.sums_block(self._counted()))
        return bool(self._entries)

    def agreed(self, confirm: Callable[[str], bool]) -> bool:
        """Whether the user wants it, where there is reason to ask."""
        outside = sum(self._project.root not in entry.candidate.path.parents for entry in self._entries)
        if len(self._entries) <= MANY and not outside:
            return True
        where = f", {outside} of them outside the project" if outside else ""
        if confirm(f"Process {len(self._entries)} export file(s){where}?"):
            return True
        self._entries = []
        self._out(report.skipped("nothing was done, as you wished"))
        return False

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
        if failure is not None and self._taken(entry, failure.error):
            self._entries.remove(entry)
            self._out(report.skipped(f"{entry.candidate.path.name} is gone, another run took it"))
        elif failure is not None:
            self._unexpected = self._unexpected or failure.defect
            self._fail(entry.result, failure.error)
        else:
            self._out(report.export_block(entry.result, named=len(self._entries) > 1))

    def _taken(self, entry: Entry, error: DedupError) -> bool:
        """Whether a run beside this one archived the file before we came to it: nothing is missing.

        One that a search found and that is gone may be gone; of one that was named the archive has to have it.
        """
        if not isinstance(error, ExportGone):
            return False
        from ..archive.restored_files import taken

        if not entry.candidate.named and not entry.sha256:
            return True
        return taken(self._project, entry.identity or entry.candidate.identity, entry.sha256)

    def archive(self) -> None:
        """Step 3: the exports whose messages are durable."""
        self._out(report.step_archive())
        durable = self._durable()
        if not durable or not self._options.archive:
            self._out(report.skipped("no export was processed" if not durable else "--no-archive was given"))
            return
        from ..archive import drop_folder
        from ..reports import archive as archive_report

        try:
            with drop_folder.opened(self._project) as archive:
                for entry in durable:
                    self._archive(archive, entry)
            for note in archive.notes:
                self._out(archive_report.list_healed(note))
        except DedupError as error:
            for entry in durable:
                if entry.result.archived_to is None and entry.result.error is None:
                    self._not_archived(entry, error)
        else:
            self._pack_due()

    def _pack_due(self) -> None:
        """Pack what has been in the archive long enough. A failure is said, and costs nothing: the files stay plain."""
        from ..archive.pack_files import pack_due
        from ..project import config
        from ..reports import archive as archive_report

        try:
            done = pack_due(self._project, config.load(os.fspath(self._project.root)))
        except DedupError as error:
            self._out(archive_report.not_packed("What was due to be packed", str(error), error.hint))
            return
        if done is not None:
            for name, failure in done.failures:
                self._out(archive_report.not_packed(name, str(failure), failure.hint))
            self._out(archive_report.packed_by_itself(done))

    def _archive(self, archive: Any, entry: Entry) -> None:
        stays = entry.candidate.stays
        try:
            form = self._without_purged(entry)
            if form is not None and form.data is None:
                self._not_kept(archive, entry, form)
                return
            instead, purged = (form.data, form.messages) if form is not None else (None, 0)
            kept = archive.add(
                entry.candidate.path, entry.identity, entry.sha256, stays=stays, instead=instead, purged=purged
            )
        except DedupError as error:
            if self._taken(entry, error):
                self._out(report.skipped(f"{entry.candidate.path.name} is gone, another run archived it"))
            else:
                self._not_archived(entry, error)
            return
        entry.result = replace(entry.result, archived_to=self._project.relative(kept.path))
        if kept.known:
            self._out(report.already_archived(entry.result.path, entry.result.archived_to or ""))
        else:
            self._out(report.archived(entry.result.path, self._place(kept.path.parent)))
            if stays:
                self._out(report.not_archived(entry.result.path, "outside the project, so it was copied"))

    def _without_purged(self, entry: Entry) -> Any:
        """What is to be archived in the place of an export that shows purged messages; None for any other."""
        from ..purge.archived import later_form

        path = entry.candidate.path
        return later_form(self._dedup.store, lambda: read(path)[0], path.name)

    def _not_kept(self, archive: Any, entry: Entry, form: Any) -> None:
        """An export of which nothing may be archived: it goes where it shows nothing but what was purged, else it stays."""
        stays = entry.candidate.stays or bool(form.why)
        if not stays:
            try:
                archive.discard(entry.candidate.path, entry.identity, entry.sha256)
            except DedupError as error:
                self._not_archived(entry, error)
                return
        reason = (
            f"it shows purged messages, and {form.why}: remove it yourself" if form.why else "all it shows was purged"
        )
        self._out(report.not_archived(entry.result.path, reason))

    def _not_archived(self, entry: Entry, error: DedupError) -> None:
        entry.result = replace(entry.result, error=f"Messages stored, but not archived. {error}")
        self._fail(entry.result, error)

    def _fail(self, failed: ExportResult, error: DedupError) -> None:
        self._out(report.export_block(failed))
        if error.hint:
            self._out(report.advice(error.hint))

    def checkpoint(self, make: Callable[..., Any] | None) -> None:
        """Step 4. A failure is said, and undoes nothing."""
        self._out(report.step_checkpoint())
        if not self._durable() or not self._options.checkpoint:
            reason = "no export was processed" if not self._durable() else "--no-checkpoint was given"
            self._out(report.skipped(reason))
            return
        if self._options.only_news and not self._news:
            self._out(report.skipped("nothing is new"))
            return
        if make is None:
            from functools import partial

            from ..checkpoint import make as checkpoint

            make = partial(checkpoint.create, asked_for=False)
        try:
            made = make(self._project, self._options.description, paths=self._session_files(), figures=self._figures())
        except DedupError as error:
            self._problems.append(error)
            self._out(report.checkpoint_failed(str(error), error.hint))
        else:
            self._checkpointed = self._options.description
            self._out(report.checkpoint_created(made.commit, made.note))

    def _figures(self) -> dict[str, Any]:
        """The run, and what the store has come to with it."""
        from ..accounting.store_totals import totals

        result = self._result()
        return {**result.as_dict(), "cumulative": totals(self._dedup.store, result.storage)}

    def _session_files(self) -> Sequence[Path]:
        """The files of the sessions that exports were processed of. A failure is said, and undoes nothing."""
        if self._options.session_files == OFF:
            return ()
        from ..reports import sessions as session_report
        from ..sessions.folder import files_for_a_run

        sessions = [entry.result.session_id for entry in self._durable()]
        try:
            done = files_for_a_run(
                self._project, self._dedup, sessions, each_checkpoint=self._options.session_files == EACH
            )
        except DedupError as error:
            self._problems.append(error)
            self._out(report.checkpoint_failed(str(error), error.hint))
            return ()
        self._out(session_report.in_a_run(done.shown, done.untouched))
        return done.paths

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

        storage = savings(self._dedup.seen_bytes(), os.fspath(self._project.state))
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

    def _place(self, folder: Path) -> str:
        return "repo root" if folder == self._project.root else self._project.relative(folder)
