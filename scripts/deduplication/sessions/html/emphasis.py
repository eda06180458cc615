"""Which stars, underscores and tildes of a paragraph belong together: CommonMark's rule for delimiter runs, in linear time."""

from __future__ import annotations

import unicodedata
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Sequence

_TAGS: Final = {("*", 1): "em", ("_", 1): "em", ("*", 2): "strong", ("_", 2): "strong", ("~", 2): "s"}


class Run:
    """Signs of one kind in a row; they stand as ``out[at]`` until some of them open or close an element."""

    __slots__ = ("after", "at", "before", "closes", "count", "length", "opens", "sign")

    def __init__(self, text: str, start: int, end: int, at: int) -> None:
        self.sign, self.count, self.length, self.at = text[start], end - start, end - start, at
        self.before = self.after = ""
        left, right = text[start - 1 : start] or " ", text[end : end + 1] or " "
        opens = not right.isspace() and (not _is_sign(right) or left.isspace() or _is_sign(left))
        closes = not left.isspace() and (not _is_sign(left) or right.isspace() or _is_sign(right))
        self.opens = opens and (self.sign != "_" or not closes or _is_sign(left))
        self.closes = closes and (self.sign != "_" or not opens or _is_sign(right))

    def html(self) -> str:
        """The elements that end here, the signs that are left, the elements that begin here."""
        return f"{self.before}{self.sign * self.count}{self.after}"


def pair(runs: Sequence[Run], out: list[str]) -> None:
    """Give the elements of these runs, which stand in their order, to ``out``."""
    openers: list[Run] = []
    floors: dict[tuple[str, bool, int], int] = {}
    for run in runs:
        while run.closes and run.count:
            key = (run.sign, run.opens, run.length % 3)
            floor = min(floors.get(key, 0), len(openers))
            found = next((n for n in range(len(openers) - 1, floor - 1, -1) if _belong(openers[n], run)), None)
            if found is None:
                floors[key] = len(openers)  # nobody of this kind need look there again
                break
            opener = openers[found]
            del openers[found + 1 :]
            signs = 2 if run.sign == "~" or (run.count > 1 and opener.count > 1) else 1
            tag = _TAGS[run.sign, signs]
            opener.count, run.count = opener.count - signs, run.count - signs
            opener.after, run.before = f"<{tag}>{opener.after}", f"{run.before}</{tag}>"
            out[opener.at], out[run.at] = opener.html(), run.html()
            if not opener.count:
                openers.pop()
        if run.opens and run.count:
            openers.append(run)


def _belong(opener: Run, closer: Run) -> bool:
    if opener.sign != closer.sign:
        return False
    both = opener.closes or closer.opens
    odd = both and (opener.length + closer.length) % 3 == 0 and (opener.length % 3 or closer.length % 3)
    return closer.sign == "~" or not odd


def _is_sign(letter: str) -> bool:
    if letter.isascii():
        return not letter.isalnum() and not letter.isspace()
    return unicodedata.category(letter)[0] in "PS"
