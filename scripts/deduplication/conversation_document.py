"""One conversation for reading: as text for a screen, as Markdown, as JSON; and the list of all of them. Pure functions.

Bookkeeping (``/export``, ``/compact`` and their output) stands in the JSON only.
"""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from .clock import local
from .console import printable
from .model import BOOKKEEPING, LOST, PROMPT, PURGED, SUMMARY, TEXT, THINKING, TOOL_CALL, TOOL_RESULT, counts
from .readable import SHOWN, readable

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

_TITLES: Final = {
    PROMPT: "👤 User",
    TEXT: "🤖 Assistant",
    THINKING: "💭 Thinking",
    TOOL_CALL: "🔧 Tool call",
    TOOL_RESULT: "📤 Tool result",
    SUMMARY: "📝 Summary",
}
_PROSE: Final = frozenset({PROMPT, TEXT, SUMMARY})
"""Kinds whose content is written in Markdown, or reads well as such; everything else is fenced."""
_FENCE_LINE: Final = re.compile(r"^[ \t]*(`{3,}|~{3,})([^\n]*)$", re.MULTILINE)
_GAP: Final = "⚠ Nothing that was captured connects what stands above with what follows: messages may be missing here."
_LOST: Final = "This message was lost: its line in the log is damaged. 'verify' says more."
TOOLS: Final = frozenset({TOOL_CALL, TOOL_RESULT})


@dataclass(frozen=True)
class Summary:
    """One conversation in a list. ``sessions`` are those whose transcripts were captured into it."""

    conversation_id: str
    first: str
    last: str
    messages: int
    exports: int
    sessions: int
    unconnected_runs: int


def text_parts(messages: Sequence[dict[str, Any]], component: dict[int, int]) -> list[str]:
    """A part for each message: a heading, and what was said, harmless for a terminal."""
    parts = []
    before: int | None = None
    for message in _purged_together(messages):
        if message["kind"] == BOOKKEEPING:
            continue
        if message["kind"] == PURGED:
            parts.append(f"── {_purged(message)} ──")
            continue
        gap = f"{_GAP}\n\n" if before is not None and component.get(message["index"]) != before else ""
        before = component.get(message["index"])
        parts.append(f"{gap}── {_heading(message)} ──\n{printable(_said(message), newlines=True)}")
    return parts


def markdown_parts(messages: Sequence[dict[str, Any]], component: dict[int, int]) -> list[str]:
    """A section for each message. What came from tools is fenced, and so is prose that would swallow what follows it."""
    parts = []
    before: int | None = None
    for message in _purged_together(messages):
        if message["kind"] == BOOKKEEPING:
            continue
        if message["kind"] == PURGED:
            parts.append(f"> {_purged(message)}")
            continue
        gap = f"> {_GAP}\n\n" if before is not None and component.get(message["index"]) != before else ""
        before = component.get(message["index"])
        said = printable(_said(message), newlines=True)
        prose = message["kind"] in _PROSE and isinstance(message["content"], str) and _stands_alone(said)
        parts.append(f"{gap}## {_heading(message)}\n\n{said if prose else fenced(said)}")
    return parts


def as_json(messages: Sequence[dict[str, Any]]) -> str:
    """A list with one object a message, each on a line of its own. ASCII: no console can refuse it.

    What was purged is left out.
    """
    return "[" + ",\n ".join(json.dumps(message) for message in messages if message["kind"] != PURGED) + "]"


def fenced(text: str) -> str:
    """``text`` between fences that are longer than any run of backticks in it."""
    longest = max((len(run) for run in re.findall("`+", text)), default=0)
    fence = "`" * max(3, longest + 1)
    return f"{fence}\n{text}\n{fence}"


def title(conversation_id: str, shown: int, count: int) -> str:
    """The first line of a conversation on a screen."""
    return f"{SHOWN} {printable(conversation_id)} ({_part(shown, count)})"


def markdown_title(conversation_id: str, shown: int, count: int) -> str:
    """The head of a conversation as Markdown; the comment tells what made it."""
    return f"# {printable(conversation_id)}\n\n<!-- {SHOWN} -->\n{_part(shown, count)}"


def listing(found: Sequence[Summary]) -> list[str]:
    """A part for each conversation, in the order given."""
    return [_listed(each) for each in found]


def listing_title(count: int) -> str:
    """The first line of the list."""
    return f"{SHOWN} {count:,} conversation{'' if count == 1 else 's'}, the newest first"


def _listed(each: Summary) -> str:
    facts = [_counted(each.messages, "message"), _counted(each.exports, "export")]
    if each.sessions:
        facts.append(f"{_counted(each.sessions, 'transcript')} captured")
    lines = [
        printable(each.conversation_id),
        f"   {printable(local(each.first))} to {printable(local(each.last))} · {' · '.join(facts)}",
    ]
    if each.unconnected_runs > 1:
        lines.append(f"   ⚠ {each.unconnected_runs} runs that nothing connects: messages between may be missing")
    return "\n".join(lines)


def _part(shown: int, count: int) -> str:
    return _counted(count, "message") if shown == count else f"{shown:,} of {_counted(count, 'message')}"


def _counted(count: int, what: str) -> str:
    return f"{count:,} {what}{'' if count == 1 else 's'}"


def _heading(message: dict[str, Any]) -> str:
    kind, role = str(message["kind"]), str(message["role"])
    named = _TITLES.get(kind) if (kind, role) != (TEXT, "system") else None
    moment = local(str(message.get("timestamp", "")))
    return " · ".join(
        filter(None, [f"{named or f'{role} {kind}'.replace('_', ' ')}", str(message["index"]), printable(moment)])
    )


def _purged_together(messages: Sequence[dict[str, Any]]) -> Iterator[dict[str, Any]]:
    """The messages, those that were purged one after another as one with their ``count``, without those that never counted."""
    count = 0
    for message in messages:
        if message["kind"] == PURGED:
            count += counts(message["tombstone"].kind)
            continue
        if count:
            yield {"kind": PURGED, "count": count}
            count = 0
        yield message
    if count:
        yield {"kind": PURGED, "count": count}


def _purged(message: dict[str, Any]) -> str:
    return f"🗑 {_counted(message['count'], 'message')} purged here"


def _said(message: dict[str, Any]) -> str:
    return _LOST if message["kind"] == LOST else readable(message["content"])


def _stands_alone(text: str) -> bool:
    """False for Markdown whose last code block is open: everything behind it would be part of it."""
    opened = ""
    for match in _FENCE_LINE.finditer(text):
        fence, rest = match.groups()
        if not opened:
            opened = fence
        elif fence[0] == opened[0] and len(fence) >= len(opened) and not rest.strip():
            opened = ""
    return not opened
