"""What a message says, as blocks that every renderer understands, whatever source it came from. Pure, but for cleaning."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any, Final

from ..model import EXACT, PROMPT, SUMMARY, TEXT, THINKING, TOOL_CALL, USER
from ..start.late_dataclass import dataclass
from .calls import call_of, call_of_text
from .pictures import address_of

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from .redaction import Cleaner

MARKDOWN: Final = "markdown"
"""Text as its author wrote it: Markdown, or what looks like it."""
LAID_OUT: Final = "laid_out"
"""Text as a screen showed it: wrapped, its Markdown gone."""
CODE: Final = "code"
"""What is shown as it is, character for character."""
NOTE: Final = "note"
"""Stands for something that is no text: an image, a document."""

_PROSE: Final = frozenset({PROMPT, TEXT, THINKING, SUMMARY})
"""Kinds whose plain text is language; that of all others is shown as code."""


@dataclass(frozen=True)
class Block:
    """A part of a message. ``language`` is that of code, where it is known; ``picture`` the image that a note stands for."""

    form: str
    text: str
    language: str = ""
    picture: str = ""


@dataclass(frozen=True)
class MessageBlocks:
    """A message as it is shown: for a tool call its tool and what it is about, and its blocks."""

    blocks: tuple[Block, ...]
    tool: str = ""
    about: str = ""


def blocks_of(message: Mapping[str, Any], clean: Cleaner) -> MessageBlocks:
    """What ``message`` (a dictionary of the store) says."""
    content, kind = message["content"], message["kind"]
    if kind == TOOL_CALL:
        call = _call(content, clean)
        if call is not None:
            return call
    prose = MARKDOWN if message.get("fidelity") == EXACT else LAID_OUT
    form = prose if kind in _PROSE else CODE
    if message["role"] == USER and kind not in _PROSE:
        return MessageBlocks((Block(CODE, clean.text(content) if isinstance(content, str) else _json(content, clean)),))
    return MessageBlocks(tuple(_blocks(content, form, clean)))


def _call(content: Any, clean: Cleaner) -> MessageBlocks | None:
    if isinstance(content, str):
        call = call_of_text(clean.text(content))
    elif isinstance(content, list) and len(content) == 1 and isinstance(content[0], dict):
        call = call_of(clean.value(content[0]))
    else:
        return None
    blocks = tuple(Block(CODE, clean_code, language) for clean_code, language in call.bodies)
    return MessageBlocks(blocks, call.tool, call.about)


def _blocks(content: Any, form: str, clean: Cleaner) -> Iterator[Block]:
    if isinstance(content, str):
        yield Block(form, clean.text(content))
        return
    for block in content if isinstance(content, list) else [content]:
        yield from _block(block, form, clean)


def _block(block: Any, form: str, clean: Cleaner) -> Iterator[Block]:
    if isinstance(block, str):
        yield Block(form, clean.text(block))
        return
    name = block.get("type") if isinstance(block, dict) else None
    if name == "text" and isinstance(block.get("text"), str):
        yield Block(form, clean.text(block["text"]))
    elif name == "thinking" and isinstance(block.get("thinking"), str):
        yield Block(MARKDOWN, clean.text(block["thinking"]))
    elif name == "redacted_thinking":
        yield Block(NOTE, "💭 thinking that the API kept to itself")
    elif name in ("image", "document"):
        source = block.get("source")
        picture = address_of(source) if name == "image" and isinstance(source, dict) else ""
        yield Block(NOTE, _attached(block, str(name), clean), picture=picture)
    elif isinstance(name, str) and name.endswith("tool_result") and isinstance(block.get("content"), (str, list)):
        yield from _blocks(block["content"], CODE, clean)
    else:
        yield Block(CODE, _json(block, clean), "json")


def _attached(block: Mapping[str, Any], name: str, clean: Cleaner) -> str:
    """An image or a document by its type and size; its bytes stay in the store."""
    icon = "🖼" if name == "image" else "📄"
    source = block.get("source")
    source = source if isinstance(source, dict) else {}
    type_, data = source.get("media_type"), source.get("data")
    words = [icon, clean.text(type_[:60]) if isinstance(type_, str) else name]
    if isinstance(block.get("title"), str):
        words.append(clean.text(block["title"])[:120].replace("\n", " "))
    if isinstance(data, str):
        words.append(f"({size(len(data) * 3 // 4)})" if source.get("type") == "base64" else f"({size(len(data))})")
    return " ".join(words)


def _json(value: Any, clean: Cleaner) -> str:
    return clean.text(json.dumps(value, indent=2, ensure_ascii=False))


def size(count: int) -> str:
    """Bytes or characters for people: ``812 B``, ``1.4 KB``, ``3.2 MB``."""
    if count < 1000:
        return f"{count} B"
    return f"{count / 1000:.1f} KB" if count < 1_000_000 else f"{count / 1_000_000:.1f} MB"
