"""By which signs a conversation is told that a browser exporter or a script wrote as JSON."""

from __future__ import annotations

import re
from typing import Any, Final

from ..errors import ExportUnreadable
from ..start.late_pattern import late_pattern
from .blocks import role_of
from .json_spans import Document, looks_like_json

LISTS: Final = ("chats", "messages")
ROLE_KEYS: Final = ("role", "sender", "type")
CONTENT_KEYS: Final = ("content", "message", "text")
_FOREIGN: Final = frozenset(
    ("chat_messages", "sessionId", "parentUuid", "isSidechain", "mapping", "max_tokens", "custom_id")
)
"""Keys of other formats: the official export, transcripts, API requests."""
_FOREIGN_MESSAGE: Final = frozenset(
    ("sessionId", "session_id", "parentUuid", "chat_messages", "max_tokens", "custom_id", "request")
)
_PROBED: Final = 50

_TORN_FOREIGN: Final = late_pattern(rf'"(?:{"|".join(sorted(_FOREIGN | _FOREIGN_MESSAGE))})"\s*:')
_TORN_LIST: Final = late_pattern(r'"(?:chats|messages)"\s*:\s*\[')
_TORN_ROLE: Final = late_pattern(
    r'"(?:role|type|sender)"\s*:\s*"(?:prompt|response|human|user|assistant)"', re.IGNORECASE
)
_TORN_PROOF: Final = late_pattern(r'"exported_at"\s*:\s*"|"index"\s*:\s*-?\d')


def is_conversation(data: bytes, *, strict: bool) -> bool:
    """A list of messages with known roles; ``strict`` asks for the exporter's own signs (``exported_at``, or an index each)."""
    if not looks_like_json(data):
        return False
    try:
        document = Document(data)
        if not any(f'"{key}"' in document.text for key in (*LISTS, *ROLE_KEYS)):
            return False
        try:
            value = document.read(document.skip(0), forgiving=True).value
        except ExportUnreadable:
            return _torn(document.text, strict=strict)
    except ExportUnreadable:
        return False
    return _is_list_of_messages(value, strict=strict) if isinstance(value, list) else _is_export(value, strict=strict)


def role_in(value: dict[str, Any]) -> str | None:
    """Whose message it is, by the first key that says so."""
    return next((role for role in (role_of(value.get(key)) for key in ROLE_KEYS) if role), None)


def _is_export(value: Any, *, strict: bool) -> bool:
    if not isinstance(value, dict) or not _FOREIGN.isdisjoint(value):
        return False
    lists = [value[key] for key in LISTS if isinstance(value.get(key), list)]
    if not lists:
        return False
    meta = value.get("meta")
    signed = any(isinstance(holder, dict) and isinstance(holder.get("exported_at"), str) for holder in (value, meta))
    probed = [element for elements in lists for element in elements[:_PROBED]]
    if any(_is_foreign(element) for element in probed):
        return False
    if not probed:
        return signed or not strict
    if any(_looks_like_message(element) for element in probed):
        return signed or not strict or all(_has_index(element) for element in probed)
    return not strict and (signed or any(_has_index(element, role=False) for element in probed))


def _is_list_of_messages(value: list[Any], *, strict: bool) -> bool:
    probed = value[:_PROBED]
    if any(_is_foreign(element) for element in probed):
        return False
    if strict:
        return bool(probed) and all(_has_index(element) for element in probed)
    return any(_looks_like_message(element) for element in probed)


def _is_foreign(element: Any) -> bool:
    """True for what other formats have in such a list: lines of a transcript, requests and responses of the API."""
    if not isinstance(element, dict):
        return False
    response = element.get("type") == "message" and element.get("role") == "assistant"
    return response or not _FOREIGN_MESSAGE.isdisjoint(element)


def _looks_like_message(element: Any) -> bool:
    if not isinstance(element, dict):
        return False
    has_content = any(isinstance(element.get(key), (str, list, dict)) for key in CONTENT_KEYS)
    return has_content and (role_in(element) is not None or _role_inside(element) is not None)


def _role_inside(element: dict[str, Any]) -> str | None:
    inner = element.get("message")
    return role_in(inner) if isinstance(inner, dict) and "content" in inner else None


def _has_index(element: Any, *, role: bool = True) -> bool:
    """True for a message with a whole number as its index, the one thing all exporters of this family write."""
    if not isinstance(element, dict) or type(element.get("index")) is not int:
        return False
    return _looks_like_message(element) if role else any(key in element for key in CONTENT_KEYS)


def _torn(text: str, *, strict: bool) -> bool:
    """A file that broke off: claimed by what is left of it, so that its owner hears that it is broken."""
    if _TORN_FOREIGN.search(text):
        return False
    proven = _TORN_LIST.search(text) and _TORN_ROLE.search(text)
    return bool(proven and (not strict or _TORN_PROOF.search(text)))
