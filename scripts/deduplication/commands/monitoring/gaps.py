"""``deduplicate_export.py gaps``: what is missing, since when, how sure that is, and what would still fill it."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Final, Optional

from ...accounting.storage_account import project_of
from ...errors import EXIT_OK
from ...gaps.archived_files import archived_files
from ...gaps.client_side import client_side
from ...gaps.look import look
from ...hooks.store_location import stored_at
from ...project.paths import find_project
from ...reports.monitoring import gaps as gaps_report
from ...terminal.display import show
from .. import arguments as shared

if TYPE_CHECKING:
    import argparse
    from collections.abc import Sequence

    from ...gaps.client_side import ClientSide

MOST_OF_A_KIND: Final = 5
"""Gaps of one kind that are listed unless somebody asks for more."""


def main(arguments: Sequence[str]) -> int:
    """Look at everything, and change nothing; 0 where it could be looked at, whatever was found.

    Raises ``StoreMissing``, ``ConversationUnclear`` and the rest of the ``StoreError`` family where it could not.
    """
    asked = parser().parse_args(arguments)
    dedup, folder = shared.reader(asked)
    client = client_of(asked, folder)
    found = look(dedup.store, asked.conversation, client=client, folder=folder)
    kept = archived_files(client) if client is not None and asked.conversation is None else None
    if asked.json:
        answer = {**found.as_dict(), "client_files": kept.as_dict() if kept is not None else None}
        shared.print_json({**answer, "storage_dir": dedup.store.where()})
    else:
        show(gaps_report.text(found, kept, most=None if asked.all else MOST_OF_A_KIND))
    return EXIT_OK


def parser() -> shared.Parser:
    """The arguments."""
    found = shared.Parser(
        "deduplicate_export.py gaps",
        "Show what is missing of the conversations and what soon will be: since when, how sure that is, what would still fill\n"
        "it; and how many bytes of the client's own files are in the archive, verified. Nothing is changed. The exit code is 0\n"
        "where everything could be looked at, whatever is missing.",
    )
    add = found.add_argument
    add("conversation", nargs="?", metavar="ID", help="only this one: its id, the beginning of it, or a session's id")
    add(
        "--all",
        action="store_true",
        help=f"list every gap (default: {MOST_OF_A_KIND} of each kind; --json always does)",
    )
    shared.add_store(found)
    add("--json", action="store_true", help="print one JSON object and nothing else")
    return found


def client_of(asked: argparse.Namespace, folder: str) -> Optional[ClientSide]:
    """The client's side of the project that the store belongs to; None where ``--storage-dir`` names a store by itself."""
    if asked.storage_dir is None or asked.project is not None:
        project = find_project(asked.project)
        return client_side(project.root, stored_at(project) if asked.storage_dir is None else project_of(folder))
    place = project_of(os.fspath(folder))
    return client_side(place.root, place) if place is not None else None
