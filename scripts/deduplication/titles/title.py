"""A title as people read it: one line of what was said, short, with secrets redacted. Pure but for what redacts.

It may stand anywhere: on a terminal, in the name of a file, in a commit, on a page. So what is obeyed instead of shown is left out,
not escaped, and a text is redacted in one piece before anything is cut off.
"""

from __future__ import annotations

import re
import unicodedata
from typing import TYPE_CHECKING, Final

from ..start.late_pattern import late_pattern
from ..terminal.console import printable

if TYPE_CHECKING:
    from collections.abc import Callable

LONGEST: Final = 60
"""Characters of a title that was made; one that somebody set may have more:"""
LONGEST_SET: Final = 120
_READ: Final = 20_000
"""Characters at the beginning of a prompt that are looked at: a secret that begins among the first ones ends among these."""
_SEQUENCES: Final = late_pattern(
    r"\x1b\[[0-?]{0,64}[ -/]{0,8}[@-~]|\x1b\][^\x07\x1b]{0,2000}(?:\x07|\x1b\\)|\x1b[ -/]{0,4}[0-Z\\^-~]"
)
_MARKUP: Final = late_pattern(r"\A[#>*`~\s-]+|[*`~\s]+\Z")
"""What Markdown puts before a heading, a quote, an item, and around a stressed word."""
_TAGS: Final = late_pattern(r"</?[A-Za-z][\w:-]{0,80}(?:\s[^<>]{0,400})?/?>")


def title_of(text: str, redact: Callable[[str], str], longest: int = LONGEST) -> str:
    """The title that ``text`` is or begins with; empty where there is no letter or digit in it."""
    return line_of(redact(text[:_READ]), longest)


def line_of(text: str, longest: int = LONGEST) -> str:
    """``text``, redacted already, as one line of at most ``longest`` characters, cut between words."""
    plain = _SEQUENCES.sub("", text)
    plain = _TAGS.sub(" ", plain).replace("**", "").replace("`", "")
    plain = "".join(each if unicodedata.category(each)[0] != "C" else " " for each in plain)
    words = _MARKUP.sub("", " ".join(printable(plain, newlines=True).split()))
    if not any(each.isalnum() for each in words[: _READ // 10]):
        return ""
    return shortened(words, longest)


def shortened(line: str, longest: int) -> str:
    """``line`` cut between words, with an ellipsis where something was cut off."""
    if len(line) <= longest:
        return line
    whole, _, _ = line[:longest].rpartition(" ")
    kept = whole if len(whole) > longest // 2 else line[: longest - 1]
    return re.sub(r"[\s,;:.…–-]+\Z", "", kept) + "…"
