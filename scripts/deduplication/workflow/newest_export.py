"""What a checkpoint by hand begins with: the newest export deduplicated and archived, the files of its conversations renewed."""

from __future__ import annotations

import contextlib
import os
import sys
from datetime import datetime, timezone
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, Optional

from ..accounting import last_run
from ..archive import discovery
from ..checkpoint.document import slug
from ..checkpoint.session_titles import Named, named_in, sessions_in
from ..errors import DedupError, PrivacySettingInvalid
from ..files import atomic
from ..project import config
from ..reports import checkpoint as checkpoint_report
from ..start.late_dataclass import dataclass, field
from ..terminal.display import ask, show_nothing
from . import five_steps

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from ..figures.run_result import RunResult
    from ..ingest.deduplicator import ClaudeConversationDeduplicator
    from ..project.paths import Project


@dataclass
class ProcessedExport:
    """What became of the newest export: the figures for the document, or what to type where there is none."""

    figures: Optional[dict[str, Any]] = None
    result: Optional[RunResult] = None
    to_type: str = ""
    problems: list[DedupError] = field(default_factory=list)
    defect: Optional[Exception] = None


def process_newest(
    project: Project,
    dedup: ClaudeConversationDeduplicator,
    out: Callable[[str], None],
    *,
    named: str | None,
    description: str,
    may_ask: bool,
    elsewhere: Optional[str] = None,
) -> ProcessedExport:
    """Deduplicate and archive the export that was ``named``, or the newest one; the older ones stay where they are.

    ``description`` is the checkpoint's, after which an export is to be called where there is none. ``may_ask``: a person at a
    terminal is then given the time to make one. ``elsewhere``: the folder of another store; nothing is archived then.
    """
    process = partial(_process, project, dedup, out, elsewhere=elsewhere)
    if named is not None:
        return process(named, 0)
    found = discovery.find_exports(project).exports
    if not found:
        known = not elsewhere and project.state.is_dir()
        earlier = last_run.recent(project, dedup.global_unique_count()) if known else None
        if earlier is not None:
            out(checkpoint_report.known_from_a_hook(earlier.names, int(earlier.result["new_messages"]), earlier.clock))
            return ProcessedExport(earlier.result)
        path = _prepare_folder(project, description)
        out(checkpoint_report.what_to_type(path))
        if not may_ask or not _wait_for_export():
            return ProcessedExport(to_type=path)
        found = discovery.find_exports(project).exports
        if not found:
            return ProcessedExport(to_type=path)
    return process(str(found[-1].path), len(found) - 1)


def newest_waiting(project: Project) -> str | None:
    """The export that a checkpoint would begin with, as people read its path; None where none waits."""
    found = discovery.find_exports(project).exports
    return project.relative(found[-1].path) if found else None


def _process(
    project: Project,
    dedup: ClaudeConversationDeduplicator,
    out: Callable[[str], None],
    path: str,
    older: int,
    *,
    elsewhere: Optional[str],
) -> ProcessedExport:
    options = five_steps.Options(paths=(path,), checkpoint=False, archive=elsewhere is None, elsewhere=elsewhere)
    outcome = five_steps.run(project, options, dedup, show_nothing)
    done = outcome.result
    out(checkpoint_report.deduplicated(done.exports, older))
    if not elsewhere and any(export.error is None for export in done.exports):
        last_run.save(project, done, last_run.BY_COMMAND)
    return ProcessedExport(done.as_dict(), done, "", list(outcome.problems), outcome.unexpected)


def session_files(
    project: Project,
    dedup: ClaudeConversationDeduplicator,
    figures: dict[str, Any],
    out: Callable[[str], None],
    problems: list[DedupError],
) -> Sequence[Path]:
    """Bring the readable files of the run's conversations up to the store. A failure is said, and costs no checkpoint."""
    setting = config.load(os.fspath(project.root))["session_files"]
    known = dedup.conversations() if project.state.is_dir() else []
    sessions = [session for session in sessions_in(figures) if session in known]
    if setting == config.OFF or not sessions:
        return ()
    from ..reports import sessions as session_report
    from ..sessions.for_a_run import files_for_a_run

    try:
        done = files_for_a_run(project, dedup, sessions, each_checkpoint=setting == config.EACH)
    except PrivacySettingInvalid:
        raise  # nobody can tell what may be shared: there is no checkpoint either
    except DedupError as error:
        problems.append(error)
        return ()
    out(session_report.in_a_run(done.shown, done.untouched))
    return done.paths


def called(project: Project, dedup: ClaudeConversationDeduplicator, figures: Mapping[str, Any]) -> Named:
    """What the conversations of the run are called."""
    return named_in(project, dedup.store, figures)


def _prepare_folder(project: Project, description: str) -> str:
    """Make the drop folder; the path, from the project, under which an export belongs. No file is made: it would be empty."""
    if project.root in Path(os.path.realpath(project.exports)).parents:
        with contextlib.suppress(OSError):  # the checkpoint will say what is wrong with the folder
            atomic.make_private_directory(str(project.exports))
    name = f"{datetime.now(timezone.utc):%Y-%m-%dT%H-%M-%SZ}-{slug(description)}.txt"
    return project.relative(project.exports / name)


def _wait_for_export() -> bool:
    """Let a person at a terminal make the export now; False where nobody can be asked."""
    if sys.stdin is None or not (sys.stdin.isatty() and sys.stdout.isatty()):
        return False
    try:
        ask(checkpoint_report.ASK)
    except EOFError:
        return False
    return True
