"""How two renderings of one message relate: the same and longer, only a part, the same call seen from elsewhere.

The client cuts long results to three lines, shows paths relative to the directory of the moment, and writes an
answer that is still growing. These rules may only be asked about messages whose neighbours are known to agree.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

from .fingerprint import plain_text
from .model import COMMAND_OUTPUT, NOTICE, PROMPT, TEXT, THINKING, TOOL_CALL, TOOL_RESULT

if TYPE_CHECKING:
    from .model import Content

GROWN: Final = "grown"
"""The stored body is the beginning of the shown one."""
PART: Final = "part"
"""The shown body is the beginning of the stored one."""
REDRAWN: Final = "redrawn"
"""The same message, printed differently."""
DIFFERENT: Final = "different"

_GROWING: Final = frozenset({TEXT, THINKING, TOOL_RESULT, COMMAND_OUTPUT})
_CUT: Final = re.compile(r"…\+[\d,.]+(?:lines?|moretooluses?|tooluses?)\(?[^)]*\)?\Z")
_CALL_NAME: Final = re.compile(r"[^(\n]{1,80}(?=\()")
_TRANSIENT: Final = re.compile(r"(?:Running|Waiting|Initializing|Retrying)(?:…|\.\.\.)")
_RENDERED: Final = frozenset({TOOL_RESULT, COMMAND_OUTPUT, NOTICE})
_MARKUP: Final = re.compile(r"[*`#~_>▎│┌┐└┘├┤┬┴┼─|]+|\]\([^()\s]*\)|[\[\]]|\(?https?://\S+\)?|(?:^|(?<=\s))link(?=\s)|\s+")
"""What one version of the client draws of Markdown and another leaves out."""


def relation(kind: str, stored: Content, shown: Content, *, same_source: bool = True) -> str:
    """What ``shown`` is to ``stored``, both of the same ``kind`` and in the same place.

    For prompts and texts the alignment key says that letters and digits agree; ``same_source`` asks for punctuation
    and symbols as well (``a+b`` is not ``a-b``), which only two renderings of one kind of source can give.
    """
    if kind == TOOL_CALL:
        return _calls(plain_text(stored), plain_text(shown))
    before, after = _squeezed(stored), _squeezed(shown)
    if kind in _GROWING and before and after:
        if len(after) > len(before) and after.startswith(before):
            return GROWN
        if before.startswith(after):
            return PART
    if kind in _RENDERED:
        return GROWN if _TRANSIENT.match(before) and not _TRANSIENT.match(after) else REDRAWN
    if kind in (PROMPT, TEXT, THINKING):
        if not same_source or _MARKUP.sub("", plain_text(stored)) == _MARKUP.sub("", plain_text(shown)):
            return REDRAWN
    return DIFFERENT


def _squeezed(content: Content) -> str:
    return _CUT.sub("", "".join(plain_text(content).split()))


def _calls(stored: str, shown: str) -> str:
    names = _CALL_NAME.match(stored), _CALL_NAME.match(shown)
    if names[0] and names[1] and names[0].group() == names[1].group():
        return REDRAWN
    return DIFFERENT
