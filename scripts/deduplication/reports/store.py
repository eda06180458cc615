"""What the user reads of a store: its statistics, what verify found, what rebuild did. Pure functions to text."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ..figures.counted import counted
from ..terminal.called import as_called
from ..terminal.console import printable

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence


def statistics(figures: Mapping[str, Any]) -> str:
    """One conversation (the dictionary of ``get_statistics``)."""
    title = f"  📈 Conversation: {printable(figures['conversation_id'])}"
    if not figures["exports_processed"]:
        return f"{title}\n     Nothing is stored of it yet."
    percent = figures["storage_savings_pct"]
    saved = f" ({percent:.1f}% saved)" if percent > 0 else ""
    lines = [
        title,
        f"     Messages: {figures['total_messages']:,} (highest sequence number {figures['watermark']:,})",
        f"     Unique messages: {figures['unique_messages']:,}",
        (
            f"     Exports processed: {figures['exports_processed']:,} with {counted(figures['messages_processed'], 'message')}, "
            f"{figures['duplicates_filtered']:,} of them duplicates"
        ),
        f"     Bytes: {figures['raw_bytes']:,} exported, {figures['stored_bytes']:,} in the log{saved}",
    ]
    if figures.get("purged_messages"):
        lines.append(f"     Purged: {figures['purged_messages']:,} (their places are kept, nothing of what they said)")
    if figures["unconnected_runs"] > 1:
        lines.append(
            f"     ⚠ {figures['unconnected_runs']} runs that no export connects: messages between may be missing"
        )
    return "\n".join(lines)


def upgraded(done: Sequence[str], left: Sequence[str], problems: Sequence[str], *, moved: bool) -> str:
    """What ``upgrade`` did: files of earlier versions that are converted, and that are left, and what is wrong afterwards."""
    lines = [f"✓ Converted: {printable(name)}" for name in done]
    if moved:
        lines.append("✓ The store is no longer one of plain files: its log is compressed")
    if not lines and not left:
        lines.append("✓ Nothing to convert: everything is in the format of today")
    lines += [f"   - {printable(name)} stays as it is, and is read as before" for name in left]
    lines += [f"   - {printable(problem)}" for problem in problems]
    lines.append(
        "❌ Something is damaged: see 'verify'" if problems else "✅ Verified: every line, every message and every byte"
    )
    return "\n".join(lines)


def verified(problems: Sequence[str], unique: str, costs: str = "") -> str:
    """The result of ``verify``; ``unique`` is the number of messages where all is well, ``costs`` what damage costs."""
    if not problems and not costs:
        return f"✅ Verified: every line, every message and every number is right ({unique} unique messages)."
    return "\n".join(
        [
            f"❌ {counted(len(problems), 'problem')} found:"
            if problems
            else "❌ The store verifies; the archive does not:",
            *(f"   - {printable(problem)}" for problem in problems),
            *([costs] if costs else []),
            as_called(
                "   → 'deduplicate_export.py repair' makes whole what can be; 'repair --dry-run' says what it would do."
                if costs
                else "   → 'deduplicate_export.py rebuild' makes the indexes anew and sets single flipped bits right."
            ),
        ]
    )


def rebuilt(found: Sequence[str], remaining: Sequence[str]) -> str:
    """The result of ``rebuild``: what it came across, and what is still wrong."""
    lines = [f"   - {printable(problem)}" for problem in found]
    if remaining:
        title = f"❌ The indexes were made anew; {counted(len(remaining), 'problem remains', 'problems remain')}:"
        advice = "   → Put back the damaged file from a backup, or process the raw exports again."
        return "\n".join([*lines, title, *(f"   - {printable(problem)}" for problem in remaining), advice])
    return "\n".join([*lines, "✅ Every index was made anew from the log, and the store verifies."])
