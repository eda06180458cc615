"""What the user reads of tables that were written. Pure functions to text."""

from __future__ import annotations

from ..figures.counted import counted
from ..terminal.console import printable


def written(path: str, what: str, rows: int, conversations: int, size: int) -> str:
    """One file: ``what`` are its rows, ``messages`` or ``runs``."""
    return f"📄 {rows:,} {what} of {counted(conversations, 'conversation')}, {size:,} bytes\n     → {printable(path)}"


def without_time(messages: int) -> str:
    """Messages that a time was asked of and that have none."""
    were = counted(messages, "message was", "messages were")
    return f"⚠ {were} left out: nobody can read their time, and --since or --until asks for it"


def exact() -> str:
    """What whoever passes the files on must know."""
    return "⚠ Everything stands there as it was said, secrets included. --redact takes them out."


def redacted(places: int) -> str:
    """What was taken out."""
    return f"✓ {counted(places, 'place was', 'places were')} redacted. No rule finds everything: look before you pass it on."
