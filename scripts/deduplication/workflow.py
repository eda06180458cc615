"""The five steps of export-dedup: find, deduplicate, archive, checkpoint, summary.

An export leaves its place only after its messages are durable in the store, and a file that fails costs only itself.
When the store fails, the run ends there and no export is moved: the next run finds all of them again.
"""

from __future__ import annotations

import time
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, Final, Optional, Protocol

from . import discovery, report
from .errors import EXIT_FAILURE, EXIT_OK, DedupError, ExportError, UnsafePath
from .metrics import ExportResult, RunResult

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from pathlib import Path

    from .discovery import Candidate, Identity, Refusal
    from .project import Project

DESCRIPTION: Final = "Automated export and deduplication"
MANY: Final = 20
"""From more exports than this on a person is asked first, where there is one to ask."""


class Deduplicator(Protocol):
    """What the steps need of a deduplicator."""

    def ingest(self, data: bytes, *, name: str, conversation_id: str | None = None, strict: bool = False) -> Any:
        """Which messages of this export are new? They are durable when this returns."""

    def global_unique_count(self) -> int:
        """How many different messages does the store hold?"""

    def storage_bytes(self) -> tuple[int, int]:
        """How many bytes of exports went in over all runs, and how many does the store take?"""


@dataclass(frozen=True)
class Options:
    """What the user asked for. ``paths`` empty: search the project."""

    paths: tuple[str, ...] = ()
    session_id: Optional[str] = None
    description: str = DESCRIPTION
    archive: bool = True
    checkpoint: bool = True


@dataclass(frozen=True)
class Outcome:
    """How a run ended. ``problems`` are the failures that belong to no single export.

    ``unexpected`` is a defect of ours that one file brought to light; the other files were processed all the same.
    """

    result: RunResult
    exit_code: int = EXIT_OK
    problems: tuple[DedupError, ...] = ()
    unexpected: Optional[Exception] = None


@dataclass
class _Entry:
    """One export on its way through the steps."""

    candidate: Candidate
    result: ExportResult
    identity: Optional[Identity] = None
    sha256: str = ""
    """Set once its messages are durable."""


def run(
    project: Project,
    options: Options,
    dedup: Deduplicator,
    out: Callable[[str], None],
    *,
    confirm: Callable[[str], bool] | None = None,
    make_checkpoint: Callable[..., Any] | None = None,
) -> Outcome:
    """Take the exports of ``project`` through the five steps; ``out`` shows the user a text.

    ``confirm`` asks a yes-or-no question (None: nobody is asked); ``make_checkpoint`` stands in for
    :func:`checkpoint.create`. Raises a ``StoreError`` where the store cannot be used.
    """
    steps = _Run(project, options, dedup, out)
    if not steps.find():
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
        self._entries: list[_Entry] = []
        self._problems: list[DedupError] = []
        self._unexpected: Exception | None = None
        self._checkpointed: str | None = None

    def find(self) -> bool:
        """Step 1. False where there is nothing to process."""
        project = self._project
        self._out(f"{report.workflow_header()}\n{report.step_find()}")
        found = discovery.find_exports(project, self._options.paths)
        self._entries = [_Entry(each, ExportResult(project.relative(each.path))) for each in found.exports]
        if self._entries:
            now = time.time()
            listed = [(e.path, now - e.identity.mtime_ns / 1e9, self._place(e.path.parent)) for e in found.exports]
            self._out(report.found(listed))
        for refusal in found.refusals:
            self._refuse(refusal)
        if not self._entries and not self._lost:
            places = (project.root, project.memory, project.exports)
            self._out(report.nothing_found([self._place(place) for place in places] if not self._options.paths else []))
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
        for entry in self._entries:
            self._deduplicate(entry)
        self._out(report.sums_block(self._result()))

    def _deduplicate(self, entry: _Entry) -> None:
        error = self._ingest(entry)
        if error is not None:
            self._fail(entry.result, error)
        else:
            self._out(report.export_block(entry.result, named=len(self._entries) > 1))

    def _ingest(self, entry: _Entry) -> DedupError | None:
        data = b""
        path = entry.candidate.path
        try:
            data, entry.identity = discovery.read(path)
            done = self._dedup.ingest(
                data,
                name=path.name.encode("utf-8", "surrogateescape").decode("utf-8", "backslashreplace"),
                conversation_id=self._options.session_id,
                strict=not entry.candidate.named,
            )
        except (ExportError, UnsafePath) as error:
            entry.result = replace(entry.result, error=str(error))
            return error
        except DedupError:
            raise
        except Exception as error:
            if not _breaks_the_parser(data):
                raise
            self._unexpected = self._unexpected or error
            defect = DedupError(f"{type(error).__name__}: {error}", hint="This is a defect of export-dedup.")
            entry.result = replace(entry.result, error=str(defect))
            return defect
        entry.sha256 = done.sha256
        entry.result = replace(
            entry.result,
            format=done.format,
            session_id=done.conversation_id,
            total=done.total,
            new=done.new,
            duplicates=done.duplicates,
            gaps=tuple(done.gaps),
            warnings=tuple(done.warnings),
            raw_bytes=done.raw_bytes,
        )
        return None

    def archive(self) -> None:
        """Step 3: the exports whose messages are durable."""
        self._out(report.step_archive())
        durable = self._durable()
        if not durable or not self._options.archive:
            self._out(report.skipped("no export was processed" if not durable else "--no-archive was given"))
            return
        from . import archiving

        try:
            with archiving.opened(self._project) as archive:
                for entry in durable:
                    self._archive(archive, entry)
        except DedupError as error:
            for entry in durable:
                if entry.result.archived_to is None and entry.result.error is None:
                    self._not_archived(entry, error)

    def _archive(self, archive: Any, entry: _Entry) -> None:
        stays = entry.candidate.stays
        try:
            kept = archive.add(entry.candidate.path, entry.identity, entry.sha256, stays=stays)
        except DedupError as error:
            self._not_archived(entry, error)
            return
        entry.result = replace(entry.result, archived_to=self._project.relative(kept.path))
        if kept.known:
            self._out(report.already_archived(entry.result.path, entry.result.archived_to or ""))
        else:
            self._out(report.archived(entry.result.path, self._place(kept.path.parent)))
            if stays:
                self._out(report.not_archived(entry.result.path, "outside the project, so it was copied"))

    def _not_archived(self, entry: _Entry, error: DedupError) -> None:
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
        if make is None:
            from . import checkpoint

            make = checkpoint.create
        try:
            made = make(self._project, self._options.description, paths=(), figures=self._result().as_dict())
        except DedupError as error:
            self._problems.append(error)
            self._out(report.checkpoint_failed(str(error), error.hint))
        else:
            self._checkpointed = self._options.description
            self._out(report.checkpoint_created(made.note))

    def finish(self) -> Outcome:
        """Step 5."""
        outcome = self.outcome()
        self._out(report.summary(outcome.result, self._project, self._checkpointed))
        return outcome

    def outcome(self) -> Outcome:
        """What the run came to so far."""
        result = self._result()
        failed = bool(result.failed or self._problems)
        return Outcome(result, EXIT_FAILURE if failed else EXIT_OK, tuple(self._problems), self._unexpected)

    def _result(self) -> RunResult:
        raw, stored = self._dedup.storage_bytes()
        return RunResult(
            exports=(*self._lost, *(entry.result for entry in self._entries)),
            global_unique=self._dedup.global_unique_count(),
            raw_bytes=raw,
            stored_bytes=stored,
            duration_s=time.monotonic() - self._started,
        )

    def _refuse(self, refusal: Refusal) -> None:
        if not refusal.fatal:
            self._out(report.passed_over(refusal.path, refusal.reason))
            return
        failed = ExportResult(self._project.relative(refusal.path), error=str(refusal.error))
        self._lost.append(failed)
        self._fail(failed, refusal.error)

    def _durable(self) -> Sequence[_Entry]:
        return [entry for entry in self._entries if entry.sha256]

    def _place(self, folder: Path) -> str:
        return "repo root" if folder == self._project.root else self._project.relative(folder)


def _breaks_the_parser(data: bytes) -> bool:
    """Whether an unexpected failure is owed to the file, not to the store: then the store was not touched by it."""
    from . import formats

    try:
        formats.parse(data)
    except DedupError:
        return False
    except Exception:  # noqa: BLE001 - whatever a parser lets through is its defect; the caller reports the first one
        return True
    return False
