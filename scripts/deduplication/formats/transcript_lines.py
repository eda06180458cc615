"""What one line of a session transcript says. Pure: a decoded line goes in, messages without bytes come out.

Lines are known by their ``type`` alone, never by having a ``message`` (api-request-blob and progress lines carry copies of
messages). How the format drifted: prompts typed while tools run are attachments from 2.1.98 on and were not written before;
local commands are ``user`` lines up to 2.1.330 and, for some commands from 2.1.197 on, ``system`` lines as well; an interrupted
answer is an ``assistant`` line of the model ``<synthetic>`` from 2.1.98 on, as are the client's own words in the assistant's place.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from ..errors import ExportUnreadable
from ..model import (
    ASSISTANT,
    BOOKKEEPING,
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
from ..start.late_tuple import NamedTuple
from .blocks import Part, part_of
from .json_spans import check_depth
from .transcript_types import OTHERS
from .transcript_users import EMPTY, author_of, tagged, text_of, user_block

if TYPE_CHECKING:
    from collections.abc import Iterable

_NOT_SAID: Final = ("No response requested.", "API Error")
"""How texts of the model ``<synthetic>`` begin that are the client's; all others are the part of an answer that had arrived."""
_OTHER_TEXT: Final = ("text", "message", "body", "parts", "output")
"""Where a message without content may have one after all."""
_QUEUED: Final = (None, "prompt", "task-notification")
_TURNS: Final = frozenset((PROMPT, TEXT, THINKING, TOOL_RESULT, "tool_call"))


class Reading(NamedTuple):
    """One line: the label of its bytes, its messages with the position of their block among all its ``blocks``.

    What a machine wrote into a person's block is a message of its own at the position ``block.n``, from 1.
    """

    label: str
    parts: tuple[tuple[str, Part], ...] = ()
    blocks: int = 1


def read_line(line: dict[str, Any], after: str = "") -> Reading | None:
    """The reading of a line; None where its type is unknown, or its message is not where its type has it.

    ``after`` is what :func:`command_before` said of the lines before. Raises :class:`ExportUnreadable` for content that is
    nested too deeply.
    """
    type_ = line.get("type")
    if type_ in ("user", "assistant"):
        message = line.get("message")
        content = content_of(message)
        if content is None:
            return None
        if type_ == "assistant":
            failed = line.get("isApiErrorMessage") is True
            unsaid = ("",) if failed else _NOT_SAID if message.get("model") == "<synthetic>" else ()  # type: ignore[union-attr]
            return _reading(content, lambda block: _assistant(block, unsaid))
        if line.get("isCompactSummary") is True:
            return _reading(content, _summary)
        author = author_of(line, content)
        return _reading(content, lambda block: user_block(block, after, author))
    if type_ == "attachment":
        return _attachment(line, after)
    if type_ == "system":
        return _system(line, after)
    return Reading(type_) if isinstance(type_, str) and type_ in OTHERS else None


def content_of(message: Any) -> str | list[Any] | None:
    """What a message says; None where it says nothing in a way that is known.

    After a failed stream the client wrote the text as one key a character, ``{"0": "A", "1": "n", "content": []}``.
    """
    if not isinstance(message, dict):
        return None
    content = message.get("content")
    if isinstance(content, (str, list)) and content:
        return content
    numbered = characters_of(content) or characters_of(message)
    if numbered:
        return numbered
    other = any(isinstance(message.get(key), str) and message[key].strip() for key in _OTHER_TEXT)
    return content if isinstance(content, (str, list)) and not other else None


def characters_of(value: Any) -> str:
    """The text that an object has in numbered keys, from 0 without a gap; empty where it has none."""
    if not isinstance(value, dict) or not isinstance(value.get("0"), str):
        return ""
    pieces: list[str] = []
    while isinstance(value.get(str(len(pieces))), str):
        pieces.append(value[str(len(pieces))])
    return "".join(pieces)


def command_before(parts: Iterable[tuple[str, Part]], after: str) -> str:
    """The kind of the local command whose output may come next; empty once the conversation went on."""
    for _, part in parts:
        if part.role == USER and part.kind in (LOCAL_COMMAND, BOOKKEEPING):
            after = part.kind
        elif part.kind in _TURNS:
            after = ""
    return after


def _reading(content: str | list[Any], read: Any) -> Reading:
    """One message a block; blocks that are none only give the line its label."""
    blocks = [content] if isinstance(content, str) else content
    if not isinstance(content, str) and _is_deep(blocks):
        check_depth(blocks, lambda: ExportUnreadable("nested too deeply"))
    label = ""
    parts: list[tuple[str, Part]] = []
    for number, block in enumerate(blocks):
        found = read(block)
        if isinstance(found, str):
            label = label or found
        else:
            parts += [(str(number), found)] if isinstance(found, Part) else _numbered(number, found)
    if parts:
        return Reading(parts[0][1].kind, tuple(parts), len(blocks))
    return Reading(label or EMPTY)


def _numbered(number: int, found: list[Part]) -> list[tuple[str, Part]]:
    """The person's own words at the block's position, what a machine wrote around them beside it."""
    positions: list[str] = []
    for part in found:
        own = part.kind == PROMPT
        positions.append(str(number) if own else f"{number}.{1 + sum('.' in each for each in positions)}")
    return list(zip(positions, found))


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
    text = text_of(block)
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
    text = text_of(block)
    if text is None:
        return Part(SYSTEM, SUMMARY, [block])
    return Part(SYSTEM, SUMMARY, text) if text.strip() else EMPTY


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
            # What waited may say itself who wrote it; the line around it is the client's.
            author = author_of({**line, "origin": attached.get("origin", line.get("origin"))}, prompt)
            author = author._replace(
                meta=author.meta or attached.get("isMeta") is True,
                machine=author.machine or attached.get("commandMode") == "task-notification",
            )
            return _reading(prompt, lambda block: user_block(block, after, author))
    return Reading("attachment")


def _system(line: dict[str, Any], after: str) -> Reading:
    if line.get("subtype") == "compact_boundary":
        return Reading(COMPACTION)
    content = line.get("content")
    if line.get("subtype") == "local_command" and isinstance(content, str):
        part = tagged(content.strip(), after)
        if isinstance(part, Part):
            return Reading(part.kind, (("0", part),))
        return Reading(part or "system")
    return Reading("system")
