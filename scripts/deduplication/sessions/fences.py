"""Fenced code and shortened output: what both kinds of prose and all renderers share."""

from __future__ import annotations

import re
from typing import Final

from ..start.late_pattern import late_pattern
from ..start.late_tuple import NamedTuple
from .content import size

_RUNS: Final = late_pattern("`{3,}")
LANGUAGE: Final = late_pattern(r"[\w.+#-]{1,40}\Z")


class Short(NamedTuple):
    """The beginning and the end of a long text; ``left_out`` says what lies between, empty where nothing does."""

    head: str
    left_out: str
    tail: str


def fenced(code: str, language: str = "", indent: str = "") -> str:
    """``code`` in a fence that is longer than every run of backticks in it."""
    longest = max((len(run) for run in _RUNS.findall(code)), default=2)
    fence = "`" * (longest + 1)
    name = language if LANGUAGE.match(language) else ""
    lines = [fence + name, *code.split("\n"), fence]
    return "\n".join(indent + line if line else line for line in lines)


def code_span(text: str) -> str:
    """One line of ``text`` as a code span, whatever backticks it has."""
    line = " ".join(text.split())
    longest = max((len(run) for run in re.findall("`+", line)), default=0)
    mark = "`" * (longest + 1)
    pad = " " if longest and (line.startswith("`") or line.endswith("`")) else ""
    return f"{mark}{pad}{line}{pad}{mark}"


def shortened(text: str, lines: int, characters: int) -> Short:
    """``text`` whole, or three quarters of so many lines from its beginning and the rest from its end.

    A line may be longer than everything that is to be shown: then it is cut by ``characters``.
    """
    rows = text.split("\n")
    if len(rows) <= lines + 2 and len(text) <= characters + 200:
        return Short(text, "", "")
    front = lines * 3 // 4
    head, tail = "\n".join(rows[:front]), "\n".join(rows[front:][-(lines - front) :])
    head = head[: characters * 3 // 4]
    tail = tail[-(characters // 4) :] if len(tail) > characters // 4 else tail
    rest = len(text) - len(head) - len(tail)
    if rest <= 200:
        return Short(text, "", "")
    hidden = text[len(head) : len(text) - len(tail)].count("\n")
    what = f"{hidden:,} more lines ({size(rest)})" if hidden > 1 else size(rest)
    return Short(head.rstrip("\n"), f"… {what} …", tail.lstrip("\n"))


def length(text: str) -> str:
    """How long an output is: ``57 lines, 2.3 KB``."""
    count = text.count("\n") + 1
    return f"{count:,} lines, {size(len(text))}" if count > 1 else size(len(text))
