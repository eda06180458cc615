"""``deduplicate_export.py migrate``: a store moved from one backend to another, whole and proven."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

from ...errors import EXIT_OK, UsageError
from ...exchange import uniting
from ...metrics import operations
from ...migration import places
from ...migration.move import Steps, move, require
from ...reports import migration as report
from ...storage import HYBRID, POSTGRESQL
from ...storage.audit_entries import MIGRATE, UNITE
from ...terminal.called import as_called
from ...terminal.display import show
from ...terminal.progress import progress
from .. import arguments as shared
from . import original_state

if TYPE_CHECKING:
    import argparse
    from collections.abc import Sequence

    from ...storage.log_backed import LogBackedStore


def main(arguments: Sequence[str]) -> int:
    """Copy, prove, and say so; 1 with a named failure where the target would not say the same."""
    asked = parser().parse_args(original_state.in_one_word(arguments))
    folder = shared.store_folder(asked)
    if asked.raw and asked.source.kind != places.ORIGINAL:
        raise UsageError("--raw is for --from original: a store of ours has its raw exports in its archive")
    if asked.source.kind == places.ORIGINAL:
        return original_state.take(asked, folder, _use(asked))
    source = places.opened(asked.source, folder, asked.db_url, reading=True)
    target = places.opened(asked.target, folder, asked.db_url)
    places.require_target(target, source)
    places.require_source(source)
    use, began = _use(asked), time.monotonic()
    kinds = {"source": asked.source.kind, "target": asked.target.kind}
    if asked.unite:
        united = _unite(source, target)
        operations.note(target, UNITE, began, messages=united.messages, runs=united.runs, **kinds)
        if asked.json:
            shared.print_json(report.united_as_data(united))
        else:
            show(report.united(united, use))
        return EXIT_OK
    done = _move(source, target)
    operations.carry(source, target)
    operations.note(target, MIGRATE, began, messages=done.messages, runs=done.runs, **kinds)
    if asked.json:
        shared.print_json(report.as_data(done))
    else:
        show(report.migrated(done, use))
    return EXIT_OK


def _move(source: LogBackedStore, target: LogBackedStore) -> report.Migrated:
    done = move(source, target, progress)
    waiting, before = _since(source, done.copied.size)
    with target.transaction(write=False):
        after = target.byte_counts()[1]
    return report.Migrated(
        source=source.where(),
        target=target.where(),
        size=done.copied.size,
        before=done.copied.before,
        ahead=done.copied.ahead,
        runs=done.proof.runs,
        conversations=done.proof.conversations,
        messages=done.proof.messages,
        audit_entries=done.proof.audit_entries,
        head=done.proof.head,
        stored=(before, after),
        seconds=(done.copy_seconds, done.proof_seconds),
        waiting=waiting,
        lost=len(done.proof.lost),
    )


def _since(source: LogBackedStore, size: int) -> tuple[int, int]:
    """Runs that came into the source behind these bytes of its log, and the bytes that it takes on the disk."""
    with source.transaction(write=False):
        return sum(1 for _ in source.commits(size)), source.byte_counts()[1]


def _unite(source: LogBackedStore, target: LogBackedStore) -> report.United:
    began = time.perf_counter()
    with source.transaction(write=False):
        size = source.log_size()
    with progress(size, "Processing") as advance:
        done = uniting.unite(source, target, Steps(advance).reached)
    require(target, [*(f"{each}: it is missing" for each in done.missing), *target.verify()])
    seconds = time.perf_counter() - began
    where = source.where(), target.where()
    return report.United(*where, done.runs, done.known, done.purges, done.messages, seconds)


def _use(asked: argparse.Namespace) -> str:
    """How the target is used from now on."""
    place = asked.target
    if place.kind == POSTGRESQL:
        return as_called(
            "Use it: set backend to postgresql in your own settings; then 'deduplicate_export.py sync' sends the archive, too."
        )
    if place.kind == HYBRID:
        return as_called(
            "Use it: set backend to hybrid in your own settings; 'deduplicate_export.py sync' sends it to the database."
        )
    return f"Use it: pass --storage-dir {place.where}." if place.where else "It is the project's own store now."


def _place(text: str, option: str) -> places.Place:
    """A place as it was passed: the address of a database may have a password, as that of ``--db-url``."""
    place = places.place_of(text)
    if place.kind == POSTGRESQL and place.where:
        shared.database_address(place.where, option)
    return place


def parser() -> shared.Parser:
    """The arguments."""
    found = shared.Parser(
        "deduplicate_export.py migrate",
        "Copy a store into one of another kind, run by run, with every line as it is, and prove that it is all there: every line\n"
        "and its chain, every count, every message with its content hash recomputed, every conversation as it is read, the audit.\n"
        "The source is not changed. Stopped anywhere, the same command goes on where it was. KIND is default, json, hybrid,\n"
        "postgresql, or as a source original: a state folder of the original project. Without a place it is the project's own\n"
        "folder, or the database that --db-url, EXPORT_DEDUP_DATABASE_URL or the settings name.\n\n"
        "  deduplicate_export.py migrate --from default --to postgresql\n"
        "  deduplicate_export.py migrate --from postgresql --to json:copy-of-the-team",
    )
    add = found.add_argument
    add(
        "--from",
        dest="source",
        metavar="KIND[:PLACE]",
        type=lambda text: _place(text, "--from"),
        required=True,
        help="the store to be copied",
    )
    add(
        "--to",
        dest="target",
        metavar="KIND[:PLACE]",
        type=lambda text: _place(text, "--to"),
        required=True,
        help="where it goes",
    )
    original_state.add_raw(found)
    add(
        "--unite",
        action="store_true",
        help="the target has a store of its own: process in it what the source has, each message once",
    )
    shared.add_storage(found)
    add(
        "--db-url",
        metavar="URL",
        type=shared.database_address,
        help="the database, where postgresql or hybrid names none. Others see it in the list of processes: better set "
        "EXPORT_DEDUP_DATABASE_URL",
    )
    add("--json", action="store_true", help="print one JSON object and nothing else")
    return found
