"""A message's content as text for people: what was written as it was written, blocks as lines instead of JSON."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from ..model import COMMAND_OUTPUT, CONTEXT, LOCAL_COMMAND, TOOL_CALL, TOOL_RESULT
from ..start.late_pattern import late_pattern

if TYPE_CHECKING:
    from collections.abc import Iterator

    from ..model import Content

_TEXTS: Final = frozenset({"text", "thinking", "content"})
_MACHINERY: Final = frozenset({"type", "id", "tool_use_id", "signature", "cache_control"})
_OURS: Final = frozenset({TOOL_CALL, TOOL_RESULT, LOCAL_COMMAND, COMMAND_OUTPUT})
_LOOKING: Final = late_pattern(
    r"deduplicate_export\.py[\"' ]*(?:search|show|status|doctor|gaps)"
    r"|(?:\bexport-dedup|-m deduplication|/deduplication/__main__\.py)[\"']? +(?:search|show|status|doctor|gaps)\b"
)
"""A command line that looks into the store, by the entry script or by the command."""
SEARCHED: Final = "🔎 export-dedup search:"
"""How the output of ``search`` begins."""
SHOWN: Final = "💬 export-dedup show:"
"""How the output of ``show`` begins."""
HISTORY: Final = "📋 export-dedup status:"
"""How the output of ``status`` begins."""
LOGGED: Final = " · Status: "
"""What follows the time in a line of the status log."""
SUCCESS: Final = "✅ SUCCESS"
FAILED: Final = "❌ FAILED"
DIAGNOSIS: Final = "🩺 export-dedup doctor:"
"""How the output of ``doctor`` begins."""
MISSING: Final = "🔍 export-dedup gaps:"
"""How the output of ``gaps`` begins."""
RECALLS: Final = (
    "An archive has every message of this project's conversations, also of this one before it was compacted."
)
"""How the skill ``recall`` begins, which the client puts into the conversation each time that it is loaded."""
ANSWERED: Final = "✅ Done, nothing is blocked"
"""How a slash command's answer begins: the client heads it as something that a hook blocked."""
NOT_DONE: Final = "❌ Failed, nothing is blocked"
"""The same where the command failed."""
_HEADS: Final = (SEARCHED, SHOWN, HISTORY, DIAGNOSIS, MISSING, "🔐" * 40, LOGGED + SUCCESS, LOGGED + FAILED)
_OBJECTS: Final = (
    '{"generator": "export-dedup"',
    '[{"generator": "export-dedup"',
    '{"query": ',
    '[{"index": ',
    '[{"conversation_id": ',
)
"""How the JSON of our commands begins, and how that of ``search`` and ``show`` began in version 0.1."""
_BEGINNING: Final = 2_000
"""Characters at the beginning of a result in which our own heading is looked for."""


def readable(content: Content) -> str:
    """The text of a content: itself where it is text, else every text in its blocks, the names of arguments before theirs."""
    return content if isinstance(content, str) else "\n".join(_lines(content, ""))


def _lines(value: Any, name: str) -> Iterator[str]:
    if isinstance(value, dict):
        for key, inner in value.items():
            if key not in _MACHINERY:
                yield from _lines(inner, "" if key in _TEXTS else str(key))
    elif isinstance(value, list):
        for inner in value:
            yield from _lines(inner, name)
    elif value is not None and value != "":
        yield f"{name}: {value}" if name else str(value)


def is_own_output(kind: str, text: str) -> bool:
    """True for a call of our own commands, for what they printed and for our skill: a search must not find itself the next time.

    What a person or the assistant said about export-dedup is conversation.
    """
    if kind == CONTEXT:
        return RECALLS in text[:_BEGINNING]
    if kind not in _OURS:
        return False
    if kind == TOOL_CALL:
        return _LOOKING.search(text) is not None
    beginning = text[:_BEGINNING]
    return beginning.lstrip().startswith(_OBJECTS) or any(head in beginning for head in _HEADS)
