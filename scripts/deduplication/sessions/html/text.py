"""Text as it is, in a box; the lines that a difference takes away and brings are told apart."""

from __future__ import annotations

import re
from html import escape
from typing import Final

from ...start.late_pattern import late_pattern

_DIFFERENCE: Final = frozenset(("diff", "patch", "udiff"))
_HUNK: Final = late_pattern(r"^@@ -\d+(?:,\d+)? \+\d+(?:,\d+)? @@", re.MULTILINE)
_EDITED: Final = late_pattern(r"\s*(?:Added|Removed|Updated|removed)\b.{0,300}\b(?:lines?|additions?|removals?)\b")
_NUMBERED: Final = late_pattern(r"\s*\d+ ([-+])")
"""An edit as the client draws it: a line that counts, then lines with their numbers."""
_HEADS: Final = ("diff --git ", "index ", "--- ", "+++ ", "@@ ")
_TAGS: Final = {"+": "ins", "-": "del"}


def code(text: str, language: str = "") -> str:
    """``text`` in a box. ``language`` is all that was said of it: a name, a file."""
    is_difference = language.lower() in _DIFFERENCE or (not language and _HUNK.search(text) is not None)
    if not language and _EDITED.match(text):
        inside = "\n".join(
            _tagged(line, number[1] if (number := _NUMBERED.match(line)) else "") for line in text.split("\n")
        )
    else:
        inside = _difference(text) if is_difference else escape(text, quote=False)
    box = f"<pre tabindex=0><code>{inside}</code></pre>"
    return f'<div class=code data-language="{escape(language)}">{box}</div>\n' if language else f"{box}\n"


def _difference(text: str) -> str:
    lines = text.split("\n")
    return "\n".join(
        f"<b>{escape(line, quote=False)}</b>" if line.startswith(_HEADS) else _tagged(line, line[:1]) for line in lines
    )


def _tagged(line: str, sign: str) -> str:
    tag = _TAGS.get(sign)
    said = escape(line, quote=False)
    return f"<{tag}>{said}</{tag}>" if tag else said
