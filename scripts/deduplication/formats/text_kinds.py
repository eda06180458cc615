"""What a block of a text export is: who speaks, which kind of message, and its text without the screen's layout."""

from __future__ import annotations

import re
from typing import Final

from ..alignment.plain_text import ANSWERED, NOT_DONE
from ..model import (
    ASSISTANT,
    BOOKKEEPING,
    COMMAND_OUTPUT,
    COMPACTION,
    CONTEXT,
    LOCAL_COMMAND,
    NOTICE,
    PROMPT,
    SYSTEM,
    TEXT,
    THINKING,
    TOOL_CALL,
    TOOL_RESULT,
    UNKNOWN,
    USER,
)
from ..start.late_pattern import late_pattern
from .client_commands import is_bookkeeping
from .client_lines import HINT, called_nothing, is_event
from .machine_text import is_machine_text

Classified = tuple[str, str, str, str]
"""Label of the span, then role, kind and content of the message; an empty kind says "no message"."""

_TOOL_CALL: Final = late_pattern(
    r"(?:[A-Z][A-Za-z]*(?: [A-Z][a-z]+)?|[\w.-]+ - [\w.-]+ \(MCP\)|mcp__\w+)\(.*\)[ ]*\Z"
    r"|Update Todos\Z"
    r"|(?:Running )?\d+ (?:[\w-]+ ){0,3}agents?\b[^\n]*(?:\n +[├└]─.*|\Z)"
    r"|\d+ (?:[\w-]+ )?agents? (?:finished|launched)\b.*",
    re.DOTALL,
)
_COLLAPSED: Final = late_pattern(rf"[A-Z](?:(?![.?!:;] |\n[ ]*\n)[\s\S]){{0,300}}?{HINT}\Z")
"""Several calls in one line with a bullet: 2.1.31 ... 2.1.76; later versions leave it out."""
_BLOCKED: Final = late_pattern(
    r"UserPrompt(?:Expansion|Submit)\s+operation\s+blocked\s+by\s+hook:\n"
    rf"(?:\s*(?P<ours>{re.escape(ANSWERED)}|{re.escape(NOT_DONE)})|.*^Original prompt: (?P<prompt>[^\n]*))",
    re.DOTALL | re.MULTILINE,
)
"""What a hook answered in the assistant's place; the banner of ``/export-dedup`` comes like this, without a request. Newer clients
leave the prompt out where we ask for that."""
_CALL_WITH_RESULT: Final = late_pattern(r"[\w][\w .:-]{0,60}\(\S|[A-Z][a-z]+(?:[A-Z][a-z]+)+\Z")
"""An agent's own name, as a call, or a tool's without arguments: ``backend-reviewer(Check the routes)``, ``CronList``.
Only a result below tells it from prose."""
_GLUED_CALL: Final = late_pattern(r"[\w][\w.:-]{0,60}\(\S[^\n]*(?:\n {2,}\S[^\n]*){0,6}\Z")
"""A call over several lines, the result glued to its last one; the model of an agent may stand behind its arguments."""
_SLASH: Final = late_pattern(r"/[A-Za-z][\w:.-]*(?=\s|$)")
_HOOK: Final = late_pattern(
    r"(?:SessionStart|SessionEnd|UserPromptSubmit|UserPromptExpansion|PreToolUse|PostToolUse|PreCompact|PostCompact|SubagentStop|Stop|"
    r"Notification|FileChanged|CwdChanged)(?::\S+)?"
    r"(?: (?:says|hook\b)[^\n]*:?| \[[^\n]*)"
)
_LABELS: Final = {"divider": COMPACTION, "inputbox": "interface"}
_STRAY: Final = frozenset({"preamble", "status", "inputbox"})
"""Blocks whose further lines are a message of their own. Elsewhere a mark would be lost with the message: divider, banner."""
_BLANKS: Final = " \u00a0\r"
_NOT_INDENTED: Final = {indent: late_pattern(rf"\n(?!\n| {{{indent}}})") for indent in (2, 5, 6)}


def looks_like_call(text: str, *, result: bool = False) -> bool:
    """Is this what the client prints of a tool call? ``result``: one stands right behind it."""
    text = text.strip()
    if _TOOL_CALL.match(text) or (text.endswith(")") and _COLLAPSED.match(text)):
        return True
    return result and ")" in text and _GLUED_CALL.match(text) is not None


def classify(type_: str, raw: str, head: int, owner: str, previous: str, following: str) -> Classified:
    """What the block ``raw`` of type ``type_`` is; ``head`` is the length of its marker.

    ``owner`` is the label that a result below belongs to, ``previous`` the label of the block before and
    ``following`` the type of the block after it.
    """
    if type_ == "assistant":
        text = content(raw, head, 2)
        unbroken = raw.startswith("\u00a0", head) and not looks_like_call(text)
        if is_event(text, unbroken=unbroken):
            return type_, SYSTEM, NOTICE, text
        blocked = _BLOCKED.match(text)
        if blocked:
            ours = blocked["ours"] or is_bookkeeping(blocked["prompt"])
            kind = BOOKKEEPING if ours else NOTICE
            return kind, SYSTEM, kind, text
        if looks_like_call(text) or (following == "result" and _CALL_WITH_RESULT.match(text)):
            return type_, ASSISTANT, TOOL_CALL, content(raw, head, 6) if "\n" in text else text
        return type_, ASSISTANT, TEXT, text
    if type_ == "result":
        return _result(content(raw, head, 5), owner, previous)
    if type_ == "user":
        text = content(raw, head, 2)
        if not text:
            return "interface", "", "", ""
        if is_bookkeeping(text):
            return BOOKKEEPING, USER, BOOKKEEPING, text
        if is_machine_text(text):
            return type_, SYSTEM, CONTEXT, text
        local = following == "result" and _SLASH.match(text)
        return type_, USER, LOCAL_COMMAND if local else PROMPT, text
    if type_ == "shell":
        return type_, USER, LOCAL_COMMAND, content(raw, head, 2)
    if type_ == "collapsed":
        text = content(raw, 0, 2)
        return ("status", "", "", "") if called_nothing(text) else (type_, ASSISTANT, TOOL_CALL, text)
    if type_ == "stray":
        return type_, SYSTEM, UNKNOWN, content(raw, 0, 2)
    if type_ == "thinking":
        text = content(raw, head, 2)
        return "status", ASSISTANT, THINKING if text else "", text
    if type_ == "task":
        return type_, SYSTEM, NOTICE, content(raw, 0, 2)
    return _furniture(type_, raw[head:])


def _result(text: str, owner: str, previous: str) -> Classified:
    if _HOOK.match(text) or (previous == "hook" and text.startswith("[")):
        return "hook", "", "", ""
    if owner in (BOOKKEEPING, COMPACTION):
        return BOOKKEEPING, SYSTEM, BOOKKEEPING, text
    if owner == LOCAL_COMMAND:
        return COMMAND_OUTPUT, SYSTEM, COMMAND_OUTPUT, text
    if owner == TOOL_CALL:
        return TOOL_RESULT, SYSTEM, TOOL_RESULT, text
    return NOTICE, SYSTEM, NOTICE, text


def _furniture(type_: str, rest: str) -> Classified:
    """What frames the conversation: banner, dividers, spinners. Text that strayed into it is nobody's."""
    label = _LABELS.get(type_, type_)
    if type_ in _STRAY and rest.strip():
        return label, SYSTEM, UNKNOWN, content(rest, 0, 2)
    return label, "", "", ""


def content(raw: str, head: int, indent: int) -> str:
    """The text of a block without its marker, its indentation (at most ``indent`` blanks) and its padding."""
    raw = raw[head:].lstrip(_BLANKS).rstrip(_BLANKS + "\n")
    if "\n" not in raw:
        return raw
    if " \n" in raw or "\r\n" in raw or "\u00a0\n" in raw:
        raw = "\n".join([line.rstrip(_BLANKS) for line in raw.split("\n")])
    if not _NOT_INDENTED[indent].search(raw):
        return raw.replace("\n" + " " * indent, "\n").strip("\n")
    if indent == 2:
        # Prompts up to 2.0.58 continue at column 0; there, leading blanks are the author's own.
        return raw.strip("\n")
    first, *rest = raw.split("\n")
    margin = " " * indent
    rest = [line[indent:] if line.startswith(margin) else line.lstrip(" \u00a0") for line in rest]
    return "\n".join([first, *rest]).strip("\n")
