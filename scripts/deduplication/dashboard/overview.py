"""The figures of a store as a whole, and what its bytes are: the same numbers as ``stats`` has, of the same measurement."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from ..accounting.storage_account import besides
from ..figures.savings import percent
from .drawing import number, size, took
from .drawing import percent as in_percent

if TYPE_CHECKING:
    from .figures import Figures

_LAYERS: Final = {
    "identical_files": "Identical files",
    "known_messages": "Known messages",
    "doubled_blobs": "Doubled images and documents",
    "compression": "Compression, less what the store adds",
}


def overview(figures: Figures) -> dict[str, Any]:
    """What there is, what was saved, how it goes."""
    found = figures.stored().metrics
    totals, growth, rate = found.totals, found.growth, found.rate
    shown = [
        _figure(
            "Conversations", number(totals["conversations"]), f"{number(found.active_conversations)} active this week"
        ),
        _figure(
            "Messages stored",
            number(totals["unique_messages"]),
            f"{number(found.messages_per_conversation)} a conversation",
        ),
        _figure(
            "Exports processed", number(totals["exports_processed"]), f"{number(totals['captures'])} parts captured"
        ),
        _figure(
            "Duplicates",
            in_percent(found.duplicates_pct),
            f"{number(found.duplicates)} of {number(totals['messages_processed'])} messages",
        ),
        _figure(
            "Saved",
            in_percent(found.savings_pct) if found.savings_pct is None or found.savings_pct > 0 else "nothing yet",
            f"{size(totals['raw_bytes'])} seen, {size(totals['stored_bytes'])} on the disk",
        ),
        _figure("New today", number(growth.today), f"{number(growth.week_ago)} on this day a week ago"),
        _figure("New in 7 days", number(growth.last_7_days), f"{number(growth.before_7_days)} in the 7 days before"),
        _figure("Rate in 7 days", in_percent(rate.last_7_days), _change(rate.change)),
        _figure("An export takes", took(found.processing_ms.p50 if found.processing_ms.number else None), "the median"),
        _figure("Captured, waiting", number(totals["waiting_messages"]), "for an export that announces them"),
        _figure(
            "Failures noted",
            number(sum(found.errors.values())),
            ", ".join(f"{kind} {n}" for kind, n in found.errors.items()),
        ),
    ]
    return {
        "figures": shown,
        "done": [{"name": name.replace("_", " "), "count": n} for name, n in found.operations.items()],
    }


def _figure(name: str, value: str, more: str = "") -> dict[str, str]:
    return {"name": name, "value": value, "besides": more}


def _change(change: float | None) -> str:
    if change is None:
        return "nothing to compare with"
    return f"{change:+.1f} points against the 7 days before"


def layers(figures: Figures) -> dict[str, Any]:
    """What each layer saved, and which files the bytes on the disk are."""
    stored = figures.stored()
    seen, store, archive = stored.savings.seen, stored.disk.store, stored.disk.archive
    more = besides(figures.subject.state, stored.disk)
    saved = [] if stored.savings.damage else [(_LAYERS[name], saved) for name, saved in stored.savings.layers.items()]
    kept = [
        ("Log, open part", store.log),
        ("Log, sealed", store.sealed),
        ("Images and documents", store.blobs),
        ("Indexes", store.indexes),
        ("Audit", store.audit),
        ("Other files of the store", store.other),
        ("Archive: packs", archive.packs),
        ("Archive: plain files", archive.plain),
        ("Archive: indexes", archive.indexes + archive.other),
    ]
    return {
        "raw": seen.raw,
        "saved": [{"name": name, "bytes": n, "share": percent(n, seen.raw)} for name, n in saved],
        "stored": stored.savings.stored,
        "kept": [{"name": name, "bytes": n} for name, n in kept if n],
        "besides": more.total,
        "damage": list(stored.savings.damage),
    }
