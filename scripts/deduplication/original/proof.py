"""Does a message say what the original project hashed for it? It had four ways to do that; one that fits is proof."""

from __future__ import annotations

import hashlib
import json
from typing import TYPE_CHECKING, Any, Final

from ..formats.blocks import is_block

if TYPE_CHECKING:
    from collections.abc import Iterator

CONTENT_KEYS: Final = ("message", "content")
"""Where a message has what it says: the first one that is there counts."""


def is_proven(message: Any, identity: str) -> bool:
    """Whether ``identity`` is the SHA-256 of what this message says."""
    return isinstance(message, dict) and any(found == identity for found in _identities(message))


def undone(message: dict[str, Any]) -> dict[str, Any] | None:
    """The message with its content made of the JSON that it is; None where it is no JSON of a text or of blocks."""
    key = content_key(message)
    text = message[key] if key else None
    if not isinstance(text, str) or text[:1] not in ('"', "["):
        return None
    try:
        content = json.loads(text)
    except (ValueError, RecursionError):
        return None
    is_said = isinstance(content, str) or (content and all(map(is_block, content)))
    return {**message, key: content} if is_said else None


def content_key(message: dict[str, Any]) -> str:
    """The key of what a message says; empty where it says nothing."""
    return next((key for key in CONTENT_KEYS if message.get(key) is not None), "")


def _identities(message: dict[str, Any]) -> Iterator[str]:
    """What each of the four made of a message."""
    role = message.get("type", message.get("role"))
    content = message.get("message", message.get("content"))
    yield _digest({"role": role, "content": content, "index": message.get("index", 0)})
    yield _digest({"role": role, "content": content})
    role = message.get("role") or message.get("type", "unknown")
    content = message.get("content") or message.get("message", "")
    yield _digest({"role": role, "content": content})
    if isinstance(message.get("content"), str):
        yield hashlib.sha256(message["content"].encode("utf-8", "surrogatepass")).hexdigest()


def _digest(normalized: dict[str, Any]) -> str:
    return hashlib.sha256(json.dumps(normalized, sort_keys=True).encode()).hexdigest()
