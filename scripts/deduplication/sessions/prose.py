"""The Markdown of a message, made safe to stand in the middle of another document.

What it may not do: open HTML, leave a fence open behind it, put a heading above ours, load an image, lead anywhere but to the
web or a mailbox. Code is never touched. The reading is by lines, and where it might be another one than that of a Markdown
renderer, the text is changed so that both agree: a fence that is not taken for one is escaped, a backtick without a partner on its
line, too.
"""

from __future__ import annotations

import html
import re
from typing import Final

from ..start.late_pattern import late_pattern
from .fences import fenced

_FENCE: Final = late_pattern(r"( {0,20}(?:(?:[-*+]|\d{1,9}[.)]) {1,4})?)(`{3,}|~{3,})([^`\n]*)\Z")
_FENCE_LIKE: Final = late_pattern(r"`{3,}|~{3,}")
_HEADING: Final = late_pattern(r"((?: {0,3}(?:[-*+]|\d{1,9}[.)]) {1,3})? {0,3})(#{1,6})(?=[ \t]|\Z)")
_UNDERLINE: Final = late_pattern(r" {0,3}(=+|-+)[ \t]*\Z")
_QUOTE: Final = late_pattern(r" {0,3}> ?")
_TICKS: Final = late_pattern(r"`+")
_TAG: Final = late_pattern(r"<(?=[A-Za-z/!?])(?!(?:https?://|mailto:)[^\s<>]*>)")
_TARGET: Final = late_pattern(r"\]\(\s*<?\s*([^\s)>]{0,2000})")
_SCHEME: Final = late_pattern(r"[a-z][a-z0-9+.-]*:", re.IGNORECASE)
_ALLOWED: Final = ("http:", "https:", "mailto:")
_LEVELS: Final = 2
"""How far the headings of a message are moved down: those above are ours."""
_NESTED: Final = 3


def safe_markdown(text: str, depth: int = 0) -> str:
    """``text`` with the same code, words and structure, safe as the module says. Idempotent it is not."""
    lines = text.replace("\t", "    ").split("\n")
    out: list[str] = []
    position = 0
    while position < len(lines):
        line = lines[position]
        fence = _FENCE.match(line)
        if fence is not None and not (fence[2][0] == "`" and "`" in fence[3]):
            block, position = _code(lines, position, fence)
            # Behind a paragraph, a list item or a line far to the right may be a part of it.
            if out and out[-1].strip() and (fence[1].strip() or len(fence[1]) > 3):
                out.append("")
            out.extend(block)
            continue
        if _QUOTE.match(line):
            quoted: list[str] = []
            while position < len(lines) and (match := _QUOTE.match(lines[position])):
                quoted.append(lines[position][match.end() :])
                position += 1
            inner = "\n".join(quoted)
            inner = safe_markdown(inner, depth + 1) if depth < _NESTED else "\n".join(map(_prose, quoted))
            out.extend(f"> {each}".rstrip() for each in inner.split("\n"))
            if position < len(lines) and lines[position].strip():
                out.append("")  # without it, the next line would go on inside the quote
            continue
        underline = _UNDERLINE.match(line)
        if underline is not None and out and out[-1].strip():
            out.extend(["\\" + line.strip()] if underline[1][0] == "=" else ["", line])
        else:
            out.append(_prose(line))
        position += 1
    return "\n".join(out).strip("\n")


def _code(lines: list[str], start: int, fence: re.Match[str]) -> tuple[list[str], int]:
    """A fenced block as its lines, closed in any case, and the position after it."""
    prefix, marks = fence[1], fence[2]
    indent = " " * len(prefix)
    closing = re.compile(rf"[ ]*{re.escape(marks[0])}{{{len(marks)},}}[ ]*\Z")
    end = start + 1
    while end < len(lines) and not closing.match(lines[end]):
        end += 1
    code = "\n".join(
        line[len(indent) :] if line.startswith(indent) else line.lstrip() for line in lines[start + 1 : end]
    )
    info = fence[3].strip().split(" ")[0]
    block = fenced(code, info, indent).split("\n")
    block[0] = prefix + block[0][len(indent) :]
    return block, end + 1


def _prose(line: str) -> str:
    heading = _HEADING.match(line)
    if heading is not None:
        level = min(6, len(heading[2]) + _LEVELS)
        return heading[1] + "#" * level + escape_inline(line[heading.end() :])
    return escape_inline(line)


def escape_inline(line: str) -> str:
    """One line outside of fences: code spans as they are, everything else without HTML, images and other schemes."""
    if not any(sign in line for sign in "<`~[]\\"):
        return line
    out: list[str] = []
    position = 0
    runs = [(match.start(), match.end()) for match in _TICKS.finditer(line)]
    index = 0
    while index < len(runs):
        start, end = runs[index]
        if _backslashes(line, start) % 2:
            start += 1  # the first one is escaped by its author
            if start == end:
                index += 1
                continue
        partner = next((n for n in range(index + 1, len(runs)) if runs[n][1] - runs[n][0] == end - start), None)
        out.append(_plain(line[position:start]))
        # A run of three or more at the beginning of a line could be a fence; in a span, two do the same.
        if partner is None or (end - start >= 3 and not line[:start].strip(" >-*+.)0123456789")):
            out.append("\\`" * (end - start))
            position = end
            index += 1
        else:
            out.append(line[start : runs[partner][1]])
            position = runs[partner][1]
            index = partner + 1
    out.append(_plain(line[position:]))
    return "".join(out)


def _backslashes(line: str, position: int) -> int:
    count = 0
    while position > count and line[position - 1 - count] == "\\":
        count += 1
    return count


def _plain(text: str) -> str:
    if "~~~" in text:
        text = text.replace("~~~", "\\~\\~\\~")
    text = _TAG.sub("&lt;", text)
    if "]:" in text:
        text = text.replace("]:", "]\\:")  # a definition gives links a target from afar
    if "](" in text:
        text = _TARGET.sub(_checked, text)
    return text.replace("![", "🖼 [")


def _checked(match: re.Match[str]) -> str:
    return match[0] if is_harmless(match[1]) else match[0].replace("](", "]\\(", 1)


def is_harmless(target: str) -> bool:
    """True for a link into the web, to a mailbox, or without a scheme; however the scheme is spelled."""
    plain = re.sub(r"\\(?=[!-/:-@\[-`{-~])", "", html.unescape(target))
    plain = re.sub(r"[\x00-\x20]", "", plain)
    scheme = _SCHEME.match(plain)
    return scheme is None or scheme[0].lower() in _ALLOWED
