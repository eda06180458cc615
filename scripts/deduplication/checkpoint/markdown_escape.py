"""Foreign text in Markdown: made printable, in code spans and fences that it cannot close, or escaped. Pure."""

from __future__ import annotations

import re
from typing import Final

from ..start.late_pattern import late_pattern
from ..terminal.console import printable

_MARKUP: Final = late_pattern(r"([\\`*_\[\]<>&|~#])")


def code(text: str) -> str:
    """``text`` as a Markdown code span on one line, whatever back quotes are in it."""
    safe = printable(text) or " "
    quotes = fence(safe, 1)
    padding = " " if safe[0] in " `" or safe[-1] in " `" else ""
    return f"{quotes}{padding}{safe}{padding}{quotes}"


def fence(text: str, least: int) -> str:
    """A run of back quotes that is longer than any in ``text``, and at least so many."""
    longest = max((len(run) for run in re.findall("`+", text)), default=0)
    return "`" * max(least, longest + 1)


def escaped(text: str) -> str:
    """``text`` without meaning as Markdown."""
    return _MARKUP.sub(r"\\\1", text)


def shortened(text: str, limit: int) -> str:
    """``text`` with at most ``limit`` characters."""
    return text if len(text) <= limit else text[: limit - 1].rstrip() + "…"
