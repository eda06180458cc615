"""export-dedup: every message of every Claude Code conversation, kept exactly once.

The public interface; everything is imported when it is first asked for, so that hooks start fast.
"""

from __future__ import annotations

TYPE_CHECKING = False  # importing typing would take longer than most hooks
if TYPE_CHECKING:
    from typing import Any

    from .errors import DedupError
    from .ingest.deduplicator import ClaudeConversationDeduplicator, Ingest, PostgreSQLDeduplicator
    from .model import Export, Message
    from .workflow.session_export_manager import SessionExportManager

__version__ = "1.0.0"
__all__ = [
    "ClaudeConversationDeduplicator",
    "DedupError",
    "Export",
    "Ingest",
    "Message",
    "PostgreSQLDeduplicator",
    "SessionExportManager",
    "__version__",
]

_HOMES = {
    "ClaudeConversationDeduplicator": "ingest.deduplicator",
    "Ingest": "ingest.deduplicator",
    "PostgreSQLDeduplicator": "ingest.deduplicator",
    "DedupError": "errors",
    "SessionExportManager": "workflow.session_export_manager",
    "Export": "model",
    "Message": "model",
}


def recover_purge(state: str) -> None:
    """Finish a purge of the store in the folder ``state`` that was stopped after it was decided. Not for callers outside.

    Every place that a purge changes is opened by rooms on which purge rests, and none of them may import it. The front door
    knows all rooms: it is where :mod:`.files.journal` finds who finishes the places that a journal names.
    """
    from importlib import import_module

    import_module(".purge.recovery", __name__).recover(state)


def __getattr__(name: str) -> Any:
    """Import the module that a public name lives in (PEP 562)."""
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from importlib import import_module

    return getattr(import_module(f".{_HOMES[name]}", __name__), name)
