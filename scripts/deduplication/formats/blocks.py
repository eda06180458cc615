"""The content blocks of Anthropic's messages: which kind of message each of them is.

One block is one message. A text block becomes its text; every other block is kept as it is (with its ``id`` or
``tool_use_id``), only without ``cache_control``, which says nothing about what was written.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from ..model import ASSISTANT, CONTEXT, PROMPT, SYSTEM, TEXT, THINKING, TOOL_CALL, TOOL_RESULT, USER
from ..start.late_tuple import NamedTuple
from .machine_text import is_machine_text

if TYPE_CHECKING:
    from ..model import Content

_ROLES: Final = {
    **dict.fromkeys(("user", "human", "prompt"), USER),
    **dict.fromkeys(("assistant", "response", "model", "claude"), ASSISTANT),
    "system": SYSTEM,
}
_OTHER_BLOCKS: Final = frozenset(("image", "document", "search_result", "container_upload"))
_TEXT_FIELDS: Final = frozenset(("type", "text", "cache_control"))
_REMINDER: Final = ("<system-reminder>", "</system-reminder>")


class Part(NamedTuple):
    """What one block says: whose it is, which kind, and its content."""

    role: str
    kind: str
    content: Content


def role_of(name: Any) -> str | None:
    """``user``, ``assistant`` or ``system`` for the names the exporters use; None for any other value."""
    return _ROLES.get(name.strip().lower()) if isinstance(name, str) else None


def is_block(value: Any) -> bool:
    """True for a content block of the Messages API (a browser exporter's p, ul, table are none)."""
    if not isinstance(value, dict) or not isinstance(value.get("type"), str):
        return False
    name = value["type"]
    return (name == "text" and isinstance(value.get("text"), str)) or name in _OTHER_BLOCKS or _kind(name) is not None


def part_of(block: Any, role: str) -> Part:
    """The message a block is. Tool results are the client's (role system), although the API sends them as the user's."""
    if isinstance(block, str):
        return text_part(block, role)
    plain = without_cache_control(block)
    if plain.get("type") == "text" and isinstance(plain.get("text"), str):
        if _TEXT_FIELDS.issuperset(key for key, value in plain.items() if value not in (None, [], {})):
            return text_part(plain["text"], role)
        return Part(role, kind_of_text(role), [plain])
    kind = _kind(str(plain.get("type"))) or kind_of_text(role)
    return Part(SYSTEM if kind == TOOL_RESULT else role, kind, [plain])


def text_part(text: str, role: str) -> Part:
    """Text by its role; what a machine slipped into the user's turn (``<system-reminder>``) is context."""
    if role == USER and is_machine_text(text):
        return Part(SYSTEM, CONTEXT, text)
    return Part(role, kind_of_text(role), text)


def kind_of_text(role: str) -> str:
    """A user's text is a prompt; everybody else's is text."""
    return PROMPT if role == USER else TEXT


def without_reminders(text: str) -> str:
    """``text`` without the runs between ``<system-reminder>`` and its end. Linear, whatever the text."""
    opening, closing = _REMINDER
    kept: list[str] = []
    position = 0
    while True:
        start = text.find(opening, position)
        end = text.find(closing, start) if start >= 0 else -1
        if end < 0:
            return "".join([*kept, text[position:]])
        kept.append(text[position:start])
        position = end + len(closing)


def without_cache_control(block: dict[str, Any]) -> dict[str, Any]:
    """The block, and the blocks inside a tool result, without their cache marks."""
    plain = {key: value for key, value in block.items() if key != "cache_control"}
    inner = plain.get("content")
    if isinstance(inner, list):
        plain["content"] = [without_cache_control(item) if isinstance(item, dict) else item for item in inner]
    return plain


def _kind(name: str) -> str | None:
    if name in ("thinking", "redacted_thinking"):
        return THINKING
    if name.endswith("tool_use"):
        return TOOL_CALL
    return TOOL_RESULT if name.endswith("tool_result") else None
