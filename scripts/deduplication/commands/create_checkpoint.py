"""``create-checkpoint.py``: the newest export deduplicated, a checkpoint document, one commit."""

from __future__ import annotations

import contextlib
import os
import sys
from typing import TYPE_CHECKING, Any

from ..accounting.storage_account import savings
from ..accounting.store_totals import totals
from ..checkpoint import make as checkpoint
from ..errors import EXIT_FAILURE, EXIT_OK, UsageError
from ..ingest.deduplicator import ClaudeConversationDeduplicator
from ..project import config
from ..project.paths import find_project
from ..project.private_folder import secure
from ..reports import checkpoint as checkpoint_report
from ..reports import workflow as report
from ..terminal.display import ask, show, show_nothing
from ..workflow import settings_notice
from ..workflow.newest_export import called, newest_waiting, process_newest, session_files
from . import arguments as shared
from . import entry

if TYPE_CHECKING:
    import argparse
    from collections.abc import Callable, Sequence

    from ..project.paths import Project


def main(arguments: Sequence[str]) -> int:
    """Run the command with ``arguments`` (without the program's name); 1 where the export failed, for all the checkpoint."""
    asked = parser().parse_args(arguments)
    project = find_project(asked.project)
    if asked.description is None:
        asked.description = _title(project, asked)
    for corrected in secure(project.state):
        show(report.note(corrected), sys.stderr)
    said = settings_notice.once(config.examine(os.fspath(project.root)))
    if said:
        show(report.note(said), sys.stderr)
    folder = shared.store_folder(asked)
    dedup = ClaudeConversationDeduplicator(folder)
    elsewhere = shared.elsewhere(asked, project)
    out: Callable[[str], None] = show_nothing if asked.json else report.show
    export = process_newest(
        project,
        dedup,
        out,
        named=asked.export,
        description=asked.description,
        may_ask=not asked.json,
        elsewhere=elsewhere,
    )
    figures: dict[str, Any] = dict(export.figures or {})
    storage = savings(dedup, folder)
    stored = totals(dedup.store, storage) if os.path.isdir(folder) else {}
    if stored.get("conversations"):
        figures["cumulative"] = stored
    files = () if elsewhere else session_files(project, dedup, figures, out, export.problems)
    named = called(project, dedup, figures)
    made = checkpoint.create(
        project, asked.description, paths=files, figures=figures or None, commit=not asked.no_commit, named=named
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


def _title(project: Project, asked: argparse.Namespace) -> str:
    """The title, asked of whoever sits at a terminal; else :class:`UsageError`, with what would be done under one."""
    if not asked.json and sys.stdin is not None and sys.stdin.isatty() and sys.stdout.isatty():
        with contextlib.suppress(EOFError):
            title = ask(checkpoint_report.ASK_TITLE)
            if title:
                return title
    export = newest_waiting(project) if asked.export is None else asked.export
    raise UsageError("a checkpoint needs a title", hint=checkpoint_report.untitled(export, commit=not asked.no_commit))


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
    add(
        "description",
        nargs="?",
        metavar="DESCRIPTION",
        help="the title; without one you are asked for it at a terminal",
    )
    add(
        "--export", metavar="FILE", help="the export to deduplicate (default: the newest one that waits in the project)"
    )
    add("--no-commit", action="store_true", help="write the files only, leave git alone")
    shared.add_storage(found)
    add("--json", action="store_true", help="print one JSON object and nothing else")
    return found
