"""Where a text export is cut: the lines that start something, less those that only look like it."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final, NamedTuple

from .text_kinds import COLLAPSED, looks_like_call
from .text_prompts import Start, pasted_markers

if TYPE_CHECKING:
    from collections.abc import Iterator

_BANNER_LINE: Final = (
    r"╭─+ Claude Code v\d[^\n]*"  # a box with the version in its frame (2.0.42 ...)
    r"|╭─+╮\r?\n│ ✻ Welcome to Claude Code[^\n]*"  # 1.0.x
    r"|[ ▐▛█▜▌▗▖▝▘▟▙▞▚*]{2,14}Claude Code v\d[^\n]*"  # a logo of three lines (2.0.8 ... 2.1.330)
)
_LINE_END: Final = r"\r?(?=\n|\Z)"
_MAY_START: Final = r"(?=[^\s\w]| +[⎿\[▐▛█▜▌▗▖▝▘▟▙▞▚*C]|  [A-Z])"
"""What no line that starts something lacks; most lines are told by it, in a third of the time."""
_START: Final = re.compile(
    rf"\n{_MAY_START}(?:"
    rf"(?P<user>[>❯])(?=[ \u00a0]|{_LINE_END})"
    r"|(?P<divider>"
    r"═{3,}[^\n]*Conversation compacted[^\n]*"
    r"|✻ Conversation compacted[^\n]*"
    r"|=== Previous Conversation Compacted ===[^\n]*"
    r"|[⏺●] Compact summary \(ctrl\+[ro] to expand\)[^\n]*"
    r")"
    rf"|(?P<assistant>[⏺●])(?=[ \u00a0]|{_LINE_END})"
    r"|(?P<result> {0,3}⎿)"
    r"|(?P<shell>!)(?=[ \u00a0]\S)"
    rf"|(?P<collapsed>  (?:Thought for[^\n]{{0,100}}\(ctrl\+[ro] to [^\n)]*\)|{COLLAPSED})[ ]*{_LINE_END})"
    r"|(?P<thinking>[✻∴] (?:Thinking…|Thought for)[^\n]*)"
    r"|(?P<status>[✻✽✶✢✳※][ \u00a0][^\n]*|[·*] [A-Z]\w+…[^\n]*)"
    r"|(?P<task>✔ Task #\d)"
    r"|(?P<truncation>─{3,} Ctrl\+\w to show [\d,.]+ previous messages[^\n]*| *\[Restored contents truncated\][^\n]*)"
    r"|(?P<inputbox>─{20,}\r?\n[>❯][ \u00a0]*\r?\n─{20,}[^\n]*(?:\n[ ]*\? for shortcuts[^\n]*)?)"
    rf"|(?P<banner>{_BANNER_LINE})"
    r")"
)


class Block(NamedTuple):
    """A run of characters that begins at a marker. ``start`` and ``end`` are character offsets, half open."""

    type: str
    start: int
    end: int
    head: int = 0
    """Characters of the first line that are marker, not content."""


def find_starts(text: str) -> list[Start]:
    """Every line that has the look of a start, pasted ones included, in order."""
    # A line break in front makes every line begin with one: it is searched for much faster than "^". The match begins
    # one character early in a text that is one character longer, so its offset is right.
    return [
        Start(match.lastgroup or "", match.start(), match.end() - match.start() - 1)
        for match in _START.finditer("\n" + text)
    ]


def cut(text: str) -> list[Block]:
    """Cut the text where something starts; every character belongs to exactly one block."""
    starts = find_starts(text)
    swallowed = pasted_markers(text, starts)
    blocks: list[Block] = []
    kept: list[Start] = []
    for number, start in enumerate(starts):
        if number in swallowed:
            continue
        if start.type == "collapsed" and not _after_blank_line(text, start.at):
            continue
        kept.append(start)
    if not kept or kept[0].at > 0:
        blocks.append(Block("preamble", 0, kept[0].at if kept else len(text)))
    for start, following in zip(kept, [*kept[1:], Start("", len(text), 0)]):
        blocks.extend(_unglued(text, Block(start.type, start.at, following.at, start.head)))
    return blocks


def _unglued(text: str, block: Block) -> Iterator[Block]:
    """Split ``● Update(x)  ⎿  Added 2 lines``: the client renders in pieces and sometimes forgets the line break."""
    if block.type not in ("assistant", "user", "shell"):
        yield block
        return
    limit = block.end
    if block.type != "assistant":
        line_end = text.find("\n", block.start, block.end)
        limit = line_end if line_end >= 0 else block.end
    at = text.find("  ⎿", block.start, limit)
    while at >= 0 and text[at - 1].isspace():
        at = text.find("  ⎿", at + 1, limit)
    # Further down it may be prose about exports: only a call that ends right there tells.
    if at < 0 or ("\n" in text[block.start : at] and not looks_like_call(text[block.start + block.head : at].strip())):
        yield block
        return
    yield Block(block.type, block.start, at, block.head)
    yield Block("result", at, block.end, 3)


def _after_blank_line(text: str, start: int) -> bool:
    return start < 2 or not text[text.rfind("\n", 0, start - 1) + 1 : start - 1].strip()
