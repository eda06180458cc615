"""A second, much simpler reader of the client's transcripts: only to count what was said.

It shares nothing with the reader that captures (``formats``), so that a defect of that one is seen and not repeated. It knows
one shape: a line of type ``user`` or ``assistant`` with text. What a line of another shape says it does not count, so that it may
count too little, and never what nobody said.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any, Final

from ..start.late_tuple import NamedTuple

if TYPE_CHECKING:
    from collections.abc import Iterator

_TYPES: Final = (b'"user"', b'"assistant"')
_LONGEST: Final = 4 * 1024 * 1024
"""Bytes of a line that is looked at; longer ones carry images."""


class Said(NamedTuple):
    """A line of the transcript with text: its id, by ``user`` or ``assistant``, how many blocks it has."""

    uuid: str
    by: str
    blocks: int

    @property
    def ids(self) -> list[str]:
        """The ids that its messages may have in a store: that of the line, or with the number of the block."""
        return [self.uuid, *(f"{self.uuid}:{number}" for number in range(self.blocks))]


def said_in(data: bytes) -> Iterator[Said]:
    """What was said in the whole lines of ``data``, in their order."""
    for line in data.split(b"\n"):
        if len(line) <= _LONGEST and any(each in line for each in _TYPES):
            try:
                found = _said(json.loads(line))
            except (ValueError, RecursionError):
                continue
            if found is not None:
                yield found


def _said(line: Any) -> Said | None:
    if not isinstance(line, dict) or line.get("type") not in ("user", "assistant") or line.get("isMeta"):
        return None
    message, uuid = line.get("message"), line.get("uuid")
    content = message.get("content") if isinstance(message, dict) else None
    blocks = [{"type": "text", "text": content}] if isinstance(content, str) else content
    if not isinstance(uuid, str) or not uuid or not isinstance(blocks, list):
        return None
    texts = [each.get("text") for each in blocks if isinstance(each, dict) and each.get("type") == "text"]
    if not any(isinstance(text, str) and text.strip() for text in texts):
        return None
    return Said(uuid, line["type"], len(blocks))
