"""One conversation for reading on a screen, and the list of all of them. Pure functions.

Nothing is redacted: the screen is its owner's. Documents that are passed on are made by ``sessions/full_document.py``.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from ..alignment.plain_text import SHOWN, readable
from ..figures.counted import counted
from ..files.clock import local
from ..model import (
    BOOKKEEPING,
    CONTEXT,
    LOST,
    PROMPT,
    PURGED,
    SUMMARY,
    TEXT,
    THINKING,
    TOOL_CALL,
    TOOL_RESULT,
    UNKNOWN,
    counts,
)
from ..start.late_dataclass import dataclass
from ..terminal.console import printable

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from ..titles.naming import Naming

_TITLES: Final = {
    PROMPT: "👤 User",
    TEXT: "🤖 Assistant",
    THINKING: "💭 Thinking",
    TOOL_CALL: "🔧 Tool call",
    TOOL_RESULT: "📤 Tool result",
    SUMMARY: "📝 Summary",
    CONTEXT: "🧩 Context",
    UNKNOWN: "❔ Unknown",
}
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
    title: str = ""
    tags: tuple[str, ...] = ()


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


def title(named: Naming, shown: int, count: int) -> str:
    """The first lines of a conversation on a screen."""
    told = [printable(named.conversation_id)] if named.title else []
    told += [f"#{printable(tag)}" for tag in named.tags]
    return "\n".join(
        [f"{SHOWN} {printable(named.shown)} ({_part(shown, count)})", *([f"   {' '.join(told)}"] if told else [])]
    )


def listing(found: Sequence[Summary]) -> list[str]:
    """A part for each conversation, in the order given."""
    return [_listed(each) for each in found]


def listing_title(count: int) -> str:
    """The first line of the list."""
    return f"{SHOWN} {counted(count, 'conversation')}, the newest first"


def _listed(each: Summary) -> str:
    facts = [counted(each.messages, "message"), counted(each.exports, "export")]
    if each.sessions:
        facts.append(f"{counted(each.sessions, 'transcript')} captured")
    lines = [
        " ".join([printable(each.title or each.conversation_id), *(f"#{printable(tag)}" for tag in each.tags)]),
        *([f"   {printable(each.conversation_id)}"] if each.title else []),
        f"   {printable(local(each.first))} to {printable(local(each.last))} · {' · '.join(facts)}",
    ]
    if each.unconnected_runs > 1:
        lines.append(f"   ⚠ {each.unconnected_runs} runs that nothing connects: messages between may be missing")
    return "\n".join(lines)


def _part(shown: int, count: int) -> str:
    return counted(count, "message") if shown == count else f"{shown:,} of {counted(count, 'message')}"


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
    return f"🗑 {counted(message['count'], 'message')} purged here"


def _said(message: dict[str, Any]) -> str:
    return _LOST if message["kind"] == LOST else readable(message["content"])
