"""What the commands' argument parsers share: errors in our own form, and the options that name a store."""

from __future__ import annotations

import argparse
import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING, NoReturn

from ..errors import StoreMissing, UsageError

if TYPE_CHECKING:
    from ..deduplicator import ClaudeConversationDeduplicator

EXIT_CODES = "Exit codes: 0 done, 1 a named failure, 2 usage, 3 unexpected (a log is named), 130 interrupted."


class Parser(argparse.ArgumentParser):
    """An argument parser whose errors are :class:`UsageError`."""

    def __init__(self, prog: str, description: str, epilog: str = EXIT_CODES) -> None:
        super().__init__(
            prog=prog,
            description=description,
            epilog=epilog,
            allow_abbrev=False,
            formatter_class=argparse.RawDescriptionHelpFormatter,
        )

    def error(self, message: str) -> NoReturn:
        """Raise instead of printing: argparse would show an argument as it came, with what a terminal obeys in it."""
        raise UsageError(message)


def add_project(parser: argparse.ArgumentParser) -> None:
    """``--project``."""
    parser.add_argument("--project", metavar="DIR", help="the project (default: found from the current folder upwards)")


def add_store(parser: argparse.ArgumentParser) -> None:
    """``--project`` and the options that say where the store is."""
    add_project(parser)
    add = parser.add_argument
    add("--storage-dir", metavar="D", help="the store's folder (default: MEMORY-CONTEXT/dedup_state in the project)")
    add("--backend", metavar="B", default="json", help="where the log and its index live: json (the default)")
    add("--db-url", metavar="URL", help="the database, for a backend that has one")


def store_folder(asked: argparse.Namespace) -> str:
    """The store's folder that :func:`add_store`'s options name."""
    from ..project import find_project

    if asked.storage_dir is None:
        return os.fspath(find_project(asked.project).state)
    if not asked.storage_dir:
        raise UsageError("--storage-dir is empty", hint="Pass the folder, or leave the option out.")
    return str(asked.storage_dir)


def deduplicator(asked: argparse.Namespace, *, existing: bool = False) -> ClaudeConversationDeduplicator:
    """The deduplicator over the store that :func:`add_store`'s options name.

    ``existing``: raise ``StoreMissing`` where there is no store. A mistyped folder is neither whole nor to be filled.
    """
    from .. import report
    from ..deduplicator import ClaudeConversationDeduplicator
    from ..display import show
    from ..state_folder import secure

    folder = store_folder(asked)
    # A folder that was named may be anything, a mistyped home for one: only the project's own is set right.
    for corrected in secure(Path(folder)) if asked.storage_dir is None else ():
        show(report.note(corrected), sys.stderr)
    dedup = ClaudeConversationDeduplicator(folder, asked.backend, asked.db_url)
    if existing:
        from ..storage.json_store import INDEX_NAMES, LOCK, LOG_NAME

        if not any(os.path.lexists(os.path.join(folder, name)) for name in (LOG_NAME, LOCK, *INDEX_NAMES)):
            raise StoreMissing(folder)
    return dedup
