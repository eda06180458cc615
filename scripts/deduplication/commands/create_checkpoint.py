"""``create-checkpoint.py``: the newest export deduplicated, a checkpoint document, one commit."""

from __future__ import annotations

import contextlib
import os
import sys
from dataclasses import dataclass, field
from datetime import datetime, timezone
from pathlib import Path
from typing import TYPE_CHECKING, Any, Optional

from ..accounting import last_run
from ..accounting.storage_account import savings
from ..accounting.store_totals import totals
from ..archive import discovery
from ..checkpoint import make as checkpoint
from ..checkpoint.document import sessions as of_run
from ..checkpoint.document import slug
from ..errors import EXIT_FAILURE, EXIT_OK, DedupError, PrivacySettingInvalid
from ..files import atomic
from ..ingest.deduplicator import ClaudeConversationDeduplicator
from ..project import config
from ..project.paths import find_project
from ..project.private_folder import secure
from ..reports import checkpoint as checkpoint_report
from ..reports import workflow as report
from ..terminal.display import show
from ..workflow import five_steps, settings_notice
from . import arguments as shared
from . import entry

if TYPE_CHECKING:
    import argparse
    from collections.abc import Callable, Sequence

    from ..figures.run_result import RunResult
    from ..project.paths import Project


@dataclass
class _Export:
    """What became of the newest export: the figures for the document, or what to type where there is none."""

    figures: Optional[dict[str, Any]] = None
    result: Optional[RunResult] = None
    to_type: str = ""
    problems: list[DedupError] = field(default_factory=list)
    defect: Optional[Exception] = None


def main(arguments: Sequence[str]) -> int:
    """Run the command with ``arguments`` (without the program's name); 1 where the export failed, for all the checkpoint."""
    asked = parser().parse_args(arguments)
    project = find_project(asked.project)
    for corrected in secure(project.state):
        show(report.note(corrected), sys.stderr)
    said = settings_notice.once(config.examine(os.fspath(project.root)))
    if said:
        show(report.note(said), sys.stderr)
    dedup = ClaudeConversationDeduplicator(project.state)
    out: Callable[[str], None] = _nowhere if asked.json else report.show
    export = _newest(project, asked, dedup, out)
    figures: dict[str, Any] = dict(export.figures or {})
    storage = savings(dedup.seen_bytes(), os.fspath(project.state))
    stored = totals(dedup.store, storage) if project.state.is_dir() else {}
    if stored.get("conversations"):
        figures["cumulative"] = stored
    files = _session_files(project, dedup, figures, out, export.problems)
    made = checkpoint.create(
        project, asked.description, paths=files, figures=figures or None, commit=not asked.no_commit
    )
    readme = project.relative(made.readme) if made.readme else None
    if asked.json:
        # ASCII: a name that is no valid Unicode becomes an escape, on every console.
        answer = {"document": str(made.document), "commit": made.commit, "note": made.note, "readme": readme}
        shared.print_json({**answer, **figures, **({"type": f"/export {export.to_type}"} if export.to_type else {})})
    else:
        cumulative = figures.get("cumulative")
        out(checkpoint_report.created(project.relative(made.document), made.commit, made.note, readme, cumulative))
    for problem in export.problems:
        entry.report(problem)
    if export.defect is not None:
        raise export.defect
    failed = export.problems or (export.result is not None and export.result.failed)
    return EXIT_FAILURE if failed else EXIT_OK


def _newest(
    project: Project, asked: argparse.Namespace, dedup: ClaudeConversationDeduplicator, out: Callable[[str], None]
) -> _Export:
    """Deduplicate and archive the export that was named, or the newest one; the older ones stay where they are."""
    if asked.export is not None:
        return _process(project, asked.export, 0, dedup, out)
    found = discovery.find_exports(project).exports
    if not found:
        earlier = last_run.recent(project, dedup.global_unique_count()) if project.state.is_dir() else None
        if earlier is not None:
            out(checkpoint_report.known_from_a_hook(earlier.names, int(earlier.result["new_messages"]), earlier.clock))
            return _Export(earlier.result)
        path = _prepared(project, asked.description)
        out(checkpoint_report.what_to_type(path))
        if asked.json or not _waited():
            return _Export(to_type=path)
        found = discovery.find_exports(project).exports
        if not found:
            return _Export(to_type=path)
    return _process(project, str(found[-1].path), len(found) - 1, dedup, out)


def _process(
    project: Project, path: str, older: int, dedup: ClaudeConversationDeduplicator, out: Callable[[str], None]
) -> _Export:
    options = five_steps.Options(paths=(path,), checkpoint=False)
    outcome = five_steps.run(project, options, dedup, _nowhere)
    done = outcome.result
    out(checkpoint_report.deduplicated(done.exports, older))
    if any(export.error is None for export in done.exports):
        last_run.save(project, done, last_run.BY_COMMAND)
    return _Export(done.as_dict(), done, "", list(outcome.problems), outcome.unexpected)


def _session_files(
    project: Project,
    dedup: ClaudeConversationDeduplicator,
    figures: dict[str, Any],
    out: Callable[[str], None],
    problems: list[DedupError],
) -> Sequence[Path]:
    """Bring the readable files of the run's conversations up to the store. A failure is said, and costs no checkpoint."""
    setting = config.load(os.fspath(project.root))["session_files"]
    known = dedup.conversations() if project.state.is_dir() else []
    sessions = [session for session in of_run(figures) if session in known]
    if setting == config.OFF or not sessions:
        return ()
    from ..reports import sessions as session_report
    from ..sessions.folder import files_for_a_run

    try:
        done = files_for_a_run(project, dedup, sessions, each_checkpoint=setting == config.EACH)
    except PrivacySettingInvalid:
        raise  # nobody can tell what may be shared: there is no checkpoint either
    except DedupError as error:
        problems.append(error)
        return ()
    out(session_report.in_a_run(done.shown, done.untouched))
    return done.paths


def _prepared(project: Project, description: str) -> str:
    """Make the drop folder; the path, from the project, under which an export belongs. No file is made: it would be empty."""
    if project.root in Path(os.path.realpath(project.exports)).parents:
        with contextlib.suppress(OSError):  # the checkpoint will say what is wrong with the folder
            atomic.make_private_directory(str(project.exports))
    name = f"{datetime.now(timezone.utc):%Y-%m-%dT%H-%M-%SZ}-{slug(description)}.txt"
    return project.relative(project.exports / name)


def _waited() -> bool:
    """Let a person at a terminal make the export now; False where nobody can be asked."""
    if sys.stdin is None or not (sys.stdin.isatty() and sys.stdout.isatty()):
        return False
    try:
        input(checkpoint_report.ASK)
    except EOFError:
        return False
    return True


def _nowhere(_text: str) -> None:
    """Where the steps' texts go: what the user reads is said by this command itself."""


def parser() -> shared.Parser:
    """The arguments."""
    found = shared.Parser(
        "create-checkpoint.py",
        "Deduplicate and archive the newest export, write a checkpoint document into MEMORY-CONTEXT/checkpoints/, list it\n"
        "in the project's README, and commit these, nothing else: what you have staged stays staged, what you have changed\n"
        "stays changed.",
        'Example: create-checkpoint.py "Sprint Complete"\n\n'
        "Without a git repository, or while a merge or rebase is in progress, the document is written and not "
        f"committed.\n{shared.EXIT_CODES}",
    )
    add = found.add_argument
    add("description", nargs="?", default="Checkpoint", metavar="DESCRIPTION", help='the title (default: "Checkpoint")')
    add(
        "--export", metavar="FILE", help="the export to deduplicate (default: the newest one that waits in the project)"
    )
    add("--no-commit", action="store_true", help="write the files only, leave git alone")
    shared.add_project(found)
    add("--json", action="store_true", help="print one JSON object and nothing else")
    return found
