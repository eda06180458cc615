"""What ``claude -p --output-format stream-json`` prints, and the array of ``--output-format json --verbose``.

A stream says what the transcript of the same session says, under the same uuids, in other words: ``session_id`` for ``sessionId``,
``isSynthetic`` for ``isMeta``. Each line is given the transcript's words and read as one of its lines. Parts of messages
(``stream_event``) and the closing ``result``, which says the last answer again, are no messages. Prompts are in it only where
they were asked for (``isReplay``). The lines of a sub-agent name the call that began it; they are a conversation of their own,
as the client's own file of them is.
"""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING, Any, Final

from ..errors import ExportUnreadable, NotAnExport
from ..model import Span
from .base import Member
from .json_spans import EVERY, STRUCTURE, Document, decoder, looks_like_json
from .line_order import lines_of
from .transcript_lines import Reading, read_line
from .transcript_reader import Dialect, LineReader
from .transcript_types import CONVERSATION

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from ..model import Export
    from .base import Purging

NAME: Final = "claude-code-stream-json"
OWN_IDS: Final = False

RESULT: Final = "result"
OTHERS: Final = frozenset(
    (
        RESULT,
        "stream_event",
        "rate_limit_event",
        "tool_progress",
        "tool_use_summary",
        "auth_status",
        "prompt_suggestion",
        "control_request",
        "control_response",
        "control_cancel_request",
        "keep_alive",
    )
)
"""Types that are known and carry no message. Their label is their type."""

_PROBED: Final = 200
_CONTINUED: Final = (
    "This session is being continued from a previous conversation",
    "The conversation is summarized below:",
)
"""How the client begins the summary of what a compaction took away."""


def recognises(data: bytes, *, strict: bool) -> bool:
    """True where a line is one of a stream; ``strict``: the first one is. A result alone is none: it has no message."""
    if not looks_like_json(data) and strict:
        return False
    if data.lstrip(b"\xef\xbb\xbf \t\r\n")[:1] == b"[":
        return _is_stream_array(data)
    read = decoder()
    for number, (start, end) in enumerate(lines_of(data)):
        if number >= _PROBED:
            break
        try:
            text = data[start:end].decode().strip(" \t\r\n\ufeff")
            line = read.decode(text) if text else None
        except (ValueError, RecursionError):
            if strict:
                return False
            continue
        if text and (strict or _is_line(line)):
            return _is_line(line)
    return False


def parse(data: bytes) -> Export:
    """The session's own messages; the lines of its sub-agents are spans of it (see :func:`members`).

    Damaged lines are counted in warnings. Raises :class:`NotAnExport` where no line is one of a stream.
    """
    return _read(data)[0].export()


def members(data: bytes) -> Iterator[Member]:
    """The session, then each of its sub-agents."""
    reader, agents = _read(data)
    export = reader.export()
    whole = hashlib.sha256()
    size = 0
    for span in export.spans:
        if span.label != "sub-agent":
            whole.update(data[span.start : span.end])
            size += span.end - span.start
    yield Member(export, whole.hexdigest(), size)
    session = export.conversation_id
    for call, side in reader.sides.items():
        found = side.export()
        lines = b"".join(data[span.start : span.end] for span in found.spans)
        agent = agents.get(call)
        name = f"{session}-agent-{agent or call}"
        # A run that was cut off before the sub-agent came back does not say which one it was: then its words tell.
        found = _named(found, name if agent and session else None)
        yield Member(found, hashlib.sha256(lines).hexdigest(), len(lines), name, side=True)


def blank(data: bytes, exports: Sequence[Export], purging: Purging) -> bytes:
    """As in a transcript: the line of a purged message keeps its ids and its place."""
    from .blanking import blank_transcript

    return blank_transcript(data, exports, purging)


def _named(export: Export, conversation_id: str | None) -> Export:
    from ..start.late_dataclass import replace

    return replace(export, conversation_id=conversation_id)


def _read(data: bytes) -> tuple[LineReader, dict[str, str]]:
    agents: dict[str, str] = {}

    def adapt(line: dict[str, Any]) -> dict[str, Any]:
        _note_agent(line, agents)
        return _as_transcript(line)

    reader = LineReader(Dialect(NAME, adapt, _call, _read_line))
    if data.lstrip(b"\xef\xbb\xbf \t\r\n")[:1] == b"[":
        _read_array(reader, data)
    else:
        reader.read(data)
    if not reader.known:
        raise NotAnExport("no line of a stream in it")
    return reader, agents


def _read_array(reader: LineReader, data: bytes) -> None:
    document = Document(data)
    node = document.read(document.skip(0), {EVERY: None})
    if document.skip(node.end) < len(document.text):
        raise document.fail("more than one JSON value in the file", document.skip(node.end))
    borders = list(document.byte_offsets(b for _, part in node.parts for b in (part.start, part.end)))
    done = 0
    for (_, part), start, end in zip(node.parts, borders[::2], borders[1::2]):
        reader.spans.append(Span(done, start, STRUCTURE))
        reader.take(start, end, part.value)
        done = end
    reader.spans.append(Span(done, len(data), STRUCTURE))


def _read_line(line: dict[str, Any], after: str) -> Reading | None:
    type_ = line.get("type")
    if type_ in CONVERSATION:
        return read_line(line, after)
    return Reading(type_) if isinstance(type_, str) and type_ in OTHERS else None


def _as_transcript(line: dict[str, Any]) -> dict[str, Any]:
    """The line with the keys that say the same in a transcript."""
    adapted = {**line, "sessionId": line.get("session_id"), "isSidechain": bool(_call(line))}
    if line.get("isSynthetic") is True:
        adapted["isCompactSummary" if _is_summary(line) else "isMeta"] = True
    if line.get("type") == "assistant" and line.get("error"):
        adapted["isApiErrorMessage"] = True
    return adapted


def _is_summary(line: dict[str, Any]) -> bool:
    message = line.get("message")
    content = message.get("content") if isinstance(message, dict) else None
    if isinstance(content, list) and content and isinstance(content[0], dict):
        content = content[0].get("text")
    return isinstance(content, str) and content.lstrip().startswith(_CONTINUED)


def _call(line: dict[str, Any]) -> str:
    """The id of the tool call that began the sub-agent whose line it is."""
    call = line.get("parent_tool_use_id")
    return call if isinstance(call, str) and line.get("type") in CONVERSATION else ""


def _note_agent(line: dict[str, Any], agents: dict[str, str]) -> None:
    """The result of such a call names the sub-agent as the client's own files do."""
    result, message = line.get("tool_use_result"), line.get("message")
    agent = result.get("agentId") if isinstance(result, dict) else None
    content = message.get("content") if isinstance(message, dict) else None
    if isinstance(agent, str) and isinstance(content, list):
        for block in content:
            if isinstance(block, dict) and isinstance(block.get("tool_use_id"), str):
                agents[block["tool_use_id"]] = agent


def _is_stream_array(data: bytes) -> bool:
    try:
        document = Document(data)
        if '"session_id"' not in document.text[:1_000_000]:
            return False
        position = document.skip(document.skip(0) + 1)
        return _is_line(document.read(position).value)
    except ExportUnreadable:
        return False


def _is_line(value: Any) -> bool:
    """True for an object that only a stream has: the beginning of a session, a message, a part of one."""
    if not isinstance(value, dict) or not isinstance(value.get("session_id"), str) or "sessionId" in value:
        return False
    type_ = value.get("type")
    if type_ in ("user", "assistant"):
        return isinstance(value.get("message"), dict) and "parent_tool_use_id" in value
    return type_ == "stream_event" or (
        type_ == "system" and isinstance(value.get("subtype"), str) and "parentUuid" not in value
    )
