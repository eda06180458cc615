"""``deduplicate_export.py purge``: remove something for good."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING

from ..errors import EXIT_FAILURE, EXIT_OK, NothingToPurge, PurgeIncomplete, PurgeRefused
from ..project.paths import Project, find_project
from ..purge.follow_up import catch_up, renew_backups, verify
from ..purge.lent_folder import in_a_folder
from ..purge.run import purge
from ..purge.scope import scope_of
from ..reports import purge as purge_report
from ..terminal.display import ask, show
from . import arguments as shared

if TYPE_CHECKING:
    import argparse
    from collections.abc import Sequence

    from ..backup.renewing import Renewed
    from ..purge.outcome import Purged
    from ..purge.scope import Scope
    from ..storage.contract import Store

_DESCRIPTION = """\
Remove messages for good: from the store, its images, the archive, and the session files. What is given is taken together:
a time within a session, a message within a session. Later exports and transcripts that show them do not bring them back.

  deduplicate_export.py purge --session rollout-master --dry-run
  deduplicate_export.py purge --session rollout-master --between 2026-03-01T14:00 2026-03-01T15:00
  deduplicate_export.py purge --message 3e4fc043fd8e556e --yes"""


def main(arguments: Sequence[str]) -> int:
    """Purge; 0 where all of it is gone, 1 where something is still there or the store does not verify afterwards."""
    asked = parser().parse_args(arguments)
    scope = scope_of(asked.session, asked.between, asked.message)
    dedup, folder = shared.reader(asked)
    with in_a_folder(dedup.store, folder) as store:
        return _purge(store, scope, _project(asked, folder), asked)


def _purge(store: Store, scope: Scope, project: Project | None, asked: argparse.Namespace) -> int:
    try:
        if not asked.dry_run and not asked.yes:
            if asked.json or not _can_ask():
                raise PurgeRefused("nobody was asked, and --yes was not given")
            show(purge_report.purged(purge(store, project, scope, forget=asked.forget, dry_run=True)))
            if not _agreed():
                raise PurgeRefused("as you wished")
        done = purge(store, project, scope, forget=asked.forget, dry_run=asked.dry_run)
    except NothingToPurge:
        backups = catch_up(store, project, dry_run=asked.dry_run)
        if not backups.reached and not backups.unreached:
            raise
        return _say_caught_up(backups, asked)
    failure = None if asked.dry_run else _verified(store, project, done)
    if not asked.dry_run:
        renew_backups(store, project, done)
    if asked.json:
        shared.print_json(purge_report.as_dict(done))
    else:
        show(purge_report.purged(done))
    if failure is not None:
        raise failure
    return EXIT_FAILURE if done.problems or done.unreached else EXIT_OK


def _say_caught_up(done: Renewed, asked: argparse.Namespace) -> int:
    """Nothing is left of it in the store, and there were backups that had not been reached."""
    if asked.json:
        shared.print_json(purge_report.caught_up_as_dict(done, dry_run=asked.dry_run))
    else:
        show(purge_report.caught_up(done, dry_run=asked.dry_run))
    return EXIT_FAILURE if done.unreached else EXIT_OK


def _verified(store: Store, project: Project | None, done: Purged) -> PurgeIncomplete | None:
    try:
        verify(store, project, done)
    except PurgeIncomplete as error:
        return error
    return None


def parser() -> shared.Parser:
    """The arguments."""
    found = shared.Parser("deduplicate_export.py purge", _DESCRIPTION)
    add = found.add_argument
    add("--session", action="append", default=[], metavar="ID", help="a conversation; may be given several times")
    add("--between", nargs=2, metavar=("FROM", "TO"), help="messages from FROM on and before TO (a day: all of it)")
    add(
        "--message",
        nargs="+",
        action="extend",
        default=[],
        metavar="HASH",
        help="messages by content hash, wherever they are",
    )
    add(
        "--forget",
        action="store_true",
        help="keep not even hashes: what is said in few letters could be guessed from them",
    )
    add("--dry-run", action="store_true", help="say exactly what would go, and change nothing")
    add("--yes", action="store_true", help="do not ask")
    shared.add_store(found)
    add("--json", action="store_true", help="print one JSON object and nothing else")
    return found


def _project(asked: argparse.Namespace, folder: str) -> Project | None:
    """The project whose archive and session files belong to the store; None for a store that was named by itself."""
    if asked.storage_dir is not None:
        return None
    project = find_project(asked.project)
    if Path(folder) == project.state:
        return project
    return Project(Path(folder).resolve().parent.parent)


def _can_ask() -> bool:
    return sys.stdin is not None and sys.stdin.isatty() and sys.stdout.isatty()


def _agreed() -> bool:
    try:
        return ask(f"{purge_report.QUESTION} [y/N] ").lower() in ("y", "yes")
    except EOFError:
        return False
