"""``deduplicate_export.py pack``: archived exports into deduplicated, compressed packs."""

from __future__ import annotations

import os
import sys
from typing import TYPE_CHECKING

from ..archive import pack_files
from ..archive.places import packs_folder
from ..archive.recut import recut
from ..errors import EXIT_FAILURE, EXIT_OK, UsageError
from ..ingest.deduplicator import ClaudeConversationDeduplicator
from ..project import config
from ..reports import archive as archive_report
from ..storage.log_backed import folder_of
from ..terminal.display import show
from ..terminal.progress import progress
from . import arguments as shared

if TYPE_CHECKING:
    from collections.abc import Sequence

    from ..project.paths import Project


def main(arguments: Sequence[str]) -> int:
    """Pack what is old enough; 1 where a file could not be packed, it then stays a plain file."""
    asked = parser().parse_args(arguments)
    project = shared.archive_place(asked)
    days = _days(asked.older_than, project)
    waiting = pack_files.due(project, days)
    with progress(sum(size for _, size in waiting), "Packing") as advance:
        done = pack_files.pack(project, days, session_of=pack_files.session_lookup(project), advance=advance)
    if project.state.is_dir():
        store = ClaudeConversationDeduplicator(os.fspath(project.state)).store
        kept = folder_of(store)
        if kept is not None and project.archive.is_dir() and recut(project, kept.blobs.kept()):
            done.packs, done.pack_bytes = pack_files.packs_and_bytes(packs_folder(project))
        store.condense()
    for name, error in done.failures:
        show(archive_report.not_packed(name, str(error), error.hint), sys.stderr)
    if asked.json:
        failed = [{"name": name, "error": str(error)} for name, error in done.failures]
        figures = {
            "packed": done.names,
            "raw_bytes": done.raw_bytes,
            "packs": done.packs,
            "pack_bytes": done.pack_bytes,
        }
        shared.print_json({**figures, "failed": failed})
    else:
        for note in done.notes:
            show(archive_report.list_healed(note))
        show(archive_report.packed(done, days))
    return EXIT_FAILURE if done.failures else EXIT_OK


def parser() -> shared.Parser:
    """The arguments."""
    found = shared.Parser(
        "deduplicate_export.py pack",
        "Move the exports in MEMORY-CONTEXT/exports-archive/ that are older than some days into packs: each part of them\n"
        "is stored once, compressed. Each file is restored from its pack and compared before the plain one goes. Small packs\n"
        "are put together, and the store's log is compressed anew: slower than in a run, and smaller.",
    )
    shared.add_storage(found)
    add = found.add_argument
    add(
        "--older-than",
        metavar="DAYS",
        help="pack what was last written so many days ago; 0: everything (default: the setting pack_older_than_days)",
    )
    add("--json", action="store_true", help="print one JSON object and nothing else")
    return found


def _days(given: str | None, project: Project) -> float:
    if given is None:
        setting = float(config.load(os.fspath(project.root))["pack_older_than_days"])
        return setting if setting >= 0 else float(pack_files.DEFAULT_DAYS)
    try:
        days = float(given)
    except ValueError:
        days = -1.0
    if not 0 <= days < 1e6:
        raise UsageError("--older-than takes a number of days, 0 or more")
    return days
