"""What one line of a session transcript says. Pure: a decoded line goes in, messages without bytes come out.

Lines are known by their ``type`` alone, never by having a ``message`` (api-request-blob and progress lines carry copies of
messages). How the format drifted: prompts typed while tools run are attachments from 2.1.98 on and were not written before;
local commands are ``user`` lines up to 2.1.330 and, for some commands from 2.1.197 on, ``system`` lines as well; an interrupted
answer is an ``assistant`` line of the model ``<synthetic>`` from 2.1.98 on, as are the client's own words in the assistant's place.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from ..errors import ExportUnreadable
from ..model import (
    ASSISTANT,
    BOOKKEEPING,
    COMMAND_OUTPUT,
    COMPACTION,
    LOCAL_COMMAND,
    NOTICE,
    PROMPT,
    SUMMARY,
    SYSTEM,
    TEXT,
    THINKING,
    TOOL_RESULT,
    USER,
)
from .blocks import Part, part_of, text_part, without_cache_control
from .client_commands import between, is_bookkeeping, printed, shell_command, slash_command
from .json_spans import check_depth

if TYPE_CHECKING:
    from collections.abc import Iterable

    from ..model import Content

META: Final = "meta"
"""Label of what the client told the model in the user's place: caveats, expanded commands, where an image came from."""
EMPTY: Final = "empty"
"""Label of a line whose text, thinking or output is empty."""
CONVERSATION: Final = frozenset(("user", "assistant", "attachment", "system"))
"""Types that can carry messages; such lines name the session, and in a sub-agent's file the agent."""
OTHERS: Final = frozenset(
    (
        "agent-name",
        "ai-title",
        "api-request",
        "api-request-blob",
        "api-request-shape",
        "atis-latch",
        "cost-state",
        "custom-title",
        "file-history-delta",
        "file-history-snapshot",
        "last-prompt",
        "mode",
        "permission-mode",
        "pr-link",
        "progress",
        "queue-operation",
        "summary",
        "tag",
        "tools-used",
    )
)
"""Types that are known and carry none: titles, counters, copies of what other lines say. Their label is their type."""

_INTERRUPTED: Final = re.compile(r"\[Request interrupted by user[^\]\n]{0,100}\]")
_NOT_SAID: Final = ("No response requested.", "API Error")
"""How texts of the model ``<synthetic>`` begin that are the client's; all others are the part of an answer that had arrived."""
_QUEUED: Final = (None, "prompt", "task-notification")
_TURNS: Final = frozenset((PROMPT, TEXT, THINKING, TOOL_RESULT, "tool_call"))


class Reading(NamedTuple):
    """One line: the label of its bytes, its messages with the position of their block among all its ``blocks``."""

    label: str
    parts: tuple[tuple[int, Part], ...] = ()
    blocks: int = 1


def read_line(line: dict[str, Any], after: str = "") -> Reading | None:
    """The reading of a line; None where its type is unknown, or its message is not where its type has it.

    ``after`` is what :func:`command_before` said of the lines before. Raises :class:`ExportUnreadable` for content that is
    nested too deeply.
    """
    type_ = line.get("type")
    if type_ in ("user", "assistant"):
        message = line.get("message")
        content = message.get("content") if isinstance(message, dict) else None
        if not isinstance(content, (str, list)):
            return None
        if type_ == "assistant":
            failed = line.get("isApiErrorMessage") is True
            unsaid = ("",) if failed else _NOT_SAID if message.get("model") == "<synthetic>" else ()  # type: ignore[union-attr]
            return _reading(content, lambda block: _assistant(block, unsaid))
        if line.get("isCompactSummary") is True:
            return _reading(content, _summary)
        meta = line.get("isMeta") is True
        return _reading(content, lambda block: _user(block, after, meta=meta))
    if type_ == "attachment":
        return _attachment(line, after)
    if type_ == "system":
        return _system(line, after)
    return Reading(type_) if isinstance(type_, str) and type_ in OTHERS else None


def command_before(parts: Iterable[tuple[int, Part]], after: str) -> str:
    """The kind of the local command whose output may come next; empty once the conversation went on."""
    for _, part in parts:
        if part.role == USER and part.kind in (LOCAL_COMMAND, BOOKKEEPING):
            after = part.kind
        elif part.kind in _TURNS:
            after = ""
    return after


def _reading(content: str | list[Any], read: Any) -> Reading:
    """One message a block; blocks that are none only give the line its label."""
    if isinstance(content, str):
        part = read(content)
        return Reading(part.kind, ((0, part),)) if isinstance(part, Part) else Reading(part)
    if _is_deep(content):
        check_depth(content, lambda: ExportUnreadable("nested too deeply"))
    found = [read(block) for block in content]
    parts = tuple((n, part) for n, part in enumerate(found) if isinstance(part, Part))
    if parts:
        return Reading(parts[0][1].kind, parts, len(found))
    return Reading(found[0] if found else EMPTY)


def _is_deep(blocks: list[Any]) -> bool:
    """False for blocks of text and of calls with plain arguments: nearly all of them, and not worth a closer look."""
    for block in blocks:
        if not isinstance(block, dict):
            return True
        for value in block.values():
            inner = value.values() if isinstance(value, dict) else value if isinstance(value, list) else ()
            if any(isinstance(child, (dict, list)) for child in inner):
                return True
    return False


def _assistant(block: Any, unsaid: tuple[str, ...]) -> Part | str:
    text = _text_of(block)
    if text is not None:
        if not text.strip():
            return EMPTY
        return Part(SYSTEM, NOTICE, text) if unsaid and text.startswith(unsaid) else Part(ASSISTANT, TEXT, text)
    if isinstance(block, dict):
        thought = block.get("thinking")
        if block.get("type") == "thinking" and isinstance(thought, str):
            # The API keeps the text of some thinking to itself and sends only its signature.
            return Part(ASSISTANT, THINKING, thought) if thought.strip() else EMPTY
        return part_of(block, ASSISTANT)
    return Part(ASSISTANT, TEXT, [block])


def _summary(block: Any) -> Part | str:
    text = _text_of(block)
    if text is None:
        return Part(SYSTEM, SUMMARY, [block])
    return Part(SYSTEM, SUMMARY, text) if text.strip() else EMPTY


def _user(block: Any, after: str, *, meta: bool) -> Part | str:
    if isinstance(block, dict) and block.get("type") == "tool_result":
        return Part(SYSTEM, TOOL_RESULT, _result(block))
    if meta:
        return META
    text = _text_of(block)
    if text is not None:
        return _user_text(text, after)
    return part_of(block, USER) if isinstance(block, dict) else Part(USER, PROMPT, [block])


def _user_text(text: str, after: str) -> Part | str:
    stripped = text.strip()
    if not stripped:
        return EMPTY
    if stripped[0] == "<":
        return _tagged(stripped, after) or text_part(text, USER)
    if stripped[0] == "[" and _INTERRUPTED.fullmatch(stripped):
        return Part(SYSTEM, NOTICE, stripped)
    return text_part(text, USER)


def _tagged(text: str, after: str) -> Part | str | None:
    """What a text between tags is; None where the tags are the author's own."""
    command = slash_command(text)
    if command is not None:
        if is_bookkeeping(command.text):
            return Part(USER, BOOKKEEPING, command.text)
        return Part(USER, PROMPT if command.prompt else LOCAL_COMMAND, command.text)
    shell = shell_command(text)
    if shell is not None:
        return Part(USER, LOCAL_COMMAND, shell) if shell.strip() else EMPTY
    for family in ("local-command", "bash"):
        output = printed(text, family)
        if output is not None:
            own = family == "local-command" and after == BOOKKEEPING
            return Part(SYSTEM, BOOKKEEPING if own else COMMAND_OUTPUT, output) if output.strip() else EMPTY
    if between(text, "<local-command-caveat>", "</local-command-caveat>") is not None:
        return META
    if text.startswith("<task-notification>") and "</task-notification>" in text:
        return Part(SYSTEM, NOTICE, text)
    return None


def _attachment(line: dict[str, Any], after: str) -> Reading:
    """A prompt that waited while the assistant worked is a message; everything else attached is the client's."""
    attached = line.get("attachment")
    if (
        isinstance(attached, dict)
        and attached.get("type") == "queued_command"
        and attached.get("commandMode") in _QUEUED
    ):
        prompt = attached.get("prompt")
        if isinstance(prompt, (str, list)):
            meta = line.get("isMeta") is True or attached.get("isMeta") is True
            return _reading(prompt, lambda block: _user(block, after, meta=meta))
    return Reading("attachment")


def _system(line: dict[str, Any], after: str) -> Reading:
    if line.get("subtype") == "compact_boundary":
        return Reading(COMPACTION)
    content = line.get("content")
    if line.get("subtype") == "local_command" and isinstance(content, str):
        part = _tagged(content.strip(), after)
        if isinstance(part, Part):
            return Reading(part.kind, ((0, part),))
        return Reading(part or "system")
    return Reading("system")


def _text_of(block: Any) -> str | None:
    """The text of a block that is nothing else."""
    if isinstance(block, str):
        return block
    if isinstance(block, dict) and block.get("type") == "text" and isinstance(block.get("text"), str):
        if len(block) == 2:
            return block["text"]  # type: ignore[no-any-return]
        plain = part_of(block, ASSISTANT).content
        return plain if isinstance(plain, str) else None
    return None


def _result(block: dict[str, Any]) -> Content:
    """What a tool gave back: its text where that is all, else its blocks."""
    inner = block.get("content", "")
    if isinstance(inner, str):
        return inner
    if not isinstance(inner, list):
        return "" if inner is None else [inner]
    text = _text_of(inner[0]) if len(inner) == 1 else None
    return [without_cache_control(item) if isinstance(item, dict) else item for item in inner] if text is None else text
