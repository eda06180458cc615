"""Claude Code's ``/export`` text: a screen, written to a file.

There are no ids, no times and no escapes in it; turns are told apart by glyphs at the start of a line. What drifted
from version to version (1.0 to 2.1.330) is in the tables below: two glyph families, six ways to say "compacted",
prompts padded or not, wrapped at the terminal's width or at 80 columns.

The parser is a state machine over the lines that start something; everything else belongs to what is open, so that
no byte is lost: the spans cover the file.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from ..errors import ExportUnreadable
from ..model import (
    ASSISTANT,
    BANNER,
    BOOKKEEPING,
    COMMAND_OUTPUT,
    COMPACTION,
    LOCAL_COMMAND,
    NOTICE,
    PROMPT,
    SYSTEM,
    TEXT,
    THINKING,
    TOOL_CALL,
    TOOL_RESULT,
    TRUNCATION,
    USER,
    Export,
    Mark,
    Message,
    Span,
)
from .screen import decode, display_width

if TYPE_CHECKING:
    from collections.abc import Iterator

NAME: Final = "claude-code-text"

_BANNER_LINE: Final = (
    r"╭─+ Claude Code v\d[^\n]*"  # a box with the version in its frame (2.0.42 ...)
    r"|╭─+╮\r?\n│ ✻ Welcome to Claude Code[^\n]*"  # 1.0.x
    r"|[ ▐▛█▜▌▗▖▝▘▟▙▞▚*]{2,14}Claude Code v\d[^\n]*"  # a logo of three lines (2.0.8 ... 2.1.330)
)
_START: Final = re.compile(
    r"(?m)^(?:"
    r"(?P<user>[>❯])(?=[ \u00a0]|\r?$)"
    r"|(?P<divider>"
    r"═{3,}[^\n]*Conversation compacted[^\n]*"
    r"|✻ Conversation compacted[^\n]*"
    r"|=== Previous Conversation Compacted ===[^\n]*"
    r"|[⏺●] Compact summary \(ctrl\+[ro] to expand\)[^\n]*"
    r")"
    r"|(?P<assistant>[⏺●])(?=[ \u00a0]|\r?$)"
    r"|(?P<result> {0,3}⎿)"
    r"|(?P<shell>!)(?=[ \u00a0]\S)"
    r"|(?P<collapsed>  (?:Thought for|(?:Ran|Read|Searched|Listed|Fetched|Called|Wrote|Edited|Created|Queried|Found|"
    r"Used|Recalled|Updated|Deleted)\b[^\n]{0,100}?\d)[^\n]{0,100}\(ctrl\+[ro] to [^\n)]*\)[ ]*\r?$)"
    r"|(?P<thinking>[✻∴] (?:Thinking…|Thought for)[^\n]*)"
    r"|(?P<status>[✻✽✶✢✳※][ \u00a0][^\n]*|[·*] [A-Z]\w+…[^\n]*)"
    r"|(?P<task>✔ Task #\d)"
    r"|(?P<truncation>─{3,} Ctrl\+\w to show [\d,.]+ previous messages[^\n]*| *\[Restored contents truncated\][^\n]*)"
    r"|(?P<inputbox>─{20,}\r?\n[>❯][ \u00a0]*\r?\n─{20,}[^\n]*(?:\n[ ]*\? for shortcuts[^\n]*)?)"
    rf"|(?P<banner>{_BANNER_LINE})"
    r")"
)
_TOOL_CALL: Final = re.compile(
    r"(?:[A-Z][A-Za-z]*(?: [A-Z][a-z]+)?|[\w.-]+ - [\w.-]+ \(MCP\)|mcp__\w+)\(.*\)[ ]*\Z"
    r"|Update Todos\Z"
    r"|\d+ (?:[\w-]+ )?agents? (?:finished|launched)\b.*"
    r'|(?:Agent|Task) ".*" (?:finished|completed)\b.*',
    re.DOTALL,
)
_CALL_WITH_RESULT: Final = re.compile(r"[\w][\w .:-]{0,60}\(\S")
"""An agent's own name, as a call: ``backend-reviewer(Check the routes)``; only a result below tells it from prose."""
_BOOKKEEPING: Final = re.compile(r"/(?:export(?:-dedup[\w-]*)?|compact|clear|resume|exit|quit)(?=\s|$)")
_SLASH: Final = re.compile(r"/[A-Za-z][\w:.-]*(?=\s|$)")
_HOOK: Final = re.compile(
    r"(?:SessionStart|SessionEnd|UserPromptSubmit|PreToolUse|PostToolUse|PreCompact|PostCompact|SubagentStop|Stop|"
    r"Notification|FileChanged|CwdChanged)(?::\S+)?"
    r"(?: (?:says|hook\b)[^\n]*:?| \[[^\n]*)"
)
_WRAPPED_RESULT: Final = re.compile(r" {2}⎿ \u00a0.*\S \Z")
"""A real result below a prompt that happens to be as wide as the padding: a wrap leaves one blank, padding several."""
_GLUED: Final = re.compile(r"(?<=\S)  ⎿")
_JSON_HEAD: Final = re.compile(r"""[{\[]\s*["{\[\]}]""")


@dataclass
class _Block:
    """A run of characters that begins at a marker. ``start`` and ``end`` are character offsets, half open."""

    type: str
    start: int
    end: int
    head: int = 0
    """Characters of the first line that are marker, not content."""


def recognises(data: bytes, *, strict: bool) -> bool:
    """Is this a text export? Found files must begin like one; for named files one turn anywhere is enough."""
    sample = data[:262_144]
    if b"\0" in sample and not sample.startswith((b"\xff\xfe", b"\xfe\xff")):
        return False
    text = decode(sample, partial=True).text
    first = re.search(r"\S", text)
    if first is None or _JSON_HEAD.match(text, first.start()):
        return False
    types = {match.lastgroup for match in _START.finditer(text)}
    turns = bool(types & {"assistant", "user", "shell"})
    framed = bool(types & {"banner", "divider"})
    if not strict:
        return framed or ("assistant" in types and len(types & {"user", "result", "status"}) > 0)
    # Documents about exports show one further down; a terminal's scrollback may have a line or two above the first turn.
    begin = _START.search(text)
    leading = text[first.start() : begin.start()].count("\n") if begin else 99
    return leading <= 2 and ((framed and turns) or {"assistant", "result"} <= types)


def parse(data: bytes) -> Export:
    """The messages of a text export. Raises :class:`ExportUnreadable` where no turn can be found."""
    source = decode(data)
    text = source.text
    blocks = _blocks(text)
    messages: list[Message] = []
    spans: list[Span] = []
    marks: list[Mark] = []
    owner = previous = ""
    offset = source.lead
    for number, block in enumerate(blocks):
        raw = text[block.start : block.end]
        end = offset + source.size(raw)
        following = blocks[number + 1].type if number + 1 < len(blocks) else ""
        label, role, kind, content = _classify(block, raw, owner, previous, following)
        if kind:
            messages.append(Message(role, kind, content, offset, end))
            label = kind
        elif label in (COMPACTION, BANNER, TRUNCATION):
            marks.append(Mark(label, len(messages)))
        if block.type != "result" and label != "status":
            owner = label
        previous = label
        spans.append(Span(offset, end, label))
        offset = end
    if source.lead:
        spans.insert(0, Span(0, source.lead, "byte-order-mark"))
    if not messages and not marks:
        raise ExportUnreadable("no prompt, answer or tool result was found in it")
    return Export(NAME, tuple(messages), tuple(spans), tuple(marks), None, source.warnings)


def _blocks(text: str) -> list[_Block]:
    """Cut the text where something starts; every character belongs to exactly one block."""
    starts = list(_START.finditer(text))
    blocks: list[_Block] = []
    if not starts or starts[0].start() > 0:
        blocks.append(_Block("preamble", 0, starts[0].start() if starts else len(text)))
    swallowed = _pasted_markers(text, starts)
    for number, match in enumerate(starts):
        if number in swallowed or match.start() < (blocks[-1].head + blocks[-1].start if blocks else 0):
            continue
        kind = match.lastgroup or ""
        head = len(match.group())
        if kind == "collapsed" and not _after_blank_line(text, match.start()):
            continue
        if blocks:
            blocks[-1].end = match.start()
        blocks.append(_Block(kind, match.start(), len(text), head))
    return list(_unglue(text, blocks))


def _unglue(text: str, blocks: list[_Block]) -> Iterator[_Block]:
    """Split ``● Update(x)  ⎿  Added 2 lines``: the client renders in pieces and sometimes forgets the line break."""
    for block in blocks:
        if block.type in ("assistant", "user", "shell"):
            line_end = text.find("\n", block.start, block.end)
            limit = line_end if line_end >= 0 and block.type != "assistant" else block.end
            match = _GLUED.search(text, block.start, limit)
            if match and "\n" in text[block.start : match.start()] and not _looks_like_call(text, block, match.start()):
                match = None
            if match:
                yield _Block(block.type, block.start, match.start(), block.head)
                yield _Block("result", match.start(), block.end, match.end() - match.start())
                continue
        yield block


def _looks_like_call(text: str, block: _Block, end: int) -> bool:
    return _TOOL_CALL.match(text[block.start + block.head : end].strip()) is not None


def _after_blank_line(text: str, start: int) -> bool:
    return start < 2 or not text[text.rfind("\n", 0, start - 1) + 1 : start - 1].strip()


def _pasted_markers(text: str, starts: list[re.Match[str]]) -> set[int]:
    """Numbers of the starts that are part of a prompt somebody pasted an export into.

    From 2.1.3 on every line of a prompt of several lines is padded with blanks to one width; a real answer is never
    padded. Before that a prompt ends with exactly one blank, and a real turn has an empty line above it.
    """
    swallowed: set[int] = set()
    trailing = _prompts_end_with_blank(text, starts)
    number = 0
    while number < len(starts):
        if starts[number].lastgroup == "user":
            end = _padded_end(text, starts[number].start())
            if not end and trailing:
                end = _blank_ended(text, starts, number)
            while end and number + 1 < len(starts) and starts[number + 1].start() < end:
                number += 1
                swallowed.add(number)
        number += 1
    return swallowed


def _padded_end(text: str, start: int) -> int:
    """Where the run of equally wide, blank-padded lines that begins at ``start`` ends; 0 where there is none."""
    stop = text.find("\n", start)
    line = text[start : stop if stop >= 0 else len(text)].rstrip("\r")
    if stop < 0 or not line.endswith(" "):
        return 0
    width = display_width(line)
    end = 0
    while stop >= 0:
        start = stop + 1
        stop = text.find("\n", start)
        line = text[start : stop if stop >= 0 else len(text)].rstrip("\r")
        # Terminals disagree on how wide an emoji is: a padded line with one may be off by a few cells.
        slack = 0 if line.isascii() else 4
        if not line.endswith(" ") or abs(display_width(line) - width) > slack or _WRAPPED_RESULT.match(line):
            break
        end = stop + 1 if stop >= 0 else len(text)
    return end


def _last_line(text: str, start: int, end: int) -> str:
    return text[start:end].rstrip("\r\n").rsplit("\n", 1)[-1].rstrip("\r")


def _prompts_end_with_blank(text: str, starts: list[re.Match[str]]) -> bool:
    ends = [
        _last_line(text, match.start(), starts[number + 1].start() if number + 1 < len(starts) else len(text))
        for number, match in enumerate(starts)
        if match.lastgroup == "user"
    ]
    blank = sum(line.endswith(" ") and not line.endswith("  ") for line in ends)
    return blank >= 2 and blank >= 0.8 * len(ends)


def _blank_ended(text: str, starts: list[re.Match[str]], number: int, most: int = 100) -> int:
    """Where a prompt ends that runs into a marker without an empty line; 0 where nothing says that it goes on."""
    for ahead in range(number, min(number + most, len(starts) - 1)):
        following = starts[ahead + 1].start()
        line = _last_line(text, starts[ahead].start(), following)
        if line.endswith(" "):
            return starts[ahead].start() + 1 if ahead > number else 0
        if ahead == number and text[following - 2 : following] == "\n\n":
            return 0
    tail = min(number + most, len(starts) - 1)
    return starts[tail].start() + 1 if tail > number and _last_line(text, starts[tail].start(), len(text)).endswith(" ") else 0


def _classify(block: _Block, raw: str, owner: str, previous: str, following: str) -> tuple[str, str, str, str]:
    """Label of the span, then role, kind and content of the message; an empty kind says "no message"."""
    kind = block.type
    if kind == "user":
        content = _content(raw, block.head, 2)
        if not content:
            return "interface", "", "", ""
        if _BOOKKEEPING.match(content):
            return BOOKKEEPING, USER, BOOKKEEPING, content
        local = following == "result" and _SLASH.match(content)
        return kind, USER, LOCAL_COMMAND if local else PROMPT, content
    if kind == "assistant":
        content = _content(raw, block.head, 2)
        if _TOOL_CALL.match(content) or (following == "result" and _CALL_WITH_RESULT.match(content)):
            return kind, ASSISTANT, TOOL_CALL, _content(raw, block.head, 6)
        return kind, ASSISTANT, TEXT, content
    if kind == "shell":
        return kind, USER, LOCAL_COMMAND, _content(raw, block.head, 2)
    if kind == "result":
        return _classify_result(_content(raw, block.head, 5), owner, previous)
    if kind == "collapsed":
        content = raw.strip()
        return ("status", "", "", "") if content.startswith("Thought") else (kind, ASSISTANT, TOOL_CALL, content)
    if kind == "thinking":
        content = _content(raw, block.head, 2)
        return "status", ASSISTANT, THINKING if content else "", content
    if kind == "task":
        return kind, SYSTEM, NOTICE, _content(raw, 0, 2)
    return _classify_furniture(block, raw)


def _classify_result(content: str, owner: str, previous: str) -> tuple[str, str, str, str]:
    if _HOOK.match(content) or (previous == "hook" and content.startswith("[")):
        return "hook", "", "", ""
    if owner in (BOOKKEEPING, COMPACTION):
        return BOOKKEEPING, SYSTEM, BOOKKEEPING, content
    if owner == LOCAL_COMMAND:
        return COMMAND_OUTPUT, SYSTEM, COMMAND_OUTPUT, content
    if owner in (TOOL_CALL, TOOL_RESULT):
        return TOOL_RESULT, SYSTEM, TOOL_RESULT, content
    return NOTICE, SYSTEM, NOTICE, content


def _classify_furniture(block: _Block, raw: str) -> tuple[str, str, str, str]:
    """What frames the conversation: banner, dividers, spinners. Text that strayed into it is kept as a notice."""
    label = {"divider": COMPACTION, "preamble": "preamble", "inputbox": "interface"}.get(block.type, block.type)
    rest = raw[block.head :]
    if block.type == "banner":
        lines = rest.split("\n")
        closed = next((n for n, line in enumerate(lines) if line.startswith("╰")), 2)
        rest = "\n".join(line for line in lines[closed + 1 :] if not line.startswith(" "))
    if rest.strip() and block.type != "truncation":
        content = _content(rest, 0, 2)
        # A divider's or banner's mark would be lost with the message: strays after them are rare and short.
        if block.type in ("preamble", "status", "inputbox"):
            return label, SYSTEM, NOTICE, content
    return label, "", "", ""


def _content(raw: str, head: int, indent: int) -> str:
    """The text of a block without its marker, its indentation (at most ``indent`` blanks) and its padding."""
    lines = raw.split("\n")
    first = lines[0][head:].strip(" \u00a0\r")
    if len(lines) == 1:
        return first
    margin = " " * indent
    rest = [line.rstrip(" \u00a0\r") for line in lines[1:]]
    if indent == 2:
        # Prompts up to 2.0.58 continue at column 0; there, leading blanks are the author's own.
        if all(line.startswith(margin) for line in rest if line):
            rest = [line[2:] for line in rest]
    else:
        rest = [line[indent:] if line.startswith(margin) else line.lstrip(" \u00a0") for line in rest]
    return "\n".join([first, *rest]).strip("\n")
