"""The lines of ``migrate_json_to_postgresql.py``, as the original design has them. Pure functions to text.

Blank lines that stand before one are part of it: each is printed by itself.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from ..terminal.console import printable

if TYPE_CHECKING:
    from collections.abc import Iterable

EACH: Final = 100
"""Messages after which a line says how far it is."""
_RULE: Final = "=" * 60


def connected() -> str:
    """The database answered."""
    return "✅ Connected to PostgreSQL database"


def copied(place: str, *, made: bool) -> str:
    """Before everything else: where a copy of the folder is."""
    was = "" if made else ", made before"
    return f"💾 A copy of the folder is in {printable(place)}{was}. Keep it for 30 days, then delete it: a purge does not reach it."


def went_on(before: int, size: int) -> str:
    """Where a migration was stopped earlier."""
    return f"  ✅ An earlier migration was stopped: {before} of {size} bytes of the log were there, and it went on"


def left_out(problem: str) -> str:
    """Something that cannot be read."""
    return f"  ⚠️  {printable(problem)}"


def watermarks_missing(path: str) -> str:
    """There is no file of watermarks."""
    return f"⚠️  Watermarks file not found: {printable(path)}"


def hashes_missing(path: str) -> str:
    """There is no file of content hashes."""
    return f"⚠️  Content hashes file not found: {printable(path)}"


def log_missing(path: str) -> str:
    """There is no conversation log."""
    return f"⚠️  Conversation log not found: {printable(path)}"


def watermarks(count: int) -> str:
    """Before the watermarks."""
    return f"\n📊 Migrating {count} watermarks..."


def watermark(conversation_id: str, highest_index: int) -> str:
    """One of them."""
    return f"  ✅ {printable(conversation_id)}: watermark={highest_index}"


def watermarks_done(count: int) -> str:
    """After them."""
    return f"✅ Migrated {count} watermarks"


def hashes(conversations: int) -> str:
    """Before the content hashes."""
    return f"\n📊 Content hashes for {conversations} conversations"


def hashes_of(conversation_id: str, count: int) -> str:
    """Those of one conversation."""
    return f"  ✅ {printable(conversation_id)}: {count} unique hashes"


def hashes_done() -> str:
    """After them."""
    return "✅ Content hashes verified (stored in messages table)"


def log() -> str:
    """Before the messages."""
    return "\n📊 Migrating conversation log..."


def messages_so_far(count: int) -> str:
    """After each :data:`EACH` of them."""
    return f"  ✅ Migrated {count} messages..."


def log_done(count: int) -> str:
    """After all of them."""
    return f"✅ Migrated {count} messages from conversation log"


def totals() -> str:
    """Before the counts of the conversations are set."""
    return "\n📊 Updating conversation totals..."


def totals_done() -> str:
    """After that."""
    return "✅ Updated conversation totals"


def verifying() -> str:
    """Before everything is counted once more."""
    return "\n🔍 Verifying migration integrity..."


def counted(conversations: int, messages: int, watermarks: int) -> str:
    """What is in the database."""
    return f"  ✅ Conversations: {conversations}\n  ✅ Messages: {messages}\n  ✅ Watermarks: {watermarks}"


def message_counts(mismatches: Iterable[tuple[str, int, int]]) -> str:
    """Whether each conversation has as many messages as it should; ``mismatches`` are (id, expected, actual)."""
    lines = [f"    {printable(name)}: expected={expected}, actual={actual}" for name, expected, actual in mismatches]
    if not lines:
        return "  ✅ All message counts match"
    return "\n".join(["  ⚠️  Total message count mismatches:", *lines])


def verified() -> str:
    """After that."""
    return "\n✅ Migration verification complete!"


def complete() -> str:
    """The end of a migration that went well."""
    return f"\n{_RULE}\n✅ MIGRATION COMPLETE\n{_RULE}"


def failed(reason: str) -> str:
    """The end of one that did not: what was begun is taken back."""
    return f"❌ Migration failed: {printable(reason)}"
