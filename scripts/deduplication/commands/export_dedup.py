"""``export-dedup.py``: the five steps from the shell."""

from __future__ import annotations

import os
import sys
from typing import TYPE_CHECKING

from ..accounting import last_run
from ..errors import EXIT_OK, UsageError
from ..project import config
from ..project.paths import find_project
from ..reports import workflow as report
from ..terminal.display import ask, show_nothing
from ..workflow import settings_notice, shared_run
from ..workflow.options import DESCRIPTION, Options
from ..workflow.shared_run import Share
from . import arguments as shared
from . import entry
from .shell.table import OF_THE_TOOL

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from ..workflow.outcome import Outcome


def main(arguments: Sequence[str]) -> int:
    """Run the command with ``arguments`` (without the program's name); returns its exit code."""
    asked = parser().parse_args(arguments)
    if "" in asked.paths:
        raise UsageError("an export's name is empty", hint="An unset variable of the shell? Nothing was searched.")
    if asked.paths and asked.paths[0] in OF_THE_TOOL and not os.path.lexists(asked.paths[0]):
        name = asked.paths[0]
        raise UsageError(
            f"'{name}' is no file, and no subcommand of this command", hint=f"Run: deduplicate_export.py {name}"
        )
    project = find_project(asked.project)
    settings = config.examine(str(project.root))
    said = settings_notice.once(settings)
    if said:
        report.show(report.note(said), sys.stderr)
    elsewhere = shared.elsewhere(asked, project)
    options = Options(
        paths=tuple(asked.paths),
        session_id=_session_id(asked.session_id),
        description=asked.description,
        archive=not asked.no_archive and elsewhere is None,
        checkpoint=not asked.no_checkpoint,
        session_files=config.OFF if elsewhere is not None else settings.values["session_files"],
        elsewhere=elsewhere,
    )
    silent = bool(asked.json)
    out = show_nothing if silent else report.show
    confirm = None if silent or asked.yes else _asker()

    store = (asked.backend, asked.db_url)

    def work(share: Share) -> Outcome:
        from ..workflow import five_steps

        return five_steps.run_in_store(project, options, store, out, confirm=confirm, share=share)

    # Nobody waits while a person thinks, or for those who write into another store.
    alone = elsewhere is not None or confirm is not None
    outcome = work(Share()) if alone else shared_run.run(project, options, out, work, store=store)
    if elsewhere is None and any(export.error is None for export in outcome.result.exports):
        last_run.save(project, outcome.result, last_run.BY_COMMAND)
    if silent:
        _print_json(outcome)
    if outcome.unexpected is not None:
        raise outcome.unexpected
    return outcome.exit_code


def parser() -> shared.Parser:
    """The arguments."""
    found = shared.Parser(
        "export-dedup.py", "Capture every message of your exports once, archive the files, and make a checkpoint."
    )
    shared.add_storage(found)
    add = found.add_argument
    add("paths", nargs="*", metavar="PATH", help="exports, or folders of exports; without it the project is searched")
    add("--session-id", metavar="ID", help="the conversation that the exports belong to (default: found by content)")
    add("--description", metavar="TEXT", default=DESCRIPTION, help="the checkpoint's title")
    add("--yes", action="store_true", help="ask nothing")
    add("--no-archive", action="store_true", help="leave the exports where they are")
    add("--no-checkpoint", action="store_true", help="make no checkpoint")
    shared.add_backend(found)
    add("--json", action="store_true", help="print one JSON object and nothing else")
    return found


def _session_id(text: str | None) -> str | None:
    if text is None:
        return None
    from ..project.export_names import validate_session_id

    return validate_session_id(text)


def _asker() -> Callable[[str], bool] | None:
    """How to ask a person, or None where nobody sits in front of a terminal."""
    if not (sys.stdin is not None and sys.stdin.isatty() and sys.stdout.isatty()):
        return None

    def agreed(question: str) -> bool:
        try:
            return ask(f"{question} [y/N] ").lower() in ("y", "yes")
        except EOFError:
            return False

    return agreed


def _print_json(outcome: Outcome) -> None:
    # ASCII: a name that is no valid Unicode becomes an escape, on every console.
    earlier = {"earlier": outcome.earlier.as_dict()} if outcome.earlier is not None else {}
    shared.print_json({**outcome.result.as_dict(), **earlier})
    for problem in outcome.problems:
        entry.report(problem)
    if outcome.exit_code == EXIT_OK:
        return
    for export in outcome.result.failed:
        sys.stderr.write(report.export_block(export) + "\n")
