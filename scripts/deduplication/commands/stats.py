"""``deduplicate_export.py stats``: bytes seen, stored and saved, and what all runs came to."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Any, Final

from ..accounting import storage_account
from ..accounting.store_account import account_of
from ..errors import EXIT_FAILURE, EXIT_OK, UsageError
from ..ingest.conversation_choice import choose
from ..metrics import measurement
from ..metrics.trends import EVERY, trend
from ..reports import archive as archive_report
from ..reports import storage as storage_report
from ..reports import store as store_report
from ..reports.monitoring import metrics as metrics_report
from ..start.late_dataclass import asdict
from ..terminal.display import show
from . import arguments as shared

if TYPE_CHECKING:
    import argparse
    from collections.abc import Sequence

    from ..ingest.deduplicator import ClaudeConversationDeduplicator
    from ..metrics.trends import Period

_MOST: Final = 14


def main(arguments: Sequence[str]) -> int:
    """Count a store; 1 where something is damaged, so that no savings can be told."""
    asked = parser().parse_args(arguments)
    if sum((asked.json, asked.csv)) > 1 or (asked.session is not None and (asked.csv or asked.trend)):
        raise UsageError("--csv and --trend are of the whole store, and --csv goes without --json")
    folder = shared.store_to_read(asked).folder
    if asked.csv:
        return _as_csv(asked, folder)
    disk = storage_account.on_disk(folder)
    dedup, _ = shared.reader(asked)
    return _of_session(dedup, asked) if asked.session is not None else _of_store(dedup, folder, disk, asked)


def parser() -> shared.Parser:
    """The arguments."""
    found = shared.Parser(
        "deduplicate_export.py stats",
        "Show the raw bytes that were seen, the bytes that the store and its archive take on the disk, file by file, and\n"
        "what identical files, known messages, doubled blobs and compression saved; and what the runs came to: messages,\n"
        "duplicates, times, what failed. Nothing is changed.",
    )
    add = found.add_argument
    add("--session", metavar="ID", help="one conversation only: its id, the beginning of it, or a session's id")
    add("--trend", metavar="BY", choices=EVERY, help="draw how it went, a line for each day, week or conversation")
    add("--most", metavar="N", type=shared.whole_number, help=f"so many lines of --trend (default: {_MOST})")
    shared.add_store(found)
    add("--json", action="store_true", help="print one JSON object and nothing else")
    add("--csv", action="store_true", help="print a row for each run, with the audit's columns, and nothing else")
    return found


def _as_csv(asked: argparse.Namespace, folder: str) -> int:
    from ..metrics import runs_csv

    dedup, _ = shared.reader(asked)
    sys.stdout.flush()
    runs_csv.write(sys.stdout.buffer, dedup.store, folder)
    sys.stdout.buffer.flush()
    return EXIT_OK


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
    account = account_of(dedup, folder, disk)
    found, packs, besides, kept = account.savings, account.packs, account.besides, account.kept
    metrics = measurement.measure(dedup, folder, storage=found)
    totals = metrics.totals
    periods = _trend(dedup, asked, metrics.measured)
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
        "metrics": metrics.as_dict(),
        **({"trend": {"by": asked.trend, "periods": [each.as_dict() for each in periods]}} if asked.trend else {}),
    }
    gone = archive_report.gone(kept)
    _put(
        answer,
        "\n".join(
            [
                storage_report.statistics(found, disk, besides, packs, totals, dedup.store.where()),
                f"\n{metrics_report.statistics(metrics)}",
                *([f"\n{metrics_report.trend(periods, asked.trend)}"] if asked.trend else []),
                *gone,
            ]
        ),
        asked,
    )
    return EXIT_FAILURE if found.damage or kept.missing else EXIT_OK


def _trend(dedup: ClaudeConversationDeduplicator, asked: argparse.Namespace, now: float) -> list[Period]:
    if not asked.trend:
        return []
    return trend(dedup.store, asked.trend, asked.most or _MOST, now)


def _put(answer: dict[str, Any], text: str, asked: argparse.Namespace) -> None:
    if asked.json:
        shared.print_json(answer)
    else:
        show(text)
