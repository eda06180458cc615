"""The client's screen: how wide it is, and what the client keeps of a line for itself in each place where a hook's words stand.

Measured in 2.0.76, 2.1.197 and 2.1.332 (``docs/make_screens.py``). A line that is longer is broken, in the middle of a word if
need be, or cut at the edge; so every line of ours is made to fit before the client gets it.
"""

from __future__ import annotations

import contextlib
import os
from typing import TYPE_CHECKING, Final

from ..start.late_pattern import late_pattern

if TYPE_CHECKING:
    from collections.abc import Iterator

ANSWER: Final = 10
"""Cells kept of each line of a blocked prompt's reason: two before it, eight behind it."""
SAID: Final = 5
"""Cells kept before each line of a ``systemMessage``; before the first line stands who says it, too."""
CORNER: Final = 4
"""Cells kept beside a notice of a changed file: one line, and what is longer ends in an ellipsis."""
NARROW: Final = 60
"""Cells of a line below which only the short banner is shown."""
LEAST: Final = 10
"""Cells that a line of ours has at least; no client is usable there."""
_PARENTS: Final = 6
_PARTS: Final = " · "
_RULE: Final = late_pattern("=+|🔐+")
_HEAD: Final = late_pattern(r" *(?:[✓✅❌⚠→·-] +)?")
"""Before what is said in a line: further lines begin below its first word."""


def columns() -> int:
    """Cells of a line of the client's terminal, 0 where nobody says it: then nothing is fitted.

    2.1.197 says it to its hooks; of 2.0.76 the terminal is asked, where the system tells which one it is.
    """
    with contextlib.suppress(KeyError, ValueError):
        return max(0, int(os.environ["COLUMNS"]))
    with contextlib.suppress(OSError, ValueError):
        return next(_terminals(), 0)
    return 0


def _terminals() -> Iterator[int]:
    """Cells of a line of each terminal that a process above writes to, the nearest first. A hook's own output is a pipe."""
    process = os.getppid()
    for _ in range(_PARENTS):
        output = f"/proc/{process}/fd/1"
        if os.readlink(output).startswith(("/dev/pts/", "/dev/tty")):
            descriptor = os.open(output, os.O_RDONLY | os.O_NOCTTY | os.O_NONBLOCK)
            try:
                yield os.get_terminal_size(descriptor).columns
            finally:
                os.close(descriptor)
        with open(f"/proc/{process}/stat", encoding="utf-8", errors="replace") as file:
            process = int(file.read().rpartition(")")[2].split()[1])


def answer(text: str, width: int) -> str:
    """A blocked prompt's reason for a screen of ``width`` cells."""
    return fitted(text, width - ANSWER) if width else text


def said(text: str, by: str, width: int) -> str:
    """A ``systemMessage``, before whose first line ``by`` stands: it begins on a line of its own where it has no room there."""
    if not width or not text:
        return text
    text = fitted(text, width - SAID)
    beside = width - SAID - len(f"{by} says: ")
    return text if _cells(text.partition("\n")[0]) <= beside else f"\n{text}"


def in_the_corner(text: str, width: int) -> str:
    """A notice of a changed file: of each line as many parts as there is room for, the first ones being those that count."""
    return "\n".join(_shortened(line, max(LEAST, width - CORNER)) for line in text.split("\n")) if width else text


def _shortened(line: str, room: int) -> str:
    while _cells(line) > room and _PARTS in line:
        line = line.rpartition(_PARTS)[0]
    return line if _cells(line) <= room else f"{_beginning(line, room - 1)}…"


def fitted(text: str, room: int) -> str:
    """``text`` in lines of at most ``room`` cells, broken between words; rules are shortened."""
    room = max(LEAST, room)
    return "\n".join(part for line in text.split("\n") for part in _broken(line, room))


def _broken(line: str, room: int) -> Iterator[str]:
    if _cells(line) <= room:
        yield line.rstrip()
        return
    if _RULE.fullmatch(line):
        yield _beginning(line, room)
        return
    match = _HEAD.match(line)
    head = match.group() if match else ""
    below = " " * min(_cells(head), room // 3)
    part, is_empty = head if _cells(head) <= room // 3 else below, True
    for word in line[len(head) :].split():
        joined = part + word if is_empty else f"{part} {word}"
        if _cells(joined) > room and not is_empty:
            yield part
            joined = below + word
        while _cells(joined) > room:
            piece = _beginning(joined, room)
            yield piece
            joined = below + joined[len(piece) :]
        part, is_empty = joined, False
    yield part


def _beginning(text: str, room: int) -> str:
    """As much of ``text`` as ``room`` cells hold; of a path whole names, where one ends in the second half."""
    end = min(len(text), room)
    while _cells(text[:end]) > room:
        end -= 1
    behind = text.rfind("/", end // 2, end) + 1
    return text[: behind or end] if end < len(text) else text


def _cells(text: str) -> int:
    from ..formats.screen import display_width

    return display_width(text)
