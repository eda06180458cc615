"""``deduplicate_export.py export``: messages and runs as tables for a team's own tools."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from ..errors import EXIT_OK, UsageError
from ..ingest.conversation_choice import choose
from ..project.paths import find_project
from ..reports import tables as report
from ..sessions.redaction import standard
from ..tables import output
from ..tables.choice import Choice
from ..tables.of_store import TABLES, tables_of
from ..terminal import termination
from ..terminal.console import is_terminal
from ..terminal.display import show
from ..workflow.new_messages_file import check_folder
from . import arguments as shared

if TYPE_CHECKING:
    import argparse
    from collections.abc import Sequence

    from ..storage.contract import Store
    from ..tables.choice import Tally
    from ..tables.of_store import StoreTable

_SCREEN: Final = "-"
_DESCRIPTION: Final = """\
Write the messages and the runs of the store as tables, for tools of your own (DuckDB, pandas, PostgreSQL, a spreadsheet):
one row a message, one row a run, the same columns in every form. docs/tables.md says what each column is.

  deduplicate_export.py export --parquet --to tables          tables/messages.parquet and tables/runs.parquet
  deduplicate_export.py export --jsonl --messages | head -1
"""


def main(arguments: Sequence[str]) -> int:
    """Write the tables."""
    asked = parser().parse_args(arguments)
    names = _wanted(asked)
    dedup, folder = shared.reader(asked)
    project = find_project(asked.project)
    redact = standard(project.root)[0] if asked.redact else None
    choice = Choice(_conversation(dedup.store, asked.session), asked.since, asked.until)
    tables = tables_of(dedup.store, names, choice, redact)
    if asked.to == _SCREEN:
        _to_screen(asked.form, tables[0])
    else:
        target = check_folder(asked.to, (folder, project.archive))
        with termination.in_order():
            done = output.write_files(target, asked.form, tables, force=asked.force)
        for name, told in zip(names, tables):
            path = project.relative(Path(done[name].path))
            show(report.written(path, name, told.tally.rows, told.tally.conversations, done[name].size))
    _tell(asked, [told.tally for told in tables])
    return EXIT_OK


def _wanted(asked: argparse.Namespace) -> list[str]:
    """The names of the tables."""
    if asked.to == "":
        raise UsageError("--to is empty", hint="Pass a folder, or - for the screen.")
    names = [name for name in TABLES if getattr(asked, name)] or list(TABLES)
    if asked.to == _SCREEN and len(names) > 1:
        hint = "Pass --to DIR; or --messages or --runs for one of them."
        raise UsageError("two tables do not fit into one output", hint=hint)
    return names


def parser() -> shared.Parser:
    """The arguments."""
    found = shared.Parser("deduplicate_export.py export", _DESCRIPTION)
    form = found.add_mutually_exclusive_group(required=True)
    told = {
        "parquet": "Parquet files, for which pyarrow is needed (extra: analytics)",
        "jsonl": "JSON lines",
        "csv": "CSV",
    }
    for name, text in told.items():
        form.add_argument(f"--{name}", dest="form", action="store_const", const=name, help=text)
    add = found.add_argument
    add("--messages", action="store_true", help="only the messages")
    add(
        "--runs",
        action="store_true",
        help="only the runs: exports that were processed, parts of transcripts that were read",
    )
    add("--session", metavar="ID", help="one conversation only: its id, the beginning of it, or a session's id")
    moment: dict[str, Any] = {"metavar": "D", "type": shared.since}
    add(
        "--since",
        help="what was said or stored from this day on, or from this time on (your own clock where it names no zone)",
        **moment,
    )
    moment["type"] = shared.until
    add("--until", help="what was said or stored up to the end of this day, or before this time", **moment)
    add(
        "--redact",
        action="store_true",
        help="take secrets out, as in session files (default: everything as it was said)",
    )
    add(
        "--to",
        metavar="DIR",
        default=_SCREEN,
        help="the folder for the files, or - for the screen, one table (default: -)",
    )
    add("--force", action="store_true", help="replace files that are there")
    shared.add_store(found)
    return found


def _conversation(store: Store, asked: str | None) -> str | None:
    """The conversation that was asked for, by its id."""
    if asked is None:
        return None
    with store.transaction(write=False):
        return choose(store, asked)


def _to_screen(form: str, told: StoreTable) -> None:
    """One table to standard output."""
    if form == output.PARQUET and is_terminal(sys.stdout):
        raise UsageError("Parquet is nothing to look at", hint="Pass --to DIR, or send it into a file or a pipe.")
    sys.stdout.flush()
    output.write_stream(sys.stdout.buffer, form, told)


def _tell(asked: argparse.Namespace, tallies: Sequence[Tally]) -> None:
    """What the user must know of what was written: not where the table goes."""
    stream = sys.stderr if asked.to == _SCREEN else None
    left_out = sum(tally.without_time for tally in tallies)
    if left_out:
        show(report.without_time(left_out), stream)
    if asked.redact:
        show(report.redacted(sum(tally.redacted for tally in tallies)), stream)
    elif asked.to != _SCREEN:
        show(report.exact(), stream)
