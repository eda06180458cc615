"""What the user reads of bytes: seen, stored, and what each layer saved. Pure functions from numbers to text."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from ..figures.counted import counted
from ..figures.savings import percent
from ..terminal.called import as_called
from ..terminal.console import printable

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from ..accounting.storage_account import Besides, OnDisk
    from ..archive.savings_ledger import Ledger
    from ..figures.savings import Savings

STATISTICS: Final = "📊 export-dedup stats:"
_LAYERS: Final = {
    "identical_files": "identical files",
    "known_messages": "known messages",
    "doubled_blobs": "doubled blobs",
    "compression": "compression",
}
_ADDS: Final = "what the store adds"
"""Stands in the place of compression where that saves less than log, indexes and lists take."""
_SMALL: Final = 1_000_000
"""Bytes up to which nobody minds that nothing was saved."""
_WIDTH: Final = 30


def share(raw: int, stored: int) -> str:
    """What was saved, where anything was; else how little it is: a small store is larger than what went into it."""
    saved = round(percent(raw - stored, raw), 1)
    if saved > 0:
        return f"{saved:.1f}% saved"
    return f"{'small store' if stored < _SMALL else 'nothing saved yet'}, {_size(stored)}"


def _size(number: int) -> str:
    return f"{number / 1_000_000:,.1f} MB" if number >= _SMALL else f"{max(1, round(number / 1000)):,} kB"


def in_a_line(raw: int, stored: int) -> str:
    """Raw bytes seen and bytes stored, over all runs."""
    told = share(raw, stored)
    return f"📦 Storage: {raw:,} bytes seen, {stored:,} on disk ({told})" if raw > stored else f"📦 Storage: {told}"


def in_a_run(found: Savings) -> list[str]:
    """The part of a run's summary; where something is damaged it says so in place of what was saved."""
    lines = ["📦 Storage report, all runs together:"]
    if found.damage:
        lines += [f"   - Bytes on disk: {found.stored:,}", *_damage(found.damage)]
    else:
        saves = found.seen.raw > found.stored
        layers = ", ".join(f"{label} {saved:,}" for name, label in _LAYERS.items() if (saved := found.layers[name]) > 0)
        lines += [
            f"   - Raw bytes seen: {found.seen.raw:,}",
            f"   - Bytes stored: {found.stored:,}",
            f"   - Overall: {share(found.seen.raw, found.stored)}",
            *([f"   - Saved by {layers}"] if saves and layers else []),
            *([f"   - {_ADDS.capitalize()}: {-found.compression:,}"] if saves and found.compression < 0 else []),
        ]
    if found.plain:
        lines.append(f"   - {found.plain:,} bytes {_waiting(found.pack_after_days)}")
    return lines


def statistics(
    found: Savings, disk: OnDisk, besides: Besides, ledger: Ledger | None, totals: Mapping[str, int], store: str
) -> str:
    """What ``stats`` shows of a store as a whole; ``ledger`` is None where there are no packs, or they are damaged."""
    parts = [
        [f"{STATISTICS} {printable(store)}"],
        _what_went_in(found, totals),
        _what_is_new(totals),
        _what_was_saved(found),
        _what_is_kept(found, disk),
        *([_of_packs(ledger)] if ledger is not None else []),
        [
            "Besides, in no number above:",
            *_table(
                (
                    (besides.sessions, "session files", ""),
                    (besides.checkpoints, "checkpoints", ""),
                    (besides.status_log, "status log", ""),
                    (besides.notes, "notes on runs and hooks", ""),
                )
            ),
        ],
    ]
    return "\n\n".join("\n".join(lines) for lines in parts)


def _what_went_in(found: Savings, totals: Mapping[str, int]) -> list[str]:
    seen = found.seen
    exports, parts, messages = (totals[name] for name in ("exports_processed", "captures", "messages_processed"))
    return [
        f"What went in: {counted(exports, 'export')}, {counted(parts, 'part')} of transcripts, {counted(messages, 'message')}",
        *_table(
            (
                (seen.distinct - seen.captured, "different exports", ""),
                (seen.identical, "identical files", "the same bytes under another name"),
                (seen.captured, "transcripts", ""),
                (seen.raw, "raw bytes seen", ""),
            )
        ),
    ]


def _what_is_new(totals: Mapping[str, int]) -> list[str]:
    return [
        "What it came to: different messages, each announced as new once",
        *_table(
            (
                (totals["announced_messages"], "announced by exports", ""),
                (totals["waiting_messages"], "captured, not exported yet", ""),
                *([(-redrawn, "drawn in several ways", "")] if (redrawn := totals["redrawn_messages"]) else []),
                (totals["unique_messages"], "different messages", ""),
            )
        ),
    ]


def _what_was_saved(found: Savings) -> list[str]:
    if found.damage:
        return ["What was saved cannot be said:", *_damage(found.damage)]
    rows = [(saved, label, "") for name, label in _LAYERS.items() if (saved := found.layers[name]) >= 0]
    if found.compression < 0:
        rows.append((-found.compression, _ADDS, "log, indexes and lists, less what compression saves"))
    saved, told = found.seen.raw - found.stored, share(found.seen.raw, found.stored)
    rows.append((saved, "saved", told) if saved > 0 else (found.stored, "bytes stored", told))
    return ["What each layer saved:", *_table(rows)]


def _what_is_kept(found: Savings, disk: OnDisk) -> list[str]:
    store, archive = disk.store, disk.archive
    plain = f"{counted(archive.plain_files, 'file')} {_waiting(found.pack_after_days)}" if archive.plain_files else ""
    return [
        "What is kept: everything needed to read every message and to restore every archived file",
        *_table(
            (
                (store.log, "log, open part", ""),
                (store.sealed, "log, sealed", ""),
                (store.blobs, "images and documents", ""),
                (store.indexes, "indexes", ""),
                (store.audit, "audit", ""),
                (archive.plain, "archive, plain files", plain),
                (archive.packs, "archive, packs", counted(archive.pack_files, "pack") if archive.pack_files else ""),
                (archive.indexes, "archive, indexes", ""),
                *([(other, "other files", "")] if (other := store.other + archive.other) else []),
                (found.stored, "bytes stored", ""),
            )
        ),
    ]


def _of_packs(ledger: Ledger) -> list[str]:
    return [
        f"In the packs: {counted(ledger.files, 'file')}",
        *_table(
            (
                (ledger.raw, "bytes of these files", ""),
                (ledger.identical, "saved by identical files", ""),
                (ledger.in_base, "saved by beginnings", "a file that goes on from an earlier one"),
                (ledger.repeated, "saved by repeated parts", ""),
                (
                    (ledger.compression, "saved by compression", "")
                    if ledger.compression >= 0
                    else (-ledger.compression, "what the packs add", "their lists, less what compression saves")
                ),
                (
                    ledger.stored,
                    "bytes of the packs",
                    share(ledger.raw, ledger.stored) if ledger.raw > ledger.stored else "",
                ),
            )
        ),
    ]


def _table(rows: Iterable[tuple[int, str, str]]) -> list[str]:
    return [f"   {label:<{_WIDTH - 3}}{number:>16,}{'   ' + note if note else ''}" for number, label, note in rows]


def _damage(problems: Iterable[str]) -> list[str]:
    return [
        *(f"   ❌ {printable(problem)}" for problem in problems),
        as_called(
            "   → The bytes on the disk are not all that was stored. 'deduplicate_export.py verify' says what that costs."
        ),
    ]


def _waiting(days: float) -> str:
    if days < 0:
        return "lie as plain files (pack_older_than_days: never)"
    after = f"after {days:g} day{'' if days == 1 else 's'}" if days else "by the next run"
    return f"wait as plain files, to be packed {after}"
