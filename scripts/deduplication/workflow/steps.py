"""One run on its way through the five steps: what it found, what became of it, and what its user is shown."""

from __future__ import annotations

import os
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, Optional

from ..archive import discovery
from ..errors import EXIT_FAILURE, EXIT_OK, DedupError
from ..figures.run_result import ExportResult, RunResult
from ..files.safe_read import Identity
from ..ingest.export_file import Entry, process
from ..reports import workflow as report
from ..start.late_dataclass import asdict, replace
from ..terminal.console import printable
from .outcome import UNLIKE, Outcome, export_result

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Mapping, Sequence

    from ..accounting.last_run import Earlier
    from ..archive.discovery import Refusal
    from ..figures.savings import Savings
    from ..ingest.export_file import Deduplicator
    from ..project.paths import Project
    from .options import Options

MANY: Final = 20
"""From more exports than this on a person is asked first, where there is one to ask."""


class Steps:
    """The state that one step leaves to the next. ``out`` shows the user a text, ``began`` is of the monotonic clock."""

    def __init__(
        self,
        project: Project,
        options: Options,
        dedup: Deduplicator,
        out: Callable[[str], None],
        began: float | None = None,
    ) -> None:
        self.out, self.problems = out, list[DedupError]()
        self.failures: list[Exception] = []
        """What failed, in the order in which it did: each is said, and noted at the end."""
        self.entries: list[Entry] = []
        self.storage: Optional[Savings] = None
        """What store and archive take on the disk, once that was looked at."""
        self.checkpointed = False
        self._project, self._options, self._dedup = project, options, dedup
        self._started = time.monotonic() if began is None else began
        self._lost: list[ExportResult] = []
        self._news = 0
        self._goes_on = False
        self.unexpected: Exception | None = None
        """A defect of ours that one file brought to light."""
        self._earlier: Earlier | None = None

    def find(
        self,
        earlier: Callable[[int], Optional[Earlier]] | None = None,
        *,
        seen: Mapping[str, Identity] | None = None,
        without: Collection[Path] = (),
    ) -> bool:
        """Step 1. False where there is nothing to process.

        ``seen``: the state of files that were named and may be archived by now; ``without``: what a search is to leave alone.
        """
        project, options = self._project, self._options
        self.out(f"{report.workflow_header()}\n{report.step_find()}")
        found = discovery.find_exports(project, options.paths)
        exports = [each for each in found.exports if options.paths or each.path not in without]
        self.entries = [Entry(each, ExportResult(project.relative(each.path))) for each in exports]
        if self.entries:
            now = time.time()
            listed = [(e.path, now - e.identity.mtime_ns / 1e9, report.place(project, e.path.parent)) for e in exports]
            self.out(report.found(listed))
        for refusal in found.refusals:
            if seen and refusal.fatal and self._was_archived(refusal.path, seen):
                self.out(report.taken(refusal.path.name, archived=True))
            else:
                self._refuse(refusal)
        if not self.entries and not self._lost:
            self._found_nothing(earlier)
        self._goes_on = bool(self.entries)
        return self._goes_on

    def as_json(self) -> dict[str, Any]:
        """What the first two steps came to, for :meth:`go_on_from`."""
        entries = [
            {
                "path": os.fspath(entry.candidate.path),
                "stays": entry.candidate.stays,
                "identity": entry.identity or entry.candidate.identity,
                "sha256": entry.sha256,
                "result": asdict(entry.result),
            }
            for entry in self.entries
        ]
        return {"entries": entries, "lost": [asdict(each) for each in self._lost]}

    def go_on_from(self, begun: Mapping[str, Any]) -> bool:
        """Take for done what another process did of this run, and say it; False where the first two steps are still to be done.

        ``begun`` has the ``texts`` to be shown besides. It is a file: that an export is stored is believed where the log says so.
        """
        try:
            found = [_entry(each) for each in begun["entries"]]
            lost = [export_result(each) for each in begun["lost"]]
            texts = [printable(text, newlines=True) for text in begun["texts"]]
        except UNLIKE:
            return False
        store = self._dedup.store
        with store.transaction(write=False):
            if not found or not all(entry.result.error or store.seen(entry.sha256) for entry in found):
                return False
        self.entries, self._lost, self._goes_on = found, lost, True
        self._news = self._counted().new
        for text in texts:
            self.out(text)
        return True

    def _found_nothing(self, earlier: Callable[[int], Optional[Earlier]] | None) -> None:
        project = self._project
        self._earlier = earlier(self._dedup.global_unique_count()) if earlier is not None else None
        if self._earlier is not None:
            self.out(report.handled_before(self._earlier))
            return
        places = (project.root, project.memory, project.exports) if not self._options.paths else ()
        self.out(report.nothing_found([report.place(project, place) for place in places]))
        self.out(report.sums_block(self._counted()))

    def _was_archived(self, path: Path, seen: Mapping[str, Identity]) -> bool:
        """Whether a file that is gone was there when this run began, and another run archived it in that state."""
        if os.path.lexists(path):
            return False
        from ..archive.restored_files import is_archived

        states = {Path(os.path.realpath(os.path.dirname(name)), os.path.basename(name)): seen[name] for name in seen}
        return path in states and is_archived(self._project, states[path])

    def agreed(self, confirm: Callable[[str], bool]) -> bool:
        """Whether the user wants it, where there is reason to ask."""
        outside = sum(self._project.root not in entry.candidate.path.parents for entry in self.entries)
        if len(self.entries) <= MANY and not outside:
            return True
        if confirm(report.question(len(self.entries), outside)):
            return True
        self.entries = []
        self.out(report.skipped(report.DECLINED))
        return False

    def deduplicate(self) -> None:
        """Step 2, oldest first. Raises ``StoreError``; all else costs only the file concerned."""
        self.out(report.step_deduplicate(len(self.entries)))
        for entry in list(self.entries):
            self._deduplicate(entry)
        result = self._counted()
        self._news = result.new
        self.out(report.sums_block(result))

    def _deduplicate(self, entry: Entry) -> None:
        failure = process(entry, self._dedup, self._options.session_id)
        if failure is None:
            self.out(report.export_block(entry.result, named=len(self.entries) > 1))
            return
        from .archive_step import was_archived_meanwhile

        if was_archived_meanwhile(self._project, entry, failure.error):
            self.entries.remove(entry)
            self.out(report.taken(entry.candidate.path.name))
        else:
            self.unexpected = self.unexpected or failure.defect
            self._fail(entry.result, failure.error, failure.defect)

    def is_archiving(self) -> bool:
        """Step 3 begins. Whether there is something to archive, and it is wanted."""
        self.out(report.step_archive())
        if self.durable and self._options.archive:
            return True
        reason = report.ELSEWHERE if self._options.elsewhere else report.NO_ARCHIVE
        self.out(report.skipped(reason if self.durable else report.NO_EXPORT))
        return False

    @property
    def wants_checkpoint(self) -> bool:
        """Whether there is something to tell of in a checkpoint, and it is wanted."""
        return bool(self.durable and self._options.checkpoint and (self._news or not self._options.only_news))

    def is_checkpointing(self) -> bool:
        """Step 4 begins; the same, and said where it is not."""
        self.out(report.step_checkpoint())
        if not self.wants_checkpoint:
            options = self._options
            reason = report.NOTHING_NEW if options.checkpoint and self.durable else report.NO_CHECKPOINT
            self.out(report.skipped(reason if self.durable else report.NO_EXPORT))
        return self.wants_checkpoint

    @property
    def sessions(self) -> tuple[str, ...]:
        """The conversations that something was stored of: of a file that may hold several, those in it, not its own name."""
        done = [entry.result for entry in self.durable]
        return tuple(name for each in done for name in (each.conversations or (each.session_id,)))

    def checkpoint_failed(self, error: DedupError) -> None:
        """Step 4 failed. It is said, and undoes nothing."""
        self.checkpointed = False
        self.problems.append(error)
        self.failures.append(error)
        self.out(report.checkpoint_failed(str(error), error.hint))

    def finish(self) -> Outcome:
        """Step 5, where there was anything to do."""
        outcome = self.outcome()
        if self._goes_on or outcome.exit_code:
            title = self._options.description if self.checkpointed else None
            place = self._dedup.store.where()
            storage = None if place == os.fspath(self._project.state) else place
            self.out(report.summary(outcome.result, self._project, title, storage=storage))
        return outcome

    def outcome(self) -> Outcome:
        """What the run came to so far."""
        result = self.result()
        failed = bool(result.failed or self.problems)
        return Outcome(
            result, EXIT_FAILURE if failed else EXIT_OK, self._earlier, tuple(self.problems), self.unexpected
        )

    def _counted(self) -> RunResult:
        """The messages, and nothing of the disk."""
        return RunResult(
            exports=(*self._lost, *(entry.result for entry in self.entries)),
            global_unique=self._dedup.global_unique_count(),
            duration_s=time.monotonic() - self._started,
        )

    def result(self) -> RunResult:
        """The figures of the run so far."""
        if self.storage is None:
            from ..accounting.storage_account import savings

            folder = self._options.elsewhere or os.fspath(self._project.state)
            self.storage = savings(self._dedup, folder)
        return replace(self._counted(), storage=self.storage)

    def _refuse(self, refusal: Refusal) -> None:
        if not refusal.fatal:
            self.out(report.passed_over(refusal.path, refusal.reason))
            return
        failed = ExportResult(self._project.relative(refusal.path), error=str(refusal.error))
        self._lost.append(failed)
        self._fail(failed, refusal.error)

    def _fail(self, failed: ExportResult, error: DedupError, defect: Optional[Exception] = None) -> None:
        self.failures.append(defect or error)
        for text in report.failure(failed, error.hint):
            self.out(text)

    @property
    def durable(self) -> Sequence[Entry]:
        """The exports whose messages are stored."""
        return [entry for entry in self.entries if entry.sha256]


def _entry(said: Any) -> Entry:
    """An entry as :meth:`Steps.as_json` told it. Raises one of ``UNLIKE``."""
    identity, path, sha256 = Identity(*map(int, said["identity"])), Path(said["path"]), said["sha256"]
    if not isinstance(sha256, str):
        raise TypeError(sha256)
    candidate = discovery.Candidate(path, identity, named=True, stays=bool(said["stays"]))
    return Entry(candidate, export_result(said["result"]), identity, sha256)
