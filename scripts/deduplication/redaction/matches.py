"""What the rules share: a place that must not be shared, where a key may begin, and how random a text looks.

Every rule is linear in the length of the text, whatever the text: a candidate begins only at a literal that was searched
for, what follows is matched by classes of bounded length, and no candidate begins in the middle of another one's run.
"""

from __future__ import annotations

import math
import re
from typing import TYPE_CHECKING, Any, Final, cast

from ..start.late_dataclass import dataclass
from ..start.late_pattern import late_pattern

if TYPE_CHECKING:
    from collections.abc import Iterator

PLACEHOLDER: Final = late_pattern(r"\[REDACTED:[a-z0-9-]{1,40}\]")
_JOINT: Final = late_pattern(r"(?:\\[nrt]|\x1b\[[0-9;]{0,12}m|%[0-9A-Fa-f]{2}|\\u[0-9A-Fa-f]{4})\Z")
"""What may stand directly before a key although its last character is a letter or a digit: an escape of some kind."""
_LONGEST_JOINT: Final = 16
_DIGIT: Final = late_pattern(r"\d")
_LETTER: Final = late_pattern(r"[^\W\d_]")
_PLACEHOLDERS: Final = late_pattern(
    r"your|example|change[-_]?me|placeholder|dummy|redacted|insert|replace|todo|<|\$\{|\$\(|\{\{|\.\.\.|…|\*\*\*|xxxx",
    re.IGNORECASE,
)


class _Later:
    """A regular expression that is compiled when it is first asked something."""

    def __init__(self, pattern: str, flags: int) -> None:
        self._asked = (pattern, flags)

    def __getattr__(self, name: str) -> Any:
        compiled = re.compile(*self._asked)
        for method in ("match", "search", "fullmatch", "finditer", "findall", "split"):
            setattr(self, method, getattr(compiled, method))
        return getattr(compiled, name)


def later(pattern: str, flags: int = 0) -> re.Pattern[str]:
    """``pattern``, compiled when it is first used: most texts have none of the words that ask for it.

    All of them together take as long as a short run of a hook.
    """
    return cast("re.Pattern[str]", _Later(pattern, flags))


@dataclass(frozen=True)
class Match:
    """A place in a text that must not be shared: half open, the rule's name, and why it was taken for one."""

    start: int
    end: int
    rule: str
    why: str


def occurrences(text: str, literal: str) -> Iterator[int]:
    """Where ``literal`` begins in ``text``, from left to right, without overlap."""
    at = text.find(literal)
    while at >= 0:
        yield at
        at = text.find(literal, at + len(literal))


def lowered(text: str) -> str:
    """``text`` in lower case, character by character: positions in it are positions in ``text``."""
    lower = text.lower()
    if len(lower) == len(text):
        return lower
    return re.sub("[A-Z]+", lambda capitals: capitals[0].lower(), text)  # one of its letters has a longer small form


def begins(text: str, at: int, *, hyphen: bool = False) -> bool:
    """Whether a key may begin at ``at``: not in the middle of a word (with ``hyphen``: nor after a hyphen)."""
    if at == 0:
        return True
    before = text[at - 1]
    if not (before.isalnum() or before == "_" or (hyphen and before == "-")):
        return True
    return _JOINT.search(text[max(0, at - _LONGEST_JOINT) : at]) is not None


def entropy(text: str) -> float:
    """Shannon's entropy in bits a character: 0 for one character repeated, about 4 for 20 random letters and digits."""
    total = len(text)
    return -sum(n / total * math.log2(n / total) for n in (text.count(character) for character in set(text)))


def monotonous(text: str) -> bool:
    """True for what has too few different characters to be a key: ``xxxxxxxxxxxx``."""
    return len(set(text)) < min(6, len(text) * 2 // 3)


def dull(text: str) -> bool:
    """True for what only holds a secret's place: monotonous, or with words in it that say so."""
    return monotonous(text) or _PLACEHOLDERS.search(text) is not None


def mixed(text: str) -> bool:
    """True where letters and digits stand together."""
    return _DIGIT.search(text) is not None and _LETTER.search(text) is not None
