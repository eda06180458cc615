"""``deduplicate_export.py stats``: bytes seen, bytes stored, and what each layer saved."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Optional

from ..accounting import storage_account, store_totals
from ..archive import completeness, drop_folder, savings_ledger
from ..archive.places import packs_folder
from ..archive.verify import Checked
from ..errors import EXIT_FAILURE, EXIT_OK, ArchiveDamaged
from ..ingest.conversation_choice import choose
from ..reports import archive as archive_report
from ..reports import storage as storage_report
from ..reports import store as store_report
from ..start.late_dataclass import asdict, replace
from ..terminal.display import show
from . import arguments as shared

if TYPE_CHECKING:
    import argparse
    from collections.abc import Sequence

    from ..ingest.deduplicator import ClaudeConversationDeduplicator


def main(arguments: Sequence[str]) -> int:
    """Count a store; 1 where something is damaged, so that no savings can be told."""
    asked = parser().parse_args(arguments)
    folder = shared.store_to_read(asked).folder
    disk = storage_account.on_disk(folder)
    dedup, _ = shared.reader(asked)
    return _of_session(dedup, asked) if asked.session is not None else _of_store(dedup, folder, disk, asked)


def parser() -> shared.Parser:
    """The arguments."""
    found = shared.Parser(
        "deduplicate_export.py stats",
        "Show the raw bytes that were seen, the bytes that the store and its archive take on the disk, file by file, and\n"
        "what identical files, known messages, doubled blobs and compression saved. Nothing is changed.",
    )
    add = found.add_argument
    add("--session", metavar="ID", help="one conversation only: its id, the beginning of it, or a session's id")
    shared.add_store(found)
    add("--json", action="store_true", help="print one JSON object and nothing else")
    return found


def of_session(arguments: Sequence[str]) -> int:
    """``dedup_stats.py --session-id ID``, as the original design has it; without an id all of the store."""
    asked = session_parser().parse_args(arguments)
    words = [] if asked.session is None else [f"--session={asked.session}"]
    for option, value in (("--project", asked.project), ("--storage-dir", asked.storage_dir)):
        words += [] if value is None else [f"{option}={value}"]
    return main([*words, *(["--json"] if asked.json else [])])


def session_parser() -> shared.Parser:
    """The arguments of ``dedup_stats.py``."""
    found = shared.Parser(
        "dedup_stats.py",
        "Show the statistics of a conversation, or of the whole store. The same as: deduplicate_export.py stats --session ID",
    )
    add = found.add_argument
    add(
        "--session-id",
        dest="session",
        metavar="ID",
        help="the conversation: its id, the beginning of it, or a session's id",
    )
    shared.add_storage(found)
    add("--json", action="store_true", help="print one JSON object and nothing else")
    return found


def _of_session(dedup: ClaudeConversationDeduplicator, asked: argparse.Namespace) -> int:
    with dedup.store.transaction(write=False):
        name = choose(dedup.store, asked.session)
    figures = dedup.get_statistics(name)
    _put(figures, store_report.statistics(figures), asked)
    return EXIT_OK


def _of_store(
    dedup: ClaudeConversationDeduplicator, folder: str, disk: storage_account.OnDisk, asked: argparse.Namespace
) -> int:
    found = storage_account.savings(dedup, folder, disk)
    packs = None
    if not found.damage:
        try:
            packs = _ledger(folder, disk)
        except ArchiveDamaged as error:
            found = replace(found, damage=(error.detail,))
    project = storage_account.project_of(folder)
    kept = completeness.compare_with_inventory(project) if project is not None else Checked()
    besides = storage_account.besides(folder, disk)
    totals = store_totals.totals(dedup.store, found)
    answer: dict[str, Any] = {
        **totals,
        "storage": found.as_dict(),
        "seen": asdict(found.seen),
        "store": asdict(disk.store),
        "archive": asdict(disk.archive),
        "packs": {**asdict(packs), "compression": packs.compression} if packs is not None else None,
        "besides": asdict(besides),
        "missing": [each.as_dict() for each in kept.missing],
        "given_up": [each.as_dict() for each in kept.given_up],
        "storage_dir": dedup.store.where(),
    }
    gone = archive_report.gone(kept)
    _put(
        answer,
        "\n".join([storage_report.statistics(found, disk, besides, packs, totals, dedup.store.where()), *gone]),
        asked,
    )
    return EXIT_FAILURE if found.damage or kept.missing else EXIT_OK


def _ledger(folder: str, disk: storage_account.OnDisk) -> Optional[savings_ledger.Ledger]:
    """What the packs say of themselves; None where there are none."""
    project = storage_account.project_of(folder)
    if project is None or not disk.archive.pack_files:
        return None
    with drop_folder.opened(project):
        return savings_ledger.ledger(packs_folder(project), disk.archive.packs + disk.archive.indexes)


def _put(answer: dict[str, Any], text: str, asked: argparse.Namespace) -> None:
    if asked.json:
        shared.print_json(answer)
    else:
        show(text)
