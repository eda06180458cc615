"""Text that a screen showed, made into Markdown again as far as it can be told: lists, paragraphs, tables in a fence.

A text export has lost what was written: fences, bold, backticks are gone, lines are wrapped at a width. Signs that are left are
letters, so they are escaped; a line that broke only because the screen ended is joined with the next one by Markdown itself, one
that ended before is kept apart with two blanks.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from ..start.late_pattern import late_pattern
from .fences import fenced

if TYPE_CHECKING:
    import re
    from collections.abc import Iterator

_DRAWN: Final = late_pattern("[\u2500-\u259f]")
_ITEM: Final = late_pattern(r" {0,12}(?:[-•]|\d{1,4}[.)]) ")
_LETTERS: Final = late_pattern(r"[\\`*\[\]<]|~~|(?<![^\W_])_|_(?![^\W_])|&(?=#?\w+;)")
_BEGINS: Final = late_pattern(r"( *)(#|>|\+(?= )|=+\Z|-{2,}\Z|\|)")
_NARROWEST: Final = 40
"""Columns; where every line is shorter than that, each was ended by whoever wrote it."""


def layout_markdown(text: str) -> str:
    """``text`` as Markdown that reads like it did on the screen."""
    width = max((len(line) for line in text.split("\n")), default=0)
    out: list[str] = []
    for paragraph in _paragraphs(text):
        after_item = bool(out) and _ITEM.match(out[-1]) is not None
        if _is_code(paragraph, after_item=after_item):
            out.append(fenced("\n".join(_dedented(paragraph)), "text" if _DRAWN.search("".join(paragraph)) else ""))
        else:
            out.append("\n".join(_lines(paragraph, width)))
    return "\n\n".join(out)


def _paragraphs(text: str) -> Iterator[list[str]]:
    """Runs of lines between blank ones; code that goes on after a blank line is one paragraph."""
    current: list[str] = []
    for line in text.split("\n"):
        if line.strip():
            current.append(line.rstrip())
        elif current:
            yield current
            current = []
    if current:
        yield current


def _is_code(lines: list[str], *, after_item: bool) -> bool:
    if sum(bool(_DRAWN.search(line)) for line in lines) >= 2:
        return True
    indented = all(line.startswith("  ") and not _ITEM.match(line) for line in lines)
    return indented and not after_item


def _dedented(lines: list[str]) -> list[str]:
    margin = min(len(line) - len(line.lstrip(" ")) for line in lines)
    return [line[margin:] for line in lines]


def _lines(lines: list[str], width: int) -> Iterator[str]:
    for number, line in enumerate(lines):
        escaped = _escaped(line)
        if number + 1 == len(lines):
            yield escaped
            continue
        following = lines[number + 1]
        word = following.split(" ", 1)[0] if not following.startswith(" ") else following.split(None, 1)[0]
        wrapped = width >= _NARROWEST and len(line) + 1 + len(word) > width
        ends = _ITEM.match(following) is not None
        yield escaped if wrapped or ends else f"{escaped}  "


def _escaped(line: str) -> str:
    item = _ITEM.match(line)
    head = ""
    if item is not None:
        head = item[0].replace("•", "-")
        line = line[item.end() :]
    elif line.startswith("    "):
        line = line.lstrip(" ")  # four blanks would be code
    begins = _BEGINS.match(line)
    if begins is None:
        return head + _LETTERS.sub(_letter, line)
    blanks = begins[1]
    return head + blanks + "\\" + _LETTERS.sub(_letter, line[len(blanks) :])


def escaped_inline(text: str) -> str:
    """One line of plain text as Markdown that says just that, also in a heading or a table."""
    line = _LETTERS.sub(_letter, " ".join(text.split()))
    begins = _BEGINS.match(line)
    return "\\" + line if begins else line


def _letter(match: re.Match[str]) -> str:
    sign = match[0]
    return "&lt;" if sign == "<" else "&amp;" if sign == "&" else "".join(f"\\{each}" for each in sign)
