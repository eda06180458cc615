"""Text as it is, in a box; the lines that a difference takes away and brings are told apart."""

from __future__ import annotations

import re
from html import escape
from typing import Final

from ...start.late_pattern import late_pattern

_DIFFERENCE: Final = frozenset(("diff", "patch", "udiff"))
_HUNK: Final = late_pattern(r"^@@ -\d+(?:,\d+)? \+\d+(?:,\d+)? @@", re.MULTILINE)
_HEADS: Final = ("diff --git ", "index ", "--- ", "+++ ", "@@ ")
_TAGS: Final = {"+": "ins", "-": "del"}


def code(text: str, language: str = "") -> str:
    """``text`` in a box. ``language`` is all that was said of it: a name, a file."""
    is_difference = language.lower() in _DIFFERENCE or (not language and _HUNK.search(text) is not None)
    inside = _difference(text) if is_difference else escape(text, quote=False)
    box = f"<pre><code>{inside}</code></pre>"
    return f'<div class=code data-language="{escape(language)}">{box}</div>\n' if language else f"{box}\n"


def _difference(text: str) -> str:
    lines = []
    for line in text.split("\n"):
        said = escape(line, quote=False)
        if line.startswith(_HEADS):
            lines.append(f"<b>{said}</b>")
        else:
            tag = _TAGS.get(line[:1])
            lines.append(f"<{tag}>{said}</{tag}>" if tag else said)
    return "\n".join(lines)
