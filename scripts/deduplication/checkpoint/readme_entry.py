"""One line for each checkpoint in a README, under "Recent Checkpoints"; every other byte stays as it is. Pure.

The lines that are ours are those of the section's list that link into ``checkpoints/``; the newest is on top, and of the
oldest so many are dropped that at most ``limit`` remain.
"""

from __future__ import annotations

import re
from typing import Final, Optional

from ..start.late_pattern import late_pattern

HEADING: Final = "Recent Checkpoints"
LIMIT: Final = 10
_HEADING: Final = late_pattern(rb" {0,3}#{1,6}[ \t]+Recent Checkpoints[ \t#]*\r?\n?", re.IGNORECASE)
_ANY_HEADING: Final = late_pattern(rb" {0,3}#{1,6}(?:[ \t]|\r?\n?\Z)")
_FENCE: Final = late_pattern(rb" {0,3}(`{3,}|~{3,})([^\r\n]*)")
_OURS: Final = late_pattern(rb"- \[[^\r\n]*\]\([^()\r\n]*checkpoints/([^()/\r\n]+\.md)\)\r?\n?")


def entry(moment: str, title: str, target: str) -> str:
    """The line: ``title`` escaped already, ``target`` the document's path from the README, quoted as a link's."""
    return f"- [{moment} {title}]({target})"


def with_entry(data: bytes, line: str, limit: int = LIMIT) -> Optional[bytes]:
    """``data`` with ``line`` in it; None where it is there already, or where the file is no UTF-8 text."""
    try:
        data.decode("utf-8")
    except UnicodeDecodeError:
        return None
    if b"\0" in data:
        return None
    newline = b"\r\n" if data.count(b"\r\n") * 2 > data.count(b"\n") else b"\n"
    encoded = line.encode("utf-8", "backslashreplace")
    added = encoded + newline
    lines = _split(data)
    section = _section(lines)
    if section is None:
        begin = (newline if not data.endswith(b"\n") else b"") + newline if data else b""
        return data + begin + b"## " + HEADING.encode() + newline * 2 + added
    start, end = section
    ours = [at for at in range(start, end) if _OURS.fullmatch(lines[at])]
    if any(lines[at].rstrip(b"\r\n") == encoded for at in ours):
        return None
    for at in reversed(ours[max(0, limit - 1) :]):
        del lines[at]
    if ours:
        lines.insert(ours[0], added)
        return b"".join(lines)
    if not lines[start - 1].endswith(b"\n"):
        lines[start - 1] += newline
    if start < len(lines) and not lines[start].strip():
        start += 1
    else:
        lines.insert(start, newline)
        start += 1
    if start < len(lines) and lines[start].strip():
        added += newline
    lines.insert(start, added)
    return b"".join(lines)


def _split(data: bytes) -> list[bytes]:
    """Lines that end with a line feed only: a lone carriage return is a character of its line."""
    return re.findall(rb"[^\n]*\n|[^\n]+", data)


def _section(lines: list[bytes]) -> Optional[tuple[int, int]]:
    """Where the lines below our heading begin and end; what stands in fenced code is no heading."""
    fences = _fenced(lines)
    start: Optional[int] = None
    for number, line in enumerate(lines):
        if number in fences:
            continue
        if start is None and _HEADING.fullmatch(line):
            start = number + 1
        elif start is not None and _ANY_HEADING.match(line):
            return start, number
    return None if start is None else (start, len(lines))


def _fenced(lines: list[bytes]) -> set[int]:
    """The lines of fenced code; a fence that is never closed fences nothing, or what we added below would be lost in it."""
    fenced: set[int] = set()
    opened, fence = 0, b""
    for number, line in enumerate(lines):
        mark = _FENCE.match(line)
        if mark and fence and mark[1].startswith(fence) and not mark[2].strip():
            fenced.update(range(opened, number + 1))
            fence = b""
        elif mark and not fence and not (mark[1].startswith(b"`") and b"`" in mark[2]):
            opened, fence = number, mark[1]
    return fenced
