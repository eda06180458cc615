"""What the user reads of captured transcripts: pure functions from numbers and names to text."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Any

from ..figures.counted import counted
from ..terminal.called import as_called
from ..terminal.console import printable

if TYPE_CHECKING:
    from collections.abc import Mapping

    from ..ingest.transcript_capture import Captured


def captured(result: Captured) -> str:
    """One transcript: its conversation, what was read of it, what was new."""
    lines = [
        f"✓ {printable(os.path.basename(result.source))}",
        (
            f"     {result.new:,} new of {counted(result.total, 'message')} in {result.read_bytes:,} bytes, "
            f"conversation {printable(result.conversation_id)}"
        ),
    ]
    lines += [f"     ⚠️  {printable(warning)}" for warning in result.warnings]
    return "\n".join(lines)


def not_captured(path: str, error: str, hint: str) -> str:
    """One transcript that failed, and what to do."""
    advice = f"\n     → {as_called(printable(hint))}" if hint else ""
    return f"❌ {printable(path)}\n     {printable(error)}{advice}"


def sums(totals: Mapping[str, Any]) -> str:
    """The sums of a run over ``transcripts`` files."""
    unchanged = totals["transcripts"] - len(totals["captured"]) - len(totals["failed"])
    if not totals["transcripts"] and not totals["failed"]:
        return "No transcripts found. The client keeps them in ~/.claude/projects, or below CLAUDE_CONFIG_DIR."
    return "\n".join(
        (
            f"Transcripts: {totals['transcripts']:,} ({unchanged:,} unchanged, {len(totals['failed']):,} failed)",
            f"Total messages: {totals['total_messages']:,}",
            f"New unique: {totals['new_messages']:,}",
            f"Duplicates filtered: {totals['total_messages'] - totals['new_messages']:,}",
            f"Global unique count: {totals['global_unique']:,}",
        )
    )
