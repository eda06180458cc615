"""The new messages of one export as a file: JSON for programs, Markdown for people."""

from __future__ import annotations

import json
import os
from typing import TYPE_CHECKING, Any, Final

from . import atomic
from .console import printable
from .fingerprint import encoded
from .model import ASSISTANT, PROMPT, TEXT, TOOL_CALL, TOOL_RESULT, USER

if TYPE_CHECKING:
    from .deduplicator import Ingest

_HEADINGS: Final = {
    (USER, PROMPT): "👤 User",
    (ASSISTANT, TEXT): "🤖 Assistant",
    (ASSISTANT, TOOL_CALL): "🔧 Tool call",
    ("system", TOOL_RESULT): "📤 Tool result",
}
_FENCED: Final = frozenset({TOOL_CALL, TOOL_RESULT, "command_output", "local_command", "notice"})


def write(path: str, done: Ingest) -> None:
    """Write to ``path``: Markdown where it ends in ``.md``, else JSON. Raises ``StoreNotWritable``."""
    markdown = path.lower().endswith((".md", ".markdown"))
    atomic.replace(path, encoded(as_markdown(done)) if markdown else as_json(done))


def write_into(folder: str, stem: str, done: Ingest) -> str:
    """Write Markdown to a new file in ``folder`` that is named after the export; returns its path."""
    with atomic.write_errors(folder):
        os.makedirs(folder, exist_ok=True)
    number, path = 1, os.path.join(folder, f"{stem}.md")
    while os.path.lexists(path):
        number += 1
        path = os.path.join(folder, f"{stem}-{number}.md")
    atomic.replace(path, encoded(as_markdown(done)))
    return path


def as_json(done: Ingest) -> bytes:
    """One object: where the messages are from, and the messages in order."""
    document = {
        "session_id": done.conversation_id,
        "export": done.name,
        "sha256": done.sha256,
        "total_messages": done.total,
        "new_messages": done.new,
        "duplicates_filtered": done.duplicates,
        "messages": done.new_messages,
    }
    try:
        return json.dumps(document, indent=2, ensure_ascii=False).encode() + b"\n"
    except UnicodeEncodeError:
        return json.dumps(document, indent=2).encode() + b"\n"


def as_markdown(done: Ingest) -> str:
    """A document that reads from top to bottom; what came from tools is fenced."""
    lines = [
        f"# {printable(done.conversation_id)}: {done.new:,} new messages",
        "",
        f"From `{printable(done.name).replace('`', chr(39))}`; {done.duplicates:,} of {done.total:,} were stored before.",
        "",
    ]
    for message in done.new_messages:
        lines += _section(message)
    return "\n".join(lines)


def _section(message: dict[str, Any]) -> list[str]:
    content = message["content"]
    text = content if isinstance(content, str) else json.dumps(content, indent=2, ensure_ascii=False)
    text = printable(text, newlines=True)
    kind = message["kind"]
    heading = _HEADINGS.get((message["role"], kind), f"{message['role']}: {kind.replace('_', ' ')}")
    if kind in _FENCED or not isinstance(content, str):
        fence = "`" * max(3, _longest_run(text, "`") + 1)
        text = f"{fence}\n{text}\n{fence}"
    return [f"## {heading} · {message['index']}", "", text, ""]


def _longest_run(text: str, character: str) -> int:
    import re

    return max((len(run) for run in re.findall(f"{character}+", text)), default=0)
