"""``deduplicate_export.py backup``: snapshots of a store in another folder, and back."""

from __future__ import annotations

import os
import sys
from typing import TYPE_CHECKING, Any

from ...backup import checking, known, restoring, surroundings, taking
from ...backup import folder as folders
from ...errors import EXIT_FAILURE, EXIT_OK, BackupDamaged, DedupError, UsageError
from ...project.paths import find_project
from ...reports import backup as backup_report
from ...terminal.display import show
from ...terminal.progress import LONG, progress
from .. import arguments as shared
from . import choices, sealed

if TYPE_CHECKING:
    import argparse
    from collections.abc import Sequence

_ONLY_FOR_TAKING = ("retention_days", "full")
_ONLY_FOR_RESTORING = ("snapshot", "output", "skip_damaged", "with_purged")
_ONLY_FOR_SEALING = ("encrypt_to",)
_ONLY_FOR_UNSEALING = ("identity",)


def main(arguments: Sequence[str]) -> int:
    """Take a snapshot, or list, verify, restore; 1 where something is damaged."""
    asked = parser().parse_args(arguments)
    _check(asked)
    if asked.list:
        return _list(asked)
    if asked.verify:
        return _verify(asked)
    if asked.restore:
        return _restore(asked)
    if asked.forget:
        return _forget(asked)
    if asked.seal is not None or asked.unseal is not None:
        return sealed.main(asked)
    return _take(asked)


def parser() -> shared.Parser:
    """The arguments."""
    found = shared.Parser(
        "deduplicate_export.py backup",
        "Take a snapshot of everything in MEMORY-CONTEXT that cannot be made again, into a folder elsewhere: only what is new\n"
        "is written, and read again. Runs may go on meanwhile. Older snapshots go after some days.",
    )
    add = found.add_argument
    add("folder", metavar="DIR", help="the folder of the backup: empty or missing the first time")
    add(
        "--retention-days",
        metavar="N",
        help="remove snapshots older than N days; below 0: none (default: the setting backup_retention_days)",
    )
    add("--full", action="store_true", help="read everything again, and write anew what is damaged in the backup")
    add("--list", action="store_true", help="list the snapshots")
    add("--verify", action="store_true", help="read every byte of the backup and say what is damaged")
    add("--restore", action="store_true", help="restore a snapshot into a project that has no store")
    add(
        "--snapshot",
        metavar="S",
        help="restore this one: its number, or the beginning of its time (default: the newest)",
    )
    add("--output", metavar="O", help="restore into this folder, which gets what MEMORY-CONTEXT had")
    add("--skip-damaged", action="store_true", help="restore what is whole and name the rest, instead of refusing")
    add("--with-purged", action="store_true", help="restore a snapshot that was taken before a purge, and all it has")
    sealed.add_options(found)
    add("--forget", action="store_true", help="no longer count this folder among the backups that a purge has to reach")
    shared.add_project(found)
    add("--storage-dir", metavar="D", help="the store's folder alone, without archive and sessions")
    add("--json", action="store_true", help="print one JSON object and nothing else")
    return found


def _check(asked: argparse.Namespace) -> None:
    named = (asked.folder, asked.output, asked.storage_dir, asked.snapshot, asked.seal, asked.unseal)
    if "" in (*named, *asked.encrypt_to, *asked.identity):
        raise UsageError("an argument is empty", hint="An unset variable of the shell? Nothing was done.")
    actions = [name for name in ("list", "verify", "restore", "forget", "seal", "unseal") if getattr(asked, name)]
    if len(actions) > 1:
        raise UsageError(f"--{actions[0]} and --{actions[1]} do not go together")
    for names, action in (
        (_ONLY_FOR_TAKING, ""),
        (_ONLY_FOR_RESTORING, "restore"),
        (_ONLY_FOR_SEALING, "seal"),
        (_ONLY_FOR_UNSEALING, "unseal"),
    ):
        for name in names:
            if getattr(asked, name) and actions != [action][: bool(action)]:
                with_what = f"with --{action}" if action else "with taking a snapshot only"
                raise UsageError(f"--{name.replace('_', '-')} goes {with_what}")
    if asked.seal and not asked.encrypt_to:
        raise UsageError("--seal needs --encrypt-to: who is to open it?", hint="A key of age (age1...) or of gpg.")
    if asked.output is not None and asked.storage_dir is not None:
        raise UsageError("--output and --storage-dir do not go together")


def _take(asked: argparse.Namespace) -> int:
    source = choices.source(asked)
    with progress(LONG if asked.full else 0, "Reading") as advance:
        taken = taking.take(source, asked.folder, retention_days=choices.days(asked), full=asked.full, advance=advance)
    place = os.path.realpath(asked.folder)
    notes = taken.notes + surroundings.notes(place)
    for note in notes:
        show(backup_report.note(note), sys.stderr)
    if asked.json:
        _print(
            snapshot=taken.snapshot.number,
            time=taken.snapshot.time,
            files=len(taken.snapshot.files),
            bytes=taken.snapshot.size,
            written_objects=taken.written,
            written_bytes=taken.written_bytes,
            removed_snapshots=taken.removed.snapshots,
            removed_objects=taken.removed.objects,
            purged_snapshots=taken.purged,
            purged_kept=taken.kept,
            problems=_pairs(taken.snapshot.problems),
            notes=notes,
        )
    else:
        show(backup_report.taken(taken, place))
    return EXIT_FAILURE if taken.snapshot.problems or taken.kept else EXIT_OK


def _list(asked: argparse.Namespace) -> int:
    rows: list[dict[str, Any]] = []
    damaged = []
    with folders.opened(os.path.realpath(asked.folder)) as folder:
        before = {name.number for name in folder.before(folder.all_purges())}
        for name in folder.names():
            try:
                snapshot = folder.load(name)
            except BackupDamaged as error:
                damaged.append(error.detail)
                continue
            rows.append(
                {
                    "snapshot": snapshot.number,
                    "time": snapshot.time,
                    "files": len(snapshot.files),
                    "bytes": snapshot.size,
                    "before_purge": snapshot.number in before,
                    "problems": _pairs(snapshot.problems),
                }
            )
    if asked.json:
        _print(snapshots=rows, damaged=damaged)
    else:
        show(backup_report.listed(rows, damaged))
    return EXIT_FAILURE if damaged else EXIT_OK


def _verify(asked: argparse.Namespace) -> int:
    with folders.opened(os.path.realpath(asked.folder)) as folder, progress(LONG, "Verifying") as advance:
        found = checking.check(folder, advance)
    if asked.json:
        _print(ok=not found.damaged, damaged=found.damaged, costs={n: lost for n, lost in found.costs.items() if lost})
    else:
        show(backup_report.checked(found))
    return EXIT_FAILURE if found.damaged else EXIT_OK


def _restore(asked: argparse.Namespace) -> int:
    if asked.output is not None:
        target = restoring.Target.of_folder(asked.output)
    elif asked.storage_dir is not None:
        target = restoring.Target.of_state(asked.storage_dir)
    else:
        target = restoring.Target.of_project(find_project(asked.project))
    with folders.opened(os.path.realpath(asked.folder)) as folder:
        done = restoring.restore(
            folder,
            target,
            snapshot=asked.snapshot or "",
            skip_damaged=asked.skip_damaged,
            purges=None if asked.with_purged else _purges_of(asked, folder),
        )
    if asked.json:
        _print(
            snapshot=done.snapshot.number,
            time=done.snapshot.time,
            path=done.place,
            files=done.files,
            bytes=done.bytes,
            left_out=done.left_out,
            settings=done.settings,
            lost=_pairs(done.lost),
            taken_with=_pairs(done.snapshot.problems),
            problems=done.problems,
        )
    else:
        show(backup_report.restored(done))
    return EXIT_FAILURE if done.lost or done.problems or done.snapshot.problems else EXIT_OK


def _purges_of(asked: argparse.Namespace, folder: folders.Folder) -> tuple[str, ...]:
    """The purges that the store at hand has had, where this is a backup of it: one restores into another place then."""
    try:
        state = choices.source(asked).state
        return known.purges(state) if known.backups(state) and known.store_id(state) == folder.store() else ()
    except DedupError:
        return ()  # a store that is damaged is what one restores for


def _forget(asked: argparse.Namespace) -> int:
    folder = os.path.realpath(asked.folder)
    gone = known.forget(choices.source(asked).state, folder)
    lacking = any(each.owed for each in gone)
    if asked.json:
        _print(path=folder, known=bool(gone), has_purged=lacking)
    else:
        show(backup_report.forgotten(folder, known=bool(gone), has_purged=lacking))
    return EXIT_OK


def _pairs(pairs: Sequence[tuple[str, str]]) -> list[dict[str, str]]:
    return [{"file": path, "problem": text} for path, text in pairs]


def _print(**figures: object) -> None:
    shared.print_json(figures)
