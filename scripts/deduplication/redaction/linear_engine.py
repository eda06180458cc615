r"""RE2, where ``google-re2`` is installed: it matches in linear time whatever the pattern, and knows fewer forms of them.

Its ``\w``, ``\d`` and ``\s`` are those of ASCII. A pattern must not find less because another engine matches it: they are
written out as what they are for Python, and a pattern with a form that has no counterpart is not taken.
"""

from __future__ import annotations

import functools
import importlib
import sys
from typing import Any, Final

_WRITTEN_OUT: Final = {"w": r"\p{L}\p{N}_", "d": r"\p{Nd}", "s": r"\s\v\x1c-\x1f\x85\p{Z}"}
_NO_COUNTERPART: Final = frozenset("bBDSWZA")


def compiled(text: str) -> Any:
    """The pattern, ready to match; None where RE2 is not installed or has no such form."""
    engine = _engine()
    expression = written_out(text) if engine is not None else None
    if expression is None:
        return None
    options = engine.Options()
    options.log_errors = False
    options.max_mem = 1 << 20
    try:
        return engine.compile(expression, options)
    except engine.error:
        return None


def written_out(text: str) -> str | None:
    r"""The pattern with Python's meaning of ``\w``, ``\d`` and ``\s``; None where something in it would mean something else."""
    parts = []
    inside = False
    at = 0
    while at < len(text):
        character = text[at]
        if character == "\\" and at + 1 < len(text):
            following = text[at + 1]
            if following in _NO_COUNTERPART or following.isdigit():
                return None
            classes = _WRITTEN_OUT.get(following)
            parts.append(character + following if classes is None else classes if inside else f"[{classes}]")
            at += 2
            continue
        if character == "[" and not inside:
            inside = True
            start = 2 if text[at + 1 : at + 2] == "^" else 1
            if text[at + start : at + start + 1] == "]":  # the first one does not close
                parts.append(text[at : at + start] + "\\]")
                at += start + 1
                continue
        elif character == "[":
            character = "\\["  # [:alpha:] is a class there, and four characters here
        elif character == "]":
            inside = False
        parts.append(character)
        at += 1
    return "".join(parts)


@functools.cache
def _engine() -> Any:
    if sys.flags.no_site:  # a hook, which starts without what is installed, and needs it now
        importlib.import_module("site").main()
    try:
        found = importlib.import_module("re2")
    except ImportError:
        return None
    return found if hasattr(found, "Options") and hasattr(found, "compile") else None  # another one has this name, too
