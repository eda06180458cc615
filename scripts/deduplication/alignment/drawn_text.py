"""What a screen shows of a message that was written exactly: the same characters without the marks of Markdown, white space aside.

The client leaves out marks in pairs, headings, fences and the rules of tables, draws bars, and shows a link as label and
target, as target or as label. Nothing else is taken for a mark: ``a*b`` is not ``ab``, and what cannot be followed (a table whose
cells were wrapped) is not the same.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

from ..model import EXACT, TOOL_CALL
from ..start.late_pattern import late_pattern
from .fingerprint import plain_text

if TYPE_CHECKING:
    from ..model import Content, Message

_FENCE_OR_RULE: Final = late_pattern(r"^[ \t]*(?:(?:```|~~~).*|[|:\-─━│┃┌┬┐├┼┤└┴┘ \t]+)$", re.MULTILINE)
_HEAD: Final = late_pattern(r"^[ \t]*(?:(?:>|▎)[ \t]?)*(?:#{1,6}[ \t]+)?", re.MULTILINE)
"""Quotes and headings."""
_BULLET: Final = late_pattern(r"^[*+•](?=[ \t])", re.MULTILINE)
_ROW: Final = late_pattern(r"^[│┃].*$", re.MULTILINE)
_PAIRS: Final = tuple(
    late_pattern(pattern)
    for pattern in (
        r"`{1,2}()([^\n`]+)`{1,2}",
        r"(\*\*\*?)(?![\s*])([^\n*]+)(?<!\s)\1",
        r"(?<![^\W_])(\*|_{1,3})(?![\s*_])([^\n*_]+)(?<!\s)\1(?![^\W_])",
        r"(~~)(?![\s~])([^\n~]+)(?<!\s)~~",
    )
)
"""Marks on both sides of what they mark, with none of their own within."""
_LINK: Final = late_pattern(r"\[([^\[\]\n]{1,1000})\]\(([^()\s]{1,2000})\)")
_ADDRESS: Final = late_pattern(r"\((https?://[^\s()]{1,2000})\)")
_LINKS: Final = (r"\1(\2)", r"\2", r"\1")
"""How versions of the client show a link; the first way shows all of it."""


def drawings(message: Message) -> tuple[str, ...]:
    """What a screen may show of a message, without white space; the first one shows all that it says.

    Of one that was laid out it is what it shows, marks aside that an older client left in. Of a tool call it is the tool's name
    with one of its arguments.
    """
    if message.fidelity != EXACT:
        return (_drawn(plain_text(message.content), _LINKS[0]),)
    if message.kind == TOOL_CALL and not isinstance(message.content, str):
        return tuple(_calls(message.content))
    text = plain_text(message.content)
    ways = _LINKS if _LINK.search(text) else _LINKS[:1]
    return tuple(dict.fromkeys(_drawn(text, way) for way in ways))


def _drawn(text: str, link: str) -> str:
    text = _HEAD.sub("", _FENCE_OR_RULE.sub("", text))
    text = _ROW.sub(lambda row: re.sub("[│┃]", "|", row[0]), _BULLET.sub("-", text))
    for pair in (*_PAIRS, *_PAIRS):  # marks may stand within marks
        text = pair.sub(r"\2", text)
    return "".join(_ADDRESS.sub(r"\1", _LINK.sub(link, text)).split())


def _calls(content: Content) -> list[str]:
    """``Name(argument)`` for each argument of a call that is text."""
    found = []
    for block in content if isinstance(content, list) else ():
        if isinstance(block, dict) and isinstance(block.get("input"), dict):
            name = str(block.get("name", ""))
            found += ["".join(f"{name}({each})".split()) for each in block["input"].values() if isinstance(each, str)]
    return found
